/* Inodes: files without their names. */
#include "fs.h"

static struct cache inodes = {.size = sizeof(struct inode)};

/* An empty file with one user; its filesystem fills in the operations.  NULL if memory is short. */
struct inode *new_inode(struct super_block *super, u32 mode)
{
    struct inode *inode = cache_alloc(&inodes);

    if (!inode)
        return NULL;
    inode->i_mode = mode;
    inode->i_count = 1;
    inode->i_sb = super;
    inode->i_mapping = &inode->i_data;
    inode->i_data.host = inode;
    return inode;
}

/* One user less.  A name is a user, too: what has one stays. */
void iput(struct inode *inode)
{
    if (--inode->i_count)
        return;
    truncate_pages(&inode->i_data);
    cache_free(&inodes, inode);
}
