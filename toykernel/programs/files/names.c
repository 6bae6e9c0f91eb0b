/* mkdir, rmdir, unlink, chdir, open: what names may be made, removed, and followed. */
#include "files.h"

static char long_name[300];

static void close_new(int fd)
{
    show("new file", fd);
    close(fd);
}

void names(void)
{
    say("names");
    SHOW(mkdir("/f", 0700));
    SHOW(mkdir("/f", 0700));
    SHOW(mkdir("/f/", 0700));
    SHOW(mkdir("/", 0700));
    SHOW(mkdir("", 0700));
    SHOW(mkdir("/f/.", 0700));
    SHOW(mkdir("/f/..", 0700));
    SHOW(mkdir("/f/no/d", 0700));
    SHOW(mkdir("/f/d/", 0700));
    close_new(open("/f/a", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(mkdir("/f/a", 0700));
    SHOW(mkdir("/f/a/b", 0700));
    SHOW(mkdir(NULL, 0700));
    SHOW(mkdir(nowhere(), 0700));
    memset(long_name, 'y', sizeof long_name - 1);
    SHOW(mkdir(long_name, 0700));
    SHOW(open(long_name, O_RDWR | O_CREAT, 0600));
    SHOW(unlink(long_name));
    SHOW(rmdir(long_name));
    SHOW(open("/f/a", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(open("/f/a/", O_RDWR | O_CREAT, 0600));
    SHOW(open("/f/a", O_RDONLY | O_DIRECTORY, 0));
    SHOW(open("/f/d", O_RDONLY | O_TRUNC, 0));
    SHOW(open("/f/d", O_RDONLY | O_CREAT, 0));
    SHOW(open("/f/d", O_RDONLY | O_CREAT | O_EXCL, 0));
    SHOW(open("/f/.", O_RDONLY | O_CREAT | O_EXCL, 0));
    SHOW(open("/f/d", O_WRONLY, 0));
    SHOW(open("/f/d", 3, 0));
    SHOW(unlink("/f"));
    SHOW(unlink("/"));
    SHOW(unlink("/f/d/"));
    SHOW(unlink("/f/d/."));
    SHOW(unlink("/f/a/"));
    SHOW(unlink("/f/a/b"));
    SHOW(unlink("/f/none"));
    SHOW(unlink("/f/none/"));
    SHOW(unlink(""));
    SHOW(unlink((char *)0xC0000000));
    SHOW(rmdir("/f"));
    SHOW(rmdir("/f/a"));
    SHOW(rmdir("/f/a/b"));
    SHOW(rmdir("/f/none"));
    SHOW(rmdir("/"));
    SHOW(rmdir("/f/d/."));
    SHOW(rmdir("/f/d/.."));
    SHOW(rmdir(nowhere()));
    SHOW(unlink("/f/a"));
    SHOW(unlink("/f/a"));
    SHOW(rmdir("/f/d/"));
    SHOW(rmdir("/f"));
    SHOW(rmdir("/f"));
}

/* Paths from where the program is. */
void directories(void)
{
    say("directories");
    SHOW(mkdir("/f", 0700));
    SHOW(mkdir("/f/d", 0700));
    SHOW(chdir("/f/none"));
    SHOW(chdir(""));
    SHOW(chdir(nowhere()));
    SHOW(chdir("/f/d"));
    close_new(open("a", O_RDWR | O_CREAT, 0600));
    close_new(open("/f/d/a", O_RDWR, 0));
    close_new(open("../d/./a", O_RDWR, 0));
    SHOW(chdir("a"));
    SHOW(mkdir("../e", 0700));
    SHOW(chdir("../e"));
    SHOW(unlink("../d/a"));
    SHOW(rmdir("../d"));
    SHOW(chdir("../../../../.."));
    close_new(open("f/../f/e", O_RDONLY, 0));
    SHOW(chdir("f"));
    SHOW(chdir("."));
    SHOW(rmdir("e"));
    SHOW(chdir("/"));
    SHOW(rmdir("f"));
}

/* Files and directories that are used after they have lost their names. */
void removed(void)
{
    struct stat st;
    int fd, dir;

    say("removed");
    mkdir("/f", 0700);
    mkdir("/f/d", 0700);
    fd = open("/f/d/a", O_RDWR | O_CREAT, 0600);
    dir = open("/f/d", O_RDONLY, 0);
    write(fd, "still here", 10);
    SHOW(rmdir("/f/d"));
    SHOW(unlink("/f/d/a"));
    SHOW(open("/f/d/a", O_RDWR, 0));
    SHOW(contains(fd, "still here", 10));
    SHOW(write(fd, ", and more", 10));
    SHOW(contains(fd, "still here, and more", 20));
    SHOW(fstat(fd, &st));
    show("links", st.st_nlink);
    show("size", st.st_size);
    chdir("/f/d");
    SHOW(rmdir("/f/d"));
    SHOW(getdents(dir, buffer, sizeof buffer));
    SHOW(open("a", O_RDWR | O_CREAT, 0600));
    SHOW(mkdir("d", 0700));
    SHOW(mkdir("/f/d", 0700));
    SHOW(open("a", O_RDWR, 0));
    SHOW(chdir("."));
    SHOW(fstat(dir, &st));
    SHOW(rmdir("/f/d"));
    chdir("/");
    SHOW(close(dir));
    SHOW(close(fd));
    SHOW(rmdir("/f"));
}

/* The names of a directory, read with so much room at a time; how often each of a, b, c… came. */
static void list(const char *path, int room)
{
    char seen[32] = {};
    int fd = open(path, O_RDONLY | O_DIRECTORY, 0), n, entries = 0;

    while ((n = getdents(fd, buffer, room)) > 0)
        for (int at = 0; at < n; entries++) {
            const struct dirent *entry = (struct dirent *)(buffer + at);
            seen[entry->d_name[0] & 31]++;
            at += entry->d_reclen;
        }
    show("end", n);
    show("entries", entries);
    for (int i = 0; i < 32; i++)
        if (seen[i] > 1)
            show("names with the same first letter", seen[i]);
    close(fd);
}

void listing(void)
{
    char name[] = "/f/a";
    int fd;

    say("listing");
    mkdir("/f", 0700);
    for (; name[3] <= 'z'; name[3]++)
        close(open(name, O_WRONLY | O_CREAT, 0600));
    list("/f", sizeof buffer);
    list("/f", 100);
    list("/f", 24);
    fd = open("/f", O_RDONLY, 0);
    SHOW(getdents(fd, buffer, 0));
    SHOW(getdents(fd, buffer, 11));
    SHOW(getdents(fd, nowhere(), 1000));
    SHOW(getdents(fd, (void *)0xC0000000, 1000));
    SHOW(getdents(-1, buffer, 1000));
    SHOW(read(fd, buffer, 10));
    SHOW(write(fd, buffer, 10));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(getdents(fd, buffer, sizeof buffer) > 0);
    SHOW(getdents(fd, buffer, sizeof buffer));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(getdents(fd, buffer, 24));
    for (name[3] = 'a'; name[3] <= 'z'; name[3]++)
        unlink(name);
    SHOW(close(fd));
    list("/f", sizeof buffer);
    SHOW(rmdir("/f"));
}
