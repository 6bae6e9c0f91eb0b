/* The console as a file: a serial line without any line discipline. */
#include "fs.h"
#include "uaccess.h"

enum { CHUNK = 128 };
enum { TCGETS = 0x5401, TIOCGWINSZ = 0x5413 };

struct file *console; /* /dev/console, open; every task's descriptors 0, 1, 2 */

/* What was typed so far; nothing is the end of the file. */
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

const struct file_operations console_operations = {
    .llseek = no_llseek,
    .read = console_read,
    .write = console_write,
    .ioctl = console_ioctl,
};
