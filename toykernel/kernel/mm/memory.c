/* Page tables: a directory of 1024 tables of 1024 pages.  The directory's upper quarter is the kernel's, in all alike. */
#include "sched.h"

#define FIRST_KERNEL (PAGE_OFFSET >> 22) /* entry of the directory */
enum { DIRECTORY_SHIFT = 22, ENTRIES = 1024 };

/* Where the kernel sees the frame that an entry leads to. */
void *frame_of(u32 entry)
{
    return virtual(page_down(entry));
}

/* An empty directory; NULL if memory is short.  It is the first in the list of its pages, the tables follow. */
u32 *new_pgd(void)
{
    struct page *page = get_zeroed_page();
    u32 *pgd;

    if (!page)
        return NULL;
    page->next = NULL;
    pgd = page->address;
    memcpy(pgd + FIRST_KERNEL, swapper_pg_dir + FIRST_KERNEL, PAGE_SIZE - FIRST_KERNEL * sizeof *pgd);
    return pgd;
}

/* Free it with its tables, which lead nowhere any more; it must not be in use. */
void free_pgd(u32 *pgd)
{
    for (struct page *page = page_of(pgd), *next; page; page = next) {
        next = page->next;
        put_page(page);
    }
}

/* The entry for the page at `address`, or NULL if there is no table for it. */
static u32 *pte_of(u32 *pgd, u32 address)
{
    u32 directory = pgd[address >> DIRECTORY_SHIFT];

    return directory & PTE_PRESENT ? (u32 *)frame_of(directory) + (address >> PAGE_SHIFT) % ENTRIES : NULL;
}

/* The same with a table, made if need be; NULL if memory is short. */
u32 *pte_alloc(u32 *pgd, u32 address)
{
    u32 *directory = &pgd[address >> DIRECTORY_SHIFT];

    if (!(*directory & PTE_PRESENT)) {
        struct page *page = get_zeroed_page();
        if (!page)
            return NULL;
        page->next = page_of(pgd)->next;
        page_of(pgd)->next = page;
        *directory = physical(page->address) | PTE_PRESENT | PTE_WRITABLE | PTE_USER;
    }
    return pte_of(pgd, address);
}

/* The first page behind this one that may have a table. */
static u32 next_page(const u32 *entry, u32 address)
{
    return entry ? address + PAGE_SIZE : ((address >> DIRECTORY_SHIFT) + 1) << DIRECTORY_SHIFT;
}

/* Show the pages of an area in another address space, too.  Private ones that may be written are copied by whoever
   writes first.  False if memory is short. */
bool copy_pages(u32 *to, u32 *from, const struct vm_area *area)
{
    u32 *entry, *copy;

    for (u32 at = area->start; at < area->end; at = next_page(entry, at)) {
        entry = pte_of(from, at);
        if (!entry || !(*entry & PTE_PRESENT))
            continue;
        copy = pte_alloc(to, at);
        if (!copy)
            return false;
        if (*entry & PTE_WRITABLE && area->flags & MAP_PRIVATE)
            *entry ^= PTE_WRITABLE | PTE_COPY_ON_WRITE;
        *copy = *entry;
        page_of(frame_of(*entry))->count++;
    }
    return true;
}

/* Take the pages away from an address space whose areas do not mention them any more.  This may take long, and others
   run meanwhile.  Whoever uses the address space must reload it. */
void zap_pages(u32 *pgd, u32 start, u32 end)
{
    u32 *entry;

    for (u32 at = start; at < end; at = next_page(entry, at)) {
        entry = pte_of(pgd, at);
        if (!entry || !(*entry & PTE_PRESENT))
            continue;
        put_page(page_of(frame_of(*entry)));
        *entry = 0;
        cond_resched();
    }
}
