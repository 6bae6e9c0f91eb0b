/* Open files and the descriptors that lead to them. */
#include "fs.h"

static struct cache files = {.name = "files", .size = sizeof(struct file)};

/* The task's open file, with one more user; NULL if the descriptor is not open. */
struct file *fget(u32 fd)
{
    struct file *file = fd < NR_OPEN ? current->files[fd] : NULL;

    if (file)
        file->f_count++;
    return file;
}

static void release(struct file *file)
{
    if (file->f_op->release)
        file->f_op->release(file);
    iput(file->f_inode);
    cache_free(&files, file);
}

/* One user less; the last one closes the file. */
void fput(struct file *file)
{
    if (--file->f_count == 0)
        release(file);
}

/* A file for an inode, or an error, which the inode may be already.  The caller's use of the inode becomes the file's; if
   there is none, it ends. */
struct file *file_of(struct inode *inode, u32 flags)
{
    struct file *file = IS_ERR(inode) ? (struct file *)inode : cache_alloc(&files);

    if (IS_ERR(file))
        return file;
    if (!file) {
        iput(inode);
        return ERR_PTR(-ENFILE);
    }
    file->f_count = 1;
    file->f_inode = inode;
    file->f_op = inode->i_fop;
    file->f_flags = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
    file->f_mode = (flags + 1) & O_ACCMODE; /* O_RDONLY is 0, FMODE_READ is 1, and so on */
    if (file->f_op->open)
        file->f_op->open(file);
    return file;
}

/* The lowest free descriptor that is not below `first`, or -EMFILE. */
int get_unused_fd(u32 first)
{
    for (u32 fd = first; fd < NR_OPEN; fd++)
        if (!current->files[fd])
            return fd;
    return -EMFILE;
}

/* Hand the file over to a free descriptor, which exec will keep. */
void install_fd(u32 fd, struct file *file)
{
    current->files[fd] = file;
    current->close_on_exec &= ~(1u << fd);
}

/* A new task has the same files open, and is in the same directory. */
void copy_files(struct task *child)
{
    child->cwd = igrab(current->cwd);
    child->close_on_exec = current->close_on_exec;
    for (u32 fd = 0; fd < NR_OPEN; fd++)
        child->files[fd] = fget(fd);
}

/* Close those descriptors whose bits are set. */
void close_files(u32 which)
{
    for (u32 fd = 0; fd < NR_OPEN; fd++)
        if (which & 1u << fd)
            close_fd(fd);
}

/* The running task ends. */
void exit_files(void)
{
    close_files(~0u);
    iput(current->cwd);
    current->cwd = NULL;
}
