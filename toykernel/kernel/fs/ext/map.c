/* From a block of a file to a block of the disk: the inode has the first numbers, other blocks have the rest. */
#include "ext.h"

/* May a file consist of this block?  A damaged disk may name any. */
bool ext_block_ok(const struct inode *inode, u32 block)
{
    return block >= ext_super(inode)->data && block < ext_super(inode)->blocks;
}

/* A new block: for the piece of a page `bh`, or if that is NULL, for numbers or names; or an error.  It takes part in
   the running transaction at once: nobody shall find there what the disk has. */
static int new_block(struct handle *handle, struct inode *inode, struct buffer_head *bh)
{
    struct ext_super *super = ext_super(inode);
    int block = ext_take_bit(handle, inode, BLOCK_BITMAP, super->blocks, super->goal);
    struct buffer_head *own = NULL;

    if (block < 0)
        return block;
    super->goal = block + 1;
    if (!ext_block_ok(inode, block) || (bh && map_buffer(bh, block)))
        return -EIO;
    if (!bh)
        bh = own = getblk(inode->i_sb->s_bdev, block);
    if (!bh)
        return -EIO;
    journal_get_write_access(handle, bh);
    if (!(bh->b_state & BH_UPTODATE))
        memset(bh->b_data, 0, BLOCK_SIZE);
    bh->b_state |= BH_UPTODATE;
    journal_dirty_metadata(handle, bh);
    brelse(own);
    return block;
}

/* Fill in a number, which is in this block, or if that is NULL in the inode. */
static void set_number(struct handle *handle, struct inode *inode, struct buffer_head *bh, u32 *number,
                       u32 block)
{
    if (bh)
        journal_get_write_access(handle, bh);
    *number = block;
    if (bh)
        journal_dirty_metadata(handle, bh);
    else
        ext_mark_inode_dirty(handle, inode);
}

/* The block of the disk, 0 if the file has none there, or an error.  With a handle it is allocated, for `piece`, and
   with it what leads to it: `depth` blocks of numbers, of which the inode has the first one's. */
static int map_block(struct handle *handle, struct inode *inode, u32 file_block, struct buffer_head *piece)
{
    u32 depth = (file_block >= DIRECT) + (file_block >= DIRECT + POINTERS);
    u32 *number = &ext_copy(inode)->block[depth ? DIRECT - 1 + depth : file_block];
    struct buffer_head *bh = NULL;

    file_block -= depth ? DIRECT : 0;
    file_block -= depth == 2 ? POINTERS : 0;
    if (file_block >= POINTERS * POINTERS)
        return handle ? -EFBIG : 0;
    for (;; depth--) {
        int block = *number;
        if (block && !ext_block_ok(inode, block))
            block = -EIO;
        if (!block && handle) {
            block = new_block(handle, inode, depth ? NULL : piece);
            if (block > 0)
                set_number(handle, inode, bh, number, block);
        }
        brelse(bh);
        if (block <= 0 || !depth)
            return block;
        bh = bread(inode->i_sb->s_bdev, block);
        if (!bh)
            return -EIO;
        number = (u32 *)bh->b_data + (depth == 2 ? file_block / POINTERS : file_block % POINTERS);
    }
}

/* For pages. */
int ext_get_block(struct inode *inode, u32 file_block, struct buffer_head *bh, bool create)
{
    struct handle *handle = create ? &ext_super(inode)->journal.j_handle : NULL;
    int block = map_block(handle, inode, file_block, bh);

    return block <= 0 || bh->b_state & BH_MAPPED ? (block < 0 ? block : 0) : map_buffer(bh, block);
}

/* For directories: the block's buffer, with a handle a new one if need be; or an error. */
struct buffer_head *ext_bread(struct handle *handle, struct inode *inode, u32 file_block)
{
    int block = map_block(handle, inode, file_block, NULL);
    struct buffer_head *bh = block > 0 ? bread(inode->i_sb->s_bdev, block) : NULL;

    return bh ? bh : ERR_PTR(block < 0 ? block : -EIO);
}
