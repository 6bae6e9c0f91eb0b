/* A filesystem that is nothing but page cache: its files are the pages in memory, its directories lists of names in
   the order in which they were made. */
#include "fs.h"

/* The one that a file has.  A directory keeps its own in i_private. */
struct ramfs_name {
    char name[NAME_MAX];
    u32 length;               /* of the name, in bytes */
    u32 position;             /* in the parent: larger than that of those before it */
    struct inode *inode;      /* what it names: a user of it */
    struct inode *parent;     /* the directory where it is */
    struct ramfs_name *names; /* what is in the directory that it names */
    struct ramfs_name *next;  /* in the same parent */
};

enum { FIRST_POSITION = 2 }; /* behind "." and ".." */

static struct cache names = {.name = "names", .size = sizeof(struct ramfs_name)};

static struct inode *ramfs_inode(u32 mode);

static struct ramfs_name *own_name(const struct inode *dir)
{
    return dir->i_private;
}

static struct inode *ramfs_create(struct inode *dir, const char *name, u32 length, u32 mode)
{
    struct ramfs_name **link = &own_name(dir)->names, *n = cache_alloc(&names);
    struct inode *inode = n ? ramfs_inode(mode) : NULL;

    if (!inode) {
        if (n)
            cache_free(&names, n);
        return ERR_PTR(-ENOMEM);
    }
    *n = (struct ramfs_name){
        .length = length, .position = FIRST_POSITION, .inode = igrab(inode), .parent = dir};
    memcpy(n->name, name, length);
    for (; *link; link = &(*link)->next)
        n->position = (*link)->position + 1;
    *link = n;
    if (S_ISDIR(mode)) {
        inode->i_private = n;
        inode->i_nlink++;
        dir->i_nlink++;
    }
    return inode;
}

static int ramfs_remove(struct inode *dir, struct inode *inode, const char *, u32)
{
    struct ramfs_name **link = &own_name(dir)->names, *n;
    bool directory = S_ISDIR(inode->i_mode);

    if (directory && own_name(inode)->names)
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

struct inode *ramfs_lookup(struct inode *dir, const char *name, u32 length)
{
    if (length == 2 && memcmp(name, "..", 2) == 0)
        return igrab(own_name(dir)->parent);
    for (struct ramfs_name *n = own_name(dir)->names; n; n = n->next)
        if (n->length == length && memcmp(n->name, name, length) == 0)
            return igrab(n->inode);
    return ERR_PTR(-ENOENT);
}

static int ramfs_readdir(struct file *file, void *to, filldir_t filldir)
{
    const struct inode *dir = file->f_inode, *parent = own_name(dir)->parent;

    if (file->f_pos == 0 && !filldir(to, ".", 1, 1, dir->i_ino, dir->i_mode))
        file->f_pos = 1;
    if (file->f_pos == 1 && !filldir(to, "..", 2, FIRST_POSITION, parent->i_ino, parent->i_mode))
        file->f_pos = FIRST_POSITION;
    for (struct ramfs_name *n = own_name(dir)->names; n && file->f_pos >= FIRST_POSITION; n = n->next) {
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
    truncate_pages(inode, size);
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
    struct inode *inode = page->inode;
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

static const struct super_operations ramfs_super = {};
static struct super_block ramfs = {.s_dev = 1, .s_maxbytes = MAX_SIZE, .s_op = &ramfs_super};

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
    inode->i_aops = &ramfs_pages;
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

/* Make what a path of the kernel's names, unless it is there.  Its name is a user of it. */
struct inode *ramfs_mknod(const char *path, u32 mode)
{
    struct inode *inode = open_namei(path, O_CREAT, mode);

    if (IS_ERR(inode))
        panic("cannot make the first files", PTR_ERR(inode));
    iput(inode);
    return inode;
}

/* Make a file with operations of its own, which nothing makes longer or shorter. */
struct inode *ramfs_special(const char *path, u32 mode, const struct file_operations *operations)
{
    static const struct inode_operations special_inode = {};
    struct inode *inode = ramfs_mknod(path, mode);

    inode->i_op = &special_inode;
    inode->i_fop = operations;
    return inode;
}

/* Mount it as the root, which is its own parent and has a name that is nowhere. */
void ramfs_init(void)
{
    static struct ramfs_name root_name;
    struct inode *root = ramfs_inode(S_IFDIR | 0755);

    if (!root)
        panic("no memory for the root directory", 0);
    root->i_nlink = 2;
    root->i_private = &root_name;
    root_name.parent = root;
    ramfs.s_root = root;
    root_filesystem = &ramfs;
    current->cwd = igrab(root);
}
