/* The smallest program: say hello, and who says it. */
#include "libc.h"

int main(int argc, char **argv)
{
    print("hello from process %d, ring 3\n", getpid());
    for (int i = 1; i < argc; i++)
        print("argument %d: %s\n", i, argv[i]);
    return 0;
}
