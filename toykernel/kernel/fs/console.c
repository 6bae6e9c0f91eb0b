/* The console as a file: a serial line without any line discipline. */
#include "fs.h"
#include "uaccess.h"

enum { CHUNK = 128 };

struct file *console; /* /dev/console, open; every task's descriptors 0, 1, 2 */

/* What was typed so far; nothing is the end of the file. */
static ssize_t console_read(struct file *file, char *buf, size_t count, loff_t *ppos)
{
    char chunk[CHUNK];
    size_t n;

    (void)file, (void)ppos;
    if (!access_ok(buf, count))
        return -EFAULT;
    n = serial_read(CONSOLE, chunk, count < CHUNK ? count : CHUNK);
    return __copy_to_user(buf, chunk, n) ? -EFAULT : (ssize_t)n;
}

static ssize_t console_write(struct file *file, const char *buf, size_t count, loff_t *ppos)
{
    char chunk[CHUNK];
    size_t done = 0;

    (void)file, (void)ppos;
    if (!access_ok(buf, count))
        return -EFAULT;
    while (done < count) {
        size_t size = count - done < CHUNK ? count - done : CHUNK;
        size_t n = size - __copy_from_user(chunk, buf + done, size);
        serial_write(CONSOLE, chunk, n);
        done += n;
        if (n < size)
            return done ? (ssize_t)done : -EFAULT;
    }
    return done;
}

const struct file_operations console_operations = {
    .llseek = no_llseek,
    .read = console_read,
    .write = console_write,
};
