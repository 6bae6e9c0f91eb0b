/* brief FILE REPETITIONS: the calls that do least, in turn; what is around them is most of what they cost. */
#include "file.h"

int main(int argc, char **argv)
{
    int repetitions = argc == 3 ? parse_number(argv[2]) : -1;
    u32 pids = 0, bytes = 0, copies = 0;
    struct stat st;
    int fd, pid;

    if (repetitions < 0)
        die("usage: brief FILE REPETITIONS\n");
    fd = open_input(argv[1]);
    pid = getpid();
    for (int i = 0; i < repetitions; i++) {
        int copy;

        pids += getpid() == pid;
        check(fstat(fd, &st), "fstat");
        bytes += st.st_size;
        copy = check(dup(fd), "dup");
        copies += copy == fd + 1;
        close(copy);
    }
    print("brief: %d repetitions, %d bytes, %d times the same process, %d times the next descriptor\n",
          repetitions, bytes, pids, copies);
    return 0;
}
