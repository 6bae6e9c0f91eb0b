/* The calls that change an address space: mmap, munmap, brk. */
#include "fs.h"
#include "syscall.h"

/* A file whose pages are in the page cache may be shown in memory.  A program that writes to shared pages writes to the
   cache and nowhere else, so that they must be all there is of the file. */
int generic_file_mmap(struct file *, struct vm_area *)
{
    return 0;
}

/* The lowest address from `start` on with so much room; 0 if there is none. */
static u32 find_room(struct mm *mm, u32 start, u32 length)
{
    const struct vm_area *area = find_area(mm, start);

    for (; area && (area->start <= start || area->start - start < length); area = area->next)
        start = area->end;
    return start <= USER_END && USER_END - start >= length ? start : 0;
}

/* Where the program wants it, or where there is room, or an error. */
static u32 choose_address(struct mm *mm, u32 start, u32 length, bool fixed)
{
    if (fixed) {
        if (start > PAGE_OFFSET - length)
            return -ENOMEM;
        if (start & PAGE_MASK)
            return -EINVAL;
        return start < PAGE_SIZE ? (u32)-EPERM : start;
    }
    start = page_up(start);
    if (start < PAGE_SIZE || find_room(mm, start, length) != start)
        start = find_room(mm, MMAP_BASE, length);
    return start ? start : (u32)-ENOMEM;
}

/* Does the way in which the file was opened allow it? */
static int may_map(const struct file *file, const struct vm_area *area)
{
    if (!(file->f_mode & FMODE_READ))
        return -EACCES;
    if (area->flags & MAP_SHARED && area->prot & PROT_WRITE && !(file->f_mode & FMODE_WRITE))
        return -EACCES;
    return file->f_op->mmap ? 0 : -ENODEV;
}

static int map_area(struct mm *mm, struct vm_area *area, u32 length, bool fixed)
{
    int error = area->file ? may_map(area->file, area) : 0;

    if (error)
        return error;
    area->start = choose_address(mm, area->start, length, fixed);
    if (IS_ERR(area->start))
        return area->start;
    area->end = area->start + length;
    if (area->file)
        error = area->file->f_op->mmap(area->file, area);
    if (!error)
        error = unmap(mm, area->start, area->end);
    return error ? error : add_area(mm, area);
}

/* The file that is to be shown.  Memory that a fork is to share is a file, too, without a name. */
static int find_file(struct vm_area *area, u32 length, u32 flags, u32 fd)
{
    if (!(flags & MAP_ANONYMOUS)) {
        area->file = fget(fd);
        return area->file ? 0 : -EBADF;
    }
    area->pgoff = 0;
    if (area->flags == MAP_SHARED)
        area->file = ramfs_file(length);
    return area->flags == MAP_SHARED && !area->file ? -ENOMEM : 0;
}

SYSCALL_DEFINE6(mmap2, u32, start, u32, length, u32, prot, u32, flags, u32, fd, u32, pgoff)
{
    const u32 all = PROT_READ | PROT_WRITE | PROT_EXEC;
    struct vm_area area = {.start = start, .prot = prot & all, .flags = flags & MAP_TYPE, .pgoff = pgoff};
    int error;

    if (!length || (area.flags != MAP_SHARED && area.flags != MAP_PRIVATE))
        return -EINVAL;
    if (length > PAGE_OFFSET)
        return -ENOMEM;
    length = page_up(length);
    if (pgoff + (length >> PAGE_SHIFT) < pgoff)
        return -EOVERFLOW;
    error = find_file(&area, length, flags, fd);
    if (!error)
        error = map_area(&current->mm, &area, length, flags & MAP_FIXED);
    if (area.file)
        fput(area.file);
    return error ? error : (int)area.start;
}

SYSCALL_DEFINE2(munmap, u32, start, u32, length)
{
    if (start & PAGE_MASK || start > PAGE_OFFSET || !length || length > PAGE_OFFSET - start)
        return -EINVAL;
    return unmap(&current->mm, start, start + page_up(length));
}

/* Grow or shrink the heap to whole pages; false if that cannot be. */
static bool move_brk(struct mm *mm, u32 end)
{
    struct vm_area heap = {
        .start = page_up(mm->brk), .end = page_up(end), .flags = MAP_PRIVATE, .prot = PROT_READ | PROT_WRITE};

    if (end < mm->start_brk || end > USER_END)
        return false;
    if (heap.end <= heap.start)
        return unmap(mm, heap.end, heap.start) == 0;
    return find_room(mm, heap.start, heap.end - heap.start) == heap.start && add_area(mm, &heap) == 0;
}

/* Where the heap ends now, whether it could be moved or not. */
SYSCALL_DEFINE1(brk, u32, end)
{
    struct mm *mm = &current->mm;

    if (move_brk(mm, end))
        mm->brk = end;
    return mm->brk;
}
