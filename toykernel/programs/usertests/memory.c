/* Memory of a process: the break, anonymous mappings, the stack; and what is not there. */
#include "usertests.h"

enum { READ_WRITE = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

static char *touched; /* what a child is to read or write */

static void read_it(void)
{
    asm volatile("" ::"r"(*(volatile char *)touched));
}

static void write_it(void)
{
    *(volatile char *)touched = 1;
}

/* What becomes of a child that touches the address: 0 if it can. */
static int after(void (*touch)(void), char *address)
{
    touched = address;
    return run_child(touch) & 0x7F;
}

static char *map(char *start, u32 pages, int protection, int flags)
{
    return (char *)mmap2(start, pages * PAGE, protection, ANONYMOUS | flags, -1, 0);
}

static int failed(const char *address)
{
    return (u32)address >= -(u32)PAGE;
}

static void the_break(void)
{
    char *start = (char *)brk(NULL), *page = (char *)(((u32)start + PAGE - 1) & -PAGE);

    EXPECT(brk(NULL), (int)start);
    EXPECT(brk(page + 3 * PAGE), (int)page + 3 * PAGE);
    CHECK(zeros(page, 3 * PAGE));
    fill(page, 3 * PAGE, 1);
    EXPECT(brk(page + PAGE + 1), (int)page + PAGE + 1);
    CHECK(filled(page, PAGE, 1));
    EXPECT(after(read_it, page + PAGE + 1), 0);
    EXPECT(after(read_it, page + 2 * PAGE), SIGSEGV);
    EXPECT(brk(page + 3 * PAGE), (int)page + 3 * PAGE);
    CHECK(zeros(page + 2 * PAGE, PAGE));
    EXPECT(brk((char *)1), (int)page + 3 * PAGE);
    EXPECT(brk((char *)(is_linux() ? 1 : 0xC0000000)), (int)page + 3 * PAGE);
    EXPECT(brk((char *)(is_linux() ? 1 : 0xFFFFFFFF)), (int)page + 3 * PAGE);
    EXPECT(brk(start), (int)start);
    EXPECT(after(write_it, page), SIGSEGV);
}

static void anonymous(void)
{
    char *a = map(NULL, 4, READ_WRITE, 0), *b = map(NULL, 1, PROT_READ, 0);

    CHECK(!failed(a) && !((u32)a % PAGE) && !failed(b));
    CHECK(zeros(a, 4 * PAGE));
    CHECK(zeros(b, PAGE));
    fill(a, 4 * PAGE, 1);
    CHECK(filled(a, 4 * PAGE, 1));
    EXPECT(after(write_it, b), SIGSEGV);
    EXPECT(munmap(a + PAGE, 2 * PAGE), 0);
    EXPECT(after(read_it, a), 0);
    EXPECT(after(read_it, a + PAGE), SIGSEGV);
    EXPECT(after(read_it, a + 3 * PAGE - 1), SIGSEGV);
    EXPECT(after(write_it, a + 3 * PAGE), 0);
    EXPECT(munmap(a, 4 * PAGE), 0);
    EXPECT(after(read_it, a), SIGSEGV);
    EXPECT(after(read_it, a + 3 * PAGE), SIGSEGV);
    EXPECT(munmap(b, 1), 0);
    EXPECT(after(read_it, b), SIGSEGV);
}

static void errors(void)
{
    EXPECT(mmap2((void *)1, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), -EINVAL);
    EXPECT(mmap2(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), -EINVAL);
    EXPECT(mmap2(NULL, 0xFFFFF000, PROT_READ, ANONYMOUS, -1, 0), -ENOMEM);
    EXPECT(mmap2((void *)0xC0000000, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0),
           is_linux() ? (int)0xC0000000 : -ENOMEM);
    EXPECT(mmap2((void *)0xFFFFF000, PAGE, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM);
    EXPECT(mmap2(NULL, PAGE, PROT_READ, MAP_PRIVATE, 9, 0), -EBADF);
    EXPECT(munmap((void *)1, PAGE), -EINVAL);
    EXPECT(munmap((void *)0x40000000, 0), -EINVAL);
    EXPECT(munmap((void *)0xFFFFF000, 2 * PAGE), -EINVAL);
    EXPECT(munmap((void *)0x50000000, 16 * PAGE), 0);
}

/* A new mapping takes the place of what was there, in the middle of one, and over several. */
static void fixed(void)
{
    char *a = map(NULL, 8, READ_WRITE, 0);

    fill(a, 8 * PAGE, 1);
    EXPECT((int)map(a + 2 * PAGE, 2, READ_WRITE, MAP_FIXED), (int)a + 2 * PAGE);
    CHECK(zeros(a + 2 * PAGE, 2 * PAGE));
    CHECK(filled(a, 2 * PAGE, 1));
    a[5 * PAGE] = 77;
    EXPECT((int)map(a + PAGE, 3, PROT_READ, MAP_FIXED), (int)a + PAGE);
    CHECK(zeros(a + PAGE, 3 * PAGE));
    EXPECT(after(write_it, a + PAGE), SIGSEGV);
    EXPECT(after(write_it, a), 0);
    EXPECT(after(write_it, a + 4 * PAGE), 0);
    EXPECT(a[5 * PAGE], 77);
    EXPECT(munmap(a + 7 * PAGE, PAGE), 0);
    EXPECT((int)map(a, 8, READ_WRITE, MAP_FIXED), (int)a);
    CHECK(zeros(a, 8 * PAGE));
    EXPECT(munmap(a, 8 * PAGE), 0);
    EXPECT(after(read_it, a + 4 * PAGE), SIGSEGV);
}

/* An address without MAP_FIXED is taken if it is free, and only a wish if not. */
static void hints(void)
{
    char *a = map(NULL, 4, READ_WRITE, 0), *b;

    EXPECT(munmap(a, 4 * PAGE), 0);
    EXPECT((int)map(a, 1, READ_WRITE, 0), (int)a);
    b = map(a, 1, READ_WRITE, 0);
    CHECK(!failed(b) && b != a);
    *a = 1;
    *b = 2;
    EXPECT(*a, 1);
    EXPECT(munmap(a, PAGE), 0);
    EXPECT(munmap(b, PAGE), 0);
}

/* Many mappings, holes between them, freed in another order; neighbors that grow together. */
static void many(void)
{
    char *all = map(NULL, 64, READ_WRITE, 0);

    for (u32 i = 0; i < 64; i++)
        all[i * PAGE] = i;
    for (u32 i = 1; i < 64; i += 2)
        EXPECT(munmap(all + i * PAGE, PAGE), 0);
    for (u32 i = 0; i < 64; i += 2)
        EXPECT(all[i * PAGE], i);
    for (u32 i = 1; i < 64; i += 2)
        EXPECT((int)map(all + i * PAGE, 1, READ_WRITE, MAP_FIXED), (int)all + i * PAGE);
    for (u32 i = 0; i < 64; i++)
        EXPECT(all[i * PAGE], i % 2 ? 0 : i);
    EXPECT(munmap(all, 64 * PAGE), 0);
}

/* Calls meet memory that nobody has touched yet: all of it must come while they copy. */
static void untouched(void)
{
    int fd = make("file", 3 * PAGE, 1), fds[2];
    char *a = map(NULL, 4, READ_WRITE, 0);

    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, a + 100, 3 * PAGE), 3 * PAGE);
    CHECK(filled(a + 100, 3 * PAGE, 1));
    EXPECT(munmap(a, 4 * PAGE), 0);
    a = map(NULL, 4, READ_WRITE, 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(write(fd, a + 2000, 2 * PAGE), 2 * PAGE);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, buffer, 2 * PAGE), 2 * PAGE);
    CHECK(zeros(buffer, 2 * PAGE));
    EXPECT(pipe(fds), 0);
    EXPECT(write(fds[1], "pipe", 4), 4);
    EXPECT(read(fds[0], a + 3 * PAGE - 2, 4), 4);
    CHECK(memcmp(a + 3 * PAGE - 2, "pipe", 4) == 0);
    EXPECT(stat("file", (struct stat *)(a + PAGE - 30)), 0);
    EXPECT(size_of(a + 3 * PAGE + 5), -ENOENT); /* an empty path */
    EXPECT(read(fd, map(NULL, 1, PROT_READ, 0), 10), -EFAULT);
    EXPECT(munmap(a, 4 * PAGE), 0);
    EXPECT(unlink("file"), 0);
}

/* What a copy finds: one page there, the next one not, or not to be written. */
static void partly_there(void)
{
    int fd = make("file", 3 * PAGE, 1), n;
    char *a = map(NULL, 3, READ_WRITE, 0);

    EXPECT((int)map(a + 2 * PAGE, 1, PROT_READ, MAP_FIXED), (int)a + 2 * PAGE);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    n = read(fd, a + PAGE, 2 * PAGE);
    EXPECT(n, PAGE);
    EXPECT(lseek(fd, 0, SEEK_CUR), PAGE);
    CHECK(filled(a + PAGE, PAGE, 1));
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(munmap(a + 2 * PAGE, PAGE), 0);
    EXPECT(write(fd, a + PAGE, 2 * PAGE), PAGE);
    EXPECT(munmap(a, 2 * PAGE), 0);
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* Both see the pages that were there before, each its own after a write. */
static char *shared;

static void change_copy(void)
{
    EXPECT(shared[0], 5);
    EXPECT(shared[PAGE], 0);
    shared[0] = 6;
    shared[PAGE] = 7;
    EXPECT(munmap(shared, PAGE), 0);
    EXPECT(shared[PAGE], 7);
}

static void across_fork(void)
{
    shared = map(NULL, 2, READ_WRITE, 0);
    shared[0] = 5;
    EXPECT(run_child(change_copy), EXITED(0));
    EXPECT(shared[0], 5);
    EXPECT(shared[PAGE], 0);
    EXPECT(munmap(shared, 2 * PAGE), 0);
}

/* Memory that is nobody's file and yet shared. */
static void write_both(void)
{
    shared[0] = 6;
    shared[PAGE] = 7;
}

static void shared_by_fork(void)
{
    shared = (char *)mmap2(NULL, 2 * PAGE, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(!failed(shared) && zeros(shared, 2 * PAGE));
    shared[0] = 5;
    EXPECT(run_child(write_both), EXITED(0));
    EXPECT(shared[0], 6);
    EXPECT(shared[PAGE], 7);
    EXPECT(munmap(shared, 2 * PAGE), 0);
}

/* The whole address space, at once and piece by piece. */
static void too_much(void)
{
    char *first = map(NULL, 1, READ_WRITE, 0), *a = first;
    u32 n = 0;

    EXPECT(mmap2(NULL, -PAGE, PROT_READ, ANONYMOUS, -1, 0), -ENOMEM);
    EXPECT((int)map((char *)0xBFFF0000, 0x1000, READ_WRITE, 0) != -EINVAL, 1);
    for (; !is_linux() && n < 100 && !failed(a); n++)
        a = map(NULL, 0x8000, PROT_READ, 0);
    CHECK(is_linux() || (n > 5 && a == (char *)-ENOMEM));
    *first = 1;
}

/* How many frames of the stack were as they were left. */
static int use_stack(int depth)
{
    char room[1000];
    int good;

    fill(room, sizeof room, depth);
    good = depth ? use_stack(depth - 1) : 0;
    return good + filled(room, sizeof room, depth);
}

static void fall_deep(void)
{
    use_stack(1 << 30);
}

static void the_stack(void)
{
    EXPECT(use_stack(40), 41);
    EXPECT(run_child(fall_deep) & 0x7F, SIGSEGV);
}

const struct test memory_tests[] = {
    {"memory-break", the_break},
    {"memory-anonymous", anonymous},
    {"memory-errors", errors},
    {"memory-fixed", fixed},
    {"memory-hints", hints},
    {"memory-many", many},
    {"memory-untouched", untouched},
    {"memory-partly", partly_there},
    {"memory-fork", across_fork},
    {"memory-shared", shared_by_fork},
    {"memory-too-much", too_much},
    {"memory-stack", the_stack},
    {},
};
