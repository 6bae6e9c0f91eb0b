/* Names in the tree are made and removed, and tasks go where they lead. */
#include "fs.h"
#include "syscall.h"

/* The system calls here do one thing with one path. */
static int with_path(const char *user_path, int (*operation)(const struct nameidata *, u32), u32 mode)
{
    char *path = getname(user_path);
    struct nameidata nd;
    int error;

    if (IS_ERR(path))
        return PTR_ERR(path);
    error = path_parent(path, &nd);
    if (!error) {
        error = operation(&nd, mode);
        iput(nd.dir);
    }
    putname(path);
    return error;
}

static int make_directory(const struct nameidata *nd, u32 mode)
{
    struct inode *dir = nd->dir, *inode = lookup(dir, nd->last, nd->length);

    if (!IS_ERR(inode)) {
        iput(inode);
        return -EEXIST;
    }
    if (PTR_ERR(inode) != -ENOENT || !dir->i_nlink)
        return PTR_ERR(inode);
    return dir->i_op->mkdir ? dir->i_op->mkdir(dir, nd->last, nd->length, S_IFDIR | (mode & 01777)) : -EPERM;
}

/* Why a file may not be unlinked, or 0. */
static int may_unlink(const struct nameidata *nd, const struct inode *inode)
{
    if (S_ISDIR(inode->i_mode))
        return -EISDIR;
    if (nd->directory)
        return -ENOTDIR;
    return nd->dir->i_op->unlink ? 0 : -EPERM;
}

static int remove_name(const struct nameidata *nd, u32)
{
    struct inode *dir = nd->dir, *inode = lookup(dir, nd->last, nd->length);
    int error;

    if (IS_ERR(inode))
        return PTR_ERR(inode);
    error = may_unlink(nd, inode);
    if (!error)
        error = dir->i_op->unlink(dir, inode, nd->last, nd->length);
    iput(inode);
    return error;
}

/* Why a directory may not be removed, or 0.  Whether it is empty, its filesystem knows. */
static int may_remove(const struct nameidata *nd, const struct inode *inode)
{
    if (!S_ISDIR(inode->i_mode))
        return -ENOTDIR;
    if (inode == inode->i_sb->s_root)
        return -EBUSY; /* something is mounted there */
    return nd->dir->i_op->rmdir ? 0 : -EPERM;
}

static int remove_directory(const struct nameidata *nd, u32)
{
    static const int refused[] = {[LAST_ROOT] = -EBUSY, [LAST_DOT] = -EINVAL, [LAST_DOT_DOT] = -ENOTEMPTY};
    enum last_type last = last_type(nd);
    struct inode *dir = nd->dir, *inode;
    int error;

    if (last != LAST_NAME)
        return refused[last];
    inode = lookup(dir, nd->last, nd->length);
    if (IS_ERR(inode))
        return PTR_ERR(inode);
    error = may_remove(nd, inode);
    if (!error)
        error = dir->i_op->rmdir(dir, inode, nd->last, nd->length);
    iput(inode);
    return error;
}

SYSCALL_DEFINE1(chdir, const char *, path)
{
    struct inode *dir = namei_user(path), *old = current->cwd;

    if (IS_ERR(dir))
        return PTR_ERR(dir);
    if (S_ISDIR(dir->i_mode)) {
        current->cwd = dir;
        iput(old);
        return 0;
    }
    iput(dir);
    return -ENOTDIR;
}

SYSCALL_DEFINE2(mkdir, const char *, path, u32, mode)
{
    return with_path(path, make_directory, mode);
}

SYSCALL_DEFINE1(rmdir, const char *, path)
{
    return with_path(path, remove_directory, 0);
}

SYSCALL_DEFINE1(unlink, const char *, path)
{
    return with_path(path, remove_name, 0);
}
