/* What only a disk can do: be full. */
#include "usertests.h"

static int fill_disk(int fd)
{
    int n, total = 0;

    while ((n = write(fd, buffer, sizeof buffer)) > 0)
        total += n;
    EXPECT(n, -ENOSPC);
    return total;
}

static char *name_of(u32 number)
{
    static char name[8] = "f";

    for (u32 i = 4; i > 0; i--, number /= 10)
        name[i] = '0' + number % 10;
    return name;
}

/* Twice, because what the first time takes must come back. */
static void no_blocks(void)
{
    int fd, first, second, error;
    u32 n = 0;

    if (is_linux())
        return;
    fd = open("file", O_RDWR | O_CREAT, 0644);
    fill(buffer, sizeof buffer, 1);
    first = fill_disk(fd);
    EXPECT(size_of("file"), first);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    EXPECT(write(fd, buffer, 5000), 5000); /* there are blocks under these bytes */
    while ((error = mkdir(name_of(n), 0755)) == 0)
        n++;
    EXPECT(error, -ENOSPC);
    CHECK(n < 5); /* a block that files cannot use, because they would need two */
    EXPECT(ftruncate(fd, first / 2), 0);
    EXPECT(mkdir(name_of(n), 0755), 0);
    for (u32 i = 0; i <= n; i++)
        EXPECT(rmdir(name_of(i)), 0);
    EXPECT(ftruncate(fd, 0), 0);
    EXPECT(lseek(fd, 0, SEEK_SET), 0);
    second = fill_disk(fd);
    EXPECT(second, first);
    EXPECT(fsync(fd), 0);
    CHECK(holds(fd, 0, sizeof buffer, 1));
    close(fd);
    EXPECT(unlink("file"), 0);
}

/* More files than there are inodes. */
static void no_inodes(void)
{
    u32 n = 0;
    int fd = 0;

    if (is_linux())
        return;
    while (n < 5000 && (fd = open(name_of(n), O_RDWR | O_CREAT, 0644)) >= 0) {
        close(fd);
        n++;
    }
    EXPECT(fd, -ENOSPC);
    EXPECT(mkdir("dir", 0755), -ENOSPC);
    EXPECT(unlink(name_of(n / 2)), 0);
    EXPECT(mkdir("dir", 0755), 0);
    EXPECT(open("another", O_RDWR | O_CREAT, 0644), -ENOSPC);
    EXPECT(rmdir("dir"), 0);
    for (u32 i = 0; i < n; i++)
        EXPECT(unlink(name_of(i)), i == n / 2 ? -ENOENT : 0);
}

/* As large as a file can be, with hardly anything in it. */
static void largest(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0644), end = 0x7FFFFFFF;

    if (!is_linux())
        while (ftruncate(fd, end) == -EFBIG)
            end /= 2;
    CHECK(end > 1 << 25);
    EXPECT(lseek(fd, 1 << 25, SEEK_SET), 1 << 25);
    EXPECT(write(fd, "x", 1), 1);
    EXPECT(ftruncate(fd, 5), 0);
    EXPECT(close(fd), 0);
    EXPECT(unlink("file"), 0);
}

/* A word here and there, so far apart that each needs a block of its own to be found: more than are kept in memory. */
static void scattered(void)
{
    enum { WORDS = 256, STEP = 1 << 18 };
    int fd = open("file", O_RDWR | O_CREAT, 0644), word;

    for (int i = 0; i < WORDS; i++) {
        EXPECT(lseek(fd, i * STEP, SEEK_SET), i * STEP);
        EXPECT(write(fd, &i, sizeof i), sizeof i);
    }
    EXPECT(sync(), 0);
    for (int i = WORDS - 1; i >= 0; i--) {
        EXPECT(lseek(fd, i * STEP, SEEK_SET), i * STEP);
        EXPECT(read(fd, &word, sizeof word), sizeof word);
        EXPECT(word, i);
    }
    EXPECT(close(fd), 0);
    EXPECT(unlink("file"), 0);
}

/* Files that lose their names while they are open, and are written to the disk without. */
static void orphans(void)
{
    int first = make("first", 5000, 1), second = make("second", 3 * PAGE, 2), third = make("third", 10, 3);

    EXPECT(unlink("first"), 0);
    EXPECT(unlink("second"), 0);
    EXPECT(sync(), 0);
    EXPECT(unlink("third"), 0);
    EXPECT(fsync(second), 0);
    CHECK(holds(first, 0, 5000, 1));
    EXPECT(close(second), 0); /* in the middle of their list */
    EXPECT(sync(), 0);
    EXPECT(close(third), 0);
    CHECK(holds(first, 0, 5000, 1));
    EXPECT(close(first), 0);
}

/* Where one filesystem ends and the other begins. */
static void mount_point(void)
{
    int error = rmdir("/disk");

    CHECK(error == -EBUSY || (is_linux() && error == -ENOTEMPTY)); /* there, it may be a plain directory */
    EXPECT(mkdir("/disk", 0755), -EEXIST);
    EXPECT(unlink("/disk"), -EISDIR);
    EXPECT(size_of("/disk/../disk/usertests.tmp/nothing"), -ENOENT);
    EXPECT(chdir("../.."), 0);
    CHECK(size_of("bin/usertests") > 0);
    EXPECT(chdir("/disk/usertests.tmp"), 0);
}

const struct test disk_tests[] = {
    {"disk-no-blocks", no_blocks},
    {"disk-no-inodes", no_inodes},
    {"disk-largest", largest},
    {"disk-scattered", scattered},
    {"disk-orphans", orphans},
    {"disk-mount", mount_point},
    {},
};
