/* edit SCRIPT: do to files what a script says, a line at a time, and print what each system call says to it.

    w PATH OFFSET SIZE SEED    write bytes that follow from their places and the seed
    x PATH FROM TO SIZE        write what is at FROM to TO, out of memory that shows the file
    t PATH SIZE                give the file another size
    f PATH                     fsync
    s                          sync
    c PATH                     print size and sum of what is in it
    d PATH                     make a directory
    u PATH, r PATH             remove a file, a directory
    k PATH                     keep the file open until the end */
#include "file.h"

static char script[65536];
static unsigned char bytes[65536];

/* Cut a line into words; how many. */
static u32 split(char *line, char **words, u32 most)
{
    u32 n = 0;

    while (n < most) {
        while (*line == ' ')
            *line++ = 0;
        if (!*line)
            break;
        words[n++] = line;
        while (*line && *line != ' ')
            line++;
    }
    return n;
}

static int put(const char *path, int at, u32 size, u32 seed)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644), result;

    if (fd < 0)
        return fd;
    for (u32 i = 0; i < size; i++)
        bytes[i] = (at + i) * 7 + ((at + i) >> 8) * 13 + seed;
    result = lseek(fd, at, SEEK_SET);
    if (result >= 0)
        result = write(fd, bytes, size);
    close(fd);
    return result;
}

static int transfer(const char *path, int from, int to, u32 size)
{
    int fd = open(path, O_RDWR, 0), result;
    char *shown;

    if (fd < 0)
        return fd;
    shown = (char *)mmap2(NULL, from + size, PROT_READ, MAP_PRIVATE, fd, 0);
    lseek(fd, to, SEEK_SET);
    result = write(fd, shown + from, size);
    munmap(shown, from + size);
    close(fd);
    return result;
}

static int resize(const char *path, int size)
{
    int fd = open(path, O_RDWR, 0), result;

    if (fd < 0)
        return fd;
    result = ftruncate(fd, size);
    close(fd);
    return result;
}

static int make_safe(const char *path)
{
    int fd = open(path, O_RDONLY, 0), result;

    if (fd < 0)
        return fd;
    result = fsync(fd);
    close(fd);
    return result;
}

static int show(const char *path)
{
    int fd = open(path, O_RDONLY, 0), n, size = 0;
    u32 sum = 0;

    if (fd < 0)
        return fd;
    while ((n = read(fd, bytes, sizeof bytes)) > 0) {
        for (int i = 0; i < n; i++)
            sum = sum * 31 + bytes[i];
        size += n;
    }
    close(fd);
    print("%d bytes, sum %08x: ", size, sum);
    return n;
}

static int run(char **words)
{
    const char *path = words[1];

    switch (words[0][0]) {
    case 'w':
        return put(path, parse_number(words[2]), parse_number(words[3]), parse_number(words[4]));
    case 'x':
        return transfer(path, parse_number(words[2]), parse_number(words[3]), parse_number(words[4]));
    case 't':
        return resize(path, parse_number(words[2]));
    case 'f':
        return make_safe(path);
    case 's':
        return sync();
    case 'c':
        return show(path);
    case 'd':
        return mkdir(path, 0755);
    case 'u':
        return unlink(path);
    case 'r':
        return rmdir(path);
    case 'k':
        return open(path, O_RDWR, 0) < 0 ? -1 : 0;
    }
    return -EINVAL;
}

int main(int argc, char **argv)
{
    u32 number = 0;
    char *line = script, *end;

    if (argc != 2)
        die("usage: edit SCRIPT\n");
    script[read_fully(open_input(argv[1]), script, sizeof script - 1)] = 0;
    for (; *line; line = end) {
        char *words[5] = {"", "", "", "", ""};
        for (end = line; *end && *end != '\n'; end++)
            ;
        if (*end)
            *end++ = 0;
        if (split(line, words, 5))
            print("%d %s %s: %d\n", number++, words[0], words[1], run(words));
    }
    return 0;
}
