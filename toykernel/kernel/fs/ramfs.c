/* A filesystem that is nothing but page cache: its files are the pages in memory, its directories lists of names in
   the order in which they were made. */
#include "fs.h"

struct ramfs_name {
    char name[NAME_MAX];
    u32 length;              /* of the name, in bytes */
    struct inode *inode;     /* what it names: a user of it, but for "." and ".." */
    u32 position;            /* in the directory: larger than that of those before it */
    struct ramfs_name *next; /* in the same directory; i_private of the directory is the first, "." */
};

static struct cache names = {.name = "names", .size = sizeof(struct ramfs_name)};

static struct inode *ramfs_inode(u32 mode);

/* Name the inode; false if memory is short. */
static bool add_name(struct inode *dir, const char *name, u32 length, struct inode *inode)
{
    struct ramfs_name **link = (struct ramfs_name **)&dir->i_private, *n = cache_alloc(&names);

    if (!n)
        return false;
    memcpy(n->name, name, length);
    n->length = length;
    n->inode = inode;
    for (; *link; link = &(*link)->next)
        n->position = (*link)->position + 1;
    *link = n;
    return true;
}

/* A file, or a directory with its first two names. */
static struct inode *ramfs_create(struct inode *dir, const char *name, u32 length, u32 mode)
{
    struct inode *inode = ramfs_inode(mode);
    bool directory = S_ISDIR(mode), ok = inode;

    if (ok && directory)
        ok = add_name(inode, ".", 1, inode) && add_name(inode, "..", 2, dir);
    if (ok && add_name(dir, name, length, inode)) {
        inode->i_nlink += directory;
        dir->i_nlink += directory;
        return igrab(inode);
    }
    if (inode) {
        inode->i_nlink = 0;
        iput(inode);
    }
    return ERR_PTR(-ENOMEM);
}

static int ramfs_remove(struct inode *dir, struct inode *inode, const char *, u32)
{
    struct ramfs_name **link = (struct ramfs_name **)&dir->i_private, *n = inode->i_private;
    bool directory = S_ISDIR(inode->i_mode);

    if (directory && n->next->next)
        return -ENOTEMPTY;
    while ((*link)->inode != inode)
        link = &(*link)->next;
    n = *link;
    *link = n->next;
    cache_free(&names, n);
    inode->i_nlink -= 1 + directory;
    dir->i_nlink -= directory;
    iput(inode);
    return 0;
}

/* A directory that goes away has its own two names at most. */
static void ramfs_delete_inode(struct inode *inode)
{
    struct ramfs_name *n = S_ISDIR(inode->i_mode) ? inode->i_private : NULL, *next;

    for (; n; n = next) {
        next = n->next;
        cache_free(&names, n);
    }
}

struct inode *ramfs_lookup(struct inode *dir, const char *name, u32 length)
{
    for (struct ramfs_name *n = dir->i_private; n; n = n->next)
        if (n->length == length && memcmp(n->name, name, length) == 0)
            return igrab(n->inode);
    return ERR_PTR(-ENOENT);
}

static int ramfs_readdir(struct file *file, void *to, filldir_t filldir)
{
    for (struct ramfs_name *n = file->f_inode->i_private; n; n = n->next) {
        if (n->position < file->f_pos)
            continue;
        if (filldir(to, n->name, n->length, n->position + 1, n->inode->i_ino, n->inode->i_mode))
            break;
        file->f_pos = n->position + 1;
    }
    return 0;
}

static int ramfs_truncate(struct inode *inode, loff_t size)
{
    truncate_pages(inode->i_mapping, size);
    inode->i_size = size;
    return 0;
}

/* Memory is all that there is. */
static int ramfs_fsync(struct file *)
{
    return 0;
}

/* A page that is not in memory was never written. */
static int ramfs_readpage(struct file *, struct page *page)
{
    memset(page->address, 0, PAGE_SIZE);
    page->flags |= PG_UPTODATE;
    return 0;
}

static int ramfs_prepare_write(struct file *file, struct page *page, u32, u32)
{
    return page->flags & PG_UPTODATE ? 0 : ramfs_readpage(file, page);
}

static int ramfs_commit_write(struct file *, struct page *page, u32 from, u32 to)
{
    struct inode *inode = page->mapping->host;
    loff_t end = ((loff_t)page->index << PAGE_SHIFT) + to;

    if (to > from && end > inode->i_size)
        inode->i_size = end;
    return 0;
}

static const struct inode_operations directory_inode = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .remove = ramfs_remove,
};
static const struct inode_operations file_inode = {.truncate = ramfs_truncate};
static const struct inode_operations special_inode = {};
static const struct file_operations directory_file = {
    .llseek = generic_file_llseek,
    .readdir = ramfs_readdir,
    .fsync = ramfs_fsync,
};
static const struct file_operations regular_file = {
    .llseek = generic_file_llseek,
    .read = generic_file_read,
    .write = generic_file_write,
    .fsync = ramfs_fsync,
    .mmap = generic_file_mmap,
};
static const struct address_space_operations ramfs_pages = {
    .readpage = ramfs_readpage,
    .prepare_write = ramfs_prepare_write,
    .commit_write = ramfs_commit_write,
};

static const struct super_operations ramfs_super = {.delete_inode = ramfs_delete_inode};
static struct super_block ramfs = {.s_maxbytes = MAX_SIZE, .s_op = &ramfs_super};

/* An inode of this filesystem without a name; NULL if memory is short. */
static struct inode *ramfs_inode(u32 mode)
{
    static u32 last_ino;
    struct inode *inode = new_inode(&ramfs, mode);

    if (!inode)
        return NULL;
    inode->i_ino = ++last_ino;
    inode->i_op = S_ISDIR(mode) ? &directory_inode : &file_inode;
    inode->i_fop = S_ISDIR(mode) ? &directory_file : &regular_file;
    inode->i_data.a_ops = &ramfs_pages;
    return inode;
}

/* An open file without a name; NULL if memory is short. */
struct file *ramfs_file(loff_t size)
{
    struct inode *inode = ramfs_inode(S_IFREG | 0600);
    struct file *file;

    if (!inode)
        return NULL;
    inode->i_size = size;
    file = file_of(inode, O_RDWR);
    return IS_ERR(file) ? NULL : file;
}

/* Make what a path of the kernel's names, unless it is there, and return it with one more user. */
struct inode *ramfs_mknod(const char *path, u32 mode)
{
    struct inode *inode = open_namei(path, O_CREAT, mode);

    if (IS_ERR(inode))
        panic("cannot make the first files", PTR_ERR(inode));
    return inode;
}

/* Make a file with operations of its own, and return it with one more user. */
struct inode *ramfs_special(const char *path, u32 mode, const struct file_operations *operations)
{
    struct inode *inode = ramfs_mknod(path, mode);

    inode->i_op = &special_inode;
    inode->i_fop = operations;
    return inode;
}

/* Mount it as the root. */
void ramfs_init(void)
{
    struct inode *root = ramfs_inode(S_IFDIR | 0755);

    if (!root || !add_name(root, ".", 1, root) || !add_name(root, "..", 2, root))
        panic("no memory for the root directory", 0);
    root->i_nlink = 2;
    ramfs.s_root = root;
    mount_root(&ramfs);
}
