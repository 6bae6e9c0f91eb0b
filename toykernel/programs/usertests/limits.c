/* The ends of everything: processes, memory, disk.  What fails must fail with an error, and afterwards all is well.
   Not to be tried on a Linux that somebody uses. */
#include "usertests.h"

enum { ENOUGH = 5000, MANY = 70 };

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

/* A file in memory that leaves only so many pages to others; its descriptor. */
static int hog(u32 pages)
{
    static char much[64 * PAGE];
    int fd = open("/hog", O_RDWR | O_CREAT, 0644), n;

    while ((n = write(fd, much, sizeof much)) > 0)
        ;
    CHECK(n == -ENOMEM || n == -ENOSPC);
    n = size_of("/hog");
    CHECK(n > 300 * PAGE);
    EXPECT(ftruncate(fd, n - pages * PAGE), 0);
    return fd;
}

static void end_hog(int fd)
{
    EXPECT(close(fd), 0);
    EXPECT(unlink("/hog"), 0);
    EXPECT(run_child(nothing), EXITED(0));
}

/* Touch more and more memory. */
static void eat_memory(void)
{
    for (u32 i = 0; i < 100; i++) {
        char *a = (char *)mmap2(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if ((u32)a >= -(u32)PAGE)
            exit(a == (char *)-ENOMEM ? 42 : 1);
        for (u32 page = 0; page < 16; page++)
            a[page * PAGE] = 1;
    }
}

/* The kernel touches it for us, and says that it cannot. */
static void eat_by_calls(void)
{
    int fd = open("/dev/zero", O_RDONLY, 0), n;
    char *a = (char *)mmap2(NULL, 1000 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    n = (u32)a >= -(u32)PAGE ? -ENOMEM : read(fd, a, 1000 * PAGE);
    exit(n == -ENOMEM || (n >= 0 && n < 1000 * PAGE) ? 42 : 1);
}

static void memory(void)
{
    static void (*const ways[])(void) = {eat_memory, eat_by_calls};
    int fd, status;

    if (is_linux())
        return;
    fd = hog(200);
    for (u32 i = 0; i < sizeof ways / sizeof *ways; i++) {
        status = run_child(ways[i]);
        CHECK(status == EXITED(42) || status == SIGKILL || status == SIGBUS || status == SIGSEGV);
    }
    end_hog(fd);
}

static u32 spare; /* pages that are left */

/* Take what files may not take, up to the last page but a few. */
static void take_rest(void)
{
    int zero = open("/dev/zero", O_RDONLY, 0);
    char *a = (char *)mmap2(NULL, 1000 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    u32 n = 0;

    while (read(zero, a + n * PAGE, 1) == 1)
        n++;
    CHECK(n > spare && n < 1000);
    munmap(a + (n - spare) * PAGE, spare * PAGE);
    close(zero);
}

static char *name_of(u32 number)
{
    static char name[] = "f000";

    for (u32 i = 3; i > 0; i--, number /= 10)
        name[i] = '0' + number % 10;
    return name;
}

/* Calls that need memory, each of which finds less of it, or none; whoever cannot go on without is killed. */
static void need_memory(void)
{
    char *words[] = {"usertests", "none", NULL};
    int fd = -1, fds[2];
    u32 n = 0;

    take_rest();
    if (pipe(fds) == 0)
        write(fds[1], buffer, 100);
    mkdir("dir", 0755);
    while (n < MANY && (fd = open(name_of(n), O_RDWR | O_CREAT, 0644)) >= 0) {
        write(fd, buffer, spare % 4 ? 1 : 0);
        close(fd);
        n++;
    }
    CHECK(n == MANY || fd == -ENOMEM);
    mkdir("dir", 0755);
    pipe(fds);
    read(open("/proc/meminfo", O_RDONLY, 0), buffer, 1);
    if (fork() == 0 && spare % 2)
        execve("/bin/usertests", words, words + 2);
    waitpid(-1, NULL, 0);
}

/* From nothing at all to enough, so that memory ends in another place each time. */
static void no_memory(void)
{
    int fd, status;

    if (is_linux())
        return;
    fd = hog(40);
    for (spare = 0; spare < 12; spare++) {
        status = run_child(need_memory);
        CHECK(status == EXITED(0) || status == SIGKILL);
        for (u32 i = 0; unlink(name_of(i)) == 0; i++)
            ;
        rmdir("dir");
    }
    end_hog(fd);
}

const struct test limit_tests[] = {
    {"limit-processes", processes},
    {"limit-memory", memory},
    {"limit-no-memory", no_memory},
    {},
};
