/* getdents: names of a directory, as many as fit. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

struct dirent {
    u32 d_ino;                 /* number of the file */
    u32 d_off;                 /* position of the entry behind it */
    u16 d_reclen;              /* bytes of this entry, a multiple of four; the last one is the kind of file */
    char d_name[NAME_MAX + 3]; /* ended by a zero */
};

struct dirent_buffer {
    char *to;     /* where the next entry goes */
    size_t count; /* bytes of room */
    int error;    /* why the last one did not get there */
};

static int fill_dirent(void *to, const char *name, u32 length, loff_t next, u32 ino, u32 mode)
{
    struct dirent_buffer *buffer = to;
    u32 size = (offsetof(struct dirent, d_name) + length + 2 + 3) & -4;
    struct dirent entry = {.d_ino = ino, .d_off = next, .d_reclen = size};

    memcpy(entry.d_name, name, length);
    ((char *)&entry)[size - 1] = (mode & S_IFMT) >> 12;
    buffer->error = size > buffer->count ? -EINVAL : copy_to_user(buffer->to, &entry, size) ? -EFAULT : 0;
    if (!buffer->error) {
        buffer->to += size;
        buffer->count -= size;
    }
    return buffer->error;
}

static int read_directory(struct file *file, void *buf, size_t count)
{
    struct dirent_buffer buffer = {.to = buf, .count = count};
    int error;

    if (!file->f_op->readdir)
        return -ENOTDIR;
    if (!file->f_inode->i_nlink)
        return -ENOENT;
    error = file->f_op->readdir(file, &buffer, fill_dirent);
    if (buffer.count < count)
        return count - buffer.count;
    return error ? error : buffer.error;
}

SYSCALL_DEFINE3(getdents, u32, fd, void *, buf, size_t, count)
{
    return with_file(file, fd, read_directory(file, buf, count));
}
