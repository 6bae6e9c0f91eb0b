/* Inodes come from their table and go back there. */
#include "ext.h"

static struct cache copies = {.name = "disk inodes", .size = sizeof(struct ext_inode)};

/* The block with this inode, and where in it that is; NULL if there is none. */
struct buffer_head *ext_raw_inode(const struct super_block *super, u32 ino, struct ext_inode **raw)
{
    const struct ext_super *info = super->s_private;
    struct buffer_head *bh = NULL;

    if (ino - 1 < info->inodes)
        bh = bread(super->s_bdev, INODE_TABLE + (ino - 1) / INODES_PER_BLOCK);
    if (bh)
        *raw = (struct ext_inode *)bh->b_data + (ino - 1) % INODES_PER_BLOCK;
    return bh;
}

static bool inode_ok(const struct inode *inode, const struct ext_inode *raw)
{
    if ((!raw->links && !ext_super(inode)->recovering) || raw->size > EXT_MAX_SIZE)
        return false;
    return S_ISREG(raw->mode) || (S_ISDIR(raw->mode) && raw->size % BLOCK_SIZE == 0);
}

/* For iget. */
int ext_read_inode(struct inode *inode)
{
    struct ext_inode *raw;
    struct buffer_head *bh = ext_raw_inode(inode->i_sb, inode->i_ino, &raw);
    struct ext_inode *copy = bh && inode_ok(inode, raw) ? cache_alloc(&copies) : NULL;

    if (copy) {
        bool directory = S_ISDIR(raw->mode);
        *copy = *raw;
        inode->i_private = copy;
        inode->i_mode = raw->mode;
        inode->i_nlink = raw->links;
        inode->i_size = raw->size;
        inode->i_op = directory ? &ext_directory_inode : &ext_file_inode;
        inode->i_fop = directory ? &ext_directory_file : &ext_regular_file;
        inode->i_data.a_ops = &ext_pages;
    }
    brelse(bh);
    return copy ? 0 : -EIO;
}

static void write_raw(struct handle *handle, struct buffer_head *bh, struct ext_inode *raw,
                      const struct ext_inode *value)
{
    journal_get_write_access(handle, bh);
    *raw = *value;
    journal_dirty_metadata(handle, bh);
    brelse(bh);
}

/* Bring what changed in the inode to its block, as part of a change; 0 or -EIO. */
int ext_mark_inode_dirty(struct handle *handle, struct inode *inode)
{
    struct ext_inode *copy = ext_copy(inode), *raw;
    struct buffer_head *bh = ext_raw_inode(inode->i_sb, inode->i_ino, &raw);

    if (!bh)
        return -EIO;
    copy->mode = inode->i_mode;
    copy->links = inode->i_nlink;
    copy->size = inode->i_size;
    write_raw(handle, bh, raw, copy);
    return 0;
}

/* An empty file with one user and one link; or an error. */
struct inode *ext_new_inode(struct handle *handle, struct inode *dir, u32 mode)
{
    struct ext_inode value = {.mode = mode, .links = 1}, *raw;
    int bit = ext_take_bit(handle, dir, INODE_BITMAP, ext_super(dir)->inodes, 0);
    struct buffer_head *bh = bit < 0 ? NULL : ext_raw_inode(dir->i_sb, bit + 1, &raw);
    struct inode *inode = ERR_PTR(bit < 0 ? bit : -EIO);

    if (bh) {
        write_raw(handle, bh, raw, &value);
        inode = iget(dir->i_sb, bit + 1);
    }
    if (IS_ERR(inode) && bit >= 0)
        ext_give_bit(handle, dir, INODE_BITMAP, bit);
    return inode;
}

/* The inode leaves memory.  Its pages go with it, and must not be the only place that has their contents. */
void ext_put_inode(struct inode *inode)
{
    if (inode->i_data.pages)
        journal_flush(&ext_super(inode)->journal);
    cache_free(&copies, inode->i_private);
}

/* Neither name nor user is left. */
void ext_delete_inode(struct inode *inode)
{
    struct handle *handle = ext_start(inode);

    inode->i_size = 0;
    inode->i_mode = 0;
    ext_shrink(handle, inode);
    ext_give_bit(handle, inode, INODE_BITMAP, inode->i_ino - 1);
    journal_stop(handle);
    cache_free(&copies, inode->i_private);
}
