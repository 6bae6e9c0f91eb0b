/* opening FILE REPETITIONS: open a file to read it, and close it. */
#include "libc.h"

/* The measured loop; 0, or the kernel's error. */
static int open_and_close(const char *path, int repetitions)
{
    for (int i = 0; i < repetitions; i++) {
        int fd = open(path, O_RDONLY, 0), error;

        if (fd < 0)
            return fd;
        error = close(fd);
        if (error)
            return error;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int repetitions = argc == 3 ? parse_number(argv[2]) : -1, error;

    if (repetitions < 0) {
        print("usage: opening FILE REPETITIONS\n");
        return 2;
    }
    error = open_and_close(argv[1], repetitions);
    if (error) {
        print("opening: %s: error %d\n", argv[1], -error);
        return 1;
    }
    print("opening: %s, %d repetitions\n", argv[1], repetitions);
    return 0;
}
