/* Page frames.  Those never used lie behind a frontier, so that boot does not visit them all. */
#include "buffer.h"
#include "io.h"

static struct page mem_map[MAX_PAGES]; /* one for each frame */
static struct page *free_list[2];      /* used before and free again, by order */
static u32 frontier, last;             /* first frame never used, and the one behind memory's end */
static u32 hole_first, hole_last;      /* what the boot loader brought, in frames */
u32 nr_free_pages;                     /* used before or not */

extern char _end[]; /* kernel.ld */

/* Memory goes up to `end`; the hole is in use.  Physical addresses.  Nobody runs at them any more. */
void mem_init(u32 end, u32 hole_start, u32 hole_end)
{
    frontier = page_up(physical(_end)) >> PAGE_SHIFT;
    last = min(end >> PAGE_SHIFT, MAX_PAGES);
    hole_first = hole_start >> PAGE_SHIFT;
    hole_last = page_up(hole_end) >> PAGE_SHIFT;
    swapper_pg_dir[0] = 0;
    load_cr3(physical(swapper_pg_dir));
    nr_free_pages = last - frontier - (hole_last - hole_first);
}

static struct page *frame(u32 number)
{
    mem_map[number].address = virtual(number << PAGE_SHIFT);
    return &mem_map[number];
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

/* Frames that were never used; those skipped on the way to where they may begin are free from now on. */
static struct page *advance_frontier(u32 order)
{
    u32 n = 1 << order;
    u32 first = (frontier + n - 1) & -n;

    if (first < hole_last && first + n > hole_first)
        first = (hole_last + n - 1) & -n;
    if (first + n > last)
        return NULL;
    for (; frontier < first; frontier++)
        if (frontier < hole_first || frontier >= hole_last)
            put_on_list(frame(frontier), 0);
    for (; frontier < first + n; frontier++)
        frame(frontier);
    return &mem_map[first];
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
        page->mapping = NULL;
        nr_free_pages -= 1 << order;
    }
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
