/* stat and fstat: what is known about a file. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

struct stat {
    u32 st_dev;      /* the filesystem */
    u32 st_ino;      /* the file's number there */
    u16 st_mode;     /* S_IF… and permissions */
    u16 st_nlink;    /* names */
    u16 st_uid;      /* everything belongs to root */
    u16 st_gid;      /* and its group */
    u32 st_rdev;     /* which device it is */
    u32 st_size;     /* bytes */
    u32 st_blksize;  /* bytes that are best read at once */
    u32 st_blocks;   /* of 512 bytes, in use */
    u32 st_times[6]; /* of access, change, status: nobody keeps them */
    u32 st_unused[2];
};

static int copy_stat(const struct inode *inode, struct stat *to)
{
    struct stat st = {
        .st_dev = inode->i_sb->s_dev,
        .st_ino = inode->i_ino,
        .st_mode = inode->i_mode,
        .st_nlink = inode->i_nlink,
        .st_rdev = inode->i_rdev,
        .st_size = inode->i_size,
        .st_blksize = PAGE_SIZE,
        .st_blocks = inode->i_nrpages * (PAGE_SIZE / 512),
    };

    return copy_to_user(to, &st, sizeof st) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(stat, const char *, path, struct stat *, to)
{
    struct inode *inode = namei_user(path, O_RDONLY);
    int error;

    if (IS_ERR(inode))
        return PTR_ERR(inode);
    error = copy_stat(inode, to);
    iput(inode);
    return error;
}

SYSCALL_DEFINE2(fstat, u32, fd, struct stat *, to)
{
    return with_file(file, fd, copy_stat(file->f_inode, to));
}
