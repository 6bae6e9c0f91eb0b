/* A filesystem that is nothing but page cache: its files are the pages in memory, its directories lists of names. */
#include "fs.h"

struct ramfs_name {
    char name[NAME_MAX + 1]; /* ended by a zero */
    struct inode *inode;     /* what it names */
    struct ramfs_name *next; /* in the same directory; i_private of the directory is the first */
};

static struct cache names = {.size = sizeof(struct ramfs_name)};
static struct super_block ramfs = {.s_maxbytes = MAX_SIZE};

static const struct inode_operations directory_inode, file_inode;
static const struct file_operations directory_file, regular_file;
static const struct address_space_operations ramfs_pages;

static struct inode *ramfs_lookup(struct inode *dir, const char *name, u32 length)
{
    for (struct ramfs_name *n = dir->i_private; n; n = n->next)
        if (memcmp(n->name, name, length) == 0 && !n->name[length])
            return n->inode;
    return ERR_PTR(-ENOENT);
}

static bool add_name(struct inode *dir, const char *name, u32 length, struct inode *inode)
{
    struct ramfs_name *n = cache_alloc(&names);

    if (!n)
        return false;
    memcpy(n->name, name, length);
    n->inode = inode;
    n->next = dir->i_private;
    dir->i_private = n;
    inode->i_count++;
    return true;
}

/* An inode of this filesystem without a name; NULL if memory is short. */
static struct inode *ramfs_inode(u32 mode)
{
    struct inode *inode = new_inode(&ramfs, mode);
    bool directory = (mode & S_IFMT) == S_IFDIR;

    if (!inode)
        return NULL;
    inode->i_op = directory ? &directory_inode : &file_inode;
    inode->i_fop = directory ? &directory_file : &regular_file;
    inode->i_data.a_ops = &ramfs_pages;
    return inode;
}

/* Make a file or a directory; or an error.  A directory names itself and its parent. */
static struct inode *ramfs_create(struct inode *dir, const char *name, u32 length, u32 mode)
{
    struct inode *inode = ramfs_inode(mode);
    bool ok = inode && add_name(dir, name, length, inode);

    if (ok && (mode & S_IFMT) == S_IFDIR)
        ok = add_name(inode, ".", 1, inode) && add_name(inode, "..", 2, dir);
    if (inode)
        iput(inode); /* from now on its names keep it */
    return ok ? inode : ERR_PTR(-ENOMEM);
}

static void ramfs_truncate(struct inode *inode)
{
    truncate_pages(inode->i_mapping);
    inode->i_size = 0;
}

static ssize_t directory_read(struct file *file, char *buf, size_t count, loff_t *ppos)
{
    (void)file, (void)buf, (void)count, (void)ppos;
    return -EISDIR;
}

/* A page that is not in memory was never written. */
static int ramfs_readpage(struct file *file, struct page *page)
{
    (void)file;
    memset(page->address, 0, PAGE_SIZE);
    page->flags |= PG_UPTODATE;
    return 0;
}

static int ramfs_prepare_write(struct file *file, struct page *page, u32 from, u32 to)
{
    (void)from, (void)to;
    return page->flags & PG_UPTODATE ? 0 : ramfs_readpage(file, page);
}

static int ramfs_commit_write(struct file *file, struct page *page, u32 from, u32 to)
{
    struct inode *inode = page->mapping->host;
    loff_t end = ((loff_t)page->index << PAGE_SHIFT) + to;

    (void)file;
    if (to > from && end > inode->i_size)
        inode->i_size = end;
    return 0;
}

static const struct inode_operations directory_inode = {.lookup = ramfs_lookup, .create = ramfs_create};
static const struct inode_operations file_inode = {.truncate = ramfs_truncate};
static const struct file_operations directory_file = {.llseek = generic_file_llseek, .read = directory_read};
static const struct file_operations regular_file = {
    .llseek = generic_file_llseek,
    .read = generic_file_read,
    .write = generic_file_write,
};
static const struct address_space_operations ramfs_pages = {
    .readpage = ramfs_readpage,
    .prepare_write = ramfs_prepare_write,
    .commit_write = ramfs_commit_write,
};

/* Make what a path of the kernel's names, unless it is there; or an error. */
struct inode *ramfs_mknod(const char *path, u32 mode)
{
    struct nameidata nd;
    struct inode *inode;
    int error = path_parent(path, &nd);

    if (error)
        return ERR_PTR(error);
    if (!nd.length)
        return nd.dir;
    if (nd.length > NAME_MAX)
        return ERR_PTR(-ENAMETOOLONG);
    inode = ramfs_lookup(nd.dir, nd.last, nd.length);
    return IS_ERR(inode) ? ramfs_create(nd.dir, nd.last, nd.length, mode) : inode;
}

/* Mount it as the root. */
void ramfs_init(void)
{
    struct inode *root = ramfs_inode(S_IFDIR | 0755);

    if (!root || !add_name(root, ".", 1, root) || !add_name(root, "..", 2, root))
        panic("no memory for the root directory", 0);
    ramfs.s_root = root;
    root_filesystem = &ramfs;
}
