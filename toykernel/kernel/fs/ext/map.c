/* From a block of a file to a block of the disk: the inode has the first numbers, other blocks have the rest. */
#include "ext.h"

/* May a file consist of this block?  A damaged disk may name any. */
static bool block_ok(const struct inode *inode, u32 block)
{
    return block >= ext_super(inode)->data && block < ext_super(inode)->disk.s_blocks;
}

/* A new block: for the piece of a page, or if that is NULL, for numbers or names; or an error.  It takes part in the
   running transaction at once: nobody shall find there what the disk has. */
static int new_block(struct handle *handle, struct inode *inode, struct buffer_head *piece)
{
    struct ext_super *super = ext_super(inode);
    int block = ext_take_bit(handle, super->block_map, super->disk.s_blocks, super->goal);
    struct buffer_head *bh = piece;

    if (block < 0)
        return block;
    super->goal = block + 1;
    if (!block_ok(inode, block))
        return -EIO;
    if (piece ? map_buffer(piece, block) != 0 : !(bh = getblk(inode->i_sb->s_bdev, block)))
        return -EIO;
    journal_get_write_access(handle, bh);
    if (!(bh->b_state & BH_UPTODATE))
        memset(bh->b_data, 0, BLOCK_SIZE);
    bh->b_state |= BH_UPTODATE;
    if (!piece)
        brelse(bh);
    return block;
}

/* The block of the disk, 0 if the file has none there, or an error.  With a handle it is allocated, for `piece`, and
   with it what leads to it: `depth` blocks of numbers, of which the inode has the first one's. */
static int map_block(struct handle *handle, struct inode *inode, u32 file_block, struct buffer_head *piece)
{
    u32 depth = (file_block >= DIRECT) + (file_block >= DIRECT + POINTERS);
    u32 *number = &ext_raw(inode)->block[depth ? DIRECT - 1 + depth : file_block];
    struct buffer_head *bh = inode->i_private; /* where the number is */

    file_block -= depth ? DIRECT : 0;
    file_block -= depth == 2 ? POINTERS : 0;
    if (file_block >= POINTERS * POINTERS)
        return handle ? -EFBIG : 0;
    get_buffer(bh);
    for (;; depth--) {
        int block = *number;
        if (block && !block_ok(inode, block))
            block = -EIO;
        if (!block && handle) {
            block = new_block(handle, inode, depth ? NULL : piece);
            if (block > 0) {
                journal_get_write_access(handle, bh);
                *number = block;
            }
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

/* Blocks become free.  One handle is enough: however many they are, they are forgotten, and what changes are the bitmap,
   the inode, and at most two blocks of numbers. */

/* Free the block with this number and what it leads to, `depth` blocks deep; but only from block `from` of that on, and
   it stays itself if that is not all. */
static void free_tree(struct handle *handle, struct inode *inode, u32 *number, u32 depth, u32 from)
{
    struct block_device *device = inode->i_sb->s_bdev;
    bool ok = block_ok(inode, *number);
    struct buffer_head *bh = ok && depth ? bread(device, *number) : NULL;
    u32 span = depth == 2 ? POINTERS : 1, first = from / span;

    if (bh && from)
        journal_get_write_access(handle, bh);
    for (u32 i = first; bh && i < POINTERS; i++)
        free_tree(handle, inode, (u32 *)bh->b_data + i, depth - 1, i == first ? from % span : 0);
    brelse(bh);
    if (from)
        return;
    if (ok && ext_give_bit(handle, ext_super(inode)->block_map, *number) &&
        (bh = find_buffer(device, *number)))
        journal_forget(bh);
    *number = 0;
}

/* Free what lies behind the end of the file. */
void ext_shrink(struct handle *handle, struct inode *inode)
{
    u32 *numbers = ext_raw(inode)->block, first = (inode->i_size + BLOCK_SIZE - 1) >> BLOCK_SHIFT;

    for (u32 i = first; i < DIRECT; i++)
        free_tree(handle, inode, &numbers[i], 0, 0);
    first = first > DIRECT ? first - DIRECT : 0;
    if (first < POINTERS)
        free_tree(handle, inode, &numbers[DIRECT], 1, first);
    first = first > POINTERS ? first - POINTERS : 0;
    free_tree(handle, inode, &numbers[DIRECT + 1], 2, first);
    ext_mark_inode_dirty(handle, inode);
}
