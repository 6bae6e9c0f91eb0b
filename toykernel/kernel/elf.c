/* Program files.  An ELF header may lie about everything: whatever is not plainly right is refused. */
#include "elf.h"
#include "fs.h"

enum { MAX_SEGMENTS = 8 };
#define MAX_IMAGE (16 << 20) /* bytes of a segment in memory */

struct image {
    struct file *file;                         /* where all is */
    loff_t pos;                                /* where it is read next */
    struct elf_header header;                  /* how it begins */
    struct elf_segment segments[MAX_SEGMENTS]; /* its parts */
};

static struct cache images = {.name = "images", .size = sizeof(struct image)};

/* What programs made for this kernel alone carry in their flags.  Whoever adds system calls to the binary puts
   a tag here, so that a program that uses them runs nowhere else; it lies in .data to have a place in the file. */
u32 kernel_tag __attribute__((section(".data"))) = 0;

static bool header_ok(const struct elf_header *h)
{
    return memcmp(h->e_ident, ELF_MAGIC, sizeof ELF_MAGIC - 1) == 0 && h->e_type == ET_EXEC &&
           h->e_machine == EM_386 && (h->e_flags == 0 || h->e_flags == kernel_tag) &&
           h->e_phentsize == sizeof(struct elf_segment) && h->e_phnum > 0 && h->e_phnum <= MAX_SEGMENTS;
}

static bool segment_ok(const struct elf_segment *s, u32 file_size)
{
    if (s->p_type == PT_INTERP)
        return false;
    if (s->p_type != PT_LOAD)
        return true;
    return s->p_filesz <= s->p_memsz && s->p_filesz <= file_size && s->p_offset <= file_size - s->p_filesz &&
           s->p_memsz <= MAX_IMAGE && s->p_vaddr >= PAGE_SIZE && s->p_vaddr <= USER_END - s->p_memsz &&
           (s->p_vaddr - s->p_offset) % PAGE_SIZE == 0;
}

/* Does the program begin inside code of its own? */
static bool entry_ok(const struct image *image)
{
    u32 entry = image->header.e_entry;

    for (u32 i = 0; i < image->header.e_phnum; i++) {
        const struct elf_segment *s = &image->segments[i];
        if (s->p_type == PT_LOAD && s->p_flags & PF_X && entry - s->p_vaddr < s->p_filesz)
            return true;
    }
    return false;
}

/* Read and check the headers; 0 or -ENOEXEC. */
static int read_headers(struct image *image)
{
    struct elf_header *h = &image->header;
    u32 size = image->file->f_inode->i_size;
    u32 table;

    if (kernel_read(image->file, h, sizeof *h, &image->pos) != sizeof *h || !header_ok(h))
        return -ENOEXEC;
    table = h->e_phnum * sizeof(struct elf_segment);
    image->pos = h->e_phoff;
    if (kernel_read(image->file, image->segments, table, &image->pos) != (ssize_t)table)
        return -ENOEXEC;
    for (u32 i = 0; i < h->e_phnum; i++)
        if (!segment_ok(&image->segments[i], size))
            return -ENOEXEC;
    return entry_ok(image) ? 0 : -ENOEXEC;
}

/* Replace what other segments have there. */
static int map_part(struct mm *mm, const struct vm_area *area)
{
    int error = area->start < area->end ? unmap(mm, area->start, area->end) : 0;

    return area->start < area->end && !error ? add_area(mm, area) : error;
}

/* The rest of the page is zero, whatever else the file has there. */
static int clear_rest(struct mm *mm, u32 address)
{
    u32 offset = address & PAGE_MASK;

    if (offset == 0)
        return 0;
    if (handle_fault(mm, address, true))
        return -ENOMEM;
    memset(frame_of(*pte_alloc(mm->pgd, address)) + offset, 0, PAGE_SIZE - offset);
    return 0;
}

/* First pages of the file, then pages of zeros. */
static int map_segment(struct file *file, struct mm *mm, const struct elf_segment *s)
{
    u32 file_end = s->p_vaddr + s->p_filesz, end = s->p_vaddr + s->p_memsz;
    struct vm_area part = {.start = page_down(s->p_vaddr), .flags = MAP_PRIVATE};
    int error;

    part.prot = (s->p_flags & PF_R ? PROT_READ : 0) | (s->p_flags & PF_W ? PROT_WRITE : 0) |
                (s->p_flags & PF_X ? PROT_EXEC : 0);
    part.end = s->p_filesz ? page_up(file_end) : part.start;
    part.file = file;
    part.pgoff = s->p_offset >> PAGE_SHIFT;
    error = map_part(mm, &part);
    part.start = part.end;
    part.end = page_up(end);
    part.file = NULL;
    if (!error)
        error = map_part(mm, &part);
    if (!error && end > file_end && s->p_filesz && s->p_flags & PF_W)
        error = clear_rest(mm, file_end);
    if (mm->brk < end)
        mm->brk = mm->start_brk = end;
    return error;
}

static int map_image(const struct image *image, struct mm *mm)
{
    int error = 0;

    for (u32 i = 0; !error && i < image->header.e_phnum; i++)
        if (image->segments[i].p_type == PT_LOAD)
            error = map_segment(image->file, mm, &image->segments[i]);
    return error;
}

/* Map a program into memory that is still empty: 0 with its entry, or -ENOEXEC, or -ENOMEM. */
int load_elf(struct file *file, struct mm *mm, u32 *entry)
{
    struct image *image = cache_alloc(&images);
    int error;

    if (!image)
        return -ENOMEM;
    image->file = file;
    error = read_headers(image);
    if (!error)
        error = map_image(image, mm);
    *entry = image->header.e_entry;
    cache_free(&images, image);
    return error;
}
