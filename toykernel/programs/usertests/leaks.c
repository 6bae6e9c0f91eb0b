/* What /proc/meminfo counts: a test must leave everything as it found it. */
#include "usertests.h"

/* Memory that nobody uses now, or that only remembers what could be read again, is as good as free. */
static const char *const borrowed[] = {"free_pages", "cached_pages", "slab_pages"};

/* A word up to `end`, which is replaced by a zero; what follows it. */
static char *word(char *at, char end)
{
    while (*at && *at != end)
        at++;
    if (*at)
        *at++ = 0;
    return at;
}

/* Read all lines "name number"; none where there is no such file. */
void read_counters(struct counters *counters)
{
    int fd = open("/proc/meminfo", O_RDONLY, 0), n = fd < 0 ? 0 : read(fd, counters->text, MAX_TEXT - 1);
    char *at = counters->text;

    close(fd);
    counters->text[n < 0 ? 0 : n] = 0;
    for (counters->n = 0; *at && counters->n < MAX_COUNTERS; counters->n++) {
        char *number = word(at, ' '), *next = word(number, '\n');
        counters->names[counters->n] = at;
        counters->values[counters->n] = parse_number(number);
        at = next;
    }
}

static int is_borrowed(const char *name)
{
    int found = 0;

    for (u32 i = 0; i < sizeof borrowed / sizeof *borrowed; i++)
        found |= strcmp(name, borrowed[i]) == 0;
    return found;
}

/* The sum of all memory that can be had. */
static u32 available(const struct counters *counters)
{
    u32 pages = 0;

    for (u32 i = 0; i < counters->n; i++)
        pages += is_borrowed(counters->names[i]) ? counters->values[i] : 0;
    return pages;
}

static int same(const char *name, u32 before, u32 after)
{
    if (before != after)
        print("  leak: %s was %u, is %u\n", name, before, after);
    return before == after;
}

/* What is not listed yet was never used. */
static u32 value_of(const struct counters *counters, const char *name)
{
    for (u32 i = 0; i < counters->n; i++)
        if (strcmp(counters->names[i], name) == 0)
            return counters->values[i];
    return 0;
}

/* Say what has changed; whether nothing has. */
int same_counters(const struct counters *before, const struct counters *after)
{
    int all = same("pages to be had", available(before), available(after));

    for (u32 i = 0; i < after->n; i++)
        if (!is_borrowed(after->names[i]))
            all &= same(after->names[i], value_of(before, after->names[i]), after->values[i]);
    return all;
}
