/* Inodes come from their table and go back there. */
#include "ext.h"

/* The block of the table with this inode; NULL if there is none. */
static struct buffer_head *inode_block(const struct super_block *super, u32 ino)
{
    const struct ext_super *info = super->s_private;

    return ino - 1 < info->disk.s_inodes ? bread(super->s_bdev, INODE_TABLE + (ino - 1) / INODES_PER_BLOCK)
                                         : NULL;
}

static bool inode_ok(const struct ext_inode *raw)
{
    return raw->size <= EXT_MAX_SIZE &&
           (S_ISREG(raw->mode) || (S_ISDIR(raw->mode) && raw->size % BLOCK_SIZE == 0));
}

/* For iget. */
static int ext_read_inode(struct inode *inode)
{
    struct buffer_head *bh = inode->i_private = inode_block(inode->i_sb, inode->i_ino);
    const struct ext_inode *raw = bh ? ext_raw(inode) : NULL;
    bool directory;

    if (!raw || !inode_ok(raw)) {
        brelse(bh);
        return -EIO;
    }
    directory = S_ISDIR(raw->mode);
    inode->i_mode = raw->mode;
    inode->i_nlink = raw->links;
    inode->i_size = raw->size;
    inode->i_op = directory ? &ext_directory_inode : &ext_file_inode;
    inode->i_fop = directory ? &ext_directory_file : &ext_regular_file;
    inode->i_aops = &ext_pages;
    return 0;
}

/* Bring what changed in the inode to its block, as part of a change. */
void ext_mark_inode_dirty(struct handle *handle, struct inode *inode)
{
    struct ext_inode *raw = ext_raw(inode);

    journal_get_write_access(handle, inode->i_private);
    raw->mode = inode->i_mode;
    raw->links = inode->i_nlink;
    raw->size = inode->i_size;
}

/* An empty file with one user and one link; or an error. */
struct inode *ext_new_inode(struct handle *handle, struct inode *dir, u32 mode)
{
    struct ext_super *super = ext_super(dir);
    int bit = ext_take_bit(handle, super->inode_map, super->disk.s_inodes, 0);
    struct buffer_head *bh;
    struct inode *inode;

    if (bit < 0)
        return ERR_PTR(bit);
    bh = inode_block(dir->i_sb, bit + 1);
    if (bh) {
        journal_get_write_access(handle, bh);
        ((struct ext_inode *)bh->b_data)[bit % INODES_PER_BLOCK] =
            (struct ext_inode){.mode = mode, .links = 1};
    }
    inode = iget(dir->i_sb, bit + 1);
    brelse(bh);
    if (IS_ERR(inode))
        ext_give_bit(handle, super->inode_map, bit);
    return inode;
}

/* Neither name nor user is left. */
static void delete_inode(struct inode *inode)
{
    struct handle *handle = ext_start(inode);

    inode->i_size = 0;
    inode->i_mode = 0;
    ext_shrink(handle, inode);
    ext_give_bit(handle, ext_super(inode)->inode_map, inode->i_ino - 1);
    journal_stop(handle);
}

/* Its pages leave memory with it, and must not be the only place that has their contents. */
static void ext_drop_inode(struct inode *inode)
{
    if (!inode->i_nlink)
        delete_inode(inode);
    else if (inode->i_pages)
        journal_flush(&ext_super(inode)->journal);
    brelse(inode->i_private);
}

/* All that was written so far is safe, and the log is empty. */
static int ext_sync(struct super_block *super)
{
    journal_flush(&((struct ext_super *)super->s_private)->journal);
    return 0;
}

const struct super_operations ext_operations = {
    .read_inode = ext_read_inode,
    .drop_inode = ext_drop_inode,
    .sync = ext_sync,
};
