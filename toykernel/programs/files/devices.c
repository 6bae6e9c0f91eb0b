/* /dev and /proc. */
#include "files.h"

static void null_and_zero(void)
{
    int null = open("/dev/null", O_RDWR, 0), zero = open("/dev/zero", O_RDWR, 0), nonzero = 0;
    struct stat st;

    SHOW(read(null, buffer, 10));
    SHOW(write(null, buffer, 10));
    SHOW(write(null, nowhere(), 10));
    SHOW(lseek(null, 100, SEEK_SET));
    SHOW(ioctl(null, TCGETS, buffer));
    SHOW(fstat(null, &st));
    print("  mode %x, device %x\n", st.st_mode, st.st_rdev);
    memset(buffer, 1, sizeof buffer);
    SHOW(read(zero, buffer, ROOM - 1));
    for (int i = 0; i < ROOM; i++)
        nonzero += buffer[i];
    SHOW(nonzero);
    SHOW(read(zero, nowhere(), 10));
    SHOW(read(zero, nowhere() - 6, 10));
    SHOW(read(zero, (char *)0xC0000000, 10));
    SHOW(write(zero, buffer, 10));
    SHOW(close(null));
    SHOW(close(zero));
}

static void console(void)
{
    struct stat st;

    SHOW(ioctl(1, TCGETS, buffer));
    SHOW(ioctl(1, TCGETS, NULL));
    SHOW(ioctl(1, TIOCGWINSZ, buffer));
    show("lines", *(u16 *)buffer);
    SHOW(ioctl(1, 0, buffer));
    SHOW(fstat(0, &st));
    print("  mode %x, device %x\n", st.st_mode, st.st_rdev);
    SHOW(fsync(1));
    SHOW(open("/dev/console", O_RDWR | O_TRUNC, 0));
    SHOW(write(3, "  on the console\n", 17));
    SHOW(close(3));
}

/* Read in pieces as in one; the memory for that is there before, since some files tell how much is free. */
static void text(const char *path)
{
    static char pieces[ROOM];
    int fd = open(path, O_RDONLY, 0), whole, n = 0, got;

    memset(buffer, 0, ROOM);
    memset(pieces, 0, ROOM);
    whole = read(fd, buffer, ROOM);
    lseek(fd, 0, SEEK_SET);
    while ((got = read(fd, pieces + n, 7)) > 0)
        n += got;
    close(fd);
    buffer[whole > 0 ? whole : 0] = pieces[n] = 0;
    print("  %s: %s\n", path, whole > 0 && strcmp(buffer, pieces) == 0 ? "read" : "differs");
}

static void proc(void)
{
    struct stat st;
    int fd;

    text("/proc/meminfo");
    text("/proc/kprofile");
    text("/proc/syscalls");
    fd = open("/proc/meminfo", O_RDONLY, 0);
    SHOW(read(fd, nowhere(), 10));
    SHOW(read(fd, (char *)0xC0000000, 10));
    SHOW(read(fd, nowhere() - 4, 10));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, 100000, SEEK_SET));
    SHOW(read(fd, buffer, 10));
    SHOW(close(fd));
    SHOW(open("/proc/none", O_RDONLY, 0));
    SHOW(open("/proc/new", O_WRONLY | O_CREAT, 0600));
    SHOW(mkdir("/proc/new", 0700));
    SHOW(unlink("/proc/meminfo"));
    SHOW(rmdir("/proc"));
    SHOW(stat("/proc/meminfo", &st));
    print("  mode %x, links %d\n", st.st_mode, st.st_nlink);
    SHOW(chdir("/proc"));
    SHOW(stat("kprofile", &st));
    SHOW(stat("../bin/files", &st));
    SHOW(rmdir("../proc"));
    SHOW(chdir(".."));
    SHOW(stat("bin/files", &st));
    fd = open("/proc", O_RDONLY | O_DIRECTORY, 0);
    SHOW(getdents(fd, buffer, 40));
    SHOW(getdents(fd, buffer, sizeof buffer) > 0);
    SHOW(getdents(fd, buffer, sizeof buffer));
    SHOW(close(fd));
}

void devices(void)
{
    say("null and zero");
    null_and_zero();
    say("console");
    console();
    say("proc");
    proc();
}
