/* readseek's other half: write the same bytes of a file, seek back, and again.  On /disk each write is journaled. */
#include "file.h"

enum { MOST = 65536 };

static char block[MOST];

static void fill(u32 size)
{
    for (u32 i = 0; i < size; i += sizeof(u32))
        *(u32 *)(block + i) = i * 2654435761u;
}

/* The measured loop; every repetition begins with its own number. */
static void write_and_seek(int fd, u32 size, int repetitions)
{
    for (int i = 1; i <= repetitions; i++) {
        *(u32 *)block = i;
        check(write(fd, block, size), "write");
        lseek(fd, 0, SEEK_SET);
    }
}

/* What is in the file now. */
static u32 checksum(int fd, u32 size)
{
    u32 n = read_fully(fd, block, size), sum = n;

    for (u32 i = 0; i < n; i += 61)
        sum = (sum << 1 | sum >> 31) + (unsigned char)block[i];
    return sum;
}

int main(int argc, char **argv)
{
    int size = argc == 4 ? parse_number(argv[2]) : -1;
    int repetitions = argc == 4 ? parse_number(argv[3]) : -1;
    int fd;

    if (size < 0 || size > MOST || repetitions < 0)
        die("usage: writeseek FILE SIZE REPETITIONS (bytes, at most %d)\n", MOST);
    fd = check(open(argv[1], O_RDWR | O_CREAT, 0644), argv[1]);
    fill(size);
    write_and_seek(fd, size, repetitions);
    memset(block, 0, size);
    print("writeseek: %d bytes, %d repetitions, checksum %x\n", size, repetitions, checksum(fd, size));
    return 0;
}
