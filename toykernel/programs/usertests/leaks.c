/* What /proc/meminfo counts: a test must leave everything as it found it. */
#include "usertests.h"

/* Memory that nobody uses now, or that only remembers what could be read again, is as good as free. */
static const char *const pages[] = {"free_pages", "cached_pages", "slab_pages", NULL};

/* What is remembered only: inodes that nobody uses, blocks of a disk. */
static const char *const remembered[] = {"unused_inodes", "blocks", NULL};

/* Cut the line at its last space, and at its end; where the next one begins. */
static char *cut(char *line, char **number)
{
    for (*number = line; *line && *line != '\n'; line++)
        if (*line == ' ')
            *number = line;
    if (**number == ' ')
        *(*number)++ = 0;
    if (*line)
        *line++ = 0;
    return line;
}

/* Read all lines "name number"; none where there is no such file. */
void read_counters(struct counters *counters)
{
    int fd, n;
    char *at = counters->text;

    sync(); /* what is not written yet is in use */
    fd = open("/proc/meminfo", O_RDONLY, 0);
    n = fd < 0 ? 0 : read(fd, counters->text, MAX_TEXT - 1);
    close(fd);
    counters->text[n < 0 ? 0 : n] = 0;
    for (counters->n = 0; *at && counters->n < MAX_COUNTERS; counters->n++) {
        char *number, *next = cut(at, &number);
        counters->names[counters->n] = at;
        counters->values[counters->n] = parse_number(number);
        at = next;
    }
}

static int is_among(const char *name, const char *const *list)
{
    while (*list && strcmp(name, *list))
        list++;
    return *list != NULL;
}

/* What is not listed yet was never used. */
static u32 value_of(const struct counters *counters, const char *name)
{
    for (u32 i = 0; i < counters->n; i++)
        if (strcmp(counters->names[i], name) == 0)
            return counters->values[i];
    return 0;
}

/* How many are in use, of pages how many are not. */
static u32 used(const struct counters *counters, const char *name)
{
    u32 n = value_of(counters, name);

    if (strcmp(name, "inodes") == 0)
        n -= value_of(counters, "unused_inodes");
    for (u32 i = 1; name == pages[0] && pages[i]; i++)
        n += value_of(counters, pages[i]);
    return n;
}

static int same(const struct counters *before, const struct counters *after, const char *name)
{
    u32 was = used(before, name), is = used(after, name);

    if (was != is)
        print("  leak: %s was %u, is %u\n", name, was, is);
    return was == is;
}

/* Say what has changed; whether nothing has. */
int same_counters(const struct counters *before, const struct counters *after)
{
    int all = same(before, after, pages[0]);

    for (u32 i = 0; i < after->n; i++)
        if (!is_among(after->names[i], pages) && !is_among(after->names[i], remembered))
            all &= same(before, after, after->names[i]);
    return all;
}
