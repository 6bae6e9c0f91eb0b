#include "file.h"
#include "heap.h"

enum { PIECE = 4096 };

int check(int result, const char *what)
{
    if (result < 0)
        die("%s: error %d\n", what, -result);
    return result;
}

int open_input(const char *name)
{
    return name ? check(open(name, O_RDONLY, 0), name) : 0;
}

u32 read_fully(int fd, void *buf, u32 n)
{
    u32 done = 0;
    int got;

    while (done < n && (got = check(read(fd, (char *)buf + done, n - done), "read")) > 0)
        done += got;
    return done;
}

void write_fully(int fd, const void *buf, u32 n)
{
    for (u32 done = 0; done < n;)
        done += check(write(fd, (const char *)buf + done, n - done), "write");
}

/* The pieces follow each other, since nothing else is allocated meanwhile. */
static unsigned char *read_pieces(int fd, u32 *size)
{
    unsigned char *start = allocate(PIECE), *piece = start;
    u32 n;

    while ((n = read_fully(fd, piece, PIECE)) == PIECE)
        piece = allocate(PIECE);
    *size = piece + n - start;
    return start;
}

const unsigned char *load(int fd, u32 *size)
{
    struct stat st;
    int start = -EINVAL;

    check(fstat(fd, &st), "fstat");
    *size = st.st_size;
    if ((st.st_mode & S_IFMT) == S_IFREG && *size > 0)
        start = mmap2(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
    return (u32)start < -4095u ? (void *)start : read_pieces(fd, size);
}
