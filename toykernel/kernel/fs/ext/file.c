/* What is in files goes through the journal, too: a write is there after a crash, or not at all. */
#include "ext.h"

/* Whatever was changed so far is safe, not in this file alone. */
int ext_fsync(struct file *file)
{
    journal_commit(&ext_super(file->f_inode)->journal);
    return 0;
}

/* The buffer will be written, or was read. */
static int do_journal_get_write_access(struct handle *handle, struct buffer_head *bh)
{
    bh->b_state |= BH_UPTODATE;
    journal_get_write_access(handle, bh);
    return 0;
}

/* The change of a page is one handle's, from here to ext_commit_write.  What could not be prepared may have left blocks
   behind the end of the file. */
static int ext_prepare_write(struct file *, struct page *page, u32 from, u32 to)
{
    struct inode *inode = page->inode;
    struct handle *handle = ext_start(inode);
    int error = block_prepare_write(page, from, to);

    if (!error)
        return walk_page_buffers(handle, page, from, to, do_journal_get_write_access);
    ext_shrink(handle, inode);
    journal_stop(handle);
    return error;
}

static int ext_commit_write(struct file *, struct page *page, u32, u32 to)
{
    struct inode *inode = page->inode;
    struct handle *handle = &ext_super(inode)->journal.j_handle;
    loff_t end = ((loff_t)page->index << PAGE_SHIFT) + to;

    if (end > inode->i_size) {
        inode->i_size = end;
        ext_mark_inode_dirty(handle, inode);
    }
    journal_stop(handle);
    return 0;
}

static ssize_t ext_file_write(struct file *file, const char *buf, size_t count, loff_t *ppos)
{
    ssize_t written = generic_file_write(file, buf, count, ppos);

    if (written > 0 && file->f_flags & O_SYNC)
        ext_fsync(file);
    return written;
}

/* Give the file another size; 0, or an error.  The rest of the last block becomes zero: it will be seen if the file
   grows again. */
static int ext_truncate(struct inode *inode, loff_t size)
{
    u32 offset = size & PAGE_MASK;
    struct page *page = NULL;
    int error = 0;

    if (size < inode->i_size && offset % BLOCK_SIZE) {
        page = grab_cache_page(inode, size >> PAGE_SHIFT);
        error = page ? block_read_full_page(NULL, page) : -ENOMEM;
    }
    if (!error) {
        struct handle *handle = ext_start(inode);
        if (page)
            walk_page_buffers(handle, page, offset, offset + 1, do_journal_get_write_access);
        truncate_pages(inode, size);
        inode->i_size = size;
        ext_shrink(handle, inode);
        journal_stop(handle);
    }
    if (page)
        put_page(page);
    return error;
}

/* A program that writes to pages of the cache would do so behind the journal's back. */
static int ext_file_mmap(struct file *, struct vm_area *area)
{
    return area->flags & MAP_SHARED && area->prot & PROT_WRITE ? -EINVAL : 0;
}

const struct inode_operations ext_file_inode = {.truncate = ext_truncate};
const struct file_operations ext_regular_file = {
    .llseek = generic_file_llseek,
    .read = generic_file_read,
    .write = ext_file_write,
    .mmap = ext_file_mmap,
    .fsync = ext_fsync,
};
const struct address_space_operations ext_pages = {
    .readpage = block_read_full_page,
    .prepare_write = ext_prepare_write,
    .commit_write = ext_commit_write,
    .get_block = ext_get_block,
};
