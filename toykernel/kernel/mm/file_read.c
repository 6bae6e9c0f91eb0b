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

/* How many bytes of the page belong to the file, from `offset` on. */
static u32 bytes_in_page(const struct inode *inode, u32 index, u32 offset)
{
    u32 end_index = inode->i_size >> PAGE_SHIFT;
    u32 end = index < end_index ? PAGE_SIZE : index == end_index ? inode->i_size & PAGE_MASK : 0;

    return end > offset ? end - offset : 0;
}

/* Hand page after page to the actor, until it has all it wants or can take no more, or the file ends. */
void do_generic_file_read(struct file *file, loff_t *ppos, struct read_descriptor *desc, read_actor_t actor)
{
    u32 index = *ppos >> PAGE_SHIFT, offset = *ppos & PAGE_MASK, size;

    while (desc->count && !desc->error && (size = bytes_in_page(file->f_inode, index, offset))) {
        struct page *page = read_cache_page(file, index);
        if (IS_ERR(page)) {
            desc->error = PTR_ERR(page);
            break;
        }
        offset += actor(desc, page, offset, size);
        put_page(page);
        index += offset >> PAGE_SHIFT;
        offset &= PAGE_MASK;
    }
    *ppos = ((loff_t)index << PAGE_SHIFT) + offset;
}

static void advance(struct read_descriptor *desc, size_t n)
{
    desc->buf += n;
    desc->count -= n;
    desc->written += n;
}

/* The actor that copies to the program; it has checked that the buffer lies below PAGE_OFFSET. */
static size_t file_read_actor(struct read_descriptor *desc, struct page *page, u32 offset, u32 size)
{
    size_t left;

    size = min(size, desc->count);
    left = __copy_to_user(desc->buf, page->address + offset, size);
    if (left)
        desc->error = -EFAULT;
    advance(desc, size - left);
    return size - left;
}

/* The actor that copies to the kernel. */
static size_t kernel_read_actor(struct read_descriptor *desc, struct page *page, u32 offset, u32 size)
{
    size = min(size, desc->count);
    memcpy(desc->buf, page->address + offset, size);
    advance(desc, size);
    return size;
}

ssize_t generic_file_read(struct file *file, char *buf, size_t count, loff_t *ppos)
{
    struct read_descriptor desc = {.count = count, .buf = buf};

    if (!access_ok(buf, count))
        return -EFAULT;
    do_generic_file_read(file, ppos, &desc, file_read_actor);
    return desc.written ? (ssize_t)desc.written : desc.error;
}

/* Read for the kernel itself: bytes read, fewer only at the end of the file, or an error. */
ssize_t kernel_read(struct file *file, void *to, size_t count, loff_t *ppos)
{
    struct read_descriptor desc = {.count = count, .buf = to};

    do_generic_file_read(file, ppos, &desc, kernel_read_actor);
    return desc.written ? (ssize_t)desc.written : desc.error;
}
