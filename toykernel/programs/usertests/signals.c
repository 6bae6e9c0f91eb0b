/* Signals: there are no handlers, so that each ends a process or does nothing. */
#include "usertests.h"

static int number;

static void send_to_self(void)
{
    EXPECT(kill(getpid(), number), 0);
}

static void deadly(void)
{
    static const int all[] = {SIGHUP,  SIGINT,  SIGILL,  SIGTRAP, SIGBUS, SIGFPE,
                              SIGKILL, SIGSEGV, SIGPIPE, SIGALRM, SIGTERM};

    for (u32 i = 0; i < sizeof all / sizeof *all; i++) {
        number = all[i];
        EXPECT(run_child(send_to_self) & 0x7F, all[i]); /* some leave a core on Linux */
    }
}

static void harmless(void)
{
    number = SIGCHLD;
    EXPECT(run_child(send_to_self), EXITED(0));
    number = 0;
    EXPECT(run_child(send_to_self), EXITED(0));
}

static void errors(void)
{
    EXPECT(kill(getpid(), 65), -EINVAL);
    EXPECT(kill(getpid(), -1), -EINVAL);
    EXPECT(kill(99999, SIGTERM), -ESRCH);
    EXPECT(kill(99999, 0), -ESRCH);
    EXPECT(kill(99999, 65), -ESRCH);
    EXPECT(kill(1, 0), 0);
    EXPECT(kill(0, 0), 0);  /* our group */
    EXPECT(kill(-1, 0), 0); /* everybody */
}

static void sleep_long(void)
{
    struct timespec time = {1000, 0};

    EXPECT(nanosleep(&time, NULL), 0);
}

static void read_long(void)
{
    int fds[2];

    EXPECT(pipe(fds), 0);
    read(fds[0], buffer, 1);
}

/* Sleeping in any call does not protect from a signal. */
static void wakes_sleepers(void)
{
    static void (*const ways[])(void) = {sleep_long, read_long};
    struct timespec moment = {0, 20000000};

    for (u32 i = 0; i < sizeof ways / sizeof *ways; i++)
        for (u32 later = 0; later < 2; later++) {
            int pid = start(ways[i]);
            if (later)
                nanosleep(&moment, NULL);
            EXPECT(kill(pid, i ? SIGKILL : SIGINT), 0);
            EXPECT(outcome(pid), i ? SIGKILL : SIGINT);
        }
}

/* So that it dies with us, a grandchild is told by its pipe. */
static int fds[2];

static void wait_for_reader(void)
{
    close(fds[1]);
    EXPECT(read(fds[0], buffer, 1), 0);
}

static void wait_for_child(void)
{
    start(wait_for_reader);
    close(fds[0]);
    waitpid(-1, NULL, 0);
}

static void wakes_who_waits(void)
{
    struct timespec moment = {0, 20000000};
    int pid;

    EXPECT(pipe(fds), 0);
    pid = start(wait_for_child);
    nanosleep(&moment, NULL);
    EXPECT(kill(pid, SIGTERM), 0);
    EXPECT(outcome(pid), SIGTERM);
    close(fds[0]);
    close(fds[1]); /* the last writer: the grandchild reads the end */
    nanosleep(&moment, NULL);
}

/* What does nothing does not disturb a sleep; of two that are deadly one is enough. */
static void several_at_once(void)
{
    struct timespec moment = {0, 20000000};
    int pid = start(sleep_long);

    nanosleep(&moment, NULL);
    EXPECT(kill(pid, SIGCHLD), 0);
    EXPECT(kill(pid, 0), 0);
    nanosleep(&moment, NULL);
    EXPECT(waitpid(pid, NULL, WNOHANG), 0);
    EXPECT(kill(pid, SIGTERM), 0);
    EXPECT(kill(pid, SIGKILL), 0);
    pid = outcome(pid);
    CHECK(pid == SIGKILL || pid == SIGTERM);
}

const struct test signal_tests[] = {
    {"signal-deadly", deadly},
    {"signal-harmless", harmless},
    {"signal-errors", errors},
    {"signal-sleepers", wakes_sleepers},
    {"signal-waiting", wakes_who_waits},
    {"signal-several", several_at_once},
    {},
};
