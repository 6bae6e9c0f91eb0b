/* Memory: page frames, small objects, address spaces, the page cache. */
#pragma once

#include "kernel.h"

#define MAX_PAGES 16384 /* frames that we manage: 64 MiB */

#define PG_UPTODATE 1 /* the frame holds what the file holds */

/* The map of a program's memory. */
#define STACK_TOP    PAGE_OFFSET
#define STACK_BOTTOM (STACK_TOP - (1 << 20))
#define USER_END     (STACK_BOTTOM - PAGE_SIZE) /* of everything else: a page below the stack stays empty */
#define MMAP_BASE    0x40000000                 /* where mmap begins to look for room */

#define PROT_READ  1
#define PROT_WRITE 2
#define PROT_EXEC  4

#define MAP_SHARED    1
#define MAP_PRIVATE   2
#define MAP_TYPE      0x0F /* one of the two */
#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define MAP_GROWSDOWN 0x100 /* the stack */

struct file;

struct page {
    u32 flags;                   /* PG_… */
    u32 count;                   /* users; 0 for a free frame */
    struct inode *inode;         /* the file that this is a page of, if any */
    u32 index;                   /* which page of the file */
    struct page *next_hash;      /* in a chain of the page cache */
    struct page *next;           /* in the list of its file, of free frames, or of page tables */
    void *address;               /* where the kernel sees it */
    struct buffer_head *buffers; /* its pieces, if its file is on a disk */
};

/* Pages of a program's memory that are alike; what is in none of its areas is not there. */
struct vm_area {
    u32 start;            /* first address */
    u32 end;              /* the one behind the last; both are at borders of pages */
    u32 prot;             /* PROT_… */
    u32 flags;            /* MAP_SHARED or MAP_PRIVATE, and MAP_GROWSDOWN */
    struct file *file;    /* whose pages it shows; NULL for memory of zeros */
    u32 pgoff;            /* which page of the file is at the start */
    struct vm_area *next; /* with higher addresses */
};

/* An address space. */
struct mm {
    u32 *pgd;              /* page directory; its upper quarter is the kernel's */
    struct vm_area *areas; /* by address; they do not overlap */
    u32 start_brk;         /* where the heap begins, behind the program's data */
    u32 brk;               /* and where it ends */
};

static inline u32 physical(const void *address)
{
    return (u32)address - PAGE_OFFSET;
}

static inline void *virtual(u32 address)
{
    return (void *)(address + PAGE_OFFSET);
}

static inline u32 page_down(u32 address)
{
    return address & -PAGE_SIZE;
}

static inline u32 page_up(u32 address)
{
    return (address + PAGE_MASK) & -PAGE_SIZE;
}

/* mm/page_alloc.c: order 0 is one page, order 1 two, aligned to their size. */
void mem_init(u32 modules_end, u32 end);
struct page *alloc_pages(u32 order);
struct page *get_zeroed_page(void);
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

/* mm/memory.c: page tables. */
extern u32 swapper_pg_dir[]; /* head.S: the kernel's own */
enum { PTE_PRESENT = 1, PTE_WRITABLE = 2, PTE_USER = 4, PTE_COPY_ON_WRITE = 0x200 };
void *frame_of(u32 entry);
u32 *new_pgd(void);
void free_pgd(u32 *pgd);
u32 *pte_alloc(u32 *pgd, u32 address);
bool copy_pages(u32 *to, u32 *from, const struct vm_area *area);
void zap_pages(u32 *pgd, u32 start, u32 end);

/* mm/area.c */
struct vm_area *find_area(struct mm *mm, u32 address);
int add_area(struct mm *mm, const struct vm_area *model);
int unmap(struct mm *mm, u32 start, u32 end);
int new_mm(struct mm *mm);
int copy_mm(struct mm *to, struct mm *from);
void free_mm(struct mm *mm);

/* mm/mmap.c */
int generic_file_mmap(struct file *file, struct vm_area *area);

/* mm/fault.c */
int handle_fault(struct mm *mm, u32 address, bool write);
void *reach(struct mm *mm, u32 address);
void do_page_fault(struct pt_regs *regs, u32 error);

/* mm/extable.c */
bool fixup_exception(struct pt_regs *regs);
