/* Filesystems: which there are, and where in the tree each of them is. */
#include "fs.h"
#include "syscall.h"

struct super_block *root_filesystem; /* where paths with a leading slash begin; the others follow by s_next */

/* From now on the directory's path leads to the root of this filesystem. */
void mount_at(struct inode *dir, struct super_block *super)
{
    super->s_covered = igrab(dir);
    dir->i_mount = super;
    super->s_next = root_filesystem->s_next;
    super->s_dev = super->s_next ? super->s_next->s_dev + 1 : 2;
    root_filesystem->s_next = super;
}

/* Write what is only in memory and should be on a disk. */
void sync_filesystems(void)
{
    for (struct super_block *super = root_filesystem; super; super = super->s_next)
        if (super->s_op->sync)
            super->s_op->sync(super);
}

SYSCALL_DEFINE0(sync)
{
    sync_filesystems();
    return 0;
}

SYSCALL_DEFINE1(fsync, u32, fd)
{
    return with_file(file, fd, file->f_op->fsync ? file->f_op->fsync(file) : -EINVAL);
}
