/* mapping PAGES TOUCHED REPETITIONS [FILE]: map so many pages of memory, or of a file, write to the first few of them,
   and give all of them back; the other calls that the paper finds worth it (§5). */
#include "libc.h"

enum { PAGE = 4096, MAX_PAGES = 4096 };

/* Pages of our own: of a file, what is written stays ours.  The kernel says where. */
static u32 map(u32 length, int fd)
{
    if (fd < 0)
        return mmap2(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mmap2(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
}

static int is_error(u32 result)
{
    return result > -4096u;
}

/* The sum of what stood first in each page, which the next mapping must not find changed. */
static u32 touch(unsigned char *page, int touched)
{
    u32 sum = 0;

    for (int i = 0; i < touched; i++, page += PAGE) {
        sum = sum * 31 + *page;
        *page = ~*page;
    }
    return sum;
}

/* The measured loop; 0, or the kernel's error. */
static int map_and_unmap(int pages, int touched, int repetitions, int fd, u32 *sum)
{
    for (int i = 0; i < repetitions; i++) {
        u32 start = map(pages * PAGE, fd);
        int error;

        if (is_error(start))
            return start;
        *sum += touch((unsigned char *)start, touched);
        error = munmap((void *)start, pages * PAGE);
        if (error)
            return error;
    }
    return 0;
}

int main(int argc, char **argv)
{
    int counts = argc == 4 || argc == 5;
    int pages = counts ? parse_number(argv[1]) : -1, touched = counts ? parse_number(argv[2]) : -1;
    int repetitions = counts ? parse_number(argv[3]) : -1, fd = -1, error;
    u32 sum = 0;

    if (pages <= 0 || pages > MAX_PAGES || touched < 0 || touched > pages || repetitions < 0) {
        print("usage: mapping PAGES TOUCHED REPETITIONS [FILE] (at most %d pages)\n", MAX_PAGES);
        return 2;
    }
    if (argc == 5 && (fd = open(argv[4], O_RDONLY, 0)) < 0) {
        print("mapping: cannot open %s: error %d\n", argv[4], -fd);
        return 1;
    }
    error = map_and_unmap(pages, touched, repetitions, fd, &sum);
    if (error) {
        print("mapping: error %d\n", -error);
        return 1;
    }
    print("mapping: %d pages, %d touched, %d repetitions, checksum %x\n", pages, touched, repetitions, sum);
    return 0;
}
