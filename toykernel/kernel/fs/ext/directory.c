/* Directories are files of entries of one size.  Files are found there, made, and removed, each in one change. */
#include "ext.h"

enum { ENTRIES_PER_BLOCK = BLOCK_SIZE / sizeof(struct ext_entry) };

/* Is it the entry with this name, or if the name is NULL a free one? */
static bool is_wanted(const struct ext_entry *entry, const char *name, u32 length)
{
    if (!name)
        return !entry->ino;
    return entry->ino && memcmp(entry->name, name, length) == 0 && !entry->name[length];
}

/* The first such entry, and its buffer; -ENOENT if there is none, or another error. */
static struct ext_entry *find_entry(struct inode *dir, struct buffer_head **bh, const char *name, u32 length)
{
    for (u32 block = 0; block < dir->i_size >> BLOCK_SHIFT; block++) {
        *bh = ext_bread(NULL, dir, block);
        if (IS_ERR(*bh))
            return (struct ext_entry *)*bh;
        for (u32 i = 0; i < ENTRIES_PER_BLOCK; i++) {
            struct ext_entry *entry = (struct ext_entry *)(*bh)->b_data + i;
            if (is_wanted(entry, name, length))
                return entry;
        }
        brelse(*bh);
    }
    return ERR_PTR(-ENOENT);
}

/* Give an inode a name; 0, or an error. */
static int add_entry(struct handle *handle, struct inode *dir, const char *name, u32 length,
                     const struct inode *inode)
{
    struct buffer_head *bh;
    struct ext_entry *entry = find_entry(dir, &bh, NULL, 0);

    if (PTR_ERR(entry) == -ENOENT) {
        bh = ext_bread(handle, dir, dir->i_size >> BLOCK_SHIFT);
        entry = IS_ERR(bh) ? (struct ext_entry *)bh : bh->b_data;
        dir->i_size += IS_ERR(bh) ? 0 : BLOCK_SIZE;
    }
    if (IS_ERR(entry))
        return PTR_ERR(entry);
    journal_get_write_access(handle, bh);
    *entry = (struct ext_entry){.ino = inode->i_ino, .mode = inode->i_mode & S_IFMT};
    memcpy(entry->name, name, length);
    brelse(bh);
    ext_raw(dir)->names++;
    ext_mark_inode_dirty(handle, dir);
    return 0;
}

static struct inode *ext_lookup(struct inode *dir, const char *name, u32 length)
{
    struct buffer_head *bh;
    struct ext_entry *entry = find_entry(dir, &bh, name, length);
    u32 ino;

    if (IS_ERR(entry))
        return (struct inode *)entry;
    ino = entry->ino;
    brelse(bh);
    return iget(dir->i_sb, ino);
}

/* What failed half-way leaves an inode without a name, which then goes like one that was removed. */
static struct inode *ext_create(struct inode *dir, const char *name, u32 length, u32 mode)
{
    struct handle *handle = ext_start(dir);
    struct inode *inode = ext_new_inode(handle, dir, mode);
    bool directory = S_ISDIR(mode);
    int error = 0;

    if (!IS_ERR(inode)) {
        if (directory)
            error = add_entry(handle, inode, ".", 1, inode) ?: add_entry(handle, inode, "..", 2, dir);
        error = error ?: add_entry(handle, dir, name, length, inode);
        inode->i_nlink = error ? 0 : 1 + directory;
        ext_mark_inode_dirty(handle, inode);
        dir->i_nlink += directory && !error;
        ext_mark_inode_dirty(handle, dir);
    }
    journal_stop(handle);
    if (!error)
        return inode;
    iput(inode);
    return ERR_PTR(error);
}

/* Remove the name of a file, or of an empty directory.  The inode stays until its last user has gone. */
static int ext_remove(struct inode *dir, struct inode *inode, const char *name, u32 length)
{
    bool directory = S_ISDIR(inode->i_mode);
    struct buffer_head *bh;
    struct ext_entry *entry;
    struct handle *handle;

    if (directory && ext_raw(inode)->names > 2)
        return -ENOTEMPTY;
    entry = find_entry(dir, &bh, name, length);
    if (IS_ERR(entry))
        return PTR_ERR(entry);
    handle = ext_start(dir);
    journal_get_write_access(handle, bh);
    *entry = (struct ext_entry){};
    brelse(bh);
    ext_raw(dir)->names--;
    dir->i_nlink -= directory;
    ext_mark_inode_dirty(handle, dir);
    inode->i_nlink -= 1 + directory;
    ext_mark_inode_dirty(handle, inode);
    journal_stop(handle);
    return 0;
}

/* Positions are those in the file. */
static int ext_readdir(struct file *file, void *to, filldir_t filldir)
{
    struct inode *dir = file->f_inode;
    u32 size = sizeof(struct ext_entry), at = (file->f_pos + size - 1) & -size;

    for (int full = 0; at < dir->i_size && !full; file->f_pos = at) {
        struct buffer_head *bh = ext_bread(NULL, dir, at >> BLOCK_SHIFT);
        struct ext_entry *entry;
        if (IS_ERR(bh))
            return PTR_ERR(bh);
        entry = bh->b_data + at % BLOCK_SIZE;
        entry->name[NAME_MAX] = 0; /* it is, unless the disk is damaged */
        if (entry->ino)
            full = filldir(to, entry->name, strlen(entry->name), at + size, entry->ino, entry->mode);
        brelse(bh);
        at += full ? 0 : size;
    }
    return 0;
}

const struct inode_operations ext_directory_inode = {
    .lookup = ext_lookup,
    .create = ext_create,
    .remove = ext_remove,
};
const struct file_operations ext_directory_file = {
    .llseek = generic_file_llseek,
    .readdir = ext_readdir,
    .fsync = ext_fsync,
};
