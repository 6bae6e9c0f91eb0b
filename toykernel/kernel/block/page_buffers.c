/* Pages of files as blocks: a page has a buffer for each of its pieces once one of them was read or written. */
#include "buffer.h"
#include "fs.h"

static struct cache pieces = {.name = "buffers", .size = BLOCKS_PER_PAGE * sizeof(struct buffer_head)};

/* The page goes, and nobody uses its buffers. */
void free_page_buffers(struct page *page)
{
    for (u32 i = 0; i < BLOCKS_PER_PAGE; i++)
        unmap_buffer(&page->buffers[i]);
    cache_free(&pieces, page->buffers);
    page->buffers = NULL;
}

/* Make sure that the page has its buffers; 0 or -ENOMEM. */
static int make_page_buffers(struct page *page)
{
    struct buffer_head *bh = page->buffers;

    if (bh)
        return 0;
    page->buffers = bh = cache_alloc(&pieces);
    for (u32 i = 0; bh && i < BLOCKS_PER_PAGE; i++, bh++) {
        bh->b_dev = page->inode->i_sb->s_bdev;
        bh->b_page = page;
        bh->b_data = page->address + i * BLOCK_SIZE;
    }
    return page->buffers ? 0 : -ENOMEM;
}

/* Make a piece of a page up to date, with zeros where the file has no block and needs none.  `whole`: all of it will
   be written, so that its block is enough. */
static int fill_buffer(struct page *page, u32 i, bool create, bool whole)
{
    struct buffer_head *bh = &page->buffers[i];
    int error = 0;

    if (!(bh->b_state & BH_MAPPED))
        error = page->inode->i_aops->get_block(page->inode, page->index * BLOCKS_PER_PAGE + i, bh, create);
    if (error || whole || bh->b_state & BH_UPTODATE)
        return error;
    if (bh->b_state & BH_MAPPED)
        ll_rw_block(DISK_READ, bh);
    else
        memset(bh->b_data, 0, BLOCK_SIZE);
    bh->b_state |= BH_UPTODATE;
    return 0;
}

static int fill_pieces(struct page *page, u32 from, u32 to, bool create)
{
    int error = make_page_buffers(page);

    for (u32 i = from >> BLOCK_SHIFT; i << BLOCK_SHIFT < to && !error; i++) {
        bool whole = from <= i << BLOCK_SHIFT && (i + 1) << BLOCK_SHIFT <= to;
        error = fill_buffer(page, i, create, create && whole);
    }
    return error;
}

/* Fill a page; 0, or an error. */
int block_read_full_page(struct file *, struct page *page)
{
    int error = fill_pieces(page, 0, PAGE_SIZE, false);

    if (!error)
        page->flags |= PG_UPTODATE;
    return error;
}

/* Make a page ready for a change of its bytes [from, to): each piece has a block then, and is read unless all of it
   will be written. */
int block_prepare_write(struct page *page, u32 from, u32 to)
{
    return fill_pieces(page, from, to, true);
}

/* Visit the buffers of a page that have bytes in [from, to), until a visit returns an error. */
int walk_page_buffers(struct handle *handle, struct page *page, u32 from, u32 to,
                      int (*visit)(struct handle *, struct buffer_head *))
{
    int error = 0;

    for (u32 i = from >> BLOCK_SHIFT; i << BLOCK_SHIFT < to && !error; i++)
        error = visit(handle, &page->buffers[i]);
    return error;
}
