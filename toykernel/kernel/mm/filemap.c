/* The page cache: pages of files, found by (inode, index). */
#include "fs.h"

enum { BUCKETS = 4096, RESERVE = 32 }; /* the latter: pages that files leave to everything else */

static struct page *page_hash[BUCKETS];
u32 page_cache_size; /* how many pages are there */

static struct page **bucket(const struct inode *inode, u32 index)
{
    return &page_hash[((u32)inode / sizeof(struct page *) + index) % BUCKETS];
}

/* The cache itself is a user of the page. */
static void add_to_page_cache(struct page *page, struct inode *inode, u32 index)
{
    struct page **chain = bucket(inode, index);

    page->count++;
    page->inode = inode;
    page->index = index;
    page->next_hash = *chain;
    *chain = page;
    page->next = inode->i_pages;
    inode->i_pages = page;
    inode->i_nrpages++;
    page_cache_size++;
}

/* The page, if need be a new one that is not up to date, with one more user; NULL if memory is short. */
struct page *grab_cache_page(struct inode *inode, u32 index)
{
    struct page *page = *bucket(inode, index);

    while (page && (page->inode != inode || page->index != index))
        page = page->next_hash;
    if (page) {
        page->count++;
        return page;
    }
    while (nr_free_pages <= RESERVE)
        if (!prune_inode())
            return NULL;
    page = alloc_pages(0);
    if (page)
        add_to_page_cache(page, inode, index);
    return page;
}

/* Forget what lies behind the new end of a file: pages, and the rest of the last one. */
void truncate_pages(struct inode *inode, loff_t size)
{
    u32 nrpages = (size + PAGE_MASK) >> PAGE_SHIFT, rest = size & PAGE_MASK;
    struct page **link = &inode->i_pages, *page;

    while ((page = *link)) {
        if (page->index >= nrpages) {
            *link = page->next;
            list_remove(bucket(inode, page->index), page, next_hash);
            page->inode = NULL;
            inode->i_nrpages--;
            page_cache_size--;
            put_page(page);
            continue;
        }
        if (rest && page->index == nrpages - 1)
            memset(page->address + rest, 0, PAGE_SIZE - rest);
        link = &page->next;
    }
}
