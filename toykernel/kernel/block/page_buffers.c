/* Pages of files as blocks: a page has a buffer for each of its pieces once one of them was read or written. */
#include "buffer.h"
#include "fs.h"

/* The page goes, and nobody uses its buffers. */
void free_page_buffers(struct page *page)
{
    while (page->buffers) {
        struct buffer_head *bh = page->buffers;
        page->buffers = bh->b_this_page;
        free_buffer(bh);
    }
}

/* Make sure that the page has its buffers; 0 or -ENOMEM. */
static int make_page_buffers(struct page *page)
{
    if (page->buffers)
        return 0;
    for (int offset = PAGE_SIZE - BLOCK_SIZE; offset >= 0; offset -= BLOCK_SIZE) {
        struct buffer_head *bh = new_buffer(page->inode->i_sb->s_bdev, page, offset);
        if (!bh) {
            free_page_buffers(page);
            return -ENOMEM;
        }
        bh->b_this_page = page->buffers;
        page->buffers = bh;
    }
    return 0;
}

/* Make a piece of a page up to date, with zeros where the file has no block and needs none.  `whole`: all of it will
   be written, so that its block is enough. */
static int fill_buffer(struct page *page, u32 block, struct buffer_head *bh, get_block_t get_block,
                       bool create, bool whole)
{
    int error = bh->b_state & BH_MAPPED ? 0 : get_block(page->inode, block, bh, create);

    if (error || whole || bh->b_state & BH_UPTODATE)
        return error;
    if (bh->b_state & BH_MAPPED)
        return ll_rw_block(DISK_READ, bh);
    memset(bh->b_data, 0, BLOCK_SIZE);
    bh->b_state |= BH_UPTODATE;
    return 0;
}

static int fill_page(struct page *page, u32 from, u32 to, get_block_t get_block, bool create)
{
    u32 block = page->index * BLOCKS_PER_PAGE, start = 0;
    int error = make_page_buffers(page);

    for (struct buffer_head *bh = page->buffers; bh && !error; bh = bh->b_this_page, block++) {
        u32 end = start + BLOCK_SIZE;
        if (start < to && end > from)
            error = fill_buffer(page, block, bh, get_block, create, create && from <= start && end <= to);
        start = end;
    }
    return error;
}

/* Fill a page; 0, or an error. */
int block_read_full_page(struct page *page, get_block_t get_block)
{
    int error = fill_page(page, 0, PAGE_SIZE, get_block, false);

    if (!error)
        page->flags |= PG_UPTODATE;
    return error;
}

/* Make a page ready for a change of its bytes [from, to): each piece has a block then, and is read unless all of it
   will be written. */
int block_prepare_write(struct page *page, u32 from, u32 to, get_block_t get_block)
{
    return fill_page(page, from, to, get_block, true);
}

/* Visit the buffers of a page that have bytes in [from, to), until a visit returns an error. */
int walk_page_buffers(struct handle *handle, struct page *page, u32 from, u32 to,
                      int (*visit)(struct handle *, struct buffer_head *))
{
    u32 start = 0;
    int error = 0;

    for (struct buffer_head *bh = page->buffers; bh && !error; bh = bh->b_this_page, start += BLOCK_SIZE)
        if (start < to && start + BLOCK_SIZE > from)
            error = visit(handle, bh);
    return error;
}
