/* Mount: believe nothing that a disk says before it was checked. */
#include "ext.h"

static struct ext_super disk_info;
static struct super_block disk_super = {
    .s_maxbytes = EXT_MAX_SIZE,
    .s_op = &ext_operations,
    .s_private = &disk_info,
};

/* Find out where things are; 0, or an error if that makes no sense. */
static int read_geometry(struct ext_super *info, struct block_device *device)
{
    struct ext_super_block *disk = &info->disk;
    struct buffer_head *bh = bread(device, 0);

    if (bh)
        *disk = *(struct ext_super_block *)bh->b_data;
    brelse(bh);
    if (disk->s_magic != EXT_MAGIC || disk->s_blocks > device->blocks || disk->s_blocks > MAX_BITS ||
        disk->s_inodes == 0 || disk->s_inodes > MAX_BITS || disk->s_inodes % INODES_PER_BLOCK ||
        disk->s_journal_blocks >= disk->s_blocks)
        return -EINVAL;
    info->journal.j_dev = device;
    info->journal.j_first = INODE_TABLE + disk->s_inodes / INODES_PER_BLOCK;
    info->journal.j_blocks = disk->s_journal_blocks;
    info->data = info->goal = info->journal.j_first + disk->s_journal_blocks;
    if (info->data >= disk->s_blocks || journal_load(&info->journal))
        return -EINVAL;
    info->inode_map = bread(device, INODE_BITMAP);
    info->block_map = bread(device, BLOCK_BITMAP);
    return info->inode_map && info->block_map ? 0 : -EIO;
}

/* Orphans, that is inodes that had no name any more but users when the power failed, go as soon as they are let go. */
static void delete_orphans(void)
{
    for (u32 ino = EXT_ROOT; ino <= disk_info.disk.s_inodes; ino++) {
        struct inode *inode = iget(&disk_super, ino);
        if (!IS_ERR(inode))
            iput(inode);
    }
}

/* Mount the disk that the boot loader brought at /disk, if there is one.  A disk that cannot be mounted leaves an
   empty directory there.  Physical addresses. */
void mount_disk(u32 start, u32 end)
{
    struct inode *dir = start < end ? ramfs_mknod("/disk", S_IFDIR | 0755) : NULL, *root;

    if (!dir)
        return;
    disk_super.s_bdev = ramdisk_init(start, end);
    if (read_geometry(&disk_info, disk_super.s_bdev))
        return;
    delete_orphans();
    root = iget(&disk_super, EXT_ROOT);
    if (IS_ERR(root) || !S_ISDIR(root->i_mode))
        return;
    disk_super.s_root = root;
    mount_at(dir, &disk_super);
}
