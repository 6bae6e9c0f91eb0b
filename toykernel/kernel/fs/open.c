/* open and ftruncate. */
#include "fs.h"
#include "syscall.h"

/* Open the inode, which the file takes over in any case; 0, or an error. */
static int open_inode(struct file *file, struct inode *inode, u32 flags)
{
    int error;

    file->f_inode = inode;
    file->f_op = inode->i_fop;
    file->f_flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
    file->f_mode = (flags + 1) & O_ACCMODE; /* O_RDONLY is 0, FMODE_READ is 1, and so on */
    error = file->f_op->open ? file->f_op->open(file) : 0;
    if (error)
        iput(inode);
    return error;
}

/* A file for an inode whose open does not fail, and which gets one more user; NULL if memory is short. */
struct file *file_of(struct inode *inode, u32 flags)
{
    struct file *file = get_empty_file();

    if (file)
        open_inode(file, igrab(inode), flags);
    return file;
}

/* Open a path of the kernel's; the file, or an error. */
struct file *file_open(const char *path, u32 flags, u32 mode)
{
    struct file *file = get_empty_file();
    struct inode *inode;
    int error;

    if (!file)
        return ERR_PTR(-ENFILE);
    inode = open_namei(path, flags, mode);
    error = IS_ERR(inode) ? PTR_ERR(inode) : open_inode(file, inode, flags);
    if (!error)
        return file;
    put_empty_file(file);
    return ERR_PTR(error);
}

SYSCALL_DEFINE3(open, const char *, user_path, u32, flags, u32, mode)
{
    char *path = getname(user_path);
    struct file *file;
    int fd;

    if (IS_ERR(path))
        return PTR_ERR(path);
    fd = get_unused_fd(0);
    if (fd >= 0) {
        file = file_open(path, flags, mode);
        if (IS_ERR(file))
            fd = PTR_ERR(file);
        else
            install_fd(fd, file);
    }
    putname(path);
    return fd;
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
