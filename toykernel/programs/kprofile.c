/* Profiling from the command line: kprofile start|write|stop TYPE… */
#include "libc.h"

static const char *const commands[] = {"start", "write", "stop"};
static const char *const types[] = {"blocks", "edges", "stacks", "values", "cycles"};

static int find(const char *word, const char *const *list, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return i;
    return -1;
}

static int run(int command, const char *type)
{
    int number = find(type, types, sizeof types / sizeof *types);
    int error = number < 0 ? -EINVAL : kprofile(command, number);

    if (error < 0)
        print("kprofile: %s %s: error %d\n", commands[command], type, -error);
    return error;
}

int main(int argc, char **argv)
{
    int command = argc > 2 ? find(argv[1], commands, sizeof commands / sizeof *commands) : -1;
    int status = 0;

    if (command < 0) {
        print("usage: kprofile start|write|stop TYPE... (blocks edges stacks values cycles)\n");
        return 2;
    }
    for (int i = 2; i < argc; i++)
        if (run(command, argv[i]) < 0)
            status = 1;
    return status;
}
