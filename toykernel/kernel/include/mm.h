/* Memory: page frames, small objects, address spaces, the page cache. */
#pragma once

#include "kernel.h"
#include "regs.h"

#define MAX_PAGES 16384 /* frames that we manage: 64 MiB */

#define PG_UPTODATE 1 /* the frame holds what the file holds */

struct page {
    u32 flags;                     /* PG_… */
    u32 count;                     /* users; 0 for a free frame */
    struct address_space *mapping; /* the file that this is a page of, if any */
    u32 index;                     /* which page of the file */
    struct page *next_hash;        /* in a chain of the page cache */
    struct page *next;             /* in the list of its mapping, or of free frames */
    void *address;                 /* where the kernel sees it */
};

static inline u32 physical(const void *address)
{
    return (u32)address - PAGE_OFFSET;
}

static inline void *virtual(u32 address)
{
    return (void *)(address + PAGE_OFFSET);
}

/* mm/page_alloc.c: order 0 is one page, order 1 two, aligned to their size. */
void mem_init(u32 end, u32 hole_start, u32 hole_end);
struct page *alloc_pages(u32 order);
void free_pages(struct page *page, u32 order);
struct page *page_of(const void *address);
void put_page(struct page *page);
extern u32 nr_free_pages;

/* mm/slab.c: objects of one size. */
struct cache {
    const char *name;   /* what they are */
    size_t size;        /* of an object, in bytes */
    void *free;         /* the first free one; each points to the next */
    u32 used;           /* how many are not free */
    u32 pages;          /* taken for them, for good */
    struct cache *next; /* in the list of all that have pages */
};
extern struct cache *caches;
void *cache_alloc(struct cache *cache);
void cache_free(struct cache *cache, void *object);

/* mm/memory.c */
u32 *new_pgd(void);
void free_pgd(u32 *pgd);
void *map_user_page(u32 *pgd, u32 address, bool writable);

/* mm/fault.c */
void do_page_fault(struct pt_regs *regs, u32 error);

/* mm/extable.c */
bool fixup_exception(struct pt_regs *regs);
