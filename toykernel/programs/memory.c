/* Memory that comes when it is needed: mappings, the break, the stack, copies of a fork.  What is printed is what Linux
   would; `memory areas` asks what only our kernel tells. */
#include "libc.h"

enum { PAGE = 4096, READ_WRITE = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };

#define SHOW(expression) show(#expression, expression)

static const char path[] = "/memory.tmp";
static char *at; /* what a child is to touch */
static int file; /* three pages of letters and 10 bytes more, open */

static void show(const char *what, int result)
{
    print("  %s = %d\n", what, result);
}

static char *map(char *start, int pages, int protection, int flags, int fd, int offset)
{
    return (char *)mmap2(start, pages * PAGE, protection, flags, fd, offset);
}

/* A number that tells contents apart. */
static u32 sum(const char *from, int n)
{
    u32 sum = n;

    for (int i = 0; i < n; i++)
        sum = (sum << 3 | sum >> 29) ^ (unsigned char)from[i];
    return sum;
}

static int child(void (*run)(void))
{
    int status = -1, pid = fork();

    if (pid == 0) {
        run();
        exit(0);
    }
    waitpid(pid, &status, 0);
    return status;
}

static void read_it(void)
{
    asm volatile("" ::"r"(*(volatile char *)at));
}

static void write_it(void)
{
    *(volatile char *)at = 1;
}

/* The signal of which a child dies that touches the address, or 0. */
static int touch(void (*how)(void), char *address)
{
    at = address;
    return child(how);
}

static void heap(void)
{
    char *start = (char *)brk(NULL), *page = (char *)(((u32)start + PAGE - 1) & -PAGE);

    print("heap\n");
    SHOW(brk(page + 5 * PAGE + 1) - (int)page);
    page[5 * PAGE] = 'x';
    SHOW(sum(page, 5 * PAGE));
    SHOW(brk(page + 5 * PAGE) - (int)page);
    SHOW(touch(read_it, page + 5 * PAGE));
    SHOW(brk(page + 6 * PAGE) - (int)page);
    SHOW(page[5 * PAGE]);
    SHOW(brk((char *)0xFFFFF000) - (int)page);
    SHOW(brk(start) - (int)start);
    SHOW(touch(write_it, page));
}

/* The kernel reads and writes what nobody has touched yet, also in the middle of a copy. */
static void untouched(void)
{
    char *a = map(NULL, 8, READ_WRITE, ANONYMOUS, -1, 0);
    int other = open("/memory.out", O_RDWR | O_CREAT | O_TRUNC, 0644);

    print("untouched\n");
    lseek(file, 0, SEEK_SET);
    SHOW(read(file, a + 100, 3 * PAGE - 200));
    SHOW(sum(a, 4 * PAGE));
    SHOW(write(other, a + 5 * PAGE + 10, 2 * PAGE));
    SHOW(munmap(a + 2 * PAGE, PAGE));
    lseek(file, 0, SEEK_SET);
    SHOW(read(file, a + 2 * PAGE - 64, 128));
    SHOW(read(file, a + 2 * PAGE, 128));
    SHOW(write(other, a + 2 * PAGE - 64, 128));
    SHOW(write(other, a + 3 * PAGE - 4, 8));
    SHOW(open(a + 4 * PAGE, O_RDONLY, 0));
    SHOW(waitpid(-1, (int *)(a + 2 * PAGE), 0));
    SHOW(munmap(a, 8 * PAGE));
    SHOW(read(file, a, 1));
    close(other);
    unlink("/memory.out");
}

static void protection(void)
{
    char *a = map(NULL, 3, PROT_READ, ANONYMOUS, -1, 0), *none = map(NULL, 1, 0, ANONYMOUS, -1, 0);

    print("protection\n");
    SHOW(touch(read_it, a));
    SHOW(touch(write_it, a));
    SHOW(touch(read_it, none));
    SHOW(read(file, a + 5, 10));
    SHOW(read(file, none, 10));
    SHOW(write(1, none, 10));
    SHOW(map(a + PAGE, 1, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) - a);
    SHOW(touch(write_it, a + PAGE));
    SHOW(touch(write_it, a + 2 * PAGE));
    SHOW(touch(write_it, (char *)protection));
    SHOW(munmap(none, PAGE) | munmap(a, 3 * PAGE));
}

static void files(void)
{
    char *private = map(NULL, 5, READ_WRITE, MAP_PRIVATE, file, 0);
    char *shared = map(NULL, 2, READ_WRITE, MAP_SHARED, file, 2);
    char bytes[4];

    print("files\n");
    SHOW(sum(private, 3 * PAGE + 10));
    SHOW(sum(private + 3 * PAGE, PAGE));
    SHOW(touch(read_it, private + 4 * PAGE));
    SHOW(write(1, private + 4 * PAGE, 5));
    memcpy(private + 2 * PAGE, "mine", 4);
    SHOW(memcmp(shared, "mine", 4) != 0);
    memcpy(shared, "ours", 4);
    lseek(file, 2 * PAGE, SEEK_SET);
    SHOW(read(file, bytes, 4));
    SHOW(memcmp(bytes, "ours", 4));
    SHOW(memcmp(private + 2 * PAGE, "mine", 4));
    lseek(file, 2 * PAGE + 1, SEEK_SET);
    SHOW(write(file, "????", 4));
    SHOW(memcmp(shared, "o????", 5));
    SHOW(touch(write_it, shared + 8));
    SHOW(shared[8]);
    SHOW(touch(write_it, private + 8));
    SHOW(private[8]);
    SHOW(munmap(private, 5 * PAGE) | munmap(shared, 2 * PAGE));
}

/* What two processes have in common, and what not; also where the kernel writes. */
static void forks(void)
{
    char *private = map(NULL, 2, READ_WRITE, ANONYMOUS, -1, 0);
    char *shared = map(NULL, 2, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int pid, status = 0;

    print("forks\n");
    private[0] = 'p';
    lseek(file, 0, SEEK_SET);
    if ((pid = fork()) == 0) {
        shared[PAGE] = private[0];
        shared[0] = read(file, private, 100);
        exit(private[1]);
    }
    SHOW(waitpid(pid, &status, 0) == pid);
    SHOW(status);
    SHOW(private[0]);
    SHOW(private[1]);
    SHOW(shared[0]);
    SHOW(shared[PAGE]);
    SHOW(munmap(private, 2 * PAGE) | munmap(shared, 2 * PAGE));
}

static void errors(void)
{
    int writer = open(path, O_WRONLY, 0), reader = open(path, O_RDONLY, 0),
        console = open("/bin", O_RDONLY, 0);

    print("errors\n");
    SHOW((int)map(NULL, 0, PROT_READ, ANONYMOUS, -1, 0));
    SHOW((int)map(NULL, 1, PROT_READ, MAP_ANONYMOUS, -1, 0));
    SHOW((int)map(NULL, 1, PROT_READ, MAP_PRIVATE, 30, 0));
    SHOW((int)map(NULL, 1, PROT_READ, MAP_PRIVATE, writer, 0));
    SHOW((int)map(NULL, 1, READ_WRITE, MAP_SHARED, reader, 0));
    SHOW((int)map(NULL, 1, READ_WRITE, MAP_PRIVATE, reader, 0) & 0xFFF);
    SHOW((int)map(NULL, 1, PROT_READ, MAP_PRIVATE, console, 0));
    SHOW((int)map((char *)0x50000123, 1, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW((int)map((char *)0xFFFFF000, 1, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW(mmap2(NULL, -PAGE, PROT_READ, ANONYMOUS, -1, 0));
    SHOW(munmap((char *)0x50000001, PAGE));
    SHOW(munmap((char *)0x50000000, 0));
    SHOW(munmap((char *)0x50000000, PAGE));
    SHOW(munmap((char *)0x50000000, -PAGE));
    close(writer);
    close(reader);
    close(console);
}

/* Use so many bytes of stack. */
static int deep(int pages)
{
    volatile char frame[PAGE];

    frame[0] = pages;
    return pages > 0 ? deep(pages - 1) + frame[0] - pages : 7;
}

static void stack(void)
{
    char here;

    print("stack\n");
    SHOW(deep(100));
    SHOW(touch(read_it, (char *)((u32)&here - 100 * PAGE)));
    SHOW(touch(read_it, (char *)0x70000000));
}

/* How many areas all address spaces have, by /proc. */
static int areas(void)
{
    static char text[PAGE];
    int fd = open("/proc/meminfo", O_RDONLY, 0), n = read(fd, text, PAGE - 1);
    char *found = text;

    close(fd);
    text[n < 0 ? 0 : n] = 0;
    while (*found && memcmp(found, "\nvmas ", 6))
        found++;
    for (char *end = found += 6; *end; end++)
        if (*end == '\n')
            *end = 0;
    return parse_number(found);
}

/* Neighbors that are alike are one area; a hole makes two. */
static void lists(void)
{
    int before = areas();
    char *a = map((char *)0x60000000, 2, READ_WRITE, ANONYMOUS, -1, 0);

    SHOW(areas() - before);
    SHOW(map(a + 2 * PAGE, 2, READ_WRITE, ANONYMOUS, -1, 0) - a);
    SHOW(areas() - before);
    SHOW(map(a - PAGE, 1, PROT_READ, ANONYMOUS, -1, 0) - a);
    SHOW(areas() - before);
    SHOW(munmap(a + PAGE, PAGE));
    SHOW(areas() - before);
    SHOW(map(a + PAGE, 1, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) - a);
    SHOW(areas() - before);
    SHOW(map(a, 1, PROT_READ, ANONYMOUS | MAP_FIXED, -1, 0) - a);
    SHOW(areas() - before);
    SHOW(munmap(a - PAGE, 5 * PAGE));
    SHOW(areas() - before);
}

int main(int argc, char **argv)
{
    char letters[26];

    if (argc > 1 && strcmp(argv[1], "areas") == 0) {
        lists();
        return 0;
    }
    file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (int i = 0; i < 26; i++)
        letters[i] = 'a' + i;
    for (int n = 0; n < 3 * PAGE + 10; n += 26)
        write(file, letters, 3 * PAGE + 10 - n < 26 ? 3 * PAGE + 10 - n : 26);
    heap();
    untouched();
    protection();
    files();
    forks();
    errors();
    stack();
    unlink(path);
    return 0;
}
