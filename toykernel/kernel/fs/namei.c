/* From paths to inodes. */
#include "fs.h"
#include "uaccess.h"

/* Copy a path from the program into a page of its own; or an error. */
char *getname(const char *user_path)
{
    struct page *page = alloc_pages(0);
    char *path = page ? page->address : NULL;
    int error = page ? 0 : -ENOMEM;

    for (u32 i = 0; !error && i < PATH_MAX; i++) {
        error = get_user(path[i], user_path + i);
        if (!error && !path[i])
            return path;
    }
    if (page)
        put_page(page);
    return ERR_PTR(error ? error : -ENAMETOOLONG);
}

/* Onto the filesystem that is mounted there, if any. */
static struct inode *follow_mount(struct inode *inode)
{
    while (inode->i_mount) {
        struct inode *root = igrab(inode->i_mount->s_root);
        iput(inode);
        inode = root;
    }
    return inode;
}

/* "..": from the root of a mounted filesystem it leads out of it; the root of all is its own parent. */
static struct inode *lookup_parent(struct inode *dir)
{
    while (dir == dir->i_sb->s_root && dir->i_sb->s_covered)
        dir = dir->i_sb->s_covered;
    if (dir == root_filesystem->s_root)
        return igrab(dir);
    return dir->i_op->lookup(dir, "..", 2);
}

enum last_type last_type(const struct nameidata *nd)
{
    if (nd->length == 0)
        return LAST_ROOT;
    if (nd->length > 2 || nd->last[0] != '.' || nd->last[nd->length - 1] != '.')
        return LAST_NAME;
    return nd->length == 1 ? LAST_DOT : LAST_DOT_DOT;
}

/* What the last component leads to, with one more user; or an error.  In a directory that was removed there are no
   names, not even that of its parent. */
struct inode *lookup(const struct nameidata *nd)
{
    enum last_type type = last_type(nd);
    struct inode *dir = nd->dir, *inode;

    if (!S_ISDIR(dir->i_mode))
        return ERR_PTR(-ENOTDIR);
    if (type == LAST_ROOT || type == LAST_DOT)
        return igrab(dir);
    if (nd->length > NAME_MAX)
        return ERR_PTR(-ENAMETOOLONG);
    if (!dir->i_nlink)
        return ERR_PTR(-ENOENT);
    inode = type == LAST_DOT_DOT ? lookup_parent(dir) : dir->i_op->lookup(dir, nd->last, nd->length);
    return IS_ERR(inode) ? inode : follow_mount(inode);
}

/* Follow all but the last component; 0 with one more user of nd->dir, or an error. */
int path_parent(const char *path, struct nameidata *nd)
{
    struct inode *dir;

    if (!*path)
        return -ENOENT;
    nd->dir = igrab(*path == '/' ? root_filesystem->s_root : current->cwd);
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
            break;
        dir = nd->dir;
        nd->dir = lookup(nd);
        iput(dir);
        if (IS_ERR(nd->dir))
            return PTR_ERR(nd->dir);
    }
    if (S_ISDIR(nd->dir->i_mode))
        return 0;
    iput(nd->dir);
    return -ENOTDIR;
}

/* The last component's inode, made if the flags ask for it; or an error. */
static struct inode *last_inode(const struct nameidata *nd, u32 flags, u32 mode)
{
    struct inode *dir = nd->dir, *inode;

    if (flags & O_CREAT && !S_ISDIR(mode) && nd->directory && last_type(nd) == LAST_NAME)
        return ERR_PTR(-EISDIR);
    inode = lookup(nd);
    if (flags & O_CREAT && PTR_ERR(inode) == -ENOENT && dir->i_nlink) {
        if (dir->i_op->create)
            return dir->i_op->create(dir, nd->last, nd->length, mode);
        return ERR_PTR(S_ISDIR(mode) ? -EPERM : -EACCES);
    }
    if (flags & O_CREAT && flags & O_EXCL && !IS_ERR(inode)) {
        iput(inode);
        return ERR_PTR(-EEXIST);
    }
    return inode;
}

/* Does the way in which it is opened suit this kind of file?  If so, it is emptied where the flags ask for it. */
static int may_open(struct inode *inode, const struct nameidata *nd, u32 flags, u32 mode)
{
    if (S_ISDIR(inode->i_mode))
        return flags & (O_ACCMODE | O_CREAT | O_TRUNC) && !S_ISDIR(mode) ? -EISDIR : 0;
    if (nd->directory || flags & O_DIRECTORY)
        return -ENOTDIR;
    return flags & O_TRUNC && inode->i_op->truncate ? inode->i_op->truncate(inode, 0) : 0;
}

/* What a path of the kernel's leads to, to be opened so, with one more user; or an error.  What is made is a file or,
   if the mode says so, a directory. */
struct inode *open_namei(const char *path, u32 flags, u32 mode)
{
    struct nameidata nd;
    struct inode *inode;
    int error;

    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return ERR_PTR(-EINVAL); /* neither is it one, nor does open make one */
    error = path_parent(path, &nd);
    if (error)
        return ERR_PTR(error);
    inode = last_inode(&nd, flags, mode);
    error = IS_ERR(inode) ? 0 : may_open(inode, &nd, flags, mode);
    if (error) {
        iput(inode);
        inode = ERR_PTR(error);
    }
    iput(nd.dir);
    return inode;
}

/* What a path of the program's leads to, with one more user; or an error. */
struct inode *namei_user(const char *user_path, u32 flags)
{
    return with_name(path, user_path, open_namei(path, flags, 0));
}
