/* Devices, and files that the kernel makes up. */
#include "usertests.h"

static void null(void)
{
    int fd = open("/dev/null", O_RDWR, 0);
    struct stat st;

    EXPECT(read(fd, buffer, 10), 0);
    EXPECT(write(fd, buffer, 5000), 5000);
    EXPECT(write(fd, NULL, 0), 0);
    EXPECT(fstat(fd, &st), 0);
    EXPECT(st.st_mode & S_IFMT, S_IFCHR);
    EXPECT(ftruncate(fd, 0), -EINVAL);
    EXPECT(getdents(fd, buffer, PAGE), -ENOTDIR);
    EXPECT(ioctl(fd, TCGETS, buffer), -ENOTTY);
    EXPECT(close(open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0644)), 0);
    EXPECT(open("/dev/null/below", O_RDONLY, 0), -ENOTDIR);
    EXPECT(chdir("/dev/null"), -ENOTDIR);
}

static void zero(void)
{
    int fd = open("/dev/zero", O_RDWR, 0), n;
    char *end = border();

    memset(buffer, '#', sizeof buffer);
    EXPECT(read(fd, buffer, 5000), 5000);
    CHECK(zeros(buffer, 5000));
    EXPECT(buffer[5000], '#');
    EXPECT(write(fd, buffer, 100), 100);
    EXPECT(read(fd, NULL, 10), -EFAULT);
    EXPECT(read(fd, (char *)0xC0100000, 10), -EFAULT);
    EXPECT(read(fd, expect, 10), -EFAULT);
    memset(end - 64, '#', 64);
    n = read(fd, end - 64, 100);
    CHECK(n == 64 && zeros(end - 64, 64));
}

static void console(void)
{
    int fd = open("/dev/console", O_WRONLY, 0);

    EXPECT(write(fd, "  printed by /dev/console\n", 26), 26);
    EXPECT(read(fd, buffer, 1), -EBADF);
    EXPECT(lseek(1, 0, SEEK_SET), -ESPIPE);
    EXPECT(write(1, border(), 10), -EFAULT);
    EXPECT(write(2, buffer, 0), 0);
}

/* The console is a terminal. */
static void terminal(void)
{
    u16 size[4] = {0};

    if (is_linux())
        return;
    EXPECT(ioctl(1, TCGETS, buffer), 0);
    EXPECT(ioctl(1, TCGETS, NULL), -EFAULT);
    EXPECT(ioctl(1, TIOCGWINSZ, size), 0);
    CHECK(size[0] >= 24 && size[1] >= 80);
    EXPECT(ioctl(1, TIOCGWINSZ, border() - 4), -EFAULT);
    EXPECT(ioctl(1, 0x12345, NULL), -ENOTTY);
}

static void made_up(void)
{
    int fd = open("/proc/meminfo", O_RDONLY, 0), n = read(fd, buffer, sizeof buffer - 1), m;

    CHECK(n > 20);
    EXPECT(read(fd, buffer, 10), 0);
    EXPECT(lseek(fd, 3, SEEK_SET), 3);
    m = read(fd, buffer + PAGE, PAGE);
    CHECK(m > 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    for (m = 0; read(fd, buffer, 1) == 1; m++)
        ;
    CHECK(m >= n - 20 && m <= n + 20);
    EXPECT(write(fd, "x", 1), -EBADF);
    EXPECT(read(fd, NULL, 10), 0); /* at its end */
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, NULL, 10), -EFAULT);
    EXPECT(open("/proc/nothing", O_RDONLY, 0), -ENOENT);
    CHECK(open("/proc/new", O_RDWR | O_CREAT, 0644) < 0);
    CHECK(unlink("/proc/meminfo") < 0);
}

const struct test device_tests[] = {
    {"device-null", null},         {"device-zero", zero},    {"device-console", console},
    {"device-terminal", terminal}, {"device-proc", made_up}, {},
};
