/* Files as memory. */
#include "usertests.h"

static char *map(int fd, u32 pages, int protection, int flags, int offset)
{
    return (char *)mmap2(NULL, pages * PAGE, protection, flags, fd, offset);
}

static int failed(const char *address)
{
    return (u32)address >= -(u32)PAGE;
}

static void private(void)
{
    int fd = make("file", 2 * PAGE + 100, 1);
    char *a = map(fd, 3, PROT_READ, MAP_PRIVATE, 0), *b = map(fd, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);

    CHECK(!failed(a) && !failed(b));
    CHECK(filled(a, 2 * PAGE + 100, 1));
    CHECK(zeros(a + 2 * PAGE + 100, PAGE - 100));
    memset(b + PAGE, 'x', 10);
    CHECK(filled(a, 2 * PAGE + 100, 1));
    CHECK(holds(fd, 0, 2 * PAGE + 100, 1));
    EXPECT(close(fd), 0);
    CHECK(filled(b, PAGE, 1));
    EXPECT(b[PAGE + 9], 'x');
    EXPECT(munmap(a, 3 * PAGE), 0);
    EXPECT(munmap(b, 3 * PAGE), 0);
    EXPECT(unlink("file"), 0);
}

static void offsets(void)
{
    int fd = make("file", 3 * PAGE, 1);
    char *a = map(fd, 1, PROT_READ, MAP_PRIVATE, 2);

    CHECK(!failed(a));
    EXPECT(lseek(fd, 2 * PAGE, SEEK_SET), 2 * PAGE);
    EXPECT(read(fd, buffer, PAGE), PAGE);
    CHECK(!failed(a) && memcmp(a, buffer, PAGE) == 0);
    EXPECT(munmap(a, PAGE), 0);
    close(fd);
    EXPECT(unlink("file"), 0);
}

static void errors(void)
{
    int fd = make("file", 10, 1), reader = open("file", O_RDONLY, 0), writer = open("file", O_WRONLY, 0);
    int dir = open(".", O_RDONLY, 0);

    EXPECT((int)map(writer, 1, PROT_READ, MAP_PRIVATE, 0), -EACCES);
    EXPECT((int)map(reader, 1, PROT_READ | PROT_WRITE, MAP_SHARED, 0), -EACCES);
    EXPECT((int)map(dir, 1, PROT_READ, MAP_PRIVATE, 0), -ENODEV);
    EXPECT((int)map(fd, 1, PROT_READ, 0, 0), -EINVAL);
    close(fd);
    close(reader);
    close(writer);
    close(dir);
    EXPECT(unlink("file"), 0);
}

static char *shared;

static void write_shared(void)
{
    memcpy(shared + PAGE, "child", 5);
}

/* Writes by memory and writes by call meet in the same pages. */
static void sharing(void)
{
    int fd = make("file", 2 * PAGE, 1);

    shared = map(fd, 2, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    if (failed(shared)) { /* where files cannot be written so */
        EXPECT((int)shared, -EINVAL);
    } else {
        CHECK(filled(shared, 2 * PAGE, 1));
        memcpy(shared + 10, "memory", 6);
        EXPECT(run_child(write_shared), EXITED(0));
        EXPECT(lseek(fd, 100, SEEK_SET), 100);
        EXPECT(write(fd, "call", 4), 4);
        CHECK(memcmp(shared + 100, "call", 4) == 0);
        EXPECT(lseek(fd, 0, SEEK_SET), 0);
        EXPECT(read(fd, buffer, 2 * PAGE), 2 * PAGE);
        CHECK(memcmp(buffer, shared, 2 * PAGE) == 0 && memcmp(buffer + PAGE, "child", 5) == 0);
        EXPECT(munmap(shared, 2 * PAGE), 0);
    }
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* The pages of a file that is gone stay as long as they are mapped. */
static void unlinked(void)
{
    int fd = make("file", PAGE, 1);
    char *a = map(fd, 1, PROT_READ, MAP_PRIVATE, 0);

    close(fd);
    EXPECT(unlink("file"), 0);
    CHECK(!failed(a) && filled(a, PAGE, 1));
    close(make("file", PAGE, 2));
    CHECK(!failed(a) && filled(a, PAGE, 1));
    EXPECT(munmap(a, PAGE), 0);
    EXPECT(unlink("file"), 0);
}

/* The kernel copies from and to pages of files that nobody has touched yet, also those of the same file. */
static void copies(void)
{
    int fd = make("file", 2 * PAGE, 1), other = make("other", 1, 2);
    char *a = map(fd, 2, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);

    EXPECT(lseek(other, 0, SEEK_SET), 0);
    EXPECT(write(other, a + 100, PAGE), PAGE);
    EXPECT(lseek(other, 0, SEEK_SET), 0);
    EXPECT(read(other, buffer, PAGE), PAGE);
    CHECK(memcmp(buffer, a + 100, PAGE) == 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, a + PAGE - 50, 100), 100);
    CHECK(filled(a + PAGE - 50, 100, 1));
    EXPECT(munmap(a, 2 * PAGE), 0);
    a = map(fd, 2, PROT_READ, MAP_PRIVATE, 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(write(fd, a, 2 * PAGE), 2 * PAGE);
    CHECK(holds(fd, 0, 2 * PAGE, 1));
    EXPECT(read(fd, a, 1), 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, a, 10), -EFAULT);
    EXPECT(munmap(a, 2 * PAGE), 0);
    close(fd);
    close(other);
    EXPECT(unlink("file"), 0);
    EXPECT(unlink("other"), 0);
}

/* Pieces of a file: cut out of the middle of a mapping, put back, and grown together again. */
static void pieces(void)
{
    int fd = make("file", 4 * PAGE, 1);
    char *a = map(fd, 4, PROT_READ, MAP_PRIVATE, 0);

    EXPECT(munmap(a + PAGE, PAGE), 0);
    CHECK(filled(a, PAGE, 1));
    EXPECT(mmap2(a + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 1), (int)a + PAGE);
    CHECK(filled(a, 4 * PAGE, 1));
    EXPECT(mmap2(a + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0), (int)a + 2 * PAGE);
    CHECK(memcmp(a, a + 2 * PAGE, PAGE) == 0);
    EXPECT(munmap(a, PAGE), 0);
    EXPECT(munmap(a + 3 * PAGE, PAGE), 0);
    close(fd);
    CHECK(filled(a + 2 * PAGE, PAGE, 1));
    EXPECT(munmap(a, 4 * PAGE), 0);
    EXPECT(unlink("file"), 0);
}

static void touch_behind_the_end(void)
{
    asm volatile("" ::"r"(*(volatile char *)(shared + PAGE)));
}

/* Pages that the file does not reach. */
static void behind_the_end(void)
{
    int fd = make("file", 100, 1), fault;

    shared = map(fd, 2, PROT_READ, MAP_PRIVATE, 0);
    CHECK(!failed(shared) && filled(shared, 100, 1));
    fault = run_child(touch_behind_the_end) & 0x7F;
    CHECK(fault == SIGBUS || fault == SIGSEGV);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(write(fd, shared + PAGE, 10), -EFAULT);
    EXPECT(munmap(shared, 2 * PAGE), 0);
    close(fd);
    EXPECT(unlink("file"), 0);
}

const struct test mapping_tests[] = {
    {"mapping-private", private}, {"mapping-offset", offsets},     {"mapping-errors", errors},
    {"mapping-shared", sharing},  {"mapping-unlinked", unlinked},  {"mapping-copies", copies},
    {"mapping-pieces", pieces},   {"mapping-end", behind_the_end}, {},
};
