/* files: what Linux would do, too.  files devices: what is in /dev and /proc here.  files leaks: is everything given
   back that the calls took? */
#include "files.h"

char buffer[ROOM];

extern char _end[]; /* program.ld: behind it, in the next page, is nothing */

static int quiet; /* nothing is printed */

void say(const char *text)
{
    if (!quiet)
        print("%s\n", text);
}

void show(const char *what, int result)
{
    if (!quiet)
        print("  %s = %d\n", what, result);
}

char *nowhere(void)
{
    return (char *)(((u32)_end + PAGE - 1) & -PAGE);
}

u32 sum(int fd)
{
    u32 total = 0, at = lseek(fd, 0, SEEK_CUR);
    int n;

    lseek(fd, 0, SEEK_SET);
    for (u32 weight = 1; (n = read(fd, buffer, sizeof buffer)) > 0;)
        for (int i = 0; i < n; i++)
            total += (unsigned char)buffer[i] * weight++;
    lseek(fd, at, SEEK_SET);
    return total;
}

int contains(int fd, const char *text, int length)
{
    int same = 1, n;

    lseek(fd, 0, SEEK_SET);
    n = read(fd, buffer, sizeof buffer);
    for (int i = 0; i < n && i < length; i++)
        same &= buffer[i] == text[i];
    return same && n == length;
}

static void everything(void)
{
    names();
    directories();
    removed();
    listing();
    sizes();
    descriptors();
    flags();
    states();
    pipes();
}

static int read_meminfo(char *to, int room)
{
    int fd = open("/proc/meminfo", O_RDONLY, 0), n = read(fd, to, room - 1);

    close(fd);
    to[n > 0 ? n : 0] = 0;
    return n;
}

/* The first time, caches of all kinds may grow; after the second, nothing may be missing. */
static int leaks(void)
{
    static char before[2000], after[2000];

    quiet = 1;
    everything();
    read_meminfo(before, sizeof before);
    everything();
    read_meminfo(after, sizeof after);
    if (strcmp(before, after) == 0) {
        print("no leaks\n");
        return 0;
    }
    print("before:\n");
    write(1, before, strlen(before));
    print("after:\n");
    write(1, after, strlen(after));
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "leaks") == 0)
        return leaks();
    if (argc == 2 && strcmp(argv[1], "devices") == 0)
        devices();
    else
        everything();
    return 0;
}
