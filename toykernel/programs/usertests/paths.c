/* Paths: how they are followed, and why they lead nowhere. */
#include "usertests.h"

enum { NAME_LIMIT = 59, PATH_LIMIT = 4096 };

static char path[PATH_LIMIT + 8];

/* The file is reached by this path; the error if not. */
static int reach(const char *name)
{
    int fd = open(name, O_RDONLY, 0);

    return fd < 0 ? fd : close(fd);
}

static void errors(void)
{
    close(make("file", 1, 0));
    EXPECT(reach("nothing"), -ENOENT);
    EXPECT(reach("nothing/below"), -ENOENT);
    EXPECT(reach("/no/such/file"), -ENOENT);
    EXPECT(reach(""), -ENOENT);
    EXPECT(reach("file/below"), -ENOTDIR);
    EXPECT(reach("file/"), -ENOTDIR);
    EXPECT(reach("file/."), -ENOTDIR);
    EXPECT(reach("file/.."), -ENOTDIR);
    EXPECT(open("nothing/file", O_RDWR | O_CREAT, 0644), -ENOENT);
    EXPECT(open("file/file", O_RDWR | O_CREAT, 0644), -ENOTDIR);
    EXPECT(open("file/new/", O_RDWR | O_CREAT, 0644), -ENOTDIR);
    EXPECT(open("file/..", O_RDWR | O_CREAT, 0644), -ENOTDIR);
    EXPECT(rmdir("file/."), -ENOTDIR);
    EXPECT(open("new/", O_RDWR | O_CREAT, 0644), -EISDIR);
    EXPECT(open(".", O_RDWR, 0), -EISDIR);
    EXPECT(open(".", O_WRONLY, 0), -EISDIR);
    EXPECT(open("/", O_RDWR, 0), -EISDIR);
    EXPECT(open("..", O_RDWR | O_CREAT, 0644), -EISDIR);
    EXPECT(unlink("file"), 0);
}

static void forms(void)
{
    EXPECT(mkdir("a", 0755), 0);
    EXPECT(mkdir("a/b", 0755), 0);
    close(make("a/b/file", 10, 0));
    EXPECT(size_of("a/b/file"), 10);
    EXPECT(size_of("./a/./b/./file"), 10);
    EXPECT(size_of("a//b///file"), 10);
    EXPECT(size_of("a/../a/b/../../a/b/file"), 10);
    EXPECT(size_of("../usertests.tmp/a/b/file"), 10);
    EXPECT(chdir("a/b"), 0);
    EXPECT(size_of("file"), 10);
    EXPECT(size_of("../b/file"), 10);
    EXPECT(size_of("../../a/b/file"), 10);
    EXPECT(reach("/../../.."), 0);
    EXPECT(reach("/.."), 0);
    EXPECT(reach("//"), 0);
    EXPECT(unlink("./file"), 0);
    EXPECT(chdir("../.."), 0);
    EXPECT(rmdir("a/b/"), 0);
    EXPECT(rmdir("a"), 0);
}

/* A name of the greatest length is a name; a byte more is an error, also where the name is not the last. */
static void long_names(void)
{
    u32 longest = is_linux() ? 255 : NAME_LIMIT;

    memset(path, 'n', sizeof path);
    path[longest] = 0;
    close(make(path, 5, 0));
    EXPECT(size_of(path), 5);
    path[longest - 1] = 0;
    EXPECT(size_of(path), -ENOENT);
    path[longest - 1] = 'n';
    EXPECT(unlink(path), 0);
    path[longest] = 'n';
    path[longest + 1] = 0;
    EXPECT(size_of(path), -ENAMETOOLONG);
    EXPECT(open(path, O_RDWR | O_CREAT, 0644), -ENAMETOOLONG);
    EXPECT(mkdir(path, 0755), -ENAMETOOLONG);
    EXPECT(unlink(path), -ENAMETOOLONG);
    path[longest + 1] = '/';
    path[longest + 10] = 0;
    EXPECT(size_of(path), -ENAMETOOLONG);
}

/* A path may have 4095 bytes. */
static void long_paths(void)
{
    close(make("f", 7, 0));
    for (u32 i = 0; i < PATH_LIMIT; i += 2)
        memcpy(path + i, "./", 2);
    memcpy(path + PATH_LIMIT - 2, "f", 2);
    EXPECT(size_of(path), 7);
    memcpy(path + PATH_LIMIT - 2, ".f", 3);
    EXPECT(size_of(path), -ENAMETOOLONG);
    memset(path, '/', sizeof path);
    EXPECT(size_of(path), -ENAMETOOLONG);
    EXPECT(unlink("f"), 0);
}

/* A path whose end is the end of memory; then its zero lies behind. */
static void at_the_border(void)
{
    char *end = border();

    close(make("name", 3, 0));
    for (u32 n = 1; n < 9; n++) {
        memcpy(end - 5, "name", 5);
        EXPECT(size_of(end - 5), 3);
        memset(end - n, 'n', n);
        EXPECT(size_of(end - n), -EFAULT);
        EXPECT(open(end - n, O_RDWR | O_CREAT, 0644), -EFAULT);
    }
    EXPECT(unlink("name"), 0);
}

const struct test path_tests[] = {
    {"path-errors", errors},           {"path-forms", forms},
    {"path-long-names", long_names},   {"path-long", long_paths},
    {"path-at-border", at_the_border}, {},
};
