/* Directories: making, listing, leaving and removing them. */
#include "usertests.h"

enum { MANY = 60, DEEP = 40 };

static void errors(void)
{
    close(make("file", 1, 1));
    EXPECT(mkdir("dir", 0755), 0);
    EXPECT(mkdir("dir", 0755), -EEXIST);
    EXPECT(mkdir("file", 0755), -EEXIST);
    EXPECT(mkdir("/", 0755), -EEXIST);
    EXPECT(mkdir(".", 0755), -EEXIST);
    EXPECT(mkdir("dir/..", 0755), -EEXIST);
    EXPECT(mkdir("", 0755), -ENOENT);
    EXPECT(mkdir("nothing/dir", 0755), -ENOENT);
    EXPECT(mkdir("file/dir", 0755), -ENOTDIR);
    EXPECT(rmdir("file"), -ENOTDIR);
    EXPECT(rmdir("nothing"), -ENOENT);
    EXPECT(rmdir("."), -EINVAL);
    EXPECT(rmdir("dir/."), -EINVAL);
    EXPECT(rmdir("dir/.."), -ENOTEMPTY);
    EXPECT(rmdir("/"), -EBUSY);
    EXPECT(unlink("dir"), -EISDIR);
    EXPECT(unlink("dir/."), -EISDIR);
    EXPECT(unlink("/"), -EISDIR);
    EXPECT(unlink("file/"), -ENOTDIR);
    EXPECT(unlink("nothing/"), -ENOENT);
    EXPECT(unlink(""), -ENOENT);
    EXPECT(rmdir(""), -ENOENT);
    EXPECT(unlink("file"), 0);
    EXPECT(rmdir("dir/"), 0);
}

static void not_empty(void)
{
    EXPECT(mkdir("dir/", 0755), 0);
    close(make("dir/file", 1, 1));
    EXPECT(rmdir("dir"), -ENOTEMPTY);
    EXPECT(unlink("dir/file"), 0);
    EXPECT(mkdir("dir/inner", 0755), 0);
    EXPECT(rmdir("dir"), -ENOTEMPTY);
    EXPECT(rmdir("dir/inner"), 0);
    EXPECT(rmdir("dir"), 0);
}

static int links(const char *path)
{
    struct stat st;

    return stat(path, &st) ? -1 : st.st_nlink;
}

static void link_counts(void)
{
    EXPECT(mkdir("dir", 0755), 0);
    EXPECT(links("dir"), 2);
    EXPECT(mkdir("dir/a", 0755), 0);
    EXPECT(mkdir("dir/b", 0755), 0);
    close(make("dir/file", 1, 1));
    EXPECT(links("dir"), 4);
    EXPECT(rmdir("dir/a"), 0);
    EXPECT(links("dir"), 3);
    EXPECT(rmdir("dir/b"), 0);
    EXPECT(unlink("dir/file"), 0);
    EXPECT(links("dir"), 2);
    EXPECT(rmdir("dir"), 0);
}

/* Names are f0, f1 …: which of them does the directory list?  Each once, and `.` and `..` too; how many in all. */
static int list(const char *path, u32 room, char seen[MANY])
{
    int fd = open(path, O_RDONLY, 0), n, count = 0;

    memset(seen, 0, MANY);
    while ((n = getdents(fd, buffer, room)) > 0)
        for (int at = 0; at < n; at += ((struct dirent *)(buffer + at))->d_reclen, count++) {
            const struct dirent *entry = (struct dirent *)(buffer + at);
            if (entry->d_name[0] == 'f')
                CHECK(!seen[parse_number(entry->d_name + 1)]++);
        }
    EXPECT(n, 0);
    close(fd);
    return count;
}

static char *name_of(u32 number)
{
    static char name[8] = "f";

    name[1] = '0' + number / 10;
    name[2] = '0' + number % 10;
    return name;
}

static void listing(void)
{
    char seen[MANY];

    for (u32 i = 0; i < MANY; i++)
        close(make(name_of(i), i, i));
    EXPECT(list(".", sizeof buffer, seen), MANY + 2);
    for (u32 i = 0; i < MANY; i++)
        CHECK(seen[i]);
    for (u32 i = 0; i < MANY; i += 2)
        EXPECT(unlink(name_of(i)), 0);
    EXPECT(list(".", 64, seen), MANY / 2 + 2);
    for (u32 i = 0; i < MANY; i++)
        EXPECT(seen[i], i % 2);
    for (u32 i = 1; i < MANY; i += 2)
        EXPECT(size_of(name_of(i)), i);
    for (u32 i = 1; i < MANY; i += 2)
        EXPECT(unlink(name_of(i)), 0);
    EXPECT(list(".", sizeof buffer, seen), 2);
}

/* What is read of a directory by other means than getdents, and getdents of other things. */
static void as_a_file(void)
{
    int file = make("file", 1, 1), fd = open(".", O_RDONLY, 0), n;

    EXPECT(read(fd, buffer, 10), -EISDIR);
    EXPECT(write(fd, buffer, 10), -EBADF);
    EXPECT(ftruncate(fd, 0), -EINVAL);
    EXPECT(getdents(file, buffer, PAGE), -ENOTDIR);
    EXPECT(getdents(99, buffer, PAGE), -EBADF);
    EXPECT(getdents(fd, buffer, 1), -EINVAL);
    n = getdents(fd, buffer, PAGE);
    CHECK(n > 0);
    EXPECT(getdents(fd, buffer, PAGE), 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(getdents(fd, buffer, PAGE), n);
    close(fd);
    close(file);
    EXPECT(unlink("file"), 0);
}

static void changing(void)
{
    EXPECT(mkdir("a", 0755), 0);
    close(make("a/file", 4, 1));
    EXPECT(chdir("a"), 0);
    EXPECT(size_of("file"), 4);
    EXPECT(chdir("nothing"), -ENOENT);
    EXPECT(chdir("file"), -ENOTDIR);
    EXPECT(chdir(""), -ENOENT);
    EXPECT(size_of("file"), 4);
    EXPECT(chdir("."), 0);
    EXPECT(chdir("./.."), 0);
    EXPECT(size_of("a/file"), 4);
    EXPECT(unlink("a/file"), 0);
    EXPECT(rmdir("a"), 0);
}

/* A directory that is gone, but still somebody's current one. */
static void leave_nothing(void)
{
    int fd;

    EXPECT(mkdir("a", 0755), 0);
    EXPECT(chdir("a"), 0);
    fd = open(".", O_RDONLY, 0);
    EXPECT(rmdir("../a"), 0);
    EXPECT(open("file", O_RDWR | O_CREAT, 0644), -ENOENT);
    EXPECT(mkdir("dir", 0755), -ENOENT);
    EXPECT(size_of("file"), -ENOENT);
    EXPECT(getdents(fd, buffer, PAGE), -ENOENT);
    EXPECT(chdir("."), 0);
    EXPECT(links("."), 0);
    close(fd);
}

static void removed(void)
{
    EXPECT(run_child(leave_nothing), EXITED(0)); /* a child, because from there no path leads back */
    EXPECT(links("."), 2);
}

static void deep(void)
{
    static char up[3 * DEEP + 1];

    for (u32 i = 0; i < DEEP; i++) {
        EXPECT(mkdir("deeper", 0755), 0);
        EXPECT(chdir("deeper"), 0);
        memcpy(up + 3 * i, "../", 4);
    }
    close(make("bottom", 9, 1));
    EXPECT(chdir(up), 0);
    for (u32 i = 0; i < DEEP; i++)
        EXPECT(chdir("deeper"), 0);
    EXPECT(size_of("bottom"), 9);
    EXPECT(unlink("bottom"), 0);
    for (u32 i = 0; i < DEEP; i++) {
        EXPECT(chdir(".."), 0);
        EXPECT(rmdir("deeper"), 0);
    }
}

const struct test directory_tests[] = {
    {"directory-errors", errors},   {"directory-not-empty", not_empty}, {"directory-links", link_counts},
    {"directory-list", listing},    {"directory-as-file", as_a_file},   {"directory-change", changing},
    {"directory-removed", removed}, {"directory-deep", deep},           {},
};
