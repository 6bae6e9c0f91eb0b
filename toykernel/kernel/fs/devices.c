/* Devices as files: null, zero, and where the console is. */
#include "fs.h"
#include "uaccess.h"

struct device {
    const char *path;
    u32 number;                               /* major << 8 | minor, as on Linux */
    u32 permissions;                          /* who may use it */
    const struct file_operations *operations; /* how */
};

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
    size_t left;

    if (!access_ok(buf, count))
        return -EFAULT;
    left = __clear_user(buf, count);
    return left && left == count ? -EFAULT : (ssize_t)(count - left);
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

static const struct device devices[] = {
    {.path = "/dev/null", .number = 0x103, .permissions = 0666, .operations = &null_operations},
    {.path = "/dev/zero", .number = 0x105, .permissions = 0666, .operations = &zero_operations},
    {.path = "/dev/console", .number = 0x501, .permissions = 0600, .operations = &console_operations},
};

void devices_init(void)
{
    iput(ramfs_mknod("/dev", S_IFDIR | 0755));
    for (const struct device *d = devices; d < devices + sizeof devices / sizeof *devices; d++) {
        struct inode *inode = ramfs_special(d->path, S_IFCHR | d->permissions, d->operations);
        inode->i_rdev = d->number;
        iput(inode);
    }
    console = file_open("/dev/console", O_RDWR, 0);
    if (IS_ERR(console))
        panic("no console", (u32)console);
}
