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

/* A file with one user and nothing else; NULL if memory is short. */
struct file *get_empty_file(void)
{
    struct file *file = cache_alloc(&files);

    if (file)
        file->f_count = 1;
    return file;
}

/* Give one back that nothing was opened with. */
void put_empty_file(struct file *file)
{
    cache_free(&files, file);
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

static void close_those(u32 which)
{
    for (u32 fd = 0; fd < NR_OPEN; fd++)
        if (which & 1u << fd)
            close_fd(fd);
}

/* The running task becomes another program. */
void exec_files(void)
{
    close_those(current->close_on_exec);
}

/* The running task ends. */
void exit_files(void)
{
    close_those(~0u);
    iput(current->cwd);
    current->cwd = NULL;
}
