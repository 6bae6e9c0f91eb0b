/* Mount: believe nothing that a disk says before it was checked. */
#include "ext.h"

static const struct super_operations ext_operations;
static struct ext_super disk_info;
static struct super_block disk_super = {
    .s_maxbytes = EXT_MAX_SIZE,
    .s_op = &ext_operations,
    .s_private = &disk_info,
};

/* All that was written so far is safe, and the log is empty. */
static int ext_sync(struct super_block *super)
{
    struct ext_super *info = super->s_private;

    journal_flush(&info->journal);
    return 0;
}

static const struct super_operations ext_operations = {
    .read_inode = ext_read_inode,
    .delete_inode = ext_delete_inode,
    .put_inode = ext_put_inode,
    .sync = ext_sync,
};

/* Find out where things are; 0, or -EINVAL if that makes no sense. */
static int read_geometry(struct ext_super *info, struct block_device *device)
{
    struct buffer_head *bh = bread(device, 0);
    struct ext_super_block raw = {};

    if (bh)
        raw = *(struct ext_super_block *)bh->b_data;
    brelse(bh);
    if (raw.s_magic != EXT_MAGIC || raw.s_blocks > device->blocks || raw.s_blocks > MAX_BITS ||
        raw.s_inodes == 0 || raw.s_inodes > MAX_BITS || raw.s_inodes % INODES_PER_BLOCK ||
        raw.s_journal_blocks >= raw.s_blocks)
        return -EINVAL;
    info->blocks = raw.s_blocks;
    info->inodes = raw.s_inodes;
    info->journal.j_dev = device;
    info->journal.j_first = INODE_TABLE + info->inodes / INODES_PER_BLOCK;
    info->journal.j_blocks = raw.s_journal_blocks;
    info->data = info->goal = info->journal.j_first + raw.s_journal_blocks;
    return info->data < info->blocks ? journal_load(&info->journal) : -EINVAL;
}

/* Orphans, that is inodes that had no name any more but users when the power failed, go now. */
static void delete_orphans(struct super_block *super, struct ext_super *info)
{
    info->recovering = true;
    for (u32 ino = EXT_ROOT; ino <= info->inodes; ino++) {
        struct ext_inode *raw;
        struct buffer_head *bh = ext_raw_inode(super, ino, &raw);
        struct inode *inode = bh && raw->mode && !raw->links ? iget(super, ino) : NULL;
        brelse(bh);
        if (inode && !IS_ERR(inode))
            iput(inode);
    }
    info->recovering = false;
}

/* Mount the disk that the boot loader brought at /disk, if there is one.  A disk that cannot be mounted leaves an
   empty directory there.  Physical addresses. */
void mount_disk(u32 start, u32 end)
{
    struct inode *dir = start < end ? ramfs_mknod("/disk", S_IFDIR | 0755) : NULL, *root;

    if (!dir || IS_ERR(dir))
        return;
    iput(dir);
    disk_super.s_bdev = ramdisk_init(start, end);
    if (read_geometry(&disk_info, disk_super.s_bdev))
        return;
    delete_orphans(&disk_super, &disk_info);
    root = iget(&disk_super, EXT_ROOT);
    if (IS_ERR(root) || !S_ISDIR(root->i_mode))
        return;
    disk_super.s_root = root;
    mount_at("/disk", &disk_super);
}
