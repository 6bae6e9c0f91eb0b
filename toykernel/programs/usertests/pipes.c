/* Pipes: bytes in order, an end that blocks, and what happens when the other one is gone. */
#include "usertests.h"

static int fds[2];

static void open_pipe(int flags)
{
    EXPECT(pipe(fds), 0);
    EXPECT(fcntl(fds[0], F_SETFL, flags), 0);
    EXPECT(fcntl(fds[1], F_SETFL, flags), 0);
}

static void close_pipe(void)
{
    EXPECT(close(fds[0]), 0);
    EXPECT(close(fds[1]), 0);
}

static void through(void)
{
    struct stat st;
    int there = -1;

    open_pipe(0);
    EXPECT(write(fds[1], "hello", 5), 5);
    EXPECT(write(fds[1], " pipe", 5), 5);
    EXPECT(ioctl(fds[0], FIONREAD, &there), 0);
    EXPECT(there, 10);
    EXPECT(read(fds[0], buffer, 3), 3);
    EXPECT(read(fds[0], buffer + 3, 100), 7);
    CHECK(memcmp(buffer, "hello pipe", 10) == 0);
    EXPECT(write(fds[1], buffer, 0), 0);
    EXPECT(read(fds[1], buffer, 1), -EBADF);
    EXPECT(write(fds[0], buffer, 1), -EBADF);
    EXPECT(lseek(fds[0], 0, SEEK_SET), -ESPIPE);
    EXPECT(lseek(fds[1], 0, SEEK_END), -ESPIPE);
    EXPECT(ftruncate(fds[1], 0), -EINVAL);
    EXPECT(fsync(fds[1]), -EINVAL);
    EXPECT(fstat(fds[0], &st), 0);
    EXPECT(st.st_mode & S_IFMT, S_IFIFO);
    EXPECT(getdents(fds[0], buffer, PAGE), -ENOTDIR);
    EXPECT(mmap2(NULL, PAGE, PROT_READ, MAP_PRIVATE, fds[0], 0), -ENODEV);
    close_pipe();
}

static void without_waiting(void)
{
    int room = 0, n;

    open_pipe(O_NONBLOCK);
    EXPECT(read(fds[0], buffer, 10), -EAGAIN);
    while ((n = write(fds[1], buffer, 100)) == 100)
        room += n;
    EXPECT(n, -EAGAIN);
    CHECK(room > PAGE - 100);
    EXPECT(read(fds[0], buffer, 250), 250);
    n = write(fds[1], buffer, 200); /* up to a page goes as a whole or not at all */
    CHECK(n == 200 || n == -EAGAIN);
    for (n = 1; n > 0;)
        n = read(fds[0], buffer, sizeof buffer);
    EXPECT(n, -EAGAIN);
    n = write(fds[1], buffer, 3 * PAGE);
    CHECK(n >= PAGE);
    close_pipe();
}

/* The last writer is gone: what is left is read, then it is the end. */
static void end_of_file(void)
{
    int copy;

    open_pipe(0);
    copy = dup(fds[1]);
    EXPECT(write(copy, "last", 4), 4);
    EXPECT(close(fds[1]), 0);
    EXPECT(read(fds[0], buffer, 10), 4);
    EXPECT(close(copy), 0);
    EXPECT(read(fds[0], buffer, 10), 0);
    EXPECT(read(fds[0], buffer, 10), 0);
    EXPECT(close(fds[0]), 0);
}

static void write_to_nobody(void)
{
    EXPECT(close(fds[0]), 0);
    write(fds[1], "x", 1);
}

/* The last reader is gone. */
static void broken(void)
{
    open_pipe(0);
    EXPECT(run_child(write_to_nobody), EXITED(0)); /* we still read */
    EXPECT(read(fds[0], buffer, 5), 1);
    EXPECT(close(fds[0]), 0);
    EXPECT(open(".", O_RDONLY, 0), fds[0]);
    EXPECT(run_child(write_to_nobody), SIGPIPE);
    close_pipe();
}

enum { LONG = 20 * PAGE + 124 }; /* all pieces are multiples of four */

static void write_long(void)
{
    close(fds[0]);
    for (int at = 0, n; at < LONG; at += n) {
        n = 3332 + at % 1000;
        if (n > LONG - at)
            n = LONG - at;
        for (int i = 0; i < n; i += 4)
            *(int *)(buffer + i) = at + i;
        EXPECT(write(fds[1], buffer, n), n);
    }
}

/* Writer and reader in turn wait for each other. */
static void long_stream(void)
{
    int pid, n, got = 0, wrong = 0;

    open_pipe(0);
    pid = start(write_long);
    EXPECT(close(fds[1]), 0);
    while ((n = read(fds[0], buffer, 2500)) > 0)
        for (int i = 0; i < n; i += 4, got += 4)
            wrong += *(int *)(buffer + i) != got;
    EXPECT(n, 0);
    EXPECT(got, LONG);
    EXPECT(wrong, 0);
    EXPECT(outcome(pid), EXITED(0));
    EXPECT(close(fds[0]), 0);
}

static void write_a_lot(void)
{
    close(fds[0]);
    for (;;)
        write(fds[1], buffer, sizeof buffer);
}

/* A writer that sleeps because the pipe is full hears that nobody will read any more. */
static void broken_while_full(void)
{
    struct timespec moment = {0, 30000000};
    int pid;

    open_pipe(0);
    pid = start(write_a_lot);
    nanosleep(&moment, NULL);
    EXPECT(read(fds[0], buffer, 10), 10);
    nanosleep(&moment, NULL);
    close_pipe();
    EXPECT(outcome(pid), SIGPIPE);
}

static void killed_while_full(void)
{
    struct timespec moment = {0, 30000000};
    int pid;

    open_pipe(0);
    pid = start(write_a_lot);
    nanosleep(&moment, NULL);
    EXPECT(kill(pid, SIGTERM), 0);
    EXPECT(outcome(pid), SIGTERM);
    close_pipe();
}

static void read_for_ever(void)
{
    close(fds[1]);
    while (read(fds[0], buffer, 10) > 0)
        ;
}

static void several_readers(void)
{
    int pids[4];

    open_pipe(0);
    for (u32 i = 0; i < 4; i++)
        pids[i] = start(read_for_ever);
    for (u32 i = 0; i < 40; i++)
        EXPECT(write(fds[1], buffer, 7), 7);
    EXPECT(kill(pids[2], SIGKILL), 0);
    close_pipe();
    for (u32 i = 0; i < 4; i++)
        EXPECT(outcome(pids[i]), i == 2 ? SIGKILL : EXITED(0));
}

const struct test pipe_tests[] = {
    {"pipe-through", through},
    {"pipe-nonblocking", without_waiting},
    {"pipe-end", end_of_file},
    {"pipe-broken", broken},
    {"pipe-long", long_stream},
    {"pipe-full-broken", broken_while_full},
    {"pipe-full-killed", killed_while_full},
    {"pipe-readers", several_readers},
    {},
};
