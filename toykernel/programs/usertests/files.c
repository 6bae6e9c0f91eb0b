/* Regular files: what is written is read again. */
#include "usertests.h"

static void write_and_read(void)
{
    int fd = make("file", 5000, 1);

    EXPECT(lseek(fd, 0, SEEK_CUR), 5000);
    EXPECT(read(fd, buffer, 10), 0);
    CHECK(holds(fd, 0, 5000, 1));
    EXPECT(lseek(fd, 4990, SEEK_SET), 4990);
    EXPECT(read(fd, buffer, 100), 10);
    EXPECT(read(fd, buffer, 100), 0);
    EXPECT(write(fd, buffer, 0), 0);
    EXPECT(size_of("file"), 5000);
    EXPECT(close(fd), 0);
    EXPECT(unlink("file"), 0);
    EXPECT(size_of("file"), -ENOENT);
}

static void modes(void)
{
    int reader, writer, both = make("file", 10, 1);

    reader = open("file", O_RDONLY, 0);
    writer = open("file", O_WRONLY, 0);
    EXPECT(write(reader, "x", 1), -EBADF);
    EXPECT(read(writer, buffer, 1), -EBADF);
    EXPECT(write(writer, "x", 1), 1);
    EXPECT(read(reader, buffer, 20), 10);
    CHECK(buffer[0] == 'x');
    EXPECT(open("file", O_RDWR | O_CREAT | O_EXCL, 0644), -EEXIST);
    EXPECT(size_of("file"), 10);
    EXPECT(close(open("file", O_WRONLY | O_TRUNC, 0)), 0);
    EXPECT(size_of("file"), 0);
    EXPECT(read(both, buffer, 10), 0);
    close(reader);
    close(writer);
    close(both);
    EXPECT(unlink("file"), 0);
}

/* Two writers that append lose nothing. */
static void append(void)
{
    int a = open("file", O_WRONLY | O_CREAT | O_APPEND, 0644), b = open("file", O_RDWR | O_APPEND, 0);

    for (u32 i = 0; i < 10; i++) {
        EXPECT(write(a, "first ", 6), 6);
        EXPECT(lseek(b, 0, SEEK_SET), 0);
        EXPECT(write(b, "other ", 6), 6);
    }
    EXPECT(size_of("file"), 120);
    EXPECT(lseek(b, 108, SEEK_SET), 108);
    EXPECT(read(b, buffer, 20), 12);
    CHECK(memcmp(buffer, "first other ", 12) == 0);
    close(a);
    close(b);
    EXPECT(unlink("file"), 0);
}

static void seeking(void)
{
    int fd = make("file", 6, 1);

    EXPECT(lseek(fd, 3, SEEK_SET), 3);
    EXPECT(lseek(fd, 4, SEEK_CUR), 7);
    EXPECT(lseek(fd, -8, SEEK_CUR), -EINVAL);
    EXPECT(lseek(fd, -7, SEEK_CUR), 0);
    EXPECT(lseek(fd, -1, SEEK_SET), -EINVAL);
    EXPECT(lseek(fd, -2, SEEK_END), 4);
    EXPECT(lseek(fd, -7, SEEK_END), -EINVAL);
    EXPECT(lseek(fd, 0, 5), -EINVAL);
    EXPECT(lseek(fd, 0, -1), -EINVAL);
    EXPECT(lseek(fd, 0, SEEK_CUR), 4);
    EXPECT(lseek(fd, 0x10000, SEEK_SET), 0x10000);
    EXPECT(read(fd, buffer, 1), 0);
    EXPECT(size_of("file"), 6);
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* Written pieces of many sizes over page and block borders. */
static void pieces(void)
{
    static const u32 sizes[] = {1, 2, 3, 5, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 1};
    int fd = open("file", O_RDWR | O_CREAT, 0644), at = 0;

    for (u32 i = 0; i < sizeof sizes / sizeof *sizes; at += sizes[i++]) {
        fill(buffer, sizes[i], i);
        EXPECT(write(fd, buffer, sizes[i]), sizes[i]);
    }
    EXPECT(size_of("file"), at);
    at = 0;
    for (u32 i = 0; i < sizeof sizes / sizeof *sizes; at += sizes[i++])
        CHECK(holds(fd, at, sizes[i], i));
    close(fd);
    EXPECT(unlink("file"), 0);
}

static void overwrite(void)
{
    int fd = make("file", 3 * PAGE, 1);

    for (int at = 100; at < 3 * PAGE; at += 1000) {
        EXPECT(lseek(fd, at, SEEK_SET), at);
        EXPECT(write(fd, "0123456789", 10), 10);
    }
    EXPECT(size_of("file"), 3 * PAGE);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(read(fd, buffer, sizeof buffer), 3 * PAGE);
    for (int at = 100; at < 3 * PAGE; at += 1000) {
        CHECK(memcmp(buffer + at, "0123456789", 10) == 0);
        CHECK(buffer[at + 10] != '0');
    }
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* What was skipped reads as zeros: direct, indirect and doubly indirect blocks of a disk. */
static void holes(void)
{
    static const int places[] = {20000, 200000, 600000, 1500000};
    int fd = make("file", 3, 1), end = 3;

    for (u32 i = 0; i < sizeof places / sizeof *places; i++) {
        EXPECT(lseek(fd, places[i], SEEK_SET), places[i]);
        EXPECT(write(fd, "end", 3), 3);
        EXPECT(size_of("file"), places[i] + 3);
        for (int at = end; at < places[i]; at += 40 * PAGE + 77) {
            u32 n = places[i] - at < PAGE ? places[i] - at : PAGE;
            memset(buffer, '#', n);
            EXPECT(lseek(fd, at, SEEK_SET), at);
            EXPECT(read(fd, buffer, n), n);
            CHECK(zeros(buffer, n));
        }
        EXPECT(lseek(fd, places[i], SEEK_SET), places[i]);
        EXPECT(read(fd, buffer, 9), 3);
        CHECK(memcmp(buffer, "end", 3) == 0);
        end = places[i] + 3;
    }
    CHECK(holds(fd, 0, 3, 1));
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* A file that has no name any more lives as long as it is open. */
static void unlinked(void)
{
    int fd = make("file", 5000, 1), other;
    struct stat st;

    EXPECT(unlink("file"), 0);
    EXPECT(unlink("file"), -ENOENT);
    EXPECT(open("file", O_RDONLY, 0), -ENOENT);
    CHECK(holds(fd, 0, 5000, 1));
    EXPECT(write(fd, buffer, 3000), 3000);
    EXPECT(fstat(fd, &st), 0);
    EXPECT(st.st_nlink, 0);
    EXPECT(st.st_size, 8000);
    other = make("file", 10, 2);
    CHECK(holds(fd, 0, 5000, 1));
    CHECK(holds(other, 0, 10, 2));
    close(fd);
    CHECK(holds(other, 0, 10, 2));
    close(other);
    EXPECT(unlink("file"), 0);
}

static void truncating(void)
{
    int fd = make("file", 3 * PAGE, 1);

    EXPECT(ftruncate(fd, 5000), 0);
    EXPECT(size_of("file"), 5000);
    CHECK(holds(fd, 0, 5000, 1));
    EXPECT(ftruncate(fd, 9000), 0);
    EXPECT(size_of("file"), 9000);
    CHECK(holds(fd, 0, 5000, 1));
    EXPECT(read(fd, buffer, 5000), 4000);
    CHECK(zeros(buffer, 4000));
    EXPECT(ftruncate(fd, 0), 0);
    EXPECT(ftruncate(fd, 100000), 0);
    EXPECT(lseek(fd, 96000, SEEK_SET), 96000);
    EXPECT(read(fd, buffer, 5000), 4000);
    CHECK(zeros(buffer, 4000));
    EXPECT(ftruncate(fd, -1), -EINVAL);
    close(fd);
    fd = open("file", O_RDONLY, 0);
    EXPECT(ftruncate(fd, 0), -EINVAL);
    EXPECT(size_of("file"), 100000);
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* The bytes behind the end are not those that were cut off, whatever comes back how. */
static void cut_and_grown(void)
{
    int fd = make("file", 3000, 1);

    EXPECT(ftruncate(fd, 1500), 0);
    EXPECT(lseek(fd, 2000, SEEK_SET), 2000);
    EXPECT(write(fd, "new", 3), 3);
    EXPECT(lseek(fd, 1500, SEEK_SET), 1500);
    EXPECT(read(fd, buffer, 600), 503);
    CHECK(zeros(buffer, 500));
    CHECK(memcmp(buffer + 500, "new", 3) == 0);
    EXPECT(ftruncate(fd, 600000), 0);
    EXPECT(lseek(fd, 599990, SEEK_SET), 599990);
    EXPECT(write(fd, "far away", 8), 8);
    EXPECT(ftruncate(fd, 1), 0);
    CHECK(holds(fd, 0, 1, 1));
    EXPECT(read(fd, buffer, 5), 0);
    close(fd);
    EXPECT(unlink("file"), 0);
}

static void status(void)
{
    int fd = make("file", 5000, 1), other = make("other", 1, 1);
    struct stat a, b, c;

    EXPECT(fstat(fd, &a), 0);
    EXPECT(stat("file", &b), 0);
    EXPECT(fstat(other, &c), 0);
    EXPECT(a.st_mode, S_IFREG | 0644);
    EXPECT(a.st_nlink, 1);
    EXPECT(a.st_size, 5000);
    CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && b.st_size == 5000);
    CHECK(a.st_ino != c.st_ino && a.st_dev == c.st_dev);
    CHECK(a.st_blksize >= 512);
    EXPECT(stat("nothing", &b), -ENOENT);
    EXPECT(fstat(other + 1, &b), -EBADF);
    EXPECT(stat(".", &b), 0);
    EXPECT(b.st_mode & S_IFMT, S_IFDIR);
    close(fd);
    close(other);
    EXPECT(unlink("file"), 0);
    EXPECT(unlink("other"), 0);
}

static void syncing(void)
{
    int fd = make("file", 5000, 1);

    EXPECT(fsync(fd), 0);
    EXPECT(sync(), 0);
    CHECK(holds(fd, 0, 5000, 1));
    EXPECT(fsync(fd + 1), -EBADF);
    close(fd);
    EXPECT(unlink("file"), 0);
}

const struct test file_tests[] = {
    {"file-write-read", write_and_read},
    {"file-modes", modes},
    {"file-append", append},
    {"file-seek", seeking},
    {"file-pieces", pieces},
    {"file-overwrite", overwrite},
    {"file-holes", holes},
    {"file-unlinked", unlinked},
    {"file-truncate", truncating},
    {"file-cut-and-grown", cut_and_grown},
    {"file-stat", status},
    {"file-sync", syncing},
    {},
};
