/* Which parts of an address space are in use, and for what: a list of areas in the order of their addresses. */
#include "fs.h"
#include "io.h"

static struct cache areas = {.name = "vmas", .size = sizeof(struct vm_area)};

/* The first area that ends behind the address, whether it holds it or not; or NULL. */
struct vm_area *find_area(const struct mm *mm, u32 address)
{
    struct vm_area *area = mm->areas;

    while (area && area->end <= address)
        area = area->next;
    return area;
}

/* A copy in front of *link; NULL if memory is short. */
static struct vm_area *insert_area(struct vm_area **link, const struct vm_area *model)
{
    struct vm_area *area = cache_alloc(&areas);

    if (!area)
        return NULL;
    *area = *model;
    area->next = *link;
    *link = area;
    if (area->file)
        area->file->f_count++;
    return area;
}

static void remove_area(struct vm_area **link)
{
    struct vm_area *area = *link;

    *link = area->next;
    if (area->file)
        fput(area->file);
    cache_free(&areas, area);
}

/* Could `b`, which begins where `a` ends, be part of it? */
static bool continues(const struct vm_area *a, const struct vm_area *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
           (!a->file || a->pgoff + ((a->end - a->start) >> PAGE_SHIFT) == b->pgoff);
}

/* If the area and the next one are alike, make them one. */
static void merge_with_next(struct vm_area *area)
{
    if (area && area->next && continues(area, area->next)) {
        area->end = area->next->end;
        remove_area(&area->next);
    }
}

/* Add an area like the model, where none is; 0, or -ENOMEM. */
int add_area(struct mm *mm, const struct vm_area *model)
{
    struct vm_area **link = &mm->areas, *before = NULL, *area;

    while (*link && (*link)->end <= model->start) {
        before = *link;
        link = &before->next;
    }
    area = insert_area(link, model);
    if (!area)
        return -ENOMEM;
    merge_with_next(area);
    merge_with_next(before);
    return 0;
}

/* Cut the area that *link leads to in two; 0, or -ENOMEM. */
static int split_area(struct vm_area **link, u32 address)
{
    struct vm_area *upper = *link, *lower = insert_area(link, upper);

    if (!lower)
        return -ENOMEM;
    lower->end = upper->start = address;
    upper->pgoff += (address - lower->start) >> PAGE_SHIFT;
    return 0;
}

/* Where the first area is that ends behind the address, cut so that it begins there or later; NULL if memory is short. */
static struct vm_area **cut_at(struct mm *mm, u32 address)
{
    struct vm_area **link = &mm->areas;

    while (*link && (*link)->end <= address)
        link = &(*link)->next;
    if (*link && (*link)->start < address) {
        if (split_area(link, address))
            return NULL;
        link = &(*link)->next;
    }
    return link;
}

/* Empty a part of the address space; 0, or -ENOMEM with nothing done. */
int unmap(struct mm *mm, u32 start, u32 end)
{
    struct vm_area **link;

    if (!cut_at(mm, start) || !cut_at(mm, end))
        return -ENOMEM;
    link = cut_at(mm, start);
    while (*link && (*link)->start < end)
        remove_area(link);
    zap_pages(mm->pgd, start, end);
    load_cr3(physical(current->mm.pgd));
    return 0;
}

/* Memory with nothing but a stack; 0, or -ENOMEM. */
int new_mm(struct mm *mm)
{
    struct vm_area stack = {.start = STACK_TOP - PAGE_SIZE, .end = STACK_TOP};

    stack.flags = MAP_PRIVATE | MAP_GROWSDOWN;
    stack.prot = PROT_READ | PROT_WRITE;
    *mm = (struct mm){.pgd = new_pgd()};
    return mm->pgd ? add_area(mm, &stack) : -ENOMEM;
}

/* A copy of the other; 0, or -ENOMEM. */
int copy_mm(struct mm *to, struct mm *from)
{
    struct vm_area **link = &to->areas;
    int error;

    *to = (struct mm){.pgd = new_pgd(), .start_brk = from->start_brk, .brk = from->brk};
    error = to->pgd ? 0 : -ENOMEM;
    for (struct vm_area *area = from->areas; area && !error; area = area->next, link = &(*link)->next)
        if (!insert_area(link, area) || !copy_pages(to->pgd, from->pgd, area))
            error = -ENOMEM;
    load_cr3(physical(from->pgd)); /* pages that could be written cannot now */
    return error;
}

/* Give all of it back, however much there is; what is left is the kernel's part. */
void free_mm(struct mm *mm)
{
    u32 *pgd = mm->pgd;

    while (mm->areas) {
        u32 start = mm->areas->start, end = mm->areas->end;
        remove_area(&mm->areas);
        zap_pages(pgd, start, end);
    }
    mm->pgd = swapper_pg_dir;
    load_cr3(physical(current->mm.pgd)); /* perhaps it was this one */
    if (pgd && pgd != swapper_pg_dir)
        free_pgd(pgd);
}
