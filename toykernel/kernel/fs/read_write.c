/* read, write, lseek: what is common to all kinds of files. */
#include "fs.h"
#include "syscall.h"

/* Seek in a file that has a size. */
loff_t generic_file_llseek(struct file *file, loff_t offset, int origin)
{
    struct inode *inode = file->f_inode;

    switch (origin) {
    case SEEK_END:
        offset += inode->i_size;
        break;
    case SEEK_CUR:
        offset += file->f_pos;
        break;
    }
    if (offset < 0 || offset > inode->i_sb->s_maxbytes)
        return -EINVAL;
    if (offset != file->f_pos)
        file->f_pos = offset;
    return offset;
}

/* Seek where there is only a stream. */
loff_t no_llseek(struct file *, loff_t, int)
{
    return -ESPIPE;
}

static loff_t vfs_llseek(struct file *file, loff_t offset, int origin)
{
    loff_t (*llseek)(struct file *, loff_t, int) = generic_file_llseek;

    if (file->f_op->llseek)
        llseek = file->f_op->llseek;
    return llseek(file, offset, origin);
}

SYSCALL_DEFINE3(lseek, u32, fd, off_t, offset, u32, origin)
{
    int result = -EBADF;
    struct file *file = fget(fd);

    if (file) {
        result = -EINVAL;
        if (origin <= SEEK_END) {
            loff_t pos = vfs_llseek(file, offset, origin);
            result = pos;
            if (pos != result)
                result = -EOVERFLOW;
        }
        fput(file);
    }
    return result;
}

/* May `count` bytes be read or written at this position?  0, or -EINVAL. */
int rw_verify_area(const loff_t *ppos, size_t count)
{
    if ((ssize_t)count < 0)
        return -EINVAL;
    return *ppos < 0 || *ppos + (loff_t)count < 0 ? -EINVAL : 0;
}

SYSCALL_DEFINE3(read, u32, fd, char *, buf, size_t, count)
{
    int result = -EBADF;
    struct file *file = fget(fd);

    if (file) {
        if (file->f_mode & FMODE_READ) {
            result = rw_verify_area(&file->f_pos, count);
            if (!result)
                result = file->f_op->read ? file->f_op->read(file, buf, count, &file->f_pos) : -EINVAL;
        }
        fput(file);
    }
    return result;
}

SYSCALL_DEFINE3(write, u32, fd, const char *, buf, size_t, count)
{
    int result = -EBADF;
    struct file *file = fget(fd);

    if (file) {
        if (file->f_mode & FMODE_WRITE) {
            result = rw_verify_area(&file->f_pos, count);
            if (!result)
                result = file->f_op->write ? file->f_op->write(file, buf, count, &file->f_pos) : -EINVAL;
        }
        fput(file);
    }
    return result;
}
