/* open and close. */
#include "fs.h"
#include "syscall.h"

/* An open file for the inode, which it takes over. */
static struct file *inode_open(struct inode *inode, u32 flags)
{
    struct file *file = get_empty_file();

    if (!file) {
        iput(inode);
        return ERR_PTR(-ENFILE);
    }
    file->f_inode = inode;
    file->f_op = inode->i_fop;
    file->f_flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
    file->f_mode = (flags + 1) & O_ACCMODE; /* O_RDONLY is 0, FMODE_READ is 1, and so on */
    return file;
}

/* Open a path of the kernel's; the file, or an error. */
struct file *file_open(const char *path, u32 flags, u32 mode)
{
    struct inode *inode = open_namei(path, flags, mode);

    return IS_ERR(inode) ? (struct file *)inode : inode_open(inode, flags);
}

static int open_user_path(const char *user_path, u32 flags, u32 mode)
{
    char *path = getname(user_path);
    struct file *file;
    int fd;

    if (IS_ERR(path))
        return PTR_ERR(path);
    fd = get_unused_fd();
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

int sys_open(const char *path, u32 flags, u32 mode)
{
    int result = open_user_path(path, flags, mode);

    KEEP_3(result, path, flags, mode);
    return result;
}

int sys_close(u32 fd)
{
    struct file *file = detach_fd(fd);
    int result = -EBADF;

    if (file) {
        fput(file);
        result = 0;
    }
    KEEP_1(result, fd);
    return result;
}
