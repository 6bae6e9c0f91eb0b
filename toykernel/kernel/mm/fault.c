/* Page faults: memory that is given when it is first needed, the end of a program, a foreseen failure of a copy, or a
   mistake of ours. */
#include "fs.h"
#include "io.h"

enum { WRITE_ACCESS = 2 }; /* in the processor's error code */

/* A page of zeros, or of the file, with one more user; or an error. */
static struct page *get_page(const struct vm_area *area, u32 address)
{
    u32 index = area->pgoff + ((address - area->start) >> PAGE_SHIFT);
    struct page *page;

    if (area->file) {
        if (index >= (area->file->f_inode->i_size + PAGE_MASK) >> PAGE_SHIFT)
            return ERR_PTR(-EFAULT);
        return read_cache_page(area->file, index);
    }
    page = get_zeroed_page();
    return page ? page : ERR_PTR(-ENOMEM);
}

/* What the entry of a new page allows.  Private pages of a file are copied before they are written. */
static u32 entry_bits(const struct vm_area *area)
{
    u32 writable = area->file && area->flags & MAP_PRIVATE ? PTE_COPY_ON_WRITE : PTE_WRITABLE;

    return PTE_PRESENT | PTE_USER | (area->prot & PROT_WRITE ? writable : 0);
}

/* The task wants to write to a page that it may share with others; the last user needs no copy. */
static int copy_on_write(u32 *entry, u32 address)
{
    struct page *page = page_of(frame_of(*entry));

    if (page->count > 1) {
        struct page *copy = alloc_pages(0);
        if (!copy)
            return SIGKILL;
        memcpy(copy->address, page->address, PAGE_SIZE);
        put_page(page);
        page = copy;
    }
    *entry = physical(page->address) | PTE_PRESENT | PTE_USER | PTE_WRITABLE;
    invalidate_page(address);
    return 0;
}

/* The area that the address lies in, even if the stack must grow to that end; or NULL. */
static struct vm_area *area_at(struct mm *mm, u32 address)
{
    struct vm_area *area = find_area(mm, address);

    if (!area || area->start <= address)
        return area;
    if (!(area->flags & MAP_GROWSDOWN) || address < STACK_BOTTOM)
        return NULL;
    area->start = page_down(address);
    return area;
}

/* The program may do what it wants to do at this address: see that it can.  0, or the signal for it. */
int handle_fault(struct mm *mm, u32 address, bool write)
{
    const struct vm_area *area = area_at(mm, address);
    u32 *entry;

    if (!area || !(write ? area->prot & PROT_WRITE : area->prot))
        return SIGSEGV;
    entry = pte_alloc(mm->pgd, address);
    if (!entry)
        return SIGKILL;
    if (!(*entry & PTE_PRESENT)) {
        struct page *page = get_page(area, address);
        if (IS_ERR(page))
            return PTR_ERR(page) == -ENOMEM ? SIGKILL : SIGBUS;
        *entry = physical(page->address) | entry_bits(area);
    }
    return write && *entry & PTE_COPY_ON_WRITE ? copy_on_write(entry, address) : 0;
}

/* Where the kernel sees what a program may write at this address; NULL if it may not, or if memory is short. */
void *reach(struct mm *mm, u32 address)
{
    return handle_fault(mm, address, true) ? NULL
                                           : frame_of(*pte_alloc(mm->pgd, address)) + (address & PAGE_MASK);
}

/* From do_trap, interrupts off. */
void do_page_fault(struct pt_regs *regs, u32 error)
{
    u32 address = read_cr2(), signal = SIGSEGV;

    if (regs->eflags & EFLAGS_IF)
        enable_interrupts();
    if (address < PAGE_OFFSET)
        signal = handle_fault(&current->mm, address, error & WRITE_ACCESS);
    if (!signal)
        return;
    if (user_mode(regs))
        send_signal(current, signal);
    else if (!fixup_exception(regs))
        panic("page fault", regs->eip);
}
