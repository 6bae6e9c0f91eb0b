/* Names in the tree are made and removed, and tasks go where they lead. */
#include "fs.h"
#include "syscall.h"

/* The system calls here do one thing with one path. */
static int with_parent(const char *path, int (*operation)(const struct nameidata *, u32), u32 argument)
{
    struct nameidata nd;
    int error = path_parent(path, &nd);

    if (!error) {
        error = operation(&nd, argument);
        iput(nd.dir);
    }
    return error;
}

static int make_directory(const struct nameidata *nd, u32 mode)
{
    struct inode *inode = lookup_create(nd, S_IFDIR | (mode & 01777), true);

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

static int remove_name(const struct nameidata *nd, u32 directory)
{
    static const int refused[] = {[LAST_ROOT] = -EBUSY, [LAST_DOT] = -EINVAL, [LAST_DOT_DOT] = -ENOTEMPTY};
    enum last_type last = last_type(nd->last, nd->length);
    struct inode *inode;
    int error;

    if (directory && last != LAST_NAME)
        return refused[last];
    inode = lookup(nd->dir, nd->last, nd->length);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    error = may_remove(nd, inode, directory);
    if (!error)
        error = nd->dir->i_op->remove(nd->dir, inode, nd->last, nd->length);
    iput(inode);
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
    return with_name(path, user_path, with_parent(path, make_directory, mode));
}

SYSCALL_DEFINE1(rmdir, const char *, user_path)
{
    return with_name(path, user_path, with_parent(path, remove_name, true));
}

SYSCALL_DEFINE1(unlink, const char *, user_path)
{
    return with_name(path, user_path, with_parent(path, remove_name, false));
}
