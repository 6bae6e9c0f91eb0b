/* Pointers that lead to no memory of the program, in every argument of every call that takes one: EFAULT, and nothing
   has happened. */
#include "usertests.h"

enum { BAD = 8 };

static char *bad[BAD];
static char *readable; /* memory that cannot be written: the program's own code */

static void choose(void)
{
    static const u32 fixed[] = {0, 1, 0xC0000000, 0xC0100000, 0xFFFFF000, 0xFFFFFFFF};

    for (u32 i = 0; i < sizeof fixed / sizeof *fixed; i++)
        bad[i] = (char *)fixed[i];
    bad[BAD - 2] = border();
    bad[BAD - 1] = border() + 1;
    readable = (char *)expect;
}

/* The kernel reads what the pointer leads to. */
#define FROM(pointer, call)                                                                                  \
    for (u32 i = 0; i < BAD; i++) {                                                                          \
        char *pointer = bad[i];                                                                              \
        EXPECT(call, -EFAULT);                                                                               \
    }

/* It writes there. */
#define TO(pointer, call)                                                                                    \
    FROM(pointer, call)                                                                                      \
    for (char *pointer = readable; pointer; pointer = NULL)                                                  \
    EXPECT(call, -EFAULT)

static void paths(void)
{
    struct stat st;
    char *no_words[] = {NULL};

    choose();
    FROM(p, open(p, O_RDONLY, 0));
    FROM(p, open(p, O_RDWR | O_CREAT, 0644));
    FROM(p, unlink(p));
    FROM(p, mkdir(p, 0755));
    FROM(p, rmdir(p));
    FROM(p, chdir(p));
    FROM(p, stat(p, &st));
    FROM(p, execve(p, no_words, no_words));
}

static void contents(void)
{
    int fd = make("file", 5000, 1);

    choose();
    EXPECT(lseek(fd, 100, SEEK_SET), 100);
    TO(p, read(fd, p, 10));
    TO(p, read(fd, p, 5000));
    FROM(p, write(fd, p, 10));
    FROM(p, write(fd, p, 5000));
    FROM(p, write(1, p, 10));
    EXPECT(read(fd, (char *)0xBFFFFFFF, 2), -EFAULT);
    EXPECT(read(fd, NULL, 0), 0);
    EXPECT(write(fd, NULL, 0), 0);
    EXPECT(lseek(fd, 0, SEEK_CUR), 100);
    EXPECT(size_of("file"), 5000);
    close(fd);
    EXPECT(unlink("file"), 0);
}

static void structures(void)
{
    int fd = open(".", O_RDONLY, 0);

    choose();
    TO(p, stat(".", (struct stat *)p));
    TO(p, fstat(fd, (struct stat *)p));
    TO(p, getdents(fd, p, PAGE));
    TO(p, uname((struct utsname *)p));
    for (u32 i = 1; i < BAD; i++) { /* NULL is allowed */
        EXPECT(time((int *)bad[i]), -EFAULT);
        EXPECT(times((struct tms *)bad[i]), -EFAULT);
    }
    FROM(p, nanosleep((struct timespec *)p, NULL));
    CHECK(getdents(fd, buffer, PAGE) > 0);
    close(fd);
}

static void of_pipes(void)
{
    int fds[2];

    choose();
    TO(p, pipe((int *)p));
    EXPECT(pipe(fds), 0);
    EXPECT(fds[0], 3); /* those that failed left nothing open */
    EXPECT(fds[1], 4);
    TO(p, ioctl(fds[0], FIONREAD, p));
    FROM(p, write(fds[1], p, 10));
    EXPECT(write(fds[1], "0123456789", 10), 10);
    TO(p, read(fds[0], p, 5));
    EXPECT(read(fds[0], buffer, 20), 10);
}

/* A child whose status can be written nowhere is still there to be waited for. */
static void of_wait(void)
{
    int pid;

    choose();
    for (u32 i = 1; i < BAD; i++) {
        pid = fork();
        if (pid == 0)
            exit(3);
        EXPECT(waitpid(pid, (int *)bad[i], 0), -EFAULT);
        if (!is_linux())
            EXPECT(outcome(pid), EXITED(3));
    }
}

static void of_exec(void)
{
    static const char program[] = "/bin/usertests";
    char *words[] = {"usertests", NULL, NULL}, *none[] = {NULL};

    choose();
    for (u32 i = 1; i < BAD; i++) {
        EXPECT(execve(program, (char **)bad[i], none), -EFAULT);
        EXPECT(execve(program, words, (char **)bad[i]), -EFAULT);
        words[1] = bad[i];
        EXPECT(execve(program, words, none), -EFAULT);
        EXPECT(execve(program, none, words), -EFAULT);
        words[1] = NULL;
    }
}

/* Copies that break off: so many bytes before the end of memory are there.  How many of them are copied is the
   processor's business, whole words here. */
static void copies_at_the_border(void)
{
    int fd = make("file", PAGE, 1), n;
    char *end = border();

    for (int before = 1; before <= 70; before++) {
        memset(end - 80, '#', 80);
        EXPECT(lseek(fd, 0, SEEK_SET), 0);
        n = read(fd, end - before, 200);
        CHECK(n == -EFAULT ? before < 8 : n <= before && n > before - 8);
        EXPECT(lseek(fd, 0, SEEK_CUR), n < 0 ? 0 : n);
        CHECK(filled(end - before, n < 0 ? 0 : n, 1));
        CHECK(end[-before - 1] == '#');
        EXPECT(read(fd, end - before, before), before);
    }
    close(fd);
    EXPECT(unlink("file"), 0);
}

static void writes_at_the_border(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0644), n;
    char *end = border();

    fill(end - 80, 80, 1);
    for (int before = 1; before <= 70; before++) {
        EXPECT(ftruncate(fd, 0), 0);
        EXPECT(lseek(fd, 0, SEEK_SET), 0);
        n = write(fd, end - before, 200);
        CHECK(n == -EFAULT ? before < 8 : n <= before && n > before - 8);
        EXPECT(size_of("file"), n < 0 ? 0 : n);
        EXPECT(lseek(fd, 0, SEEK_SET), 0);
        EXPECT(read(fd, buffer, 200), n < 0 ? 0 : n);
        CHECK(n < 0 || memcmp(buffer, end - before, n) == 0);
    }
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* Small structures across the end of memory, at every offset. */
static void structures_at_the_border(void)
{
    struct timespec none = {0, 0};
    char *end = border();

    for (int n = 1; n < 64; n++) {
        EXPECT(stat(".", (struct stat *)(end - n)), -EFAULT);
        if (n < 8)
            EXPECT(pipe((int *)(end - n)), -EFAULT);
        if (n < 4)
            EXPECT(time((int *)(end - n)), -EFAULT);
        if (n < 16)
            EXPECT(times((struct tms *)(end - n)), -EFAULT);
        memcpy(end - 8, &none, 8);
        if (n < 8)
            EXPECT(nanosleep((struct timespec *)(end - n), NULL), -EFAULT);
    }
    EXPECT(stat(".", (struct stat *)(end - 64)), 0);
    EXPECT(nanosleep((struct timespec *)(end - 8), NULL), 0);
    EXPECT(dup(1), 3);
}

const struct test pointer_tests[] = {
    {"pointer-paths", paths},
    {"pointer-contents", contents},
    {"pointer-structures", structures},
    {"pointer-pipes", of_pipes},
    {"pointer-wait", of_wait},
    {"pointer-exec", of_exec},
    {"pointer-read-border", copies_at_the_border},
    {"pointer-write-border", writes_at_the_border},
    {"pointer-structure-border", structures_at_the_border},
    {},
};
