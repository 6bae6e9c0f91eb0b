/* A filesystem that is nothing but page cache: its files are the pages in memory. */
#include "fs.h"

static u32 last_ino;

static const struct inode_operations directory_inode, file_inode, special_inode;
static const struct file_operations directory_file, regular_file;
static const struct address_space_operations ramfs_pages;
static const struct super_operations ramfs_super;

static struct super_block ramfs = {.s_maxbytes = MAX_SIZE, .s_op = &ramfs_super};

/* An inode of this filesystem without a name; NULL if memory is short. */
static struct inode *ramfs_inode(u32 mode)
{
    struct inode *inode = new_inode(&ramfs, mode);

    if (!inode)
        return NULL;
    inode->i_ino = ++last_ino;
    inode->i_op = S_ISDIR(mode) ? &directory_inode : &file_inode;
    inode->i_fop = S_ISDIR(mode) ? &directory_file : &regular_file;
    inode->i_data.a_ops = &ramfs_pages;
    return inode;
}

static struct inode *ramfs_create(struct inode *dir, const char *name, u32 length, u32 mode)
{
    struct inode *inode = ramfs_inode(mode);

    if (inode && ramfs_add(dir, name, length, inode))
        return inode;
    if (inode)
        iput(inode);
    return ERR_PTR(-ENOMEM);
}

static int ramfs_mkdir(struct inode *dir, const char *name, u32 length, u32 mode)
{
    struct inode *inode = ramfs_inode(mode);
    bool ok = inode && ramfs_make_empty(inode, dir) && ramfs_add(dir, name, length, inode);

    if (ok) {
        inode->i_nlink = 2;
        dir->i_nlink++;
    } else if (inode) {
        inode->i_nlink = 0;
    }
    if (inode)
        iput(inode); /* from now on its name keeps it */
    return ok ? 0 : -ENOMEM;
}

static int ramfs_unlink(struct inode *dir, struct inode *inode, const char *, u32)
{
    inode->i_nlink--;
    ramfs_remove(dir, inode);
    return 0;
}

static int ramfs_rmdir(struct inode *dir, struct inode *inode, const char *, u32)
{
    if (!ramfs_is_empty(inode))
        return -ENOTEMPTY;
    inode->i_nlink = 0;
    dir->i_nlink--;
    ramfs_remove(dir, inode);
    return 0;
}

static void ramfs_delete_inode(struct inode *inode)
{
    if (S_ISDIR(inode->i_mode) && inode->i_private)
        ramfs_free_names(inode);
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

static const struct super_operations ramfs_super = {.delete_inode = ramfs_delete_inode};
static const struct inode_operations directory_inode = {
    .lookup = ramfs_lookup,
    .create = ramfs_create,
    .mkdir = ramfs_mkdir,
    .unlink = ramfs_unlink,
    .rmdir = ramfs_rmdir,
};
static const struct inode_operations file_inode = {.truncate = ramfs_truncate};
static const struct inode_operations special_inode = {};
static const struct file_operations directory_file = {
    .llseek = generic_file_llseek,
    .read = directory_read,
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

static struct inode *make_node(struct inode *dir, const char *name, u32 length, u32 mode)
{
    int error;

    if (!S_ISDIR(mode))
        return ramfs_create(dir, name, length, mode);
    error = ramfs_mkdir(dir, name, length, mode);
    return error ? ERR_PTR(error) : lookup(dir, name, length);
}

/* An open file without a name; NULL if memory is short. */
struct file *ramfs_file(loff_t size)
{
    struct inode *inode = ramfs_inode(S_IFREG | 0600);
    struct file *file = inode ? get_empty_file() : NULL;

    if (!file) {
        if (inode)
            iput(inode);
        return NULL;
    }
    inode->i_size = size;
    file->f_inode = inode;
    file->f_op = inode->i_fop;
    file->f_flags = O_RDWR;
    file->f_mode = FMODE_READ | FMODE_WRITE;
    return file;
}

/* Make what a path of the kernel's names, unless it is there, and return it with one more user; or an error. */
struct inode *ramfs_mknod(const char *path, u32 mode)
{
    struct nameidata nd;
    struct inode *inode;
    int error = path_parent(path, &nd);

    if (error)
        return ERR_PTR(error);
    inode = lookup(nd.dir, nd.last, nd.length);
    if (PTR_ERR(inode) == -ENOENT)
        inode = make_node(nd.dir, nd.last, nd.length, mode);
    iput(nd.dir);
    return inode;
}

/* Make a file with operations of its own, and return it with one more user. */
struct inode *ramfs_special(const char *path, u32 mode, const struct file_operations *operations)
{
    struct inode *inode = ramfs_mknod(path, mode);

    if (IS_ERR(inode))
        panic("no memory for a special file", PTR_ERR(inode));
    inode->i_op = &special_inode;
    inode->i_fop = operations;
    return inode;
}

/* Mount it as the root. */
void ramfs_init(void)
{
    struct inode *root = ramfs_inode(S_IFDIR | 0755);

    if (!root || !ramfs_make_empty(root, root))
        panic("no memory for the root directory", 0);
    root->i_nlink = 2;
    ramfs.s_root = root;
    mount_root(&ramfs);
}
