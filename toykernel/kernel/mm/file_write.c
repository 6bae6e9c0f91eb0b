/* Writing a file through the page cache. */
#include "fs.h"
#include "uaccess.h"

/* Where the write begins and how much of it may be done: 0, or an error. */
static int write_checks(struct file *file, loff_t *pos, size_t *count)
{
    struct inode *inode = file->f_inode;
    loff_t limit = inode->i_sb->s_maxbytes;

    if (file->f_flags & O_APPEND)
        *pos = inode->i_size;
    if (*pos >= limit)
        return -EFBIG;
    if (*count > limit - *pos)
        *count = limit - *pos;
    return 0;
}

/* How many of so many bytes, a page at most, can be read from the program.  What is not in memory gets there now:
   between prepare and commit nothing may be read, not even the page itself that is written. */
static u32 fault_in_readable(const char *buf, u32 size)
{
    char byte;

    if (get_user(byte, buf))
        return 0;
    if (get_user(byte, buf + size - 1))
        size = PAGE_SIZE - ((u32)buf & PAGE_MASK);
    (void)byte;
    return size;
}

/* Change bytes of one page: how many were changed, or an error. */
static ssize_t write_page(struct file *file, struct page *page, u32 offset, const char *buf, u32 size)
{
    const struct address_space_operations *ops = page->inode->i_aops;
    int error;

    size = fault_in_readable(buf, size);
    if (!size)
        return -EFAULT;
    error = ops->prepare_write(file, page, offset, offset + size);
    if (error)
        return error;
    __copy_from_user(page->address + offset, buf, size);
    error = ops->commit_write(file, page, offset, offset + size);
    return error ? error : (ssize_t)size;
}

ssize_t generic_file_write(struct file *file, const char *buf, size_t count, loff_t *ppos)
{
    loff_t pos = *ppos;
    ssize_t done = 0, result;

    if (!access_ok(buf, count))
        return -EFAULT;
    if (!count)
        return 0;
    result = write_checks(file, &pos, &count);
    while (result >= 0 && count) {
        u32 offset = pos & PAGE_MASK, size = PAGE_SIZE - offset;
        struct page *page = grab_cache_page(file->f_inode, pos >> PAGE_SHIFT);
        if (size > count)
            size = count;
        result = page ? write_page(file, page, offset, buf, size) : -ENOMEM;
        if (page)
            put_page(page);
        if (result > 0) {
            done += result;
            pos += result;
            buf += result;
            count -= result;
        }
    }
    *ppos = pos;
    return done ? done : result;
}
