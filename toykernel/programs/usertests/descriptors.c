/* Descriptors: numbers for open files, which several of them may share. */
#include "usertests.h"

enum { LIMIT = 32 };

static void bad_numbers(void)
{
    static const int bad[] = {3, LIMIT - 1, LIMIT, LIMIT + 1, 1 << 20, -1, -0x80000000};
    struct stat st;

    for (u32 i = 0; i < sizeof bad / sizeof *bad; i++) {
        EXPECT(close(bad[i]), -EBADF);
        EXPECT(read(bad[i], buffer, 1), -EBADF);
        EXPECT(write(bad[i], buffer, 1), -EBADF);
        EXPECT(lseek(bad[i], 0, SEEK_SET), -EBADF);
        EXPECT(fstat(bad[i], &st), -EBADF);
        EXPECT(ftruncate(bad[i], 0), -EBADF);
        EXPECT(fsync(bad[i]), -EBADF);
        EXPECT(getdents(bad[i], buffer, PAGE), -EBADF);
        EXPECT(dup(bad[i]), -EBADF);
        EXPECT(dup2(bad[i], 5), -EBADF);
        EXPECT(fcntl(bad[i], F_GETFD, 0), -EBADF);
        EXPECT(ioctl(bad[i], FIONREAD, buffer), -EBADF);
        EXPECT(mmap2(NULL, PAGE, PROT_READ, MAP_PRIVATE, bad[i], 0), -EBADF);
    }
}

static void lowest_first(void)
{
    int fd = make("file", 1, 1);

    EXPECT(fd, 3);
    EXPECT(dup(fd), 4);
    EXPECT(dup(fd), 5);
    EXPECT(close(4), 0);
    EXPECT(open("file", O_RDONLY, 0), 4);
    EXPECT(close(3), 0);
    EXPECT(fcntl(5, F_DUPFD, 0), 3);
    EXPECT(fcntl(5, F_DUPFD, 4), 6);
    EXPECT(fcntl(5, F_DUPFD, 10), 10);
    EXPECT(fcntl(5, F_DUPFD, LIMIT), -EINVAL);
    EXPECT(fcntl(5, F_DUPFD, -1), -EINVAL);
    EXPECT(unlink("file"), 0);
}

/* As many as there may be, and one more. */
static void all_in_use(void)
{
    int fds[2], fd = make("file", 1, 1);

    for (int i = fd + 1; i < LIMIT; i++)
        EXPECT(i % 2 ? open("file", O_RDONLY, 0) : dup(fd), i);
    EXPECT(open("file", O_RDONLY, 0), -EMFILE);
    EXPECT(open("other", O_RDWR | O_CREAT, 0644), -EMFILE);
    EXPECT(size_of("other"), -ENOENT);
    EXPECT(dup(fd), -EMFILE);
    EXPECT(fcntl(fd, F_DUPFD, 0), -EMFILE);
    EXPECT(pipe(fds), -EMFILE);
    EXPECT(dup2(fd, 7), 7);
    EXPECT(close(20), 0);
    EXPECT(pipe(fds), -EMFILE);
    EXPECT(dup(fd), 20);
    EXPECT(unlink("file"), 0);
}

/* Copies of a descriptor share the position, a second open does not. */
static void shared_position(void)
{
    int fd = make("file", 100, 1), copy = dup(fd), other = open("file", O_RDONLY, 0);

    EXPECT(lseek(fd, 30, SEEK_SET), 30);
    EXPECT(lseek(copy, 0, SEEK_CUR), 30);
    EXPECT(lseek(other, 0, SEEK_CUR), 0);
    EXPECT(read(copy, buffer, 10), 10);
    EXPECT(lseek(fd, 0, SEEK_CUR), 40);
    EXPECT(close(fd), 0);
    EXPECT(read(copy, buffer, 10), 10);
    EXPECT(unlink("file"), 0);
}

static void onto_another(void)
{
    int a = make("a", 10, 1), b = make("b", 20, 2);

    EXPECT(dup2(a, b), b);
    EXPECT(lseek(b, 0, SEEK_END), 10);
    EXPECT(dup2(a, a), a);
    EXPECT(dup2(a, 31), 31);
    EXPECT(dup2(a, LIMIT), -EBADF);
    EXPECT(dup2(a, -1), -EBADF);
    EXPECT(dup2(17, a), -EBADF);
    EXPECT(dup2(17, 17), -EBADF);
    EXPECT(lseek(a, 0, SEEK_CUR), 10);
    EXPECT(unlink("a"), 0);
    EXPECT(unlink("b"), 0);
}

static void flags(void)
{
    int fd = make("file", 10, 1), copy = dup(fd);

    EXPECT(fcntl(fd, F_GETFD, 0), 0);
    EXPECT(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    EXPECT(fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    EXPECT(fcntl(copy, F_GETFD, 0), 0);
    EXPECT(fcntl(dup(fd), F_GETFD, 0), 0);
    EXPECT(fcntl(fd, F_SETFD, 0), 0);
    EXPECT(fcntl(fd, F_GETFL, 0) & ~0100000, O_RDWR); /* a 64-bit Linux adds O_LARGEFILE */
    EXPECT(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
    EXPECT(fcntl(copy, F_GETFL, 0) & ~0100000, O_RDWR | O_APPEND | O_NONBLOCK);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(write(copy, "end", 3), 3);
    EXPECT(size_of("file"), 13);
    EXPECT(fcntl(copy, F_SETFL, O_WRONLY), 0);
    EXPECT(fcntl(copy, F_GETFL, 0) & ~0100000, O_RDWR);
    EXPECT(fcntl(fd, 99, 0), -EINVAL);
    EXPECT(fcntl(fd, -1, 0), -EINVAL);
    EXPECT(unlink("file"), 0);
}

/* What is remembered of each open file, and what there is to lock. */
static void owners(void)
{
    int fd = make("file", 10, 1);

    EXPECT(fcntl(fd, F_GETOWN, 0), 0);
    EXPECT(fcntl(fd, F_SETOWN, getpid()), 0);
    EXPECT(fcntl(dup(fd), F_GETOWN, 0), getpid());
    EXPECT(fcntl(fd, F_GETSIG, 0), 0);
    EXPECT(fcntl(fd, F_SETSIG, SIGTERM), 0);
    EXPECT(fcntl(fd, F_GETSIG, 0), SIGTERM);
    EXPECT(fcntl(fd, F_SETSIG, 65), -EINVAL);
    EXPECT(fcntl(fd, F_SETSIG, 0), 0);
    for (int command = F_GETLK; command <= F_SETLKW; command++)
        CHECK(fcntl(fd, command, 0) < 0);
    EXPECT(unlink("file"), 0);
}

/* Calls of which each file knows some. */
static void controls(void)
{
    enum { FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIONBIO = 0x5421 };
    int fd = make("file", 10, 1), n = -1;

    EXPECT(lseek(fd, 3, SEEK_SET), 3);
    EXPECT(ioctl(fd, FIONREAD, &n), 0);
    EXPECT(n, 7);
    EXPECT(ioctl(fd, FIONREAD, NULL), -EFAULT);
    EXPECT(ioctl(fd, FIOCLEX, NULL), 0);
    EXPECT(fcntl(fd, F_GETFD, 0), FD_CLOEXEC);
    EXPECT(ioctl(fd, FIONCLEX, NULL), 0);
    EXPECT(fcntl(fd, F_GETFD, 0), 0);
    EXPECT(ioctl(fd, FIONBIO, &n), 0);
    EXPECT(fcntl(fd, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
    n = 0;
    EXPECT(ioctl(fd, FIONBIO, &n), 0);
    EXPECT(fcntl(fd, F_GETFL, 0) & O_NONBLOCK, 0);
    EXPECT(ioctl(fd, FIONBIO, NULL), -EFAULT);
    EXPECT(ioctl(fd, TCGETS, buffer), -ENOTTY);
    EXPECT(ioctl(fd, 0x12345, buffer), -ENOTTY);
    EXPECT(unlink("file"), 0);
}

/* A child has copies, which share the position and outlive the parent's. */
static int inherited;

static void use_inherited(void)
{
    EXPECT(lseek(inherited, 0, SEEK_CUR), 30);
    EXPECT(write(inherited, "child", 5), 5);
    EXPECT(close(inherited), 0);
    EXPECT(close(inherited), -EBADF);
}

static void across_fork(void)
{
    inherited = make("file", 100, 1);
    EXPECT(lseek(inherited, 30, SEEK_SET), 30);
    EXPECT(run_child(use_inherited), EXITED(0));
    EXPECT(lseek(inherited, 0, SEEK_CUR), 35);
    EXPECT(lseek(inherited, 30, SEEK_SET), 30);
    EXPECT(read(inherited, buffer, 5), 5);
    CHECK(memcmp(buffer, "child", 5) == 0);
    EXPECT(unlink("file"), 0);
}

const struct test descriptor_tests[] = {
    {"descriptor-bad", bad_numbers},   {"descriptor-lowest", lowest_first},
    {"descriptor-all", all_in_use},    {"descriptor-shared", shared_position},
    {"descriptor-dup2", onto_another}, {"descriptor-flags", flags},
    {"descriptor-owners", owners},     {"descriptor-controls", controls},
    {"descriptor-fork", across_fork},  {},
};
