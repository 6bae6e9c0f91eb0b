/* From paths to inodes. */
#include "fs.h"
#include "uaccess.h"

struct super_block *root_filesystem; /* where every path begins */

/* Copy a path from the program into a page of its own; putname frees it.  Or an error. */
char *getname(const char *user_path)
{
    struct page *page = alloc_pages(0);
    char *path;
    int error = -ENAMETOOLONG;

    if (!page)
        return ERR_PTR(-ENOMEM);
    path = page->address;
    for (u32 i = 0; i < PATH_MAX; i++) {
        if (get_user(path[i], user_path + i)) {
            error = -EFAULT;
            break;
        }
        if (!path[i])
            return path;
    }
    put_page(page);
    return ERR_PTR(error);
}

void putname(char *path)
{
    put_page(page_of(path));
}

static struct inode *lookup(struct inode *dir, const char *name, u32 length)
{
    if ((dir->i_mode & S_IFMT) != S_IFDIR)
        return ERR_PTR(-ENOTDIR);
    if (length > NAME_MAX)
        return ERR_PTR(-ENAMETOOLONG);
    return dir->i_op->lookup(dir, name, length);
}

/* Follow all but the last component; 0, or an error.  Relative paths begin at the root, too. */
int path_parent(const char *path, struct nameidata *nd)
{
    if (!*path)
        return -ENOENT;
    nd->dir = root_filesystem->s_root;
    for (;;) {
        while (*path == '/')
            path++;
        nd->last = path;
        while (*path && *path != '/')
            path++;
        nd->length = path - nd->last;
        nd->directory = *path == '/';
        while (*path == '/')
            path++;
        if (!*path)
            return 0;
        nd->dir = lookup(nd->dir, nd->last, nd->length);
        if (IS_ERR(nd->dir))
            return PTR_ERR(nd->dir);
    }
}

/* The last component's inode, made if the flags ask for it; or an error. */
static struct inode *last_inode(const struct nameidata *nd, u32 flags, u32 mode)
{
    struct inode *inode = nd->length ? lookup(nd->dir, nd->last, nd->length) : nd->dir;

    if (!IS_ERR(inode))
        return (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) ? ERR_PTR(-EEXIST) : inode;
    if (PTR_ERR(inode) != -ENOENT || !(flags & O_CREAT))
        return inode;
    if (nd->directory)
        return ERR_PTR(-EISDIR);
    return nd->dir->i_op->create(nd->dir, nd->last, nd->length, S_IFREG | (mode & 07777));
}

/* Does the way in which it is opened suit this kind of file? */
static int may_open(const struct inode *inode, const struct nameidata *nd, u32 flags)
{
    if ((inode->i_mode & S_IFMT) == S_IFDIR)
        return flags & (O_ACCMODE | O_CREAT) ? -EISDIR : 0;
    return nd->directory ? -ENOTDIR : 0;
}

/* The inode to open, with one more user; or an error. */
struct inode *open_namei(const char *path, u32 flags, u32 mode)
{
    struct nameidata nd;
    struct inode *inode;
    int error = path_parent(path, &nd);

    if (error)
        return ERR_PTR(error);
    inode = last_inode(&nd, flags, mode);
    if (IS_ERR(inode))
        return inode;
    error = may_open(inode, &nd, flags);
    if (error)
        return ERR_PTR(error);
    if (flags & O_TRUNC && inode->i_op->truncate)
        inode->i_op->truncate(inode);
    inode->i_count++;
    return inode;
}
