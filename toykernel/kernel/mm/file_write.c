/* Writing a file through the page cache. */
#include "fs.h"
#include "uaccess.h"

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

/* Change bytes of the page at `pos`, but not beyond it: how many were changed, or an error. */
static ssize_t write_page(struct file *file, loff_t pos, const char *buf, size_t size)
{
    const struct address_space_operations *ops = file->f_inode->i_aops;
    struct page *page = grab_cache_page(file->f_inode, pos >> PAGE_SHIFT);
    u32 offset = pos & PAGE_MASK;
    int error = -EFAULT;

    if (!page)
        return -ENOMEM;
    size = fault_in_readable(buf, min(size, PAGE_SIZE - offset));
    if (size)
        error = ops->prepare_write(file, page, offset, offset + size);
    if (!error) {
        __copy_from_user(page->address + offset, buf, size);
        error = ops->commit_write(file, page, offset, offset + size);
    }
    put_page(page);
    return error ? error : (ssize_t)size;
}

ssize_t generic_file_write(struct file *file, const char *buf, size_t count, loff_t *ppos)
{
    const struct inode *inode = file->f_inode;
    loff_t pos = file->f_flags & O_APPEND ? inode->i_size : *ppos, room = inode->i_sb->s_maxbytes - pos;
    const char *start = buf;
    ssize_t result = 0;

    if (!access_ok(buf, count))
        return -EFAULT;
    if (!count)
        return 0;
    if (room <= 0)
        return -EFBIG;
    if (count > room)
        count = room;
    while (result >= 0 && count) {
        result = write_page(file, pos, buf, count);
        if (result > 0) {
            pos += result;
            buf += result;
            count -= result;
        }
    }
    *ppos = pos;
    return buf != start ? buf - start : result;
}
