/* Page frames.  Those never used lie behind a frontier, so that boot does not visit them all. */
#include "buffer.h"
#include "io.h"

static struct page mem_map[MAX_PAGES]; /* one for each frame */
static struct page *free_list[2];      /* used before and free again, by order */
static u32 frontier, last;             /* first frame never used, and the one behind memory's end */
u32 nr_free_pages;                     /* used before or not */

extern char _end[]; /* kernel.ld */

/* Memory goes up to `end`; the modules that the boot loader brought lie behind the kernel.  Physical addresses.  Nobody
   runs at them any more. */
void mem_init(u32 modules_end, u32 end)
{
    u32 start = modules_end > physical(_end) ? modules_end : physical(_end);

    frontier = page_up(start) >> PAGE_SHIFT;
    last = min(end >> PAGE_SHIFT, MAX_PAGES) & -2; /* an even number */
    swapper_pg_dir[0] = 0;
    load_cr3(physical(swapper_pg_dir));
    nr_free_pages = last - frontier;
}

static void put_on_list(struct page *page, u32 order)
{
    page->count = 0;
    page->next = free_list[order];
    free_list[order] = page;
}

static struct page *take_from_list(u32 order)
{
    struct page *page = free_list[order];

    if (page)
        free_list[order] = page->next;
    return page;
}

static struct page *next_frame(void)
{
    struct page *page = &mem_map[frontier];

    page->address = virtual(frontier++ << PAGE_SHIFT);
    return page;
}

/* Frames that were never used.  Two begin at an even number; one that is skipped for that is free from now on. */
static struct page *advance_frontier(u32 order)
{
    struct page *page;

    if (frontier & order)
        put_on_list(next_frame(), 0);
    if (frontier == last)
        return NULL;
    page = next_frame();
    if (order > 0)
        next_frame();
    return page;
}

/* One half of two frames that lie side by side; the other half is free, too. */
static struct page *split_pair(void)
{
    struct page *page = take_from_list(1);

    if (page)
        put_on_list(page + 1, 0);
    return page;
}

/* 2^order frames with unknown contents and one user; NULL if there are none. */
struct page *alloc_pages(u32 order)
{
    struct page *page = take_from_list(order);

    if (!page)
        page = advance_frontier(order);
    if (!page && order == 0)
        page = split_pair();
    if (page) {
        page->flags = 0;
        page->count = 1;
        page->inode = NULL;
        nr_free_pages -= 1 << order;
    }
    return page;
}

/* One full of zeros. */
struct page *get_zeroed_page(void)
{
    struct page *page = alloc_pages(0);

    if (page)
        memset(page->address, 0, PAGE_SIZE);
    return page;
}

void free_pages(struct page *page, u32 order)
{
    put_on_list(page, order);
    nr_free_pages += 1 << order;
}

struct page *page_of(const void *address)
{
    return &mem_map[physical(address) >> PAGE_SHIFT];
}

/* One user less of a single page. */
void put_page(struct page *page)
{
    if (--page->count)
        return;
    if (page->buffers)
        free_page_buffers(page);
    free_pages(page, 0);
}
