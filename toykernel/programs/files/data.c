/* Contents and descriptors: ftruncate, dup, fcntl, ioctl, stat, and what flags change. */
#include "files.h"

static const char path[] = "/file.tmp";

/* A new file of so many bytes, none of them 0. */
static int make(int size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

    for (int i = 0; i < ROOM; i++)
        buffer[i] = i % 251 + 1;
    for (int left = size; left > 0; left -= ROOM)
        write(fd, buffer, left < ROOM ? left : ROOM);
    return fd;
}

static void resize(int fd, int size)
{
    struct stat st;

    show("ftruncate", ftruncate(fd, size));
    fstat(fd, &st);
    show("size", st.st_size);
    show("position", lseek(fd, 0, SEEK_CUR));
    show("sum", sum(fd));
}

void sizes(void)
{
    int fd = make(10000), other;

    say("sizes");
    lseek(fd, 7, SEEK_SET);
    resize(fd, 9000);
    resize(fd, 12000);
    resize(fd, 4097);
    resize(fd, 4096);
    resize(fd, 4095);
    resize(fd, 20000);
    resize(fd, 1);
    resize(fd, 5000);
    resize(fd, 0);
    resize(fd, 100000);
    SHOW(lseek(fd, 50000, SEEK_SET));
    SHOW(write(fd, "middle", 6));
    resize(fd, 50003);
    resize(fd, 50020);
    SHOW(ftruncate(fd, -1));
    SHOW(ftruncate(-1, 0));
    SHOW(ftruncate(1000, 0));
    SHOW(ftruncate(fd, 0x7FFFFFFF));
    SHOW(lseek(fd, -4, SEEK_END));
    SHOW(read(fd, buffer, 10));
    SHOW(lseek(fd, 0, SEEK_CUR));
    resize(fd, 3);
    other = open(path, O_RDONLY, 0);
    SHOW(ftruncate(other, 0));
    SHOW(close(other));
    SHOW(close(fd));
    other = open("/", O_RDONLY, 0);
    SHOW(ftruncate(other, 0));
    SHOW(close(other));
    SHOW(unlink(path));
}

static void many_descriptors(int fd)
{
    int next = 0, last = fd;

    while (last - fd < 20 && (next = dup(fd)) >= 0)
        last = next;
    show("last", last);
    while (last > fd)
        close(last--);
}

void descriptors(void)
{
    int fd = make(100), other;

    say("descriptors");
    SHOW(fd);
    SHOW(other = dup(fd));
    SHOW(lseek(fd, 10, SEEK_SET));
    SHOW(lseek(other, 0, SEEK_CUR));
    SHOW(close(fd));
    SHOW(read(other, buffer, 5));
    SHOW(dup2(other, fd));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(dup2(fd, fd));
    SHOW(dup2(fd, 20));
    SHOW(dup2(20, other));
    SHOW(dup2(fd, -1));
    SHOW(dup2(fd, 1 << 30));
    SHOW(dup2(21, 21));
    SHOW(dup2(21, fd));
    SHOW(dup(-1));
    SHOW(dup(21));
    SHOW(close(20));
    SHOW(close(20));
    SHOW(fcntl(fd, F_DUPFD, 10));
    SHOW(fcntl(fd, F_DUPFD, 10));
    SHOW(fcntl(fd, F_DUPFD, 0));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(close(10));
    SHOW(close(11));
    SHOW(close(5));
    SHOW(close(other));
    many_descriptors(fd);
    SHOW(close(fd));
    SHOW(unlink(path));
}

void flags(void)
{
    int fd = make(100), append = open(path, O_WRONLY | O_APPEND, 0), other = dup(fd), on = 1;

    say("flags");
    SHOW(fcntl(fd, F_GETFD, 0));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD, 0));
    SHOW(fcntl(other, F_GETFD, 0));
    SHOW(dup2(fd, other));
    SHOW(fcntl(other, F_GETFD, 0));
    SHOW(ioctl(other, 0x5451, NULL));
    SHOW(fcntl(other, F_GETFD, 0));
    SHOW(ioctl(other, 0x5450, NULL));
    SHOW(fcntl(other, F_GETFD, 0));
    SHOW(fcntl(fd, F_SETFD, 0));
    SHOW(fcntl(fd, F_GETFL, 0));
    SHOW(fcntl(append, F_GETFL, 0));
    SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_CREAT));
    SHOW(fcntl(other, F_GETFL, 0));
    SHOW(lseek(fd, 3, SEEK_SET));
    SHOW(write(fd, "end", 3));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(fcntl(fd, F_SETFL, 0));
    SHOW(lseek(fd, 3, SEEK_SET));
    SHOW(write(fd, "begin", 5));
    SHOW(lseek(append, 0, SEEK_CUR));
    SHOW(write(append, "tail", 4));
    SHOW(sum(fd));
    SHOW(ioctl(fd, 0x5421, &on));
    SHOW(fcntl(fd, F_GETFL, 0));
    SHOW(ioctl(fd, 0x5421, NULL));
    SHOW(fcntl(fd, F_GETOWN, 0));
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    SHOW(fcntl(other, F_GETOWN, 0) == getpid());
    SHOW(fcntl(fd, F_GETSIG, 0));
    SHOW(fcntl(fd, F_SETSIG, 65));
    SHOW(fcntl(fd, F_SETSIG, 10));
    SHOW(fcntl(fd, F_GETSIG, 0));
    SHOW(fcntl(-1, F_GETFD, 0));
    SHOW(fcntl(fd, 99, 0));
    SHOW(fcntl(fd, -1, 0));
    SHOW(ioctl(fd, TCGETS, buffer));
    SHOW(ioctl(fd, TIOCGWINSZ, buffer));
    SHOW(ioctl(-1, TCGETS, buffer));
    SHOW(ioctl(fd, FIONREAD, buffer));
    show("left", *(int *)buffer);
    SHOW(ioctl(fd, FIONREAD, NULL));
    SHOW(ioctl(fd, FIONREAD, (void *)0xFFFFFFFE));
    SHOW(close(other));
    SHOW(close(append));
    SHOW(close(fd));
    SHOW(unlink(path));
}

static void show_stat(const struct stat *st)
{
    show("mode", st->st_mode);
    show("links", st->st_nlink);
    show("size", st->st_size);
    show("owner", st->st_uid);
}

void states(void)
{
    struct stat st, same;
    int fd = make(5000);

    say("states");
    SHOW(fstat(fd, &st));
    show_stat(&st);
    SHOW(stat(path, &same));
    show_stat(&same);
    SHOW(st.st_ino == same.st_ino && st.st_dev == same.st_dev);
    SHOW(stat("/", &st));
    SHOW((st.st_mode & S_IFMT) == S_IFDIR);
    SHOW(st.st_ino != same.st_ino);
    SHOW(stat("", &st));
    SHOW(stat("/file.tmp/", &st));
    SHOW(stat("/file.tmp/a", &st));
    SHOW(stat("/none", &st));
    SHOW(stat(NULL, &st));
    SHOW(stat(path, NULL));
    SHOW(stat("/none", NULL));
    SHOW(stat(path, (struct stat *)(nowhere() - 4)));
    SHOW(fstat(fd, (struct stat *)0xC0000000));
    SHOW(fstat(fd, nowhere() ? NULL : &st));
    SHOW(fstat(-1, &st));
    SHOW(fsync(fd));
    SHOW(fsync(-1));
    SHOW(sync());
    SHOW(uname(NULL));
    SHOW(uname((struct utsname *)(nowhere() - 100)));
    SHOW(close(fd));
    SHOW(unlink(path));
}
