/* Every system call with good and bad arguments.  What it prints is what Linux 2.4 would. */
#include "libc.h"

enum { PAGE = 4096, MANY = 40 };

void call(u32 registers[7]); /* calls.S */

extern char _end[]; /* program.ld: behind it, in the next page, is nothing */

static const char path[] = "/calls.tmp";
static char buffer[3 * PAGE];
static char long_path[PAGE + 8];

#define SHOW(expression) show(#expression, expression)

static void show(const char *what, int result)
{
    print("  %s = %d\n", what, result);
}

static char *unmapped(void)
{
    return (char *)(((u32)_end + PAGE - 1) & -PAGE);
}

/* The alphabet from one letter on, again and again: each byte is copied from the one 26 before it. */
static void fill(char *to, int n, int seed)
{
    for (int i = 0; i < 26; i++)
        to[i] = 'a' + (i + seed) % 26;
    memcpy(to + 26, to, n - 26);
}

static u32 checksum(const char *from, int n)
{
    u32 sum = n;

    for (const u32 *word = (const u32 *)from; n > 0; n -= sizeof *word)
        sum = (sum << 3 | sum >> 29) ^ *word++;
    return sum;
}

/* Read up to n bytes from a position and print how many there were, and what. */
static void show_contents(int fd, int from, int n)
{
    int got;

    memset(buffer, '#', sizeof buffer);
    lseek(fd, from, SEEK_SET);
    got = read(fd, buffer, n);
    print("  %d bytes from %d: %d, sum %x\n", n, from, got, checksum(buffer, sizeof buffer));
}

static void numbers(void)
{
    print("numbers\n");
    SHOW(getpid() > 0);
    SHOW(syscall0(0x400));
    SHOW(syscall0(-1));
    SHOW(syscall0(0x7FFFFFFF));
}

static void paths(void)
{
    memset(long_path, 'x', sizeof long_path);
    print("paths\n");
    SHOW(open("/no/such/file", O_RDONLY, 0));
    SHOW(open("/nothing", O_RDONLY, 0));
    SHOW(open("", O_RDONLY, 0));
    SHOW(open("/bin/calls/below", O_RDONLY, 0));
    SHOW(open("/bin/calls/", O_RDONLY, 0));
    SHOW(open("/bin", O_RDWR, 0));
    SHOW(open("/", O_WRONLY, 0));
    SHOW(open("/new/", O_WRONLY | O_CREAT, 0644));
    SHOW(open(NULL, O_RDONLY, 0));
    SHOW(open((char *)0xC0100000, O_RDONLY, 0));
    SHOW(open((char *)0xFFFFFFFF, O_RDONLY, 0));
    SHOW(open(unmapped(), O_RDONLY, 0));
    SHOW(open(long_path, O_RDONLY, 0));
    long_path[300] = 0;
    SHOW(open(long_path, O_RDONLY | O_CREAT, 0));
    SHOW(open("//bin/../bin/.//calls", O_RDONLY, 0));
    SHOW(close(3));
}

static void descriptors(void)
{
    int last = -1, opened = 0;

    print("descriptors\n");
    SHOW(close(3));
    SHOW(close(-1));
    SHOW(close(1 << 20));
    SHOW(read(7, buffer, 1));
    SHOW(write(-1, buffer, 1));
    SHOW(lseek(0x80000000, 0, SEEK_SET));
    while (opened < 20 && (last = open("/bin/calls", O_RDONLY, 0)) >= 0)
        opened++;
    print("  opened %d, last %d\n", opened, last);
    SHOW(close(5));
    SHOW(close(4));
    SHOW(open("/bin/calls", O_RDONLY, 0));
    for (int fd = 3; fd <= last; fd++)
        close(fd);
    SHOW(read(3, buffer, 1));
}

static void writing(void)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    print("writing\n");
    fill(buffer, sizeof buffer, 0);
    SHOW(fd);
    SHOW(read(fd, buffer, 10));
    SHOW(write(fd, buffer, 5000));
    SHOW(write(fd, buffer, 0));
    SHOW(lseek(fd, 0, SEEK_CUR));
    show_contents(fd, 0, 12000);
    show_contents(fd, 4090, 100);
    show_contents(fd, 5000, 1);
    SHOW(lseek(fd, 4094, SEEK_SET));
    SHOW(write(fd, "0123", 4));
    show_contents(fd, 4000, 200);
    SHOW(lseek(fd, 20000, SEEK_SET));
    SHOW(read(fd, buffer, 10));
    SHOW(write(fd, "end", 3));
    show_contents(fd, 4900, 12000);
    show_contents(fd, 19999, 10);
    SHOW(write(fd, buffer, -1));
    SHOW(read(fd, buffer, 0x80000000));
    close(fd);
}

static void flags(void)
{
    int reader = open(path, O_RDONLY, 0), writer = open(path, O_WRONLY | O_APPEND, 0), fd;

    print("flags\n");
    SHOW(write(reader, "x", 1));
    SHOW(read(writer, buffer, 1));
    SHOW(write(writer, "tail", 4));
    SHOW(lseek(writer, 0, SEEK_SET));
    SHOW(write(writer, "more", 4));
    SHOW(lseek(writer, 0, SEEK_CUR));
    show_contents(reader, 19998, 100);
    SHOW(open(path, O_RDWR | O_CREAT | O_EXCL, 0644));
    fd = open(path, O_WRONLY | O_TRUNC, 0);
    SHOW(lseek(reader, 0, SEEK_END));
    show_contents(reader, 0, 10);
    SHOW(write(writer, "again", 5));
    show_contents(reader, 0, 10);
    close(fd);
    close(reader);
    close(writer);
}

static void seeking(void)
{
    int fd = open(path, O_RDWR, 0);

    print("seeking\n");
    SHOW(lseek(fd, 3, SEEK_SET));
    SHOW(lseek(fd, 4, SEEK_CUR));
    SHOW(lseek(fd, -8, SEEK_CUR));
    SHOW(lseek(fd, -7, SEEK_CUR));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, -2, SEEK_END));
    SHOW(lseek(fd, -6, SEEK_END));
    SHOW(lseek(fd, 0, 5));
    SHOW(lseek(fd, 0, -1));
    SHOW(lseek(fd, 0x7FFFFFFF, SEEK_SET));
    SHOW(read(fd, buffer, 1));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(lseek(fd, 0, SEEK_SET));
    close(fd);
}

static void faults(void)
{
    int fd = open(path, O_RDWR | O_TRUNC, 0);
    char *edge = unmapped();

    print("faults\n");
    fill(buffer, sizeof buffer, 7);
    write(fd, buffer, 9000);
    lseek(fd, 0, SEEK_SET);
    SHOW(read(fd, NULL, 10));
    SHOW(read(fd, (char *)0xC0000000, 10));
    SHOW(read(fd, (char *)0xBFFFFFFF, 2));
    SHOW(read(fd, (char *)0xFFFFFFF0, 100));
    SHOW(read(fd, (void *)numbers, 10));
    SHOW(read(fd, edge, 10));
    SHOW(read(fd, edge, 0));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(write(fd, NULL, 10));
    SHOW(write(fd, edge, 10));
    SHOW(write(1, edge, 10));
    SHOW(write(1, (char *)0xC0100000, 10));
    for (int before = 1; before <= 64; before <<= 2) {
        lseek(fd, 4000, SEEK_SET);
        print("  %d before the edge: read %d", before, read(fd, edge - before, 400));
        print(", wrote %d", write(fd, edge - before, 400));
        print(", at %d\n", lseek(fd, 0, SEEK_CUR));
    }
    show_contents(fd, 3900, 5000);
    close(fd);
}

static void console(void)
{
    print("console\n");
    SHOW(lseek(1, 0, SEEK_SET));
    SHOW(lseek(0, 0, SEEK_END));
    SHOW(read(0, NULL, 0));
    SHOW(write(2, "  to 2\n", 7));
}

/* Whatever is called with whatever, all registers but eax come back. */
static void registers(void)
{
    static const u32 numbers[] = {3, 4, 5, 6, 19, 20, 199, 200, 255, 256, 0x80000000};
    u32 given[7], changed = 0, after[7];

    for (u32 n = 0; n < sizeof numbers / sizeof *numbers; n++)
        for (u32 fd = 0; fd < MANY; fd += 3) {
            for (u32 i = 0; i < 7; i++)
                after[i] = given[i] = 0x1000001 * (i + 8) + fd;
            after[0] = numbers[n];
            after[1] = given[1] = fd + 3;
            call(after);
            for (u32 i = 1; i < 7; i++)
                changed += after[i] != given[i];
        }
    print("registers\n  changed %d\n", changed);
}

int main(void)
{
    numbers();
    paths();
    descriptors();
    writing();
    flags();
    seeking();
    faults();
    console();
    registers();
    return 0;
}
