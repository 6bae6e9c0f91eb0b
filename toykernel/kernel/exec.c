/* Become a program: read its ELF file, which may lie about everything, and build its stack. */
#include "elf.h"
#include "fs.h"
#include "io.h"
#include "uaccess.h"

enum { MAX_SEGMENTS = 8, MAX_ARGUMENTS = 16 };
#define STACK_TOP   PAGE_OFFSET
#define STACK_PAGES 16
#define LAST_IMAGE  (STACK_TOP - (STACK_PAGES + 1) * PAGE_SIZE) /* a page below the stack stays empty */
#define MAX_IMAGE   (16 << 20)                                  /* bytes of a program in memory */

struct image {
    struct elf_header header;
    struct elf_segment segments[MAX_SEGMENTS];
    struct file *file;
};

static bool header_ok(const struct elf_header *h)
{
    return memcmp(h->e_ident, ELF_MAGIC, sizeof ELF_MAGIC - 1) == 0 && h->e_type == ET_EXEC &&
           h->e_machine == EM_386 && h->e_phentsize == sizeof(struct elf_segment) && h->e_phnum > 0 &&
           h->e_phnum <= MAX_SEGMENTS;
}

static bool segment_ok(const struct elf_segment *s, u32 file_size)
{
    if (s->p_type == PT_INTERP)
        return false;
    if (s->p_type != PT_LOAD)
        return true;
    return s->p_filesz <= s->p_memsz && s->p_filesz <= file_size && s->p_offset <= file_size - s->p_filesz &&
           s->p_memsz <= MAX_IMAGE && s->p_vaddr >= PAGE_SIZE && s->p_vaddr <= LAST_IMAGE - s->p_memsz;
}

/* Does the program begin inside code of its own? */
static bool entry_ok(const struct image *image)
{
    for (u32 i = 0; i < image->header.e_phnum; i++) {
        const struct elf_segment *s = &image->segments[i];
        if (s->p_type == PT_LOAD && s->p_flags & PF_X && image->header.e_entry - s->p_vaddr < s->p_filesz)
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

    if (kernel_read(image->file, 0, h, sizeof *h) != sizeof *h || !header_ok(h))
        return -ENOEXEC;
    table = h->e_phnum * sizeof(struct elf_segment);
    if (kernel_read(image->file, h->e_phoff, image->segments, table) != (ssize_t)table)
        return -ENOEXEC;
    for (u32 i = 0; i < h->e_phnum; i++)
        if (!segment_ok(&image->segments[i], size))
            return -ENOEXEC;
    return entry_ok(image) ? 0 : -ENOEXEC;
}

static int load_segment(struct file *file, const struct elf_segment *s)
{
    u32 end = s->p_vaddr + s->p_memsz, file_end = s->p_vaddr + s->p_filesz;

    for (u32 at = s->p_vaddr, next; at < end; at = next) {
        char *frame = map_user_page(current->pgd, at, s->p_flags & PF_W);
        if (!frame)
            return -ENOMEM;
        next = (at | (PAGE_SIZE - 1)) + 1;
        if (at < file_end) {
            u32 n = (next < file_end ? next : file_end) - at;
            if (kernel_read(file, s->p_offset + (at - s->p_vaddr), frame + at % PAGE_SIZE, n) != (ssize_t)n)
                return -ENOEXEC;
        }
    }
    return 0;
}

static int load_image(const struct image *image)
{
    for (u32 i = 0; i < image->header.e_phnum; i++) {
        const struct elf_segment *s = &image->segments[i];
        int error = s->p_type == PT_LOAD ? load_segment(image->file, s) : 0;
        if (error)
            return error;
    }
    return 0;
}

/* Cut a command into words, in place; how many, or -E2BIG. */
static int split(char *command, char **words)
{
    int n = 0;

    for (;;) {
        while (*command == ' ')
            *command++ = 0;
        if (!*command)
            return n;
        if (n == MAX_ARGUMENTS)
            return -E2BIG;
        words[n++] = command;
        while (*command && *command != ' ')
            command++;
    }
}

/* Strings on top, then argv with its NULL, an empty environment, and argc where esp points.  Returns esp or an error. */
static u32 build_stack(int argc, char **argv)
{
    u32 at = STACK_TOP, strings[MAX_ARGUMENTS], *slot;

    for (int i = argc - 1; i >= 0; i--) {
        size_t n = strlen(argv[i]) + 1;
        at -= n;
        if (copy_to_user((void *)at, argv[i], n))
            return 0;
        strings[i] = at;
    }
    slot = (u32 *)(at & -16) - (argc + 3);
    at = (u32)slot;
    if (put_user(argc, slot++))
        return 0;
    for (int i = 0; i < argc; i++)
        if (put_user(strings[i], slot++))
            return 0;
    return put_user(0, slot) || put_user(0, slot + 1) ? 0 : at;
}

static int map_stack(void)
{
    for (u32 i = 1; i <= STACK_PAGES; i++)
        if (!map_user_page(current->pgd, STACK_TOP - i * PAGE_SIZE, true))
            return -ENOMEM;
    return 0;
}

/* Open bin/<name> below the root. */
static struct file *open_program(const char *name)
{
    static const char directory[] = "/bin/";
    char path[NAME_MAX + sizeof directory];
    size_t n = strlen(name);

    if (n > NAME_MAX)
        return ERR_PTR(-ENOENT);
    memcpy(path, directory, sizeof directory - 1);
    memcpy(path + sizeof directory - 1, name, n + 1);
    return file_open(path, O_RDONLY, 0);
}

/* Load the program that the command names into the running task, whose first registers go to `regs`. */
int exec(char *command, struct pt_regs *regs)
{
    struct image image;
    char *argv[MAX_ARGUMENTS];
    int argc = split(command, argv), error;
    u32 esp;

    if (argc <= 0)
        return argc ? argc : -ENOENT;
    image.file = open_program(argv[0]);
    if (IS_ERR(image.file))
        return PTR_ERR(image.file);
    error = read_headers(&image);
    if (!error)
        error = load_image(&image);
    fput(image.file);
    if (error || (error = map_stack()))
        return error;
    esp = build_stack(argc, argv);
    if (!esp)
        return -EFAULT;
    *regs = (struct pt_regs){.eip = image.header.e_entry, .cs = USER_CS, .eflags = EFLAGS_IF | 2, .esp = esp,
                             .ds = USER_DS, .es = USER_DS, .ss = USER_DS};
    return 0;
}
