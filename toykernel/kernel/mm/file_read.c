/* Reading a file through the page cache.  What happens to the bytes of each page is up to an actor. */
#include "fs.h"
#include "uaccess.h"

/* The page, filled by its filesystem unless it was in memory; or an error. */
struct page *read_cache_page(struct file *file, u32 index)
{
    struct inode *inode = file->f_inode;
    struct page *page = grab_cache_page(inode, index);
    int error;

    if (!page)
        return ERR_PTR(-ENOMEM);
    if (page->flags & PG_UPTODATE)
        return page;
    error = inode->i_aops->readpage(file, page);
    if (!error)
        return page;
    put_page(page);
    return ERR_PTR(error);
}

/* How many bytes of the file are at `pos` and behind it in the same page. */
static u32 bytes_in_page(const struct inode *inode, loff_t pos)
{
    ssize_t rest = inode->i_size - pos; /* neither is above MAX_SIZE */

    return rest > 0 ? min(rest, PAGE_SIZE - (pos & PAGE_MASK)) : 0;
}

/* Hand page after page to the actor, until it has all it wants or can take no more, or the file ends: how many bytes it
   took, or an error if none. */
ssize_t do_generic_file_read(struct file *file, loff_t *ppos, struct read_descriptor *desc,
                             read_actor_t actor)
{
    const char *buf = desc->buf;
    loff_t pos = *ppos;
    u32 size;

    while (desc->count && !desc->error && (size = bytes_in_page(file->f_inode, pos))) {
        struct page *page = read_cache_page(file, pos >> PAGE_SHIFT);
        if (IS_ERR(page)) {
            desc->error = PTR_ERR(page);
            break;
        }
        size = actor(desc, page->address + (pos & PAGE_MASK), min(size, desc->count));
        put_page(page);
        desc->buf += size;
        desc->count -= size;
        pos += size;
    }
    *ppos = pos;
    return desc->buf != buf ? desc->buf - buf : desc->error;
}

/* The actor that copies to the program; somebody has checked that the buffer lies below PAGE_OFFSET. */
static size_t file_read_actor(struct read_descriptor *desc, const void *from, size_t size)
{
    size_t left = __copy_to_user(desc->buf, from, size);

    if (left)
        desc->error = -EFAULT;
    return size - left;
}

/* The actor that copies to the kernel. */
static size_t kernel_read_actor(struct read_descriptor *desc, const void *from, size_t size)
{
    memcpy(desc->buf, from, size);
    return size;
}

ssize_t generic_file_read(struct file *file, char *buf, size_t count, loff_t *ppos)
{
    struct read_descriptor desc = {.count = count, .buf = buf};

    if (!access_ok(buf, count))
        return -EFAULT;
    return do_generic_file_read(file, ppos, &desc, file_read_actor);
}

/* Read for the kernel itself: bytes read, fewer only at the end of the file, or an error. */
ssize_t kernel_read(struct file *file, void *to, size_t count, loff_t *ppos)
{
    struct read_descriptor desc = {.count = count, .buf = to};

    return do_generic_file_read(file, ppos, &desc, kernel_read_actor);
}
