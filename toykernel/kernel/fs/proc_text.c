/* What is read in /proc.  Each text is made from its beginning on every time, and what the reader wants is kept. */
#include "kprofile.h"
#include "proc.h"
#include "syscall.h"

static void put_char(struct text *text, char c)
{
    u32 at = text->position++ - text->from;

    if (at < text->size)
        text->to[at] = c;
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
        if (sys_call_table[number] != (syscall_t)sys_ni_syscall) {
            put_number(text, number);
            put_char(text, '\n');
        }
}

const struct proc_file proc_files[NR_PROC_FILES] = {
    {.name = "meminfo", .make = make_meminfo},
    {.name = "kprofile", .make = make_kprofile},
    {.name = "syscalls", .make = make_syscalls},
};
