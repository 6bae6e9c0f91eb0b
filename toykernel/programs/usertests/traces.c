/* A process that asks to be traced: its calls are found in /proc/trace, and cost it nothing else. */
#include "usertests.h"

static void be_traced(void)
{
    int fds[2];

    EXPECT(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
    EXPECT(getppid() > 0, 1);
    EXPECT(lseek(99, 12, SEEK_SET), -EBADF);
    EXPECT(pipe(fds), 0);
    EXPECT(syscall0(0x400), -ENOSYS);
}

static void calls(void)
{
    int fd, n;

    EXPECT(run_child(be_traced), EXITED(0));
    if (is_linux())
        return;
    fd = open("/proc/trace", O_RDONLY, 0);
    n = read(fd, buffer, sizeof buffer - 1);
    CHECK(n > 10);
    close(fd);
}

static void errors(void)
{
    EXPECT(ptrace(999, 0, NULL, NULL), -ESRCH);
}

const struct test trace_tests[] = {
    {"trace-calls", calls},
    {"trace-errors", errors},
    {},
};
