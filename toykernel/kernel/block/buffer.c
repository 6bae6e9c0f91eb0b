/* The buffer cache: blocks in memory, found by their number.  It keeps what it has read until there is too much. */
#include "buffer.h"

enum { BUFFER_CHAINS = 512, MAX_BLOCKS = 256 }; /* of the cache's own; those in use may be more */

static struct cache blocks = {.name = "blocks", .size = sizeof(struct buffer_head) + BLOCK_SIZE};
static struct buffer_head *buffer_hash[BUFFER_CHAINS];
static u32 hand; /* the chain where a block was dropped last */

/* Where everything passes that goes to a disk or comes from it.  The device has the block: numbers that a disk says were
   checked. */
void ll_rw_block(int rw, struct buffer_head *bh)
{
    struct block_device *device = bh->b_dev;

    if (bh->b_blocknr >= device->blocks)
        panic("no such block", bh->b_blocknr);
    device->request_fn(device, rw, bh);
    bh->b_state |= BH_UPTODATE;
}

/* The block if it is in memory, for whatever. */
struct buffer_head *find_buffer(struct block_device *device, u32 block)
{
    struct buffer_head *bh = buffer_hash[block % BUFFER_CHAINS];

    while (bh && (bh->b_blocknr != block || bh->b_dev != device))
        bh = bh->b_next_hash;
    return bh;
}

/* The buffer is this block from now on; -EIO if that is in memory already, which only a damaged disk asks for. */
int map_buffer(struct buffer_head *bh, u32 block)
{
    struct buffer_head **chain = &buffer_hash[block % BUFFER_CHAINS];

    if (find_buffer(bh->b_dev, block))
        return -EIO;
    bh->b_blocknr = block;
    bh->b_state |= BH_MAPPED;
    bh->b_next_hash = *chain;
    *chain = bh;
    return 0;
}

/* The block is free, or the buffer is: nobody shall find the one by the other. */
void unmap_buffer(struct buffer_head *bh)
{
    if (bh->b_state & BH_MAPPED)
        list_remove(&buffer_hash[bh->b_blocknr % BUFFER_CHAINS], bh, b_next_hash);
    bh->b_state &= ~BH_MAPPED;
}

/* Drop a block that nobody uses, if there is one. */
static void drop_buffer(void)
{
    for (u32 n = 0; n < BUFFER_CHAINS; n++) {
        struct buffer_head *bh = buffer_hash[hand = (hand + 1) % BUFFER_CHAINS];
        while (bh && (bh->b_page || bh->b_count))
            bh = bh->b_next_hash;
        if (bh) {
            unmap_buffer(bh);
            cache_free(&blocks, bh);
            return;
        }
    }
}

/* One more user: it stays in memory, and if it is a piece of a page, that does. */
void get_buffer(struct buffer_head *bh)
{
    bh->b_count++;
    if (bh->b_page)
        bh->b_page->count++;
}

/* One user less; it may be NULL. */
void brelse(struct buffer_head *bh)
{
    if (!bh)
        return;
    bh->b_count--;
    if (bh->b_page)
        put_page(bh->b_page);
    else if (!bh->b_count && !(bh->b_state & BH_MAPPED))
        cache_free(&blocks, bh);
}

/* The block's buffer, with one more user, not necessarily read.  NULL if memory is short, or if there is no
   such block or it is a piece of a file, which only a damaged disk can have us ask for. */
struct buffer_head *getblk(struct block_device *device, u32 block)
{
    struct buffer_head *bh = find_buffer(device, block);

    if (block >= device->blocks || (bh && bh->b_page))
        return NULL;
    if (!bh) {
        if (blocks.used >= MAX_BLOCKS || !nr_free_pages)
            drop_buffer();
        bh = cache_alloc(&blocks);
        if (!bh)
            return NULL;
        bh->b_dev = device;
        bh->b_data = bh + 1;
        map_buffer(bh, block);
    }
    bh->b_count++;
    return bh;
}

/* The same, read. */
struct buffer_head *bread(struct block_device *device, u32 block)
{
    struct buffer_head *bh = getblk(device, block);

    if (bh && !(bh->b_state & BH_UPTODATE))
        ll_rw_block(DISK_READ, bh);
    return bh;
}

/* Write everything home that the journal has committed, and needs no longer. */
void write_dirty_buffers(void)
{
    for (u32 i = 0; i < BUFFER_CHAINS; i++)
        for (struct buffer_head *bh = buffer_hash[i]; bh;) {
            if (!(bh->b_state & BH_DIRTY)) {
                bh = bh->b_next_hash;
                continue;
            }
            ll_rw_block(DISK_WRITE, bh);
            bh->b_state &= ~BH_DIRTY;
            brelse(bh); /* with it others of the chain may go */
            bh = buffer_hash[i];
        }
}
