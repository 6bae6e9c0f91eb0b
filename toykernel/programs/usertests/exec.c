/* Becoming another program: this one again, which then looks at what it was given. */
#include "usertests.h"

static const char self[] = "/bin/usertests";

enum { MANY = 12, LONG = 2000 };

/* Ends a child only if the program cannot be executed. */
static void become(const char *path, char **words, char **environment)
{
    int error = execve(path, words, environment);

    print("  execve(%s) = %d\n", path, error);
    failures++;
}

static char *what; /* what the executed program is to look at */

static void become_self(void)
{
    char *words[] = {"name", "--exec", what, "", "two  words", NULL}, *environment[] = {"A=1", "B", NULL};

    become(self, words, environment);
}

/* In the new program: are the words on the stack as given, the environment behind them? */
static int same_arguments(int argc, char **argv)
{
    EXPECT(argc, 5);
    EXPECT(strcmp(argv[0], "name"), 0);
    EXPECT(strcmp(argv[3], ""), 0);
    EXPECT(strcmp(argv[4], "two  words"), 0);
    CHECK(!argv[5]);
    CHECK(argv[6] && strcmp(argv[6], "A=1") == 0);
    CHECK(argv[7] && strcmp(argv[7], "B") == 0);
    CHECK(!argv[8]);
    return failures ? 1 : 10;
}

/* Descriptors stay but those that are to be closed; memory is new; the directory stays. */
static int same_files(void)
{
    EXPECT(lseek(3, 0, SEEK_CUR), 7);
    EXPECT(lseek(4, 0, SEEK_CUR), -EBADF);
    EXPECT(lseek(5, 0, SEEK_CUR), 7);
    EXPECT(lseek(6, 0, SEEK_CUR), -EBADF);
    EXPECT(lseek(7, 0, SEEK_CUR), -ESPIPE);
    EXPECT(lseek(8, 0, SEEK_CUR), -EBADF);
    EXPECT(size_of("file"), 100);
    CHECK(zeros(buffer, sizeof buffer));
    return failures ? 1 : 11;
}

static int long_arguments(int argc, char **argv)
{
    EXPECT(argc, MANY + 3);
    for (u32 i = 3; i < MANY + 3; i++)
        EXPECT(strlen(argv[i]), LONG);
    return failures ? 1 : 12;
}

/* From main, if the first argument says that a test has executed us. */
int executed(int argc, char **argv)
{
    if (strcmp(argv[2], "arguments") == 0)
        return same_arguments(argc, argv);
    if (strcmp(argv[2], "files") == 0)
        return same_files();
    if (strcmp(argv[2], "pid") == 0)
        return getpid() == parse_number(argv[3]) ? 13 : 1;
    return long_arguments(argc, argv);
}

static void arguments(void)
{
    what = "arguments";
    EXPECT(run_child(become_self), EXITED(10));
}

static void files(void)
{
    int fd = make("file", 100, 1), ends[2];

    fill(buffer, sizeof buffer, 3);
    EXPECT(lseek(fd, 7, SEEK_SET), 7);
    EXPECT(dup(fd), 4);
    EXPECT(dup(fd), 5);
    EXPECT(fcntl(4, F_SETFD, FD_CLOEXEC), 0);
    EXPECT(fcntl(open("file", O_RDONLY, 0), F_SETFD, FD_CLOEXEC), 0);
    EXPECT(pipe(ends), 0);
    EXPECT(fcntl(ends[1], F_SETFD, FD_CLOEXEC), 0);
    what = "files";
    EXPECT(run_child(become_self), EXITED(11));
    EXPECT(lseek(4, 0, SEEK_CUR), 7);
    EXPECT(unlink("file"), 0);
}

static void become_long(void)
{
    static char word[LONG + 1];
    char *words[MANY + 4] = {"name", "--exec", "long"}, *none[] = {NULL};

    memset(word, 'w', LONG);
    for (u32 i = 0; i < MANY; i++)
        words[i + 3] = word;
    become(self, words, none);
}

static void much(void)
{
    EXPECT(run_child(become_long), EXITED(12));
}

/* More than a stack can hold. */
static void become_too_long(void)
{
    static char word[PAGE + 1];
    static char *words[200], *none[] = {NULL};

    memset(word, 'w', PAGE);
    for (u32 i = 0; i < 199; i++)
        words[i] = word;
    EXPECT(execve(self, words, none), -E2BIG);
}

static void too_much(void)
{
    if (!is_linux()) /* where this is not much */
        EXPECT(run_child(become_too_long), EXITED(0));
}

static void become_pid(void)
{
    char digits[12], *at = digits + sizeof digits - 1, *words[] = {"name", "--exec", "pid", NULL, NULL};
    int pid = getpid();

    for (*at = 0; pid; pid /= 10)
        *--at = '0' + pid % 10;
    words[3] = at;
    become(self, words, words + 4);
}

static void same_process(void)
{
    EXPECT(run_child(become_pid), EXITED(13));
}

/* Files that are no programs, of all kinds of wrong; who tried lives on. */
static void garbage(void)
{
    char *words[] = {"garbage", NULL};
    int fd;

    EXPECT(execve("nothing", words, words + 1), -ENOENT);
    EXPECT(execve("", words, words + 1), -ENOENT);
    EXPECT(execve("/", words, words + 1), -EACCES);
    EXPECT(execve("/bin/usertests/below", words, words + 1), -ENOTDIR);
    fd = open("file", O_RDWR | O_CREAT, 0755);
    close(fd);
    EXPECT(execve("file", words, words + 1), -ENOEXEC);
    for (u32 n = 1; n < 3 * PAGE; n = 2 * n + 50) {
        close(make("file", n, n));
        EXPECT(execve("file", words, words + 1), -ENOEXEC);
    }
    EXPECT(unlink("file"), 0);
}

/* The beginning of a real program, cut off at many places; no bytes of it can be run, or all that it needs are
   there. */
static void cut_programs(void)
{
    char *words[] = {"cut", "no-such-test", NULL};
    int program = open(self, O_RDONLY, 0), fd, pid;

    for (u32 n = 4; n < 2 * PAGE; n += n < 200 ? 23 : 1111) {
        EXPECT(lseek(program, 0, SEEK_SET), 0);
        EXPECT(read(program, buffer, n), n);
        fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0755);
        EXPECT(write(fd, buffer, n), n);
        close(fd);
        pid = fork();
        if (pid == 0)
            exit(execve("file", words, words + 2) == -ENOEXEC ? 42 : 43);
        fd = outcome(pid);
        CHECK(fd == EXITED(42) || (is_linux() && (fd & 0x7F)));
    }
    close(program);
    EXPECT(unlink("file"), 0);
}

const struct test exec_tests[] = {
    {"exec-arguments", arguments},
    {"exec-files", files},
    {"exec-long", much},
    {"exec-too-long", too_much},
    {"exec-same-process", same_process},
    {"exec-garbage", garbage},
    {"exec-cut", cut_programs},
    {},
};
