/* Inodes: files without their names.  Those of a disk stay in memory for a while after their last use. */
#include "fs.h"

enum { BUCKETS_OF_INODES = 64, MAX_UNUSED = 64 };

static struct cache inodes = {.name = "inodes", .size = sizeof(struct inode)};
static struct inode *inode_hash[BUCKETS_OF_INODES]; /* by filesystem and number */
u32 nr_unused_inodes;                               /* those among them without a user */

static const struct inode_operations no_inode_operations;

/* An empty file with one user and one name; its filesystem fills in the operations.  NULL if memory is short. */
struct inode *new_inode(struct super_block *super, u32 mode)
{
    struct inode *inode = cache_alloc(&inodes);

    if (!inode)
        return NULL;
    inode->i_mode = mode;
    inode->i_nlink = 1;
    inode->i_count = 1;
    inode->i_sb = super;
    inode->i_op = &no_inode_operations;
    return inode;
}

static struct inode **inode_bucket(u32 ino)
{
    return &inode_hash[ino % BUCKETS_OF_INODES];
}

/* Out of memory with it: nobody uses or finds it any more. */
void free_inode(struct inode *inode)
{
    truncate_pages(inode, 0);
    list_remove(inode_bucket(inode->i_ino), inode, next_hash);
    cache_free(&inodes, inode);
}

/* A file of a filesystem that numbers them, with one more user, read unless it was in memory; or an error. */
struct inode *iget(struct super_block *super, u32 ino)
{
    struct inode **chain = inode_bucket(ino), *inode = *chain;
    int error;

    while (inode && (inode->i_ino != ino || inode->i_sb != super))
        inode = inode->next_hash;
    if (inode) {
        if (inode->i_count++ == 0)
            nr_unused_inodes--;
        return inode;
    }
    inode = new_inode(super, 0);
    if (!inode)
        return ERR_PTR(-ENOMEM);
    inode->i_ino = ino;
    error = super->s_op->read_inode(inode);
    if (error) {
        free_inode(inode);
        return ERR_PTR(error);
    }
    inode->next_hash = *chain;
    *chain = inode;
    return inode;
}

/* Its last user is gone, and if it has no name left, so is the file. */
static void drop_inode(struct inode *inode)
{
    if (!inode->i_nlink)
        truncate_pages(inode, 0);
    if (inode->i_sb->s_op->drop_inode)
        inode->i_sb->s_op->drop_inode(inode);
    free_inode(inode);
}

/* Drop an inode that has no user, from another chain every time: false if there is none. */
bool prune_inode(void)
{
    static u32 chain;

    for (u32 n = 0; nr_unused_inodes && n < BUCKETS_OF_INODES; n++)
        for (struct inode *inode = *inode_bucket(chain++); inode; inode = inode->next_hash)
            if (!inode->i_count) {
                nr_unused_inodes--;
                drop_inode(inode);
                return true;
            }
    return false;
}

/* One user less.  While it has a name and iget can find it again it may stay. */
void iput(struct inode *inode)
{
    if (--inode->i_count)
        return;
    if (!inode->i_nlink || !inode->i_sb->s_op->read_inode)
        drop_inode(inode);
    else if (++nr_unused_inodes > MAX_UNUSED)
        prune_inode();
}
