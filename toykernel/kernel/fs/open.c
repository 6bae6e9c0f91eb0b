/* open, close, ftruncate. */
#include "fs.h"
#include "syscall.h"

/* Open a path of the kernel's; the file, or an error. */
struct file *file_open(const char *path, u32 flags, u32 mode)
{
    return file_of(open_namei(path, flags, mode), flags);
}

static int open_fd(const char *path, u32 flags, u32 mode)
{
    int fd = get_unused_fd(0);
    struct file *file = fd < 0 ? ERR_PTR(fd) : file_open(path, flags, mode);

    if (IS_ERR(file))
        return PTR_ERR(file);
    install_fd(fd, file);
    return fd;
}

SYSCALL_DEFINE3(open, const char *, user_path, u32, flags, u32, mode)
{
    return with_name(path, user_path, open_fd(path, flags, S_IFREG | (mode & 07777)));
}

/* 0, or -EBADF if it is not open. */
int close_fd(u32 fd)
{
    struct file *file = fd < NR_OPEN ? current->files[fd] : NULL;

    if (!file)
        return -EBADF;
    current->files[fd] = NULL;
    fput(file);
    return 0;
}

SYSCALL_DEFINE1(close, u32, fd)
{
    return close_fd(fd);
}

static int truncate_file(struct file *file, loff_t size)
{
    struct inode *inode = file->f_inode;

    if (!(file->f_mode & FMODE_WRITE) || !S_ISREG(inode->i_mode) || !inode->i_op->truncate)
        return -EINVAL;
    return size > inode->i_sb->s_maxbytes ? -EFBIG : inode->i_op->truncate(inode, size);
}

SYSCALL_DEFINE2(ftruncate, u32, fd, off_t, length)
{
    return length < 0 ? -EINVAL : with_file(file, fd, truncate_file(file, length));
}
