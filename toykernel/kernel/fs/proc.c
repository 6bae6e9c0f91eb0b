/* /proc: files whose text is made when they are read. */
#include "fs.h"
#include "kprofile.h"
#include "syscall.h"
#include "uaccess.h"

/* It is made from its beginning on every time, and what the reader wants of it is kept. */
struct text {
    char *to;  /* where that goes */
    u32 skip;  /* bytes that still come before it */
    u32 size;  /* how many it may have */
    u32 count; /* how many it has */
};

static void put_char(struct text *text, char c)
{
    if (text->skip)
        text->skip--;
    else if (text->count < text->size)
        text->to[text->count++] = c;
}

static void put_string(struct text *text, const char *s)
{
    while (*s)
        put_char(text, *s++);
}

static void put_number(struct text *text, u32 value)
{
    for (u32 unit = 1000000000; unit; unit /= 10)
        if (value >= unit || unit == 1)
            put_char(text, '0' + value / unit % 10);
}

/* A line: what, a space, how many. */
static void put_count(struct text *text, const char *what, u32 value)
{
    put_string(text, what);
    put_char(text, ' ');
    put_number(text, value);
    put_char(text, '\n');
}

/* Whoever looks for leaks compares these. */
static void make_meminfo(struct text *text)
{
    u32 slab = 0;

    for (const struct cache *cache = caches; cache; cache = cache->next)
        slab += cache->pages;
    put_count(text, "free_pages", nr_free_pages);
    put_count(text, "cached_pages", page_cache_size);
    put_count(text, "slab_pages", slab);
    put_count(text, "unused_inodes", nr_unused_inodes);
    put_count(text, "tasks", nr_tasks);
    for (const struct cache *cache = caches; cache; cache = cache->next)
        put_count(text, cache->name, cache->used);
}

/* How much the probes of each type count into. */
static void make_kprofile(struct text *text)
{
    static const char *const types[NR_TYPES] = {
        [BLOCKS] = "blocks", [EDGES] = "edges", [STACKS] = "stacks", [VALUES] = "values", [CYCLES] = "cycles",
    };

    for (u32 type = 0; type < NR_TYPES; type++)
        put_count(text, types[type], kprofile_areas[type].size);
}

/* The numbers that are in use. */
static void make_syscalls(struct text *text)
{
    for (u32 number = 0; number < NR_SYSCALLS; number++)
        if (sys_call_table[number] != sys_ni_syscall) {
            put_number(text, number);
            put_char(text, '\n');
        }
}

/* The last system calls of traced tasks: pid, number, result (-ENOSYS on the way in). */
static void make_trace(struct text *text)
{
    u32 n = min(nr_traced, NR_TRACE_ENTRIES);

    for (u32 i = nr_traced - n; i != nr_traced; i++) {
        const struct trace_entry *entry = &trace_log[i % NR_TRACE_ENTRIES];
        put_number(text, entry->pid);
        put_char(text, ' ');
        put_number(text, entry->number);
        put_string(text, entry->result < 0 ? " -" : " ");
        put_number(text, entry->result < 0 ? -entry->result : entry->result);
        put_char(text, '\n');
    }
}

static const struct proc_file {
    const char *path;
    void (*make)(struct text *); /* makes all of it */
} proc_files[] = {
    {.path = "/proc/meminfo", .make = make_meminfo},
    {.path = "/proc/kprofile", .make = make_kprofile},
    {.path = "/proc/syscalls", .make = make_syscalls},
    {.path = "/proc/trace", .make = make_trace},
};

static ssize_t proc_read(struct file *file, char *buf, size_t count, loff_t *ppos)
{
    const struct proc_file *entry = file->f_inode->i_private;
    struct page *page = alloc_pages(0);
    struct text text = {.skip = *ppos, .size = min(count, PAGE_SIZE)};
    bool left;

    if (!page)
        return -ENOMEM;
    text.to = page->address;
    entry->make(&text);
    left = copy_to_user(buf, page->address, text.count);
    put_page(page);
    if (left)
        return -EFAULT;
    *ppos += text.count;
    return text.count;
}

/* Nobody makes or removes anything in the directory once it is filled. */
void proc_init(void)
{
    static const struct file_operations text_operations = {.llseek = generic_file_llseek, .read = proc_read};
    static const struct inode_operations fixed_directory = {.lookup = ramfs_lookup};
    struct inode *dir = ramfs_mknod("/proc", S_IFDIR | 0555);

    for (u32 i = 0; i < sizeof proc_files / sizeof *proc_files; i++)
        ramfs_special(proc_files[i].path, S_IFREG | 0444, &text_operations)->i_private =
            (void *)&proc_files[i];
    dir->i_op = &fixed_directory;
}
