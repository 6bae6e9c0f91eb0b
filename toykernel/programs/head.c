/* head COUNT [FILE]: copy the first bytes of a file, and no more. */
#include "file.h"

static char buffer[1024];

int main(int argc, char **argv)
{
    int left = argc > 1 ? parse_number(argv[1]) : -1, fd, n;

    if (left < 0 || argc > 3)
        die("usage: head COUNT [FILE]\n");
    for (fd = open_input(argv[2]); left > 0; left -= n) {
        n = check(read(fd, buffer, left < (int)sizeof buffer ? left : (int)sizeof buffer), "read");
        if (n == 0)
            break;
        write_fully(1, buffer, n);
    }
    return 0;
}
