/* Which parts of an address space are in use, and for what: a list of areas in the order of their addresses. */
#include "fs.h"
#include "io.h"

static struct cache areas = {.name = "vmas", .size = sizeof(struct vm_area)};

/* Where the list goes on with the first area that ends behind the address, whether it holds it or not. */
static struct vm_area **link_to_area(struct mm *mm, u32 address)
{
    struct vm_area **link = &mm->areas;

    while (*link && (*link)->end <= address)
        link = &(*link)->next;
    return link;
}

/* That area, or NULL. */
struct vm_area *find_area(struct mm *mm, u32 address)
{
    return *link_to_area(mm, address);
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

/* Add an area like the model, where none is, or make those beside it larger.  It may be empty.  0, or -ENOMEM. */
int add_area(struct mm *mm, const struct vm_area *model)
{
    struct vm_area *area = find_area(mm, model->start - 1), *next;

    if (model->start == model->end)
        return 0;
    if (area && continues(area, model))
        area->end = model->end;
    else
        area = insert_area(link_to_area(mm, model->start), model);
    if (!area)
        return -ENOMEM;
    next = area->next;
    if (next && continues(area, next)) {
        area->end = next->end;
        remove_area(&area->next);
    }
    return 0;
}

/* Where the first area is that ends behind the address, cut so that it begins there or later; NULL if memory is short. */
static struct vm_area **cut_at(struct mm *mm, u32 address)
{
    struct vm_area **link = link_to_area(mm, address), *upper = *link, *lower;

    if (!upper || upper->start >= address)
        return link;
    lower = insert_area(link, upper);
    if (!lower)
        return NULL;
    lower->end = upper->start = address;
    upper->pgoff += (address - lower->start) >> PAGE_SHIFT;
    return &lower->next;
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
    static const struct vm_area stack = {
        .start = STACK_TOP - PAGE_SIZE,
        .end = STACK_TOP,
        .prot = PROT_READ | PROT_WRITE,
        .flags = MAP_PRIVATE | MAP_GROWSDOWN,
    };

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
    if (pgd)
        free_pgd(pgd);
}
