/* Which blocks and inodes are free: a bit each. */
#include "ext.h"

static void flip_bit(struct handle *handle, struct buffer_head *bh, u32 bit)
{
    journal_get_write_access(handle, bh);
    ((u32 *)bh->b_data)[bit / 32] ^= 1u << bit % 32;
}

/* Take a clear bit, the first from `goal` on, or if there is none the first of all; -ENOSPC, or -EIO. */
int ext_take_bit(struct handle *handle, const struct inode *inode, u32 map, u32 bits, u32 goal)
{
    struct buffer_head *bh = bread(inode->i_sb->s_bdev, map);
    u32 bit;

    if (!bh)
        return -EIO;
    bit = find_next_zero_bit(bh->b_data, bits, goal);
    if (bit == bits)
        bit = find_first_zero_bit(bh->b_data, bits);
    if (bit < bits)
        flip_bit(handle, bh, bit);
    brelse(bh);
    return bit < bits ? (int)bit : -ENOSPC;
}

/* Give a bit back; false if it was clear, which only a damaged disk can bring about. */
bool ext_give_bit(struct handle *handle, const struct inode *inode, u32 map, u32 bit)
{
    struct buffer_head *bh = bread(inode->i_sb->s_bdev, map);
    bool was_set = bh && ((u32 *)bh->b_data)[bit / 32] >> bit % 32 & 1;

    if (was_set)
        flip_bit(handle, bh, bit);
    brelse(bh);
    return was_set;
}
