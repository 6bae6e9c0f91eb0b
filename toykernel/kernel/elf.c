/* Program files.  An ELF header may lie about everything: whatever is not plainly right is refused. */
#include "elf.h"
#include "fs.h"

enum { MAX_SEGMENTS = 8 };
#define MAX_IMAGE (16 << 20) /* bytes of a segment in memory */

struct image {
    struct elf_header header;                  /* how it begins */
    struct elf_segment segments[MAX_SEGMENTS]; /* its parts */
};

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

/* Does the program begin inside this code of its own? */
static bool holds_entry(const struct elf_segment *s, u32 entry)
{
    return s->p_type == PT_LOAD && s->p_flags & PF_X && entry - s->p_vaddr < s->p_filesz;
}

/* Read and check the headers; 0 or -ENOEXEC. */
static int read_headers(struct file *file, struct image *image)
{
    struct elf_header *h = &image->header;
    loff_t pos = 0;
    ssize_t table;
    bool entry_ok = false;

    if (kernel_read(file, h, sizeof *h, &pos) != sizeof *h || !header_ok(h))
        return -ENOEXEC;
    table = h->e_phnum * sizeof *image->segments;
    pos = h->e_phoff;
    if (kernel_read(file, image->segments, table, &pos) != table)
        return -ENOEXEC;
    for (u32 i = 0; i < h->e_phnum; i++) {
        if (!segment_ok(&image->segments[i], file->f_inode->i_size))
            return -ENOEXEC;
        entry_ok |= holds_entry(&image->segments[i], h->e_entry);
    }
    return entry_ok ? 0 : -ENOEXEC;
}

/* The rest of the page is zero, whatever else the file has there. */
static int clear_rest(struct mm *mm, u32 address)
{
    void *rest = reach(mm, address);

    if (!rest)
        return -ENOMEM;
    memset(rest, 0, page_up(address) - address);
    return 0;
}

/* First pages of the file, then pages of zeros; they replace what other segments have there. */
static int map_segment(struct file *file, struct mm *mm, const struct elf_segment *s)
{
    u32 file_end = s->p_vaddr + s->p_filesz, end = s->p_vaddr + s->p_memsz;
    struct vm_area part = {.start = page_down(s->p_vaddr), .flags = MAP_PRIVATE, .file = file};
    int error = unmap(mm, part.start, page_up(end));

    part.prot = (s->p_flags & PF_R ? PROT_READ : 0) | (s->p_flags & PF_W ? PROT_WRITE : 0) |
                (s->p_flags & PF_X ? PROT_EXEC : 0);
    part.pgoff = s->p_offset >> PAGE_SHIFT;
    part.end = s->p_filesz ? page_up(file_end) : part.start;
    if (!error)
        error = add_area(mm, &part);
    part = (struct vm_area){.start = part.end, .end = page_up(end), .prot = part.prot, .flags = MAP_PRIVATE};
    if (!error)
        error = add_area(mm, &part);
    if (!error && file_end & PAGE_MASK && end > file_end && s->p_filesz && s->p_flags & PF_W)
        error = clear_rest(mm, file_end);
    if (mm->brk < end)
        mm->brk = mm->start_brk = end;
    return error;
}

/* Map a program into memory that is still empty: 0 with its entry, or -ENOEXEC, or -ENOMEM. */
int load_elf(struct file *file, struct mm *mm, u32 *entry)
{
    struct image image;
    int error = read_headers(file, &image);

    for (u32 i = 0; !error && i < image.header.e_phnum; i++)
        if (image.segments[i].p_type == PT_LOAD)
            error = map_segment(file, mm, &image.segments[i]);
    if (!error)
        *entry = image.header.e_entry;
    return error;
}
