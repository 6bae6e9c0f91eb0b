/* usertests [NAME…]: run all tests, or those with these names; status 0 if all is well. */
#include "usertests.h"

enum { ROOT, DISK };

/* Where tests get their directories. */
static const char *const roots[] = {[ROOT] = "/", [DISK] = "/disk"};

static const struct {
    const struct test *tests; /* up to one without a name */
    u32 first, last;          /* on which of the filesystems */
} groups[] = {
    {path_tests, ROOT, DISK},       {file_tests, ROOT, DISK},    {directory_tests, ROOT, DISK},
    {descriptor_tests, ROOT, ROOT}, {pointer_tests, ROOT, ROOT}, {pipe_tests, ROOT, ROOT},
    {process_tests, ROOT, ROOT},    {signal_tests, ROOT, ROOT},  {exec_tests, ROOT, ROOT},
    {memory_tests, ROOT, ROOT},     {mapping_tests, ROOT, DISK}, {device_tests, ROOT, ROOT},
    {fault_tests, ROOT, ROOT},      {trace_tests, ROOT, ROOT},   {limit_tests, ROOT, ROOT},
    {disk_tests, DISK, DISK},
};

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
            for (u32 r = groups[g].first; r <= groups[g].last; r++)
                if (named(test, argv + 1) && chdir(roots[r]) == 0)
                    run(test, roots[r]);
    print("%u tests, %u failed\n", total, failed);
    return failed || !total;
}
