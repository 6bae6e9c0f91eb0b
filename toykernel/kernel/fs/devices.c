/* Devices as files: null, zero, and where the console is. */
#include "fs.h"
#include "uaccess.h"

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
