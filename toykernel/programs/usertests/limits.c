/* The ends of everything: processes, memory, disk.  What fails must fail with an error, and afterwards all is well.
   Not to be tried on a Linux that somebody uses. */
#include "usertests.h"

enum { ENOUGH = 5000 };

static void sleep_for_ever(void)
{
    struct timespec long_time = {1000, 0};

    for (;;)
        nanosleep(&long_time, NULL);
}

static void nothing(void)
{
}

static int pids[ENOUGH];

/* fork until it fails; then end them all, and begin again. */
static void processes(void)
{
    int n = 0, pid;

    if (is_linux())
        return;
    while (n < ENOUGH && (pid = fork()) > 0)
        pids[n++] = pid;
    if (pid == 0)
        sleep_for_ever();
    CHECK(pid == -EAGAIN || pid == -ENOMEM);
    CHECK(n > 10);
    for (int i = 0; i < n; i++)
        EXPECT(kill(pids[i], SIGKILL), 0);
    for (int i = 0; i < n; i++)
        EXPECT(outcome(pids[i]), SIGKILL);
    EXPECT(run_child(nothing), EXITED(0));
}

/* Touch more and more memory. */
static void eat_memory(void)
{
    for (u32 i = 0; i < 1000; i++) {
        char *a = (char *)mmap2(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((u32)a >= -(u32)PAGE)
            exit(a == (char *)-ENOMEM ? 42 : 1);
        for (u32 page = 0; page < 64; page++)
            a[page * PAGE] = 1;
    }
}

static void memory(void)
{
    int status;

    if (is_linux())
        return;
    status = run_child(eat_memory);
    CHECK(status == EXITED(42) || status == SIGKILL || status == SIGBUS || status == SIGSEGV);
    EXPECT(run_child(nothing), EXITED(0));
}

/* The same by files in memory. */
static void memory_of_files(void)
{
    int fd, n, pages = 0;

    if (is_linux())
        return;
    fd = open("file", O_RDWR | O_CREAT, 0644);
    while ((n = write(fd, buffer, PAGE)) == PAGE)
        pages++;
    CHECK(n == -ENOMEM || n == -ENOSPC);
    CHECK(pages > 1000);
    n = fork(); /* files leave some memory to others: it may be enough */
    if (n == 0)
        exit(0);
    CHECK(n == -ENOMEM || waitpid(n, NULL, 0) == n);
    EXPECT(close(fd), 0);
    EXPECT(unlink("file"), 0);
    EXPECT(run_child(nothing), EXITED(0));
}

const struct test limit_tests[] = {
    {"limit-processes", processes},
    {"limit-memory", memory},
    {"limit-files-in-memory", memory_of_files},
    {},
};
