/* Program files.  An ELF header may lie about everything: whatever is not plainly right is refused. */
#include "elf.h"
#include "fs.h"

enum { MAX_SEGMENTS = 8 };
#define MAX_IMAGE (16 << 20) /* bytes of a segment in memory */

struct image {
    struct file *file;
    struct elf_header header;
    struct elf_segment segments[MAX_SEGMENTS];
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

static bool segment_ok(const struct elf_segment *s, u32 file_size, u32 limit)
{
    if (s->p_type == PT_INTERP)
        return false;
    if (s->p_type != PT_LOAD)
        return true;
    return s->p_filesz <= s->p_memsz && s->p_filesz <= file_size && s->p_offset <= file_size - s->p_filesz &&
           s->p_memsz <= MAX_IMAGE && s->p_vaddr >= PAGE_SIZE && s->p_vaddr <= limit - s->p_memsz;
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
static int read_headers(struct image *image, u32 limit)
{
    struct elf_header *h = &image->header;
    u32 size = image->file->f_inode->i_size;
    u32 table;

    if (kernel_read(image->file, 0, h, sizeof *h) != sizeof *h || !header_ok(h))
        return -ENOEXEC;
    table = h->e_phnum * sizeof(struct elf_segment);
    if (kernel_read(image->file, h->e_phoff, image->segments, table) != (ssize_t)table)
        return -ENOEXEC;
    for (u32 i = 0; i < h->e_phnum; i++)
        if (!segment_ok(&image->segments[i], size, limit))
            return -ENOEXEC;
    return entry_ok(image) ? 0 : -ENOEXEC;
}

/* Page after page: memory of zeros, and over it what the file has. */
static int load_segment(struct file *file, const struct elf_segment *s)
{
    u32 end = s->p_vaddr + s->p_memsz, file_end = s->p_vaddr + s->p_filesz;

    for (u32 at = s->p_vaddr, next; at < end; at = next) {
        char *frame = map_user_page(current->pgd, at, s->p_flags & PF_W);
        u32 n;
        if (!frame)
            return -ENOMEM;
        next = (at | PAGE_MASK) + 1;
        if (at >= file_end)
            continue;
        n = (next < file_end ? next : file_end) - at;
        if (kernel_read(file, s->p_offset + (at - s->p_vaddr), frame + (at & PAGE_MASK), n) != (ssize_t)n)
            return -ENOEXEC;
    }
    return 0;
}

/* Load a program below `limit` into the running task: 0 with its entry, or -ENOEXEC, or -ENOMEM. */
int load_elf(struct file *file, u32 limit, u32 *entry)
{
    struct image image = {.file = file};
    int error = read_headers(&image, limit);

    for (u32 i = 0; !error && i < image.header.e_phnum; i++)
        if (image.segments[i].p_type == PT_LOAD)
            error = load_segment(file, &image.segments[i]);
    *entry = image.header.e_entry;
    return error;
}
