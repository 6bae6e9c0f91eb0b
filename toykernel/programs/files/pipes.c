/* Pipes, as far as one process alone gets with them, and with a child at the other end. */
#include "files.h"

static void fill(int fd)
{
    memset(buffer, 'p', sizeof buffer);
    SHOW(write(fd, buffer, 3000));
    SHOW(write(fd, buffer, 1000));
}

static void errors(int reader, int writer)
{
    struct stat st;
    int left = -1;

    SHOW(write(reader, "x", 1));
    SHOW(read(writer, buffer, 1));
    SHOW(lseek(reader, 0, SEEK_SET));
    SHOW(lseek(writer, 0, SEEK_CUR));
    SHOW(ftruncate(writer, 0));
    SHOW(fsync(writer));
    SHOW(getdents(reader, buffer, 100));
    SHOW(ioctl(reader, TCGETS, buffer));
    SHOW(ioctl(reader, FIONREAD, &left));
    show("left", left);
    SHOW(ioctl(reader, FIONREAD, NULL));
    SHOW(fstat(reader, &st));
    show("fifo", (st.st_mode & S_IFMT) == S_IFIFO);
    show("links", st.st_nlink);
    SHOW(fcntl(reader, F_GETFL, 0));
    SHOW(fcntl(writer, F_GETFL, 0));
}

/* Room is a page on Linux 2.4, and sixteen today: this is written so that it does not matter. */
static void nonblocking(int reader, int writer)
{
    int n, full = 0;

    SHOW(fcntl(reader, F_SETFL, O_NONBLOCK));
    SHOW(fcntl(writer, F_SETFL, O_NONBLOCK));
    SHOW(read(reader, buffer, 10));
    SHOW(read(reader, buffer, 0));
    SHOW(write(writer, buffer, 0));
    fill(writer);
    while (full < 100 && (n = write(writer, buffer, PAGE)) > 0)
        full++;
    show("when full", n);
    while ((n = read(reader, buffer, PAGE)) > 0)
        ;
    show("when empty", n);
    SHOW(write(writer, "abcdef", 6));
    SHOW(read(reader, nowhere(), 3));
    SHOW(read(reader, (char *)0xC0000000, 3));
    SHOW(read(reader, buffer, 3));
    show("first", buffer[0]);
    SHOW(write(writer, nowhere(), 3));
    SHOW(write(writer, (char *)0xFFFFFFF0, 100));
    SHOW(read(reader, buffer, 100));
    show("next", buffer[0]);
}

void pipes(void)
{
    int fds[2] = {-1, -1};

    say("pipes");
    SHOW(pipe(NULL));
    SHOW(pipe((int *)(nowhere() - 4)));
    SHOW(pipe(fds));
    show("reader", fds[0]);
    show("writer", fds[1]);
    errors(fds[0], fds[1]);
    nonblocking(fds[0], fds[1]);
    SHOW(write(fds[1], "last", 4));
    SHOW(close(fds[1]));
    SHOW(read(fds[0], buffer, 3));
    SHOW(read(fds[0], buffer, 3));
    SHOW(read(fds[0], buffer, 3));
    SHOW(close(fds[0]));
    SHOW(close(fds[0]));
}
