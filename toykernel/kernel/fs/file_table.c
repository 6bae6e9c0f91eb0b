/* Open files and the descriptors that lead to them. */
#include "fs.h"

static struct cache files = {.size = sizeof(struct file)};

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

/* The lowest free descriptor, or -EMFILE. */
int get_unused_fd(void)
{
    for (u32 fd = 0; fd < NR_OPEN; fd++)
        if (!current->files[fd])
            return fd;
    return -EMFILE;
}

/* Hand the file over to a free descriptor. */
void install_fd(u32 fd, struct file *file)
{
    current->files[fd] = file;
}

/* Free the descriptor and hand its file over to the caller; NULL if it is not open. */
struct file *detach_fd(u32 fd)
{
    struct file *file = fd < NR_OPEN ? current->files[fd] : NULL;

    if (file)
        current->files[fd] = NULL;
    return file;
}
