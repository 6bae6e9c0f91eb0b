/* usertests [NAME…]: run all tests, or those with these names; status 0 if all is well. */
#include "usertests.h"

static const struct {
    const struct test *tests; /* up to one without a name */
    u32 roots;                /* on how many of the filesystems */
} groups[] = {
    {path_tests, 2},    {file_tests, 2},    {directory_tests, 2}, {descriptor_tests, 1}, {pointer_tests, 1},
    {pipe_tests, 1},    {process_tests, 1}, {signal_tests, 1},    {exec_tests, 1},       {memory_tests, 1},
    {mapping_tests, 2}, {device_tests, 1},  {fault_tests, 1},     {limit_tests, 1},
};

/* Where tests get their directories. */
static const char *const roots[] = {"/", "/disk"};

static const struct test *running;
static u32 total, failed;

/* In a process of its own: an empty directory, the test, and nothing may be left in it. */
static void run_alone(void)
{
    EXPECT(mkdir("usertests.tmp", 0755), 0);
    EXPECT(chdir("usertests.tmp"), 0);
    running->run();
    EXPECT(chdir(".."), 0);
    EXPECT(rmdir("usertests.tmp"), 0);
}

static void run(const struct test *test, const char *root)
{
    struct counters before, after;
    int status;

    running = test;
    read_counters(&before);
    status = run_child(run_alone);
    read_counters(&after);
    if (status & 0x7F)
        print("  died of signal %d\n", status & 0x7F);
    if (same_counters(&before, &after) && status == EXITED(0)) {
        print("%s %s: ok\n", root, test->name);
    } else {
        print("%s %s: FAILED\n", root, test->name);
        failed++;
    }
    total++;
}

static int named(const struct test *test, char **names)
{
    int any = !*names;

    for (; *names; names++)
        any |= strcmp(*names, test->name) == 0;
    return any;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--exec") == 0)
        return executed(argc, argv);
    for (u32 g = 0; g < sizeof groups / sizeof *groups; g++)
        for (const struct test *test = groups[g].tests; test->name; test++)
            for (u32 r = 0; r < groups[g].roots; r++)
                if (named(test, argv + 1) && chdir(roots[r]) == 0)
                    run(test, roots[r]);
    print("%u tests, %u failed\n", total, failed);
    return failed || !total;
}
