/* The page cache: pages of files, found by (mapping, index). */
#include "fs.h"

enum { BUCKETS = 4096, RESERVE = 32 }; /* the latter: pages that files leave to everything else */

static struct page *page_hash[BUCKETS];
u32 page_cache_size; /* how many pages are there */

static struct page **bucket(const struct address_space *mapping, u32 index)
{
    return &page_hash[((u32)mapping / sizeof(struct page *) + index) % BUCKETS];
}

/* The page if it is in memory, with one more user; else NULL. */
struct page *find_get_page(struct address_space *mapping, u32 index)
{
    struct page *page = *bucket(mapping, index);

    while (page && (page->mapping != mapping || page->index != index))
        page = page->next_hash;
    if (page)
        page->count++;
    return page;
}

/* The cache itself is a user of the page. */
static void add_to_page_cache(struct page *page, struct address_space *mapping, u32 index)
{
    struct page **chain = bucket(mapping, index);

    page->count++;
    page->mapping = mapping;
    page->index = index;
    page->next_hash = *chain;
    *chain = page;
    page->next = mapping->pages;
    mapping->pages = page;
    mapping->nrpages++;
    page_cache_size++;
}

/* The page, if need be a new one that is not up to date, with one more user; NULL if memory is short. */
struct page *grab_cache_page(struct address_space *mapping, u32 index)
{
    struct page *page = find_get_page(mapping, index);

    if (page)
        return page;
    while (nr_free_pages <= RESERVE)
        if (!prune_inode())
            return NULL;
    page = alloc_pages(0);
    if (page)
        add_to_page_cache(page, mapping, index);
    return page;
}

static void remove_from_page_cache(struct page *page)
{
    list_remove(bucket(page->mapping, page->index), page, next_hash);
    page->mapping->nrpages--;
    page->mapping = NULL;
    page_cache_size--;
}

/* Forget what lies behind the new end of a file: pages, and the rest of the last one. */
void truncate_pages(struct address_space *mapping, loff_t size)
{
    u32 nrpages = (size + PAGE_MASK) >> PAGE_SHIFT, rest = size & PAGE_MASK;
    struct page **link = &mapping->pages, *page;

    while ((page = *link)) {
        if (page->index >= nrpages) {
            *link = page->next;
            remove_from_page_cache(page);
            put_page(page);
            continue;
        }
        if (rest && page->index == nrpages - 1)
            memset(page->address + rest, 0, PAGE_SIZE - rest);
        link = &page->next;
    }
}
