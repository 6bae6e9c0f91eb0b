/* Blocks become free.  One handle is enough: however many they are, they are forgotten, and what changes are the bitmap,
   the inode, and at most two blocks of numbers. */
#include "ext.h"

/* Free the block with this number and what it leads to, `depth` blocks deep; but only from block `from` of that on, and
   it stays itself if that is not all. */
static void free_tree(struct handle *handle, struct inode *inode, u32 *number, u32 depth, u32 from)
{
    struct block_device *device = inode->i_sb->s_bdev;
    bool ok = ext_block_ok(inode, *number);
    struct buffer_head *bh = ok && depth ? bread(device, *number) : NULL;
    u32 span = depth == 2 ? POINTERS : 1, first = from / span;

    if (bh && from)
        journal_get_write_access(handle, bh);
    for (u32 i = first; bh && i < POINTERS; i++)
        free_tree(handle, inode, (u32 *)bh->b_data + i, depth - 1, i == first ? from % span : 0);
    if (bh && from)
        journal_dirty_metadata(handle, bh);
    brelse(bh);
    if (from)
        return;
    if (ok && ext_give_bit(handle, inode, BLOCK_BITMAP, *number) && (bh = find_buffer(device, *number)))
        journal_forget(bh);
    *number = 0;
}

/* Free what lies behind the end of the file; 0, or -EIO. */
int ext_shrink(struct handle *handle, struct inode *inode)
{
    u32 *numbers = ext_copy(inode)->block, first = (inode->i_size + BLOCK_SIZE - 1) >> BLOCK_SHIFT;

    for (u32 i = first; i < DIRECT; i++)
        free_tree(handle, inode, &numbers[i], 0, 0);
    first = first > DIRECT ? first - DIRECT : 0;
    if (first < POINTERS)
        free_tree(handle, inode, &numbers[DIRECT], 1, first);
    first = first > POINTERS ? first - POINTERS : 0;
    free_tree(handle, inode, &numbers[DIRECT + 1], 2, first);
    return ext_mark_inode_dirty(handle, inode);
}
