/* look KEY FILE: the records of a sorted file that begin with the key.  Half of what is left is ruled out at a time. */
#include "file.h"

enum { RECORD = 32 };

static char record[RECORD];

/* Read a record; how it compares with the key. */
static int compare(int fd, u32 number, const char *key)
{
    check(lseek(fd, number * RECORD, SEEK_SET), "lseek");
    read_fully(fd, record, RECORD);
    return memcmp(record, key, strlen(key));
}

int main(int argc, char **argv)
{
    u32 from = 0, to, count, found = 0;
    int fd;

    if (argc != 3 || strlen(argv[1]) > RECORD)
        die("usage: look KEY FILE\n");
    fd = open_input(argv[2]);
    count = to = check(lseek(fd, 0, SEEK_END), argv[2]) / RECORD;
    while (from < to) {
        u32 middle = from + (to - from) / 2;
        if (compare(fd, middle, argv[1]) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (; from < count && compare(fd, from, argv[1]) == 0; from++, found++)
        write_fully(1, record, RECORD);
    return found == 0;
}
