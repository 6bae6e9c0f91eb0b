/* /proc: a filesystem without any storage.  Its inodes live as long as somebody uses them. */
#include "proc.h"
#include "uaccess.h"

enum { ROOT = 1, FIRST_FILE = 2 }; /* inode numbers */

static struct super_block procfs = {.s_maxbytes = MAX_SIZE};

static const struct file_operations text_operations;

static struct inode *proc_inode(u32 number)
{
    struct inode *inode = new_inode(&procfs, S_IFREG | 0444);

    if (!inode)
        return ERR_PTR(-ENOMEM);
    inode->i_ino = FIRST_FILE + number;
    inode->i_fop = &text_operations;
    inode->i_private = (void *)&proc_files[number];
    return inode;
}

/* ".." is nobody's business here: it leads out of this filesystem. */
static struct inode *proc_lookup(struct inode *dir, const char *name, u32 length)
{
    (void)dir;
    for (u32 i = 0; i < NR_PROC_FILES; i++)
        if (strlen(proc_files[i].name) == length && memcmp(proc_files[i].name, name, length) == 0)
            return proc_inode(i);
    return ERR_PTR(-ENOENT);
}

/* Positions 0 and 1 are those of ".", "..". */
static int proc_readdir(struct file *file, void *to, filldir_t filldir)
{
    for (u32 at; (at = file->f_pos) < NR_PROC_FILES + 2; file->f_pos++) {
        const char *name = at == 0 ? "." : at == 1 ? ".." : proc_files[at - 2].name;
        u32 ino = at < 2 ? ROOT : FIRST_FILE + at - 2;
        if (filldir(to, name, strlen(name), at + 1, ino, at < 2 ? S_IFDIR : S_IFREG))
            break;
    }
    return 0;
}

static ssize_t proc_read(struct file *file, char *buf, size_t count, loff_t *ppos)
{
    const struct proc_file *entry = file->f_inode->i_private;
    struct page *page = alloc_pages(0);
    struct text text = {.from = *ppos, .size = min(count, PAGE_SIZE)};
    ssize_t done = 0;

    if (!page)
        return -ENOMEM;
    text.to = page->address;
    entry->make(&text);
    if (text.position > text.from)
        done = min(text.position - text.from, text.size);
    if (copy_to_user(buf, page->address, done))
        done = -EFAULT;
    else
        *ppos += done;
    put_page(page);
    return done;
}

static const struct inode_operations root_inode = {.lookup = proc_lookup};
static const struct file_operations root_operations = {
    .llseek = generic_file_llseek,
    .read = directory_read,
    .readdir = proc_readdir,
};
static const struct file_operations text_operations = {.llseek = generic_file_llseek, .read = proc_read};

void proc_init(void)
{
    struct inode *covered = ramfs_mknod("/proc", S_IFDIR | 0755), *root = new_inode(&procfs, S_IFDIR | 0555);

    if (IS_ERR(covered) || !root)
        panic("no memory for /proc", 0);
    iput(covered);
    root->i_ino = ROOT;
    root->i_nlink = 2;
    root->i_op = &root_inode;
    root->i_fop = &root_operations;
    procfs.s_root = root;
    if (mount_at("/proc", &procfs))
        panic("/proc is no directory", 0);
}
