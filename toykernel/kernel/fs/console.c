/* The console as a file: a serial line without any line discipline. */
#include "fs.h"
#include "uaccess.h"

enum { CHUNK = 128 };
enum { TCGETS = 0x5401, TIOCGWINSZ = 0x5413 };

/* As a terminal describes itself: ours changes no byte. */
struct termios {
    u32 c_iflag; /* what happens to input */
    u32 c_oflag; /* to output */
    u32 c_cflag; /* on the line */
    u32 c_lflag; /* and above it */
    u8 c_line;   /* the line discipline */
    u8 c_cc[19]; /* special characters */
};

struct winsize {
    u16 ws_row;    /* lines */
    u16 ws_col;    /* characters in a line */
    u16 ws_xpixel; /* unknown */
    u16 ws_ypixel;
};

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
    static const struct termios termios = {.c_cflag = 0xCB2}; /* 115200 baud, 8 bits, receiver on */
    static const struct winsize size = {.ws_row = 25, .ws_col = 80};

    switch (command) {
    case TCGETS:
        return copy_to_user((void *)argument, &termios, sizeof termios) ? -EFAULT : 0;
    case TIOCGWINSZ:
        return copy_to_user((void *)argument, &size, sizeof size) ? -EFAULT : 0;
    }
    return -ENOTTY;
}

const struct file_operations console_operations = {
    .llseek = no_llseek,
    .read = console_read,
    .write = console_write,
    .ioctl = console_ioctl,
};
