/* Profiling from the command line: kprofile start|write|stop TYPE… */
#include "libc.h"

enum { START, WRITE, STOP };
static const char *const commands[] = {"start", "write", "stop"};
static const char *const types[] = {"blocks", "edges", "stacks", "values", "cycles"};

static int find(const char *word, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return i;
    return -1;
}

/* Do it for all types; returns how often it failed. */
static int run(int command, char **names)
{
    int failures = 0;

    for (; *names; names++) {
        int type = find(*names, types, sizeof types / sizeof *types);
        int error = type < 0 ? -EINVAL : kprofile(command, type);
        if (error < 0) {
            print("kprofile: %s %s: error %d\n", commands[command], *names, -error);
            failures++;
        }
    }
    return failures;
}

/* Before anything is written all types are stopped, so that they tell of the same time. */
int main(int argc, char **argv)
{
    int command = argc > 2 ? find(argv[1], commands, sizeof commands / sizeof *commands) : -1;

    if (command < 0) {
        print("usage: kprofile start|write|stop TYPE... (blocks edges stacks values cycles)\n");
        return 2;
    }
    if (command == WRITE && run(STOP, argv + 2))
        return 1;
    return run(command, argv + 2) != 0;
}
