/* All that the calls have left behind: everything by these names, from the root on. */
#include "randomcalls.h"

static const char *const names[] = {"a", "b", "c", "d", "e", "world", "disk"};
static char path[2000];

static void print_file(const struct stat *st)
{
    int fd = open(path, O_RDONLY, 0), n;
    u32 sum = 1;

    while ((n = read(fd, room, sizeof room)) > 0)
        sum = adler(sum, room, n);
    close(fd);
    print("%s %u %x\n", path, st->st_size, n ? (u32)n : sum);
}

/* A path for each of the names below this one. */
static void below(void (*visit)(void))
{
    u32 length = strlen(path);

    for (u32 i = 0; i < sizeof names / sizeof *names; i++) {
        path[length] = '/';
        copy_string(path + length + 1, names[i]);
        visit();
    }
    path[length] = 0;
}

static void print_here(void)
{
    struct stat st;

    if (stat(path, &st))
        return;
    if ((st.st_mode & S_IFMT) == S_IFDIR) {
        print("%s/ %u\n", path, st.st_nlink);
        below(print_here);
    } else {
        print_file(&st);
    }
}

static void remove_here(void)
{
    if (unlink(path) == -EISDIR) {
        below(remove_here);
        rmdir(path);
    }
}

void print_world(void)
{
    path[0] = 0;
    below(print_here);
}

void remove_world(void)
{
    chdir("/");
    path[0] = 0;
    below(remove_here);
}
