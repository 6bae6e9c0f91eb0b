/* What /proc/meminfo counts: a test must leave everything as it found it. */
#include "usertests.h"

static char text[1024];

/* Read all lines "name: number"; none where there is no such file. */
void read_counters(struct counters *counters)
{
    int fd = open("/proc/meminfo", O_RDONLY, 0), n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    char *at = text;

    close(fd);
    text[n < 0 ? 0 : n] = 0;
    for (counters->n = 0; *at && counters->n < MAX_COUNTERS; counters->n++) {
        char *name = counters->names[counters->n];
        u32 value = 0;
        for (; *at && *at != ':'; at++)
            if (name < counters->names[counters->n] + MAX_NAME - 1)
                *name++ = *at;
        *name = 0;
        for (; *at && *at != '\n'; at++)
            if (*at >= '0' && *at <= '9')
                value = value * 10 + *at - '0';
        at += *at == '\n';
        counters->values[counters->n] = value;
    }
}

/* Say what has changed; whether nothing has. */
int same_counters(const struct counters *before, const struct counters *after)
{
    int same = before->n == after->n;

    for (u32 i = 0; i < after->n && i < before->n; i++)
        if (after->values[i] != before->values[i]) {
            print("  leak: %s was %u, is %u\n", after->names[i], before->values[i], after->values[i]);
            same = 0;
        }
    return same;
}
