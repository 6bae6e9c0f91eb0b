/* tee FILE: copy the standard input to the standard output, and to a file. */
#include "file.h"

static char sector[512];

int main(int argc, char **argv)
{
    int fd, n;

    if (argc != 2)
        die("usage: tee FILE\n");
    fd = check(open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0644), argv[1]);
    while ((n = check(read(0, sector, sizeof sector), "read")) > 0) {
        write_fully(1, sector, n);
        write_fully(fd, sector, n);
    }
    return 0;
}
