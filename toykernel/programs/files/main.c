/* files: what Linux would do, too.  files devices: what is in /dev and /proc here.  files leaks: is everything given
   back that the calls took?  files full: also when files and names have taken all memory? */
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

/* So many names that there is memory for no more; each is the whole number of its file. */
static int make_names(void)
{
    static char name[] = "/f/0000";
    int fd = 0, n = 0;

    mkdir("/f", 0700);
    for (; fd >= 0; n++) {
        for (int i = 0, rest = n; i < 4; i++, rest /= 10)
            name[6 - i] = '0' + rest % 10;
        fd = open(name, O_WRONLY | O_CREAT, 0600);
        close(fd);
    }
    show("no more", fd);
    return n;
}

static void remove_names(void)
{
    int fd = open("/f", O_RDONLY, 0), n;
    static char name[64];

    while (lseek(fd, 0, SEEK_SET) == 0 && (n = getdents(fd, buffer, sizeof buffer)) > 0 && n > 32)
        for (int at = 0; at < n; at += ((struct dirent *)(buffer + at))->d_reclen) {
            const char *found = ((struct dirent *)(buffer + at))->d_name;
            memcpy(name, "/f/", 3);
            memcpy(name + 3, found, strlen(found) + 1);
            unlink(name);
        }
    close(fd);
    SHOW(rmdir("/f"));
}

static void full(void)
{
    int fd = open("/full", O_RDWR | O_CREAT, 0600), n;

    while ((n = write(fd, buffer, sizeof buffer)) == sizeof buffer)
        ;
    show("no more", n > 0 ? write(fd, buffer, sizeof buffer) : n);
    pipes(); /* other things still work */
    directories();
    SHOW(make_names() > 100);
    SHOW(ftruncate(fd, 10 * PAGE));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(write(fd, buffer, PAGE));
    SHOW(close(fd));
    remove_names();
    SHOW(unlink("/full"));
}

/* What a line of meminfo says; 0 without it. */
static int count(const char *text, const char *name)
{
    int length = strlen(name), value = 0;

    for (; *text; text++) {
        int same = 0;
        while (same < length && text[same] == name[same])
            same++;
        if (same == length) {
            for (text += length + 1; *text >= '0' && *text <= '9'; text++)
                value = value * 10 + *text - '0';
            return value;
        }
    }
    return 0;
}

/* Memory that was cut into objects stays so, but is no less for that. */
static int same(const char *before, const char *after)
{
    static const char *const names[] = {"\ncached_pages", "\nunused_inodes", "\nfiles",
                                        "\ninodes",       "\nnames",         "\npipes"};
    int equal = count(before, "free_pages") + count(before, "\nslab_pages") ==
                count(after, "free_pages") + count(after, "\nslab_pages");

    for (u32 i = 0; i < sizeof names / sizeof *names; i++)
        equal &= count(before, names[i]) == count(after, names[i]);
    return equal;
}

/* Twice: the first time, some things are made that stay. */
static int leaks(void (*work)(void))
{
    static char before[2000], after[2000];

    work();
    quiet = 1;
    read_meminfo(before, sizeof before);
    work();
    read_meminfo(after, sizeof after);
    if (same(before, after)) {
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
        return quiet = 1, leaks(everything);
    if (argc == 2 && strcmp(argv[1], "full") == 0)
        return leaks(full);
    if (argc == 2 && strcmp(argv[1], "devices") == 0)
        devices();
    else
        everything();
    return 0;
}
