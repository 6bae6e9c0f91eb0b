/* cat [FILE]...: copy files to the standard output, a page at a time. */
#include "file.h"

static char page[4096];

static void copy(const char *name)
{
    int fd = open_input(name), n;

    while ((n = check(read(fd, page, sizeof page), "read")) > 0)
        write_fully(1, page, n);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc == 1)
        copy(NULL);
    for (int i = 1; i < argc; i++)
        copy(argv[i]);
    return 0;
}
