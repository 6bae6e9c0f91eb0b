/* Names in the tree are made, removed and listed, and tasks go where they lead. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

static int make_directory(const char *path, u32 mode)
{
    struct inode *inode = open_namei(path, O_CREAT | O_EXCL, S_IFDIR | (mode & 01777));

    if (IS_ERR(inode))
        return PTR_ERR(inode);
    iput(inode);
    return 0;
}

/* Why a file may not be removed as what it is taken for, or 0.  Whether a directory is empty, its filesystem knows. */
static int may_remove(const struct nameidata *nd, const struct inode *inode, bool directory)
{
    if (directory != S_ISDIR(inode->i_mode))
        return directory ? -ENOTDIR : -EISDIR;
    if (nd->directory && !directory)
        return -ENOTDIR;
    if (inode == inode->i_sb->s_root)
        return -EBUSY; /* something is mounted there */
    return nd->dir->i_op->remove ? 0 : -EPERM;
}

static int remove_name(const char *path, bool directory)
{
    static const int refused[] = {[LAST_ROOT] = -EBUSY, [LAST_DOT] = -EINVAL, [LAST_DOT_DOT] = -ENOTEMPTY};
    struct nameidata nd;
    struct inode *inode;
    int error = path_parent(path, &nd);

    if (error)
        return error;
    inode = directory && last_type(&nd) != LAST_NAME ? ERR_PTR(refused[last_type(&nd)]) : lookup(&nd);
    error = IS_ERR(inode) ? PTR_ERR(inode) : may_remove(&nd, inode, directory);
    if (!error)
        error = nd.dir->i_op->remove(nd.dir, inode, nd.last, nd.length);
    if (!IS_ERR(inode))
        iput(inode);
    iput(nd.dir);
    return error;
}

SYSCALL_DEFINE1(chdir, const char *, path)
{
    struct inode *dir = namei_user(path, O_DIRECTORY);

    if (IS_ERR(dir))
        return PTR_ERR(dir);
    iput(current->cwd);
    current->cwd = dir;
    return 0;
}

SYSCALL_DEFINE2(mkdir, const char *, user_path, u32, mode)
{
    return with_name(path, user_path, make_directory(path, mode));
}

SYSCALL_DEFINE1(rmdir, const char *, user_path)
{
    return with_name(path, user_path, remove_name(path, true));
}

SYSCALL_DEFINE1(unlink, const char *, user_path)
{
    return with_name(path, user_path, remove_name(path, false));
}

/* What getdents gives: names of a directory, as many as fit. */
struct dirent {
    u32 d_ino;                 /* number of the file */
    u32 d_off;                 /* position of the entry behind it */
    u16 d_reclen;              /* bytes of this entry, a multiple of four; the last one is the kind of file */
    char d_name[NAME_MAX + 3]; /* ended by a zero */
};

struct dirent_buffer {
    char *to;     /* where the next entry goes */
    size_t count; /* bytes of room */
    int error;    /* why the last one did not get there */
};

static int fill_dirent(void *to, const char *name, u32 length, loff_t next, u32 ino, u32 mode)
{
    struct dirent_buffer *buffer = to;
    u32 size = (offsetof(struct dirent, d_name) + length + 2 + 3) & -4;
    struct dirent entry = {.d_ino = ino, .d_off = next, .d_reclen = size};

    memcpy(entry.d_name, name, length);
    ((char *)&entry)[size - 1] = (mode & S_IFMT) >> 12;
    buffer->error = size > buffer->count ? -EINVAL : copy_to_user(buffer->to, &entry, size) ? -EFAULT : 0;
    if (!buffer->error) {
        buffer->to += size;
        buffer->count -= size;
    }
    return buffer->error;
}

static int read_directory(struct file *file, void *buf, size_t count)
{
    struct dirent_buffer buffer = {.to = buf, .count = count};
    int error;

    if (!file->f_op->readdir)
        return -ENOTDIR;
    if (!file->f_inode->i_nlink)
        return -ENOENT;
    error = file->f_op->readdir(file, &buffer, fill_dirent);
    if (buffer.count < count)
        return count - buffer.count;
    return error ? error : buffer.error;
}

SYSCALL_DEFINE3(getdents, u32, fd, void *, buf, size_t, count)
{
    return with_file(file, fd, read_directory(file, buf, count));
}
