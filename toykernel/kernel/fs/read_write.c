/* read, write, lseek: what is common to all kinds of files. */
#include "fs.h"
#include "syscall.h"

/* Seek in a file that has a size. */
loff_t generic_file_llseek(struct file *file, loff_t offset, int origin)
{
    struct inode *inode = file->f_inode;

    if (origin == SEEK_END)
        offset += inode->i_size;
    if (origin == SEEK_CUR)
        offset += file->f_pos;
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

static int vfs_llseek(struct file *file, loff_t offset, u32 origin)
{
    if (origin > SEEK_END)
        return -EINVAL;
    offset = file->f_op->llseek(file, offset, origin);
    return offset == (int)offset ? (int)offset : -EOVERFLOW;
}

SYSCALL_DEFINE3(lseek, u32, fd, off_t, offset, u32, origin)
{
    return with_file(file, fd, vfs_llseek(file, offset, origin));
}

static int vfs_read(struct file *file, char *buf, size_t count)
{
    if (!(file->f_mode & FMODE_READ))
        return -EBADF;
    if ((ssize_t)count < 0)
        return -EINVAL;
    return file->f_op->read ? file->f_op->read(file, buf, count, &file->f_pos) : -EISDIR;
}

SYSCALL_DEFINE3(read, u32, fd, char *, buf, size_t, count)
{
    return with_file(file, fd, vfs_read(file, buf, count));
}

static int vfs_write(struct file *file, const char *buf, size_t count)
{
    if (!(file->f_mode & FMODE_WRITE))
        return -EBADF;
    if ((ssize_t)count < 0)
        return -EINVAL;
    return file->f_op->write ? file->f_op->write(file, buf, count, &file->f_pos) : -EINVAL;
}

SYSCALL_DEFINE3(write, u32, fd, const char *, buf, size_t, count)
{
    return with_file(file, fd, vfs_write(file, buf, count));
}
