/* The page cache: pages of files, found by (mapping, index). */
#include "fs.h"

enum { BUCKETS = 4096 };

static struct page *page_hash[BUCKETS];

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
}

/* The page, if need be a new one that is not up to date, with one more user; NULL if memory is short. */
struct page *grab_cache_page(struct address_space *mapping, u32 index)
{
    struct page *page = find_get_page(mapping, index);

    if (page)
        return page;
    page = alloc_pages(0);
    if (page)
        add_to_page_cache(page, mapping, index);
    return page;
}

static void remove_from_page_cache(struct page *page)
{
    struct page **link = bucket(page->mapping, page->index);

    while (*link != page)
        link = &(*link)->next_hash;
    *link = page->next_hash;
    page->mapping = NULL;
}

/* Forget all pages of a file. */
void truncate_pages(struct address_space *mapping)
{
    while (mapping->pages) {
        struct page *page = mapping->pages;
        mapping->pages = page->next;
        mapping->nrpages--;
        remove_from_page_cache(page);
        put_page(page);
    }
}
