/* Small objects: a page is cut into equal pieces, the free ones form a list. */
#include "mm.h"

struct cache *caches; /* all that were ever used */

static void add_free(struct cache *cache, void *object)
{
    *(void **)object = cache->free;
    cache->free = object;
}

static bool grow(struct cache *cache)
{
    struct page *page = alloc_pages(0);

    if (!page)
        return false;
    if (cache->pages++ == 0) {
        cache->next = caches;
        caches = cache;
    }
    for (u32 at = 0; at + cache->size <= PAGE_SIZE; at += cache->size)
        add_free(cache, page->address + at);
    return true;
}

/* An object, all zero; NULL if memory is short. */
void *cache_alloc(struct cache *cache)
{
    void *object;

    if (!cache->free && !grow(cache))
        return NULL;
    object = cache->free;
    cache->free = *(void **)object;
    cache->used++;
    return memset(object, 0, cache->size);
}

void cache_free(struct cache *cache, void *object)
{
    cache->used--;
    add_free(cache, object);
}
