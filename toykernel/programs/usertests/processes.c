/* Processes: fork, exit, waiting, and taking turns. */
#include "usertests.h"

enum { CHILDREN = 10 };

static int code;         /* a child's exit code, or whatever parent and child have to agree on */
static int inherited[2]; /* a pipe that children write to */

static void leave(void)
{
    exit(code);
}

static void exit_codes(void)
{
    static const int codes[] = {0, 1, 2, 127, 128, 255, 256, 0x1234, -1};

    for (u32 i = 0; i < sizeof codes / sizeof *codes; i++) {
        code = codes[i];
        EXPECT(run_child(leave), EXITED(codes[i] & 0xFF));
    }
}

static void nothing(void)
{
}

static void tell_parent(void)
{
    EXPECT(getppid(), code);
    CHECK(getpid() != code);
}

static void numbers(void)
{
    int first, second;

    code = getpid();
    CHECK(code > 1);
    EXPECT(run_child(tell_parent), EXITED(0));
    first = start(nothing);
    second = start(nothing);
    CHECK(first != second && first != code && second != code);
    outcome(second);
    outcome(first);
}

static void wait_errors(void)
{
    int status = 77, pid;

    EXPECT(waitpid(-1, &status, 0), -ECHILD);
    EXPECT(waitpid(-1, NULL, WNOHANG), -ECHILD);
    EXPECT(waitpid(getpid(), &status, 0), -ECHILD);
    EXPECT(waitpid(1, &status, 0), -ECHILD);
    EXPECT(waitpid(99999, &status, 0), -ECHILD);
    pid = start(nothing);
    EXPECT(waitpid(-1, &status, 0x40), -EINVAL);
    EXPECT(waitpid(pid + 1, &status, 0), -ECHILD);
    EXPECT(status, 77);
    EXPECT(waitpid(pid, NULL, 0), pid);
    EXPECT(waitpid(pid, NULL, 0), -ECHILD);
}

static void sleep_for_ever(void)
{
    struct timespec long_time = {1000, 0};

    for (;;)
        nanosleep(&long_time, NULL);
}

static void without_waiting(void)
{
    int pid = start(sleep_for_ever), status = 77;

    EXPECT(waitpid(pid, &status, WNOHANG), 0);
    EXPECT(waitpid(-1, &status, WNOHANG), 0);
    EXPECT(status, 77);
    EXPECT(kill(pid, SIGKILL), 0);
    EXPECT(outcome(pid), SIGKILL);
}

/* Children that ended long ago are zombies until somebody asks; each is found once. */
static void zombies(void)
{
    struct timespec moment = {0, 20000000};
    int pids[CHILDREN], seen = 0, status, pid;

    for (int i = 0; i < CHILDREN; i++) {
        code = i;
        pids[i] = start(leave);
    }
    nanosleep(&moment, NULL);
    for (int i = 0; i < CHILDREN; i++)
        EXPECT(kill(pids[i], 0), 0);
    for (int n = 0; n < CHILDREN; n++) {
        pid = waitpid(-1, &status, 0);
        for (int i = 0; i < CHILDREN; i++)
            if (pids[i] == pid) {
                EXPECT(status, EXITED(i));
                seen |= 1 << i;
            }
    }
    EXPECT(seen, (1 << CHILDREN) - 1);
    EXPECT(kill(pids[0], 0), -ESRCH);
}

static void be_an_orphan(void)
{
    struct timespec moment = {0, 10000000};

    for (int i = 0; i < 100 && getppid() == code; i++)
        nanosleep(&moment, NULL);
    write(inherited[1], getppid() == code ? "n" : "y", 1);
}

static void have_a_child(void)
{
    code = getpid();
    start(be_an_orphan);
}

/* Whose parent ends first gets another one. */
static void orphans(void)
{
    EXPECT(pipe(inherited), 0);
    EXPECT(run_child(have_a_child), EXITED(0));
    close(inherited[1]);
    EXPECT(read(inherited[0], buffer, 2), 1);
    CHECK(buffer[0] == 'y');
    EXPECT(read(inherited[0], buffer, 2), 0);
    close(inherited[0]);
    EXPECT(waitpid(-1, NULL, 0), -ECHILD);
}

/* A child's memory is a copy: nobody sees what the other writes. */
static int data = 1, zero;

static void change_memory(void)
{
    int stack = 3;

    EXPECT(data, 1);
    data = 5;
    zero = 6;
    EXPECT(data + zero + stack, 14);
    EXPECT(filled(buffer, sizeof buffer, 9), 1);
    fill(buffer, sizeof buffer, 8);
    EXPECT(filled(buffer, sizeof buffer, 8), 1);
}

static void separate_memory(void)
{
    int first, second;

    fill(buffer, sizeof buffer, 9);
    first = start(change_memory);
    second = start(change_memory);
    EXPECT(outcome(first), EXITED(0));
    EXPECT(filled(buffer, sizeof buffer, 9), 1);
    EXPECT(outcome(second), EXITED(0));
    EXPECT(data, 1);
    EXPECT(zero, 0);
    data = 1;
    EXPECT(filled(buffer, sizeof buffer, 9), 1);
}

/* The kernel writes to memory that is still shared with the child or the parent. */
static void read_into_shared(void)
{
    int fd = open("file", O_RDONLY, 0);

    EXPECT(read(fd, buffer, 2 * PAGE), 2 * PAGE);
    CHECK(filled(buffer, 2 * PAGE, 1));
    close(fd);
}

static void copies_into_shared_memory(void)
{
    int fd = make("file", 2 * PAGE, 1), pid;

    fill(buffer, 2 * PAGE, 2);
    EXPECT(run_child(read_into_shared), EXITED(0));
    CHECK(filled(buffer, 2 * PAGE, 2));
    pid = start(sleep_for_ever);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, buffer, 2 * PAGE), 2 * PAGE);
    CHECK(filled(buffer, 2 * PAGE, 1));
    EXPECT(kill(pid, SIGKILL), 0);
    EXPECT(outcome(pid), SIGKILL);
    close(fd);
    EXPECT(unlink("file"), 0);
}

static void grandchildren(void)
{
    if (code-- > 0)
        EXPECT(run_child(grandchildren), EXITED(0));
}

static void deep_family(void)
{
    code = 8;
    EXPECT(run_child(grandchildren), EXITED(0));
    EXPECT(code, 8);
}

static void do_nothing_for_ever(void)
{
    for (;;)
        asm volatile(".rept 400\n\tnop\n\t.endr");
}

/* Who never calls the kernel does not stop the others. */
static void preemption(void)
{
    struct timespec moment = {0, 30000000};
    int a = start(do_nothing_for_ever), b = start(do_nothing_for_ever);

    for (u32 i = 0; i < 3; i++)
        EXPECT(nanosleep(&moment, NULL), 0);
    for (u32 i = 0; i < 20; i++)
        EXPECT(sched_yield(), 0);
    EXPECT(kill(a, SIGKILL), 0);
    EXPECT(kill(b, SIGTERM), 0);
    EXPECT(outcome(a), SIGKILL);
    EXPECT(outcome(b), SIGTERM);
}

static void sleep_and_write(void)
{
    struct timespec time = {0, code * 40000000};

    EXPECT(nanosleep(&time, &time), 0);
    buffer[0] = '0' + code;
    EXPECT(write(inherited[1], buffer, 1), 1);
}

/* Who sleeps longer wakes later. */
static void sleeping(void)
{
    static const struct timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}, {-1, -1}};
    static const int order[] = {3, 1, 4, 2};
    struct timespec none = {0, 0};

    EXPECT(pipe(inherited), 0);
    for (u32 i = 0; i < sizeof order / sizeof *order; i++) {
        code = order[i];
        start(sleep_and_write);
    }
    for (u32 i = 0; i < 4; i++) {
        EXPECT(read(inherited[0], buffer, 1), 1);
        EXPECT(buffer[0], '1' + i);
    }
    for (u32 i = 0; i < 4; i++)
        CHECK(waitpid(-1, NULL, 0) > 0);
    for (u32 i = 0; i < sizeof bad / sizeof *bad; i++)
        EXPECT(nanosleep(&bad[i], NULL), -EINVAL);
    EXPECT(nanosleep(&none, NULL), 0);
    close(inherited[0]);
    close(inherited[1]);
}

static void clocks(void)
{
    struct timespec moment = {0, 50000000};
    struct tms before, after;
    int start = times(&before), seconds = 0, end;

    EXPECT(nanosleep(&moment, NULL), 0);
    end = times(&after);
    CHECK(end - start >= 4 && end - start < 500);
    CHECK(after.tms_utime >= before.tms_utime && after.tms_stime >= before.tms_stime);
    CHECK(times(NULL) >= end);
    EXPECT(time(&seconds), seconds);
    CHECK(time(NULL) - seconds <= 1);
}

static void names(void)
{
    struct utsname name;

    memset(&name, '#', sizeof name);
    EXPECT(uname(&name), 0);
    CHECK(name.sysname[0] && strlen(name.sysname) < 65);
    CHECK(name.release[0] && strlen(name.release) < 65);
    CHECK(name.machine[0] && strlen(name.machine) < 65);
}

const struct test process_tests[] = {
    {"process-exit", exit_codes},
    {"process-numbers", numbers},
    {"process-wait-errors", wait_errors},
    {"process-wait-nohang", without_waiting},
    {"process-zombies", zombies},
    {"process-orphans", orphans},
    {"process-memory", separate_memory},
    {"process-shared-copies", copies_into_shared_memory},
    {"process-grandchildren", deep_family},
    {"process-preemption", preemption},
    {"process-sleep", sleeping},
    {"process-clocks", clocks},
    {"process-uname", names},
    {},
};
