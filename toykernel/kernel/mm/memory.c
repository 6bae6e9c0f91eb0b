/* A program's address space: a page directory, whose upper quarter is the kernel's. */
#include "mm.h"

enum { PRESENT = 1, WRITABLE = 2, USER = 4 }; /* bits of an entry; the upper 20 are the frame */
#define FIRST_KERNEL (PAGE_OFFSET >> 22)      /* entry of the directory */

extern u32 swapper_pg_dir[]; /* head.S */

static u32 *table_of(u32 entry)
{
    return virtual(entry & -PAGE_SIZE);
}

/* An empty one; NULL if memory is short. */
u32 *new_pgd(void)
{
    struct page *page = alloc_pages(0);
    u32 *pgd;

    if (!page)
        return NULL;
    pgd = page->address;
    memset(pgd, 0, FIRST_KERNEL * sizeof *pgd);
    memcpy(pgd + FIRST_KERNEL, swapper_pg_dir + FIRST_KERNEL, PAGE_SIZE - FIRST_KERNEL * sizeof *pgd);
    return pgd;
}

static void free_table(u32 *table)
{
    for (u32 i = 0; i < 1024; i++)
        if (table[i] & PRESENT)
            put_page(page_of(table_of(table[i])));
    put_page(page_of(table));
}

/* Free it with all the memory of the program; it must not be in use. */
void free_pgd(u32 *pgd)
{
    for (u32 i = 0; i < FIRST_KERNEL; i++)
        if (pgd[i] & PRESENT)
            free_table(table_of(pgd[i]));
    put_page(page_of(pgd));
}

/* Make the entry lead to a page of zeros if it leads nowhere yet. */
static bool fill_entry(u32 *entry, u32 bits)
{
    struct page *page;

    if (*entry & PRESENT) {
        *entry |= bits;
        return true;
    }
    page = alloc_pages(0);
    if (!page)
        return false;
    memset(page->address, 0, PAGE_SIZE);
    *entry = physical(page->address) | PRESENT | USER | bits;
    return true;
}

/* Give the program memory at the page of `address`, of zeros if there was none.  Returns where the kernel sees the
   page, or NULL if memory is short. */
void *map_user_page(u32 *pgd, u32 address, bool writable)
{
    u32 *directory = &pgd[address >> 22], *entry;

    if (!fill_entry(directory, WRITABLE))
        return NULL;
    entry = &table_of(*directory)[address >> PAGE_SHIFT & 1023];
    return fill_entry(entry, writable ? WRITABLE : 0) ? table_of(*entry) : NULL;
}
