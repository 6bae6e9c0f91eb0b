/* The paper's micro-benchmark (§5): read a file in blocks of 4096 bytes, seek back, and again. */
#include "libc.h"

enum { BLOCK = 4096, MAX_SIZE = 16 << 20 };

static char block[BLOCK];
static char path[32]; /* the name tells the size: a file found there has the right contents */

static void name_file(u32 size)
{
    char digits[10], *p = path;
    int n = 0;

    for (const char *s = "/readseek."; *s; s++)
        *p++ = *s;
    do
        digits[n++] = '0' + size % 10;
    while (size /= 10);
    while (n > 0)
        *p++ = digits[--n];
}

/* Every block holds the same numbers, but begins with its own. */
static void fill_block(void)
{
    for (u32 i = 0; i < BLOCK; i += sizeof(u32))
        *(u32 *)(block + i) = i * 2654435761u;
}

/* 0, or the kernel's error. */
static int make_file(u32 size)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0644), n;

    if (fd < 0)
        return fd;
    fill_block();
    for (u32 at = 0; at < size; at += n) {
        *(u32 *)block = at / BLOCK + 1;
        n = write(fd, block, size - at < BLOCK ? size - at : BLOCK);
        if (n <= 0)
            return n;
    }
    return close(fd);
}

/* A few bytes of each block, so that it costs little. */
static u32 checksum(u32 sum, int n)
{
    for (int i = 0; i < n; i += 61)
        sum = (sum << 1 | sum >> 31) + (unsigned char)block[i];
    return sum + n;
}

/* The measured loop; the first repetition looks at what it reads. */
static u32 read_and_seek(int fd, int repetitions)
{
    u32 sum = 0;
    int i = 0, n;

    while (i < repetitions) {
        i++;
        while (1) {
            if ((n = read(fd, block, 4096)) <= 0)
                break;
            if (i == 1)
                sum = checksum(sum, n);
        }
        lseek(fd, 0, SEEK_SET);
    }
    return sum;
}

int main(int argc, char **argv)
{
    int size = argc == 3 ? parse_number(argv[1]) : -1;
    int repetitions = argc == 3 ? parse_number(argv[2]) : -1;
    int fd, error;

    if (size < 0 || size > MAX_SIZE || repetitions < 0) {
        print("usage: readseek SIZE REPETITIONS (bytes, at most %d)\n", MAX_SIZE);
        return 2;
    }
    name_file(size);
    fd = open(path, O_RDONLY, 0);
    if (fd < 0) {
        error = make_file(size);
        fd = error < 0 ? error : open(path, O_RDONLY, 0);
    }
    if (fd < 0) {
        print("readseek: cannot make %s: error %d\n", path, -fd);
        return 1;
    }
    print("readseek: %d bytes, %d repetitions, checksum %x\n", size, repetitions,
          read_and_seek(fd, repetitions));
    return 0;
}
