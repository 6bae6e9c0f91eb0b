/* Directories in memory: a list of names, the first of which is "..", in the order in which they were made. */
#include "fs.h"

struct ramfs_name {
    char name[NAME_MAX + 1]; /* ended by a zero */
    struct inode *inode;     /* what it names: a user of it, but for ".." */
    u32 position;            /* in the directory: larger than that of those before it */
    struct ramfs_name *next; /* in the same directory; i_private of the directory is the first */
};

static struct cache names = {.name = "names", .size = sizeof(struct ramfs_name)};

static struct ramfs_name *new_name(const char *name, u32 length, struct inode *inode, u32 position)
{
    struct ramfs_name *n = cache_alloc(&names);

    if (!n)
        return NULL;
    memcpy(n->name, name, length);
    n->inode = inode;
    n->position = position;
    return n;
}

/* A directory begins with the name of its parent, which cannot be removed before it; false if memory is short. */
bool ramfs_make_empty(struct inode *dir, struct inode *parent)
{
    dir->i_private = new_name("..", 2, parent, 1);
    return dir->i_private;
}

bool ramfs_is_empty(const struct inode *dir)
{
    return !((struct ramfs_name *)dir->i_private)->next;
}

/* Name the inode; false if memory is short. */
bool ramfs_add(struct inode *dir, const char *name, u32 length, struct inode *inode)
{
    struct ramfs_name *last = dir->i_private, *n;

    while (last->next)
        last = last->next;
    n = new_name(name, length, inode, last->position + 1);
    if (!n)
        return false;
    last->next = n;
    igrab(inode);
    return true;
}

/* The inode has no name any more. */
void ramfs_remove(struct inode *dir, struct inode *inode)
{
    struct ramfs_name *before = dir->i_private, *n;

    while (before->next->inode != inode)
        before = before->next;
    n = before->next;
    before->next = n->next;
    cache_free(&names, n);
    iput(inode);
}

/* The directory itself goes away; it is empty. */
void ramfs_free_names(struct inode *dir)
{
    cache_free(&names, dir->i_private);
}

struct inode *ramfs_lookup(struct inode *dir, const char *name, u32 length)
{
    for (struct ramfs_name *n = dir->i_private; n; n = n->next)
        if (memcmp(n->name, name, length) == 0 && !n->name[length])
            return igrab(n->inode);
    return ERR_PTR(-ENOENT);
}

/* Position 0 is ".". */
int ramfs_readdir(struct file *file, void *to, filldir_t filldir)
{
    struct inode *dir = file->f_inode;

    if (file->f_pos == 0) {
        if (filldir(to, ".", 1, 1, dir->i_ino, S_IFDIR))
            return 0;
        file->f_pos = 1;
    }
    for (struct ramfs_name *n = dir->i_private; n; n = n->next)
        if (n->position >= file->f_pos) {
            if (filldir(to, n->name, strlen(n->name), n->position + 1, n->inode->i_ino, n->inode->i_mode))
                return 0;
            file->f_pos = n->position + 1;
        }
    return 0;
}
