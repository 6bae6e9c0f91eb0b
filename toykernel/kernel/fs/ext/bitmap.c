/* Which blocks and inodes are free: a bit each. */
#include "ext.h"

static void flip_bit(struct handle *handle, struct buffer_head *map, u32 bit)
{
    journal_get_write_access(handle, map);
    ((u32 *)map->b_data)[bit / 32] ^= 1u << bit % 32;
}

/* Take a clear bit, the first from `goal` on, or if there is none the first of all; or -ENOSPC. */
int ext_take_bit(struct handle *handle, struct buffer_head *map, u32 bits, u32 goal)
{
    u32 bit = find_next_zero_bit(map->b_data, bits, goal);

    if (bit == bits)
        bit = find_first_zero_bit(map->b_data, bits);
    if (bit == bits)
        return -ENOSPC;
    flip_bit(handle, map, bit);
    return bit;
}

/* Give a bit back; false if it was clear, which only a damaged disk can bring about. */
bool ext_give_bit(struct handle *handle, struct buffer_head *map, u32 bit)
{
    bool was_set = ((u32 *)map->b_data)[bit / 32] >> bit % 32 & 1;

    if (was_set)
        flip_bit(handle, map, bit);
    return was_set;
}
