/* Devices as files: null, zero, and the console. */
#include "fs.h"
#include "uaccess.h"

enum { CHUNK = 128 };
enum { TCGETS = 0x5401, TIOCGWINSZ = 0x5413 };

struct file *console; /* /dev/console, open; every task's descriptors 0, 1, 2 */

/* The console is a serial line without any line discipline.  What was typed so far; nothing is the end of the file. */
static ssize_t console_read(struct file *, char *buf, size_t count, loff_t *)
{
    char chunk[CHUNK];
    size_t n;

    if (!access_ok(buf, count))
        return -EFAULT;
    n = serial_read(CONSOLE, chunk, min(count, CHUNK));
    return __copy_to_user(buf, chunk, n) ? -EFAULT : (ssize_t)n;
}

static ssize_t console_write(struct file *, const char *buf, size_t count, loff_t *)
{
    char chunk[CHUNK];
    size_t done = 0;

    if (!access_ok(buf, count))
        return -EFAULT;
    while (done < count) {
        size_t size = min(count - done, CHUNK);
        size_t n = size - __copy_from_user(chunk, buf + done, size);
        serial_write(CONSOLE, chunk, n);
        done += n;
        if (n < size)
            return done ? (ssize_t)done : -EFAULT;
    }
    return done;
}

static int console_ioctl(struct file *, u32 command, u32 argument)
{
    static const u32 termios[9] = {[2] = 0xCB2}; /* struct termios has c_cflag there: 115200 baud, 8 bits */
    static const u16 winsize[4] = {25, 80};      /* lines, characters of a line, nothing about pixels */

    switch (command) {
    case TCGETS:
        return copy_to_user((void *)argument, termios, sizeof termios) ? -EFAULT : 0;
    case TIOCGWINSZ:
        return copy_to_user((void *)argument, winsize, sizeof winsize) ? -EFAULT : 0;
    }
    return -ENOTTY;
}

/* Always at its end. */
static ssize_t null_read(struct file *, char *, size_t, loff_t *)
{
    return 0;
}

/* Takes everything without a look. */
static ssize_t null_write(struct file *, const char *, size_t count, loff_t *)
{
    return count;
}

/* As many zeros as wanted. */
static ssize_t zero_read(struct file *, char *buf, size_t count, loff_t *)
{
    static const char zeros[PAGE_SIZE];
    size_t done = 0, n, left = 0;

    if (!access_ok(buf, count))
        return -EFAULT;
    for (; done < count && !left; done += n - left) {
        n = min(count - done, PAGE_SIZE);
        left = __copy_to_user(buf + done, zeros, n);
    }
    return done || !count ? (ssize_t)done : -EFAULT;
}

/* They stay at position 0. */
static loff_t null_llseek(struct file *file, loff_t, int)
{
    return file->f_pos = 0;
}

static const struct file_operations null_operations = {
    .llseek = null_llseek,
    .read = null_read,
    .write = null_write,
};
static const struct file_operations zero_operations = {
    .llseek = null_llseek,
    .read = zero_read,
    .write = null_write,
};

static const struct file_operations console_operations = {
    .llseek = no_llseek,
    .read = console_read,
    .write = console_write,
    .ioctl = console_ioctl,
};

/* Numbers are major << 8 | minor, as on Linux. */
void devices_init(void)
{
    ramfs_mknod("/dev", S_IFDIR | 0755);
    ramfs_special("/dev/null", S_IFCHR | 0666, &null_operations)->i_rdev = 0x103;
    ramfs_special("/dev/zero", S_IFCHR | 0666, &zero_operations)->i_rdev = 0x105;
    ramfs_special("/dev/console", S_IFCHR | 0600, &console_operations)->i_rdev = 0x501;
    console = file_open("/dev/console", O_RDWR, 0);
    if (IS_ERR(console))
        panic("no console", (u32)console);
}
