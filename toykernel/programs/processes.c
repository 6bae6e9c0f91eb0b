/* Processes: how they end, wait, sleep, take turns and become other programs.  What is printed is what Linux would;
   `processes all` does what would hurt there. */
#include "libc.h"

#define SHOW(expression) show(#expression, expression)

enum { PAGE = 4096, SHARED = MAP_SHARED | MAP_ANONYMOUS };

static volatile int *board; /* seen by all */

static void show(const char *what, int result)
{
    print("  %s = %d\n", what, result);
}

static int start(void (*run)(int), int argument)
{
    int pid = fork();

    if (pid == 0) {
        run(argument);
        exit(0);
    }
    return pid;
}

static int status_of(int pid)
{
    int status = -1, found = waitpid(pid, &status, 0);

    return found == pid ? status : found;
}

static void sleep(int milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&time, NULL);
}

static void end(int status)
{
    exit(status);
}

static void die(int signal)
{
    kill(getpid(), signal);
    exit(1);
}

static void ends(void)
{
    print("ends\n");
    SHOW(status_of(start(end, 7)));
    SHOW(status_of(start(end, 0x1FF)));
    SHOW(status_of(start(end, -1)));
    for (int signal = 1; signal <= SIGCHLD; signal++)
        print("  signal %d: %d\n", signal, status_of(start(die, signal)));
    SHOW(status_of(start(die, 0)));
    SHOW(status_of(start(die, 28)));
    SHOW(status_of(start(die, 31)));
}

static void waits(void)
{
    int first, second, status;

    print("waits\n");
    SHOW(waitpid(-1, &status, 0));
    SHOW(waitpid(getpid(), &status, WNOHANG));
    first = start(sleep, 100000);
    second = start(end, 2);
    SHOW(waitpid(first, &status, WNOHANG));
    SHOW(waitpid(-1, &status, 0x100));
    SHOW(waitpid(second, (int *)0xC0000000, 0));
    SHOW(waitpid(99999, &status, 0));
    SHOW(status_of(second));
    second = start(end, 3);
    sleep(100);
    SHOW(kill(second, 0));
    SHOW(kill(second, SIGKILL));
    SHOW(status_of(second));
    SHOW(kill(second, 0));
    SHOW(waitpid(-1, &status, WNOHANG));
    SHOW(kill(first, 65));
    SHOW(kill(first, SIGTERM));
    SHOW(status_of(first));
}

static void report_parent(int grandparent)
{
    while (getppid() == grandparent)
        sleep(10);
    board[0] = getppid() != grandparent;
}

static void leave_orphan(int unused)
{
    (void)unused;
    start(report_parent, getpid());
}

static void sleep_in_turn(int milliseconds)
{
    sleep(milliseconds);
    board[++board[0]] = milliseconds;
}

/* Neither can end unless the other runs, too, and neither lets it. */
static void spin(int mine)
{
    board[mine] = 1;
    while (!board[1 - mine])
        ;
}

static void order(void)
{
    struct timespec bad = {0, 1000000000}, none = {};
    int pids[3];

    print("order\n");
    board[0] = 0;
    SHOW(status_of(start(leave_orphan, 0)));
    for (int i = 0; i < 100 && !board[0]; i++)
        sleep(10);
    SHOW(board[0]);
    board[0] = 0;
    for (int i = 0; i < 3; i++)
        pids[i] = start(sleep_in_turn, 100 * (3 - i));
    for (int i = 0; i < 3; i++)
        SHOW(status_of(pids[i]));
    print("  slept %d %d %d\n", board[1], board[2], board[3]);
    board[0] = board[1] = 0;
    pids[0] = start(spin, 0);
    pids[1] = start(spin, 1);
    SHOW(status_of(pids[0]) | status_of(pids[1]));
    SHOW(sched_yield());
    SHOW(nanosleep(&none, NULL));
    SHOW(nanosleep(&bad, NULL));
    SHOW(nanosleep(NULL, NULL));
    SHOW(times((struct tms *)4));
    SHOW(time((int *)4));
}

static char *arguments[] = {"processes", "exec", "two words", "", NULL}, *environment[] = {"HOME=/", NULL};

static void become(int unused)
{
    (void)unused;
    exit(execve("/bin/processes", arguments, environment) & 0xFF);
}

/* What the program sees that was executed. */
static void executed(int argc, char **argv)
{
    print("  %d arguments: '%s' '%s'\n", argc, argv[2], argv[3]);
    SHOW(argv[argc] == NULL);
    print("  environment: %s\n", argv[argc + 1]);
    SHOW(argv[argc + 2] == NULL);
    SHOW(lseek(3, 0, SEEK_CUR));
    SHOW(lseek(4, 0, SEEK_CUR));
    SHOW(getpid() != 1);
    exit(5);
}

static void executes(void)
{
    static char *wild[] = {"a", (char *)0xC0000000, NULL}, *none[] = {NULL};
    int fd;

    print("executes\n");
    SHOW(execve("/nothing", arguments, none));
    SHOW(execve("", arguments, none));
    SHOW(execve("/bin", arguments, none));
    SHOW(execve("/bin/processes/", arguments, none));
    SHOW(execve(NULL, arguments, none));
    SHOW(execve("/bin/processes", wild, none));
    SHOW(execve("/bin/processes", (char **)4, none));
    SHOW(execve("/bin/processes", arguments, (char **)4));
    fd = open("/processes.tmp", O_RDWR | O_CREAT, 0644);
    SHOW(write(fd, "text", 4));
    SHOW(execve("/processes.tmp", arguments, none));
    SHOW(dup(fd));
    SHOW(fcntl(4, F_SETFD, FD_CLOEXEC));
    SHOW(status_of(start(become, 0)));
    SHOW(lseek(4, 0, SEEK_CUR));
    close(fd);
    close(4);
    unlink("/processes.tmp");
}

static void be_traced(int unused)
{
    (void)unused;
    board[0] = ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    board[1] = ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    board[2] = ptrace(1, 99999, NULL, NULL);
}

static void traces(void)
{
    print("traces\n");
    SHOW(status_of(start(be_traced, 0)));
    print("  ptrace: %d %d %d\n", board[0], board[1], board[2]);
}

/* As many as there may be; then kill them all at once. */
static void everybody(void)
{
    int pid, n = 0, ended = 0;

    while ((pid = start(sleep, 1000000)) > 0)
        n++;
    print("  fork number %d gives %d\n", n + 1, pid);
    SHOW(kill(-1, SIGKILL));
    while (status_of(-1) != -ECHILD)
        ended++;
    print("  %d ended\n", ended);
    SHOW(start(sleep, 1) > 0);
    kill(0, SIGTERM);
    print("not reached\n");
}

int main(int argc, char **argv)
{
    board = (int *)mmap2(NULL, PAGE, PROT_READ | PROT_WRITE, SHARED, -1, 0);
    if (argc > 2)
        executed(argc, argv);
    if (argc == 2) {
        everybody();
        return 1;
    }
    ends();
    waits();
    order();
    executes();
    traces();
    return 0;
}
