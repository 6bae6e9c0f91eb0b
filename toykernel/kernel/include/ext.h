/* The disk filesystem, ext3 in miniature (toykernel/disk.py describes the same disk and makes one). */
#pragma once

#include "fs.h"
#include "journal.h"

#define EXT_MAGIC        0x03545845 /* "EXT", 3 */
#define EXT_ROOT         1          /* the root's inode, the first one */
#define DIRECT           11         /* blocks whose numbers are in the inode */
#define POINTERS         256        /* numbers in a block that holds such */
#define MAX_BITS         8192       /* of a bitmap, which is one block */
#define EXT_MAX_SIZE     ((loff_t)(DIRECT + POINTERS + POINTERS * POINTERS) * BLOCK_SIZE)
#define INODES_PER_BLOCK (BLOCK_SIZE / sizeof(struct ext_inode))
#define EXT_CREDITS      20 /* buffers that one change needs at most */

enum { INODE_BITMAP = 1, BLOCK_BITMAP = 2, INODE_TABLE = 3 }; /* their first blocks */

/* Block 0.  Everything else about where things are follows from these numbers. */
struct ext_super_block {
    u32 s_magic;          /* EXT_MAGIC */
    u32 s_blocks;         /* of the disk */
    u32 s_inodes;         /* a multiple of INODES_PER_BLOCK */
    u32 s_journal_blocks; /* behind the inodes; at least MIN_JOURNAL */
};

/* An inode on the disk. */
struct ext_inode {
    u16 mode;              /* S_IF… and permissions; 0 if it is free */
    u16 links;             /* names */
    u32 size;              /* in bytes */
    u32 names;             /* in a directory, how many */
    u32 block[DIRECT + 2]; /* the first blocks, one with the numbers of more, one with the numbers of such */
};

/* What a directory consists of. */
struct ext_entry {
    u16 ino;                 /* 0 if it is free */
    u16 mode;                /* S_IF… */
    char name[NAME_MAX + 1]; /* ended by a zero */
};

/* s_private of our super_block. */
struct ext_super {
    struct journal journal;
    struct ext_super_block disk;   /* what its block 0 says */
    struct buffer_head *inode_map; /* which inodes are in use: a bit each */
    struct buffer_head *block_map; /* which blocks are */
    u32 data;                      /* the first block for files */
    u32 goal;                      /* where to look for a free block first */
};

static inline struct ext_super *ext_super(const struct inode *inode)
{
    return inode->i_sb->s_private;
}

/* i_private is the buffer of the table's block with this inode, and keeps it in memory. */
static inline struct ext_inode *ext_raw(const struct inode *inode)
{
    const struct buffer_head *bh = inode->i_private;
    return (struct ext_inode *)bh->b_data + (inode->i_ino - 1) % INODES_PER_BLOCK;
}

static inline struct handle *ext_start(const struct inode *inode)
{
    return journal_start(&ext_super(inode)->journal, EXT_CREDITS);
}

/* fs/ext/inode.c */
extern const struct super_operations ext_operations;
void ext_mark_inode_dirty(struct handle *handle, struct inode *inode);
struct inode *ext_new_inode(struct handle *handle, struct inode *dir, u32 mode);

/* fs/ext/bitmap.c */
int ext_take_bit(struct handle *handle, struct buffer_head *map, u32 bits, u32 goal);
bool ext_give_bit(struct handle *handle, struct buffer_head *map, u32 bit);

/* fs/ext/map.c */
int ext_get_block(struct inode *inode, u32 block, struct buffer_head *bh, bool create);
struct buffer_head *ext_bread(struct handle *handle, struct inode *inode, u32 block);
void ext_shrink(struct handle *handle, struct inode *inode);

/* fs/ext/directory.c, fs/ext/file.c */
extern const struct inode_operations ext_directory_inode, ext_file_inode;
extern const struct file_operations ext_directory_file, ext_regular_file;
extern const struct address_space_operations ext_pages;
int ext_fsync(struct file *file);
