/* Blocks of a disk in memory, and the devices that they come from. */
#pragma once

#include "mm.h"

#define BLOCK_SHIFT     10
#define BLOCK_SIZE      1024
#define BLOCKS_PER_PAGE (PAGE_SIZE / BLOCK_SIZE)

enum { DISK_READ, DISK_WRITE };

/* Bits of b_state. */
#define BH_UPTODATE  1 /* it holds what the disk holds, or something newer */
#define BH_MAPPED    2 /* it has a block, and can be found by its number */
#define BH_JOURNALED 4 /* it takes part in the running transaction */
#define BH_DIRTY     8 /* committed, but not written to its own place */

/* One block.  It either belongs to the cache, or it is a piece of a file's page; never both, and never twice. */
struct buffer_head {
    u32 b_blocknr;                   /* which block of the device */
    u32 b_state;                     /* BH_… */
    u32 b_count;                     /* users; each is one of the page, too */
    void *b_data;                    /* its bytes */
    struct block_device *b_dev;      /* where it is from */
    struct page *b_page;             /* the page that it is a piece of, if any */
    struct buffer_head *b_next_hash; /* in a chain of the cache */
    struct buffer_head *b_next;      /* in the running transaction */
};

struct block_device {
    u32 blocks;                                                              /* how many it has */
    void (*request_fn)(struct block_device *, int rw, struct buffer_head *); /* its driver: move one block */
    void *private;                                                           /* the driver's */
};

struct file;
struct handle;

/* block/ramdisk.c */
struct block_device *ramdisk_init(u32 start, u32 end);

/* block/buffer.c */
void ll_rw_block(int rw, struct buffer_head *bh);
struct buffer_head *find_buffer(struct block_device *device, u32 block);
struct buffer_head *getblk(struct block_device *device, u32 block);
struct buffer_head *bread(struct block_device *device, u32 block);
void get_buffer(struct buffer_head *bh);
void brelse(struct buffer_head *bh);
int map_buffer(struct buffer_head *bh, u32 block);
void unmap_buffer(struct buffer_head *bh);
void write_dirty_buffers(void);

/* block/page_buffers.c */
void free_page_buffers(struct page *page);
int block_read_full_page(struct file *file, struct page *page);
int block_prepare_write(struct page *page, u32 from, u32 to);
int walk_page_buffers(struct handle *handle, struct page *page, u32 from, u32 to,
                      int (*visit)(struct handle *, struct buffer_head *));
