/* wc [FILE]: how many lines, words and bytes. */
#include "file.h"

static char sector[512];

int main(int argc, char **argv)
{
    int fd = open_input(argc > 1 ? argv[1] : NULL), n;
    u32 lines = 0, words = 0, bytes = 0, inside = 0; /* inside a word */

    while ((n = check(read(fd, sector, sizeof sector), "read")) > 0) {
        bytes += n;
        for (int i = 0; i < n; i++) {
            u32 blank = sector[i] == ' ' || sector[i] == '\n' || sector[i] == '\t';
            lines += sector[i] == '\n';
            words += inside & blank; /* a word is counted at its end */
            inside = !blank;
        }
    }
    print("wc: %u lines, %u words, %u bytes\n", lines, words + inside, bytes);
    return 0;
}
