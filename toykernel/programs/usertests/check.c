/* What all tests share. */
#include "usertests.h"

u32 failures;
char buffer[4 * PAGE];

/* Compare a result, and say what is wrong with it. */
int expect(const char *file, int line, const char *what, int found, int wanted)
{
    if (found != wanted) {
        print("  %s:%d: %s = %d, expected %d\n", file, line, what, found, wanted);
        failures++;
    }
    return found;
}

/* A later Linux, on which the tests are tested: some limits and errors are others there. */
int is_linux(void)
{
    struct utsname name;

    return uname(&name) == 0 && name.release[0] != '2';
}

/* A child that runs this and exits, with 1 if anything failed.  Its number. */
int start(void (*run)(void))
{
    int pid = fork();

    if (pid == 0) {
        failures = 0;
        run();
        exit(failures != 0);
    }
    CHECK(pid > 0);
    return pid;
}

/* Wait for a child: its status as waitpid gives it. */
int outcome(int pid)
{
    int status = -1;

    EXPECT(waitpid(pid, &status, 0), pid);
    return status;
}

int run_child(void (*run)(void))
{
    return outcome(start(run));
}

/* Four bytes that depend on the place and on the seed; both pages and blocks differ from each other. */
static u32 pattern(u32 word, u32 seed)
{
    return (word + 1) * 0x9E3779B1 ^ seed * 0x85EBCA6B;
}

/* The machine counts what programs do block by block, so that loops over words are worth it. */
void fill(char *to, u32 n, u32 seed)
{
    u32 words = n / 4, rest = pattern(words, seed);

    for (u32 i = 0; i < words; i++)
        ((u32 *)to)[i] = pattern(i, seed);
    memcpy(to + 4 * words, &rest, n % 4);
}

int filled(const char *from, u32 n, u32 seed)
{
    u32 words = n / 4, rest = pattern(words, seed);

    for (u32 i = 0; i < words; i++)
        if (((const u32 *)from)[i] != pattern(i, seed))
            return 0;
    return memcmp(from + 4 * words, &rest, n % 4) == 0;
}

int zeros(const char *from, u32 n)
{
    static const u32 none;

    for (u32 i = 0; i < n / 4; i++)
        if (((const u32 *)from)[i])
            return 0;
    return memcmp(from + n / 4 * 4, &none, n % 4) == 0;
}

/* A page before this address is memory, behind it is nothing. */
char *border(void)
{
    static char *pages;

    if (!pages) {
        pages = (char *)mmap2(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT(munmap(pages + PAGE, PAGE), 0);
    }
    return pages + PAGE;
}

/* Make a file of n bytes, which must be within the buffer; its descriptor, open for both, behind the bytes. */
int make(const char *path, u32 n, u32 seed)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    CHECK(fd >= 0);
    fill(buffer, n, seed);
    EXPECT(write(fd, buffer, n), (int)n);
    return fd;
}

/* The file's size, or an error. */
int size_of(const char *path)
{
    struct stat st;
    int error = stat(path, &st);

    return error ? error : (int)st.st_size;
}

/* Do these bytes of the file follow the pattern of the seed, as if it began at `from`? */
int holds(int fd, int from, u32 n, u32 seed)
{
    memset(buffer, '#', n);
    return lseek(fd, from, SEEK_SET) == from && read(fd, buffer, n) == (int)n && filled(buffer, n, seed);
}
