/* The virtual filesystem: open files, inodes, their pages, and the operations of each kind. */
#pragma once

#include "sched.h"

#define NAME_MAX 59           /* bytes of one component of a path */
#define PATH_MAX PAGE_SIZE    /* bytes of a path with its final zero */
#define MAX_SIZE 0x7FFFFFFFLL /* of a file that a 32-bit off_t can seek in */

#define O_ACCMODE   3
#define O_RDONLY    0
#define O_WRONLY    1
#define O_RDWR      2
#define O_CREAT     0100
#define O_EXCL      0200
#define O_TRUNC     01000
#define O_APPEND    02000
#define O_NONBLOCK  04000
#define O_SYNC      010000
#define O_DIRECTORY 0200000

/* Commands of ioctl that are not one device's. */
#define FIONREAD 0x541B
#define FIONBIO  0x5421
#define FIONCLEX 0x5450
#define FIOCLEX  0x5451

#define FMODE_READ  1
#define FMODE_WRITE 2

#define S_IFMT     0170000
#define S_IFIFO    0010000
#define S_IFCHR    0020000
#define S_IFDIR    0040000
#define S_IFREG    0100000
#define S_ISDIR(m) (((m) & S_IFMT) == S_IFDIR)
#define S_ISREG(m) (((m) & S_IFMT) == S_IFREG)

enum { SEEK_SET, SEEK_CUR, SEEK_END };

struct file {
    struct inode *f_inode;              /* the file that was opened */
    const struct file_operations *f_op; /* how to use it */
    u32 f_count;                        /* descriptors and running system calls that use it */
    u32 f_flags;                        /* O_… as opened */
    u32 f_mode;                         /* FMODE_… */
    u32 f_owner;                        /* whom it would send signals (fcntl) */
    u32 f_signal;                       /* and which */
    loff_t f_pos;                       /* where the next read or write begins */
};

struct vm_area;

/* Take one name of a directory, behind which reading goes on at `next`; not 0 if there is no room for it. */
typedef int (*filldir_t)(void *to, const char *name, u32 length, loff_t next, u32 ino, u32 mode);

/* All but llseek may be NULL, for what the kind of file cannot do. */
struct file_operations {
    loff_t (*llseek)(struct file *, loff_t, int);
    ssize_t (*read)(struct file *, char *, size_t, loff_t *); /* NULL: a directory */
    ssize_t (*write)(struct file *, const char *, size_t, loff_t *);
    int (*readdir)(struct file *, void *to, filldir_t); /* from f_pos on, which moves behind what was taken */
    int (*ioctl)(struct file *, u32 command, u32 argument);
    int (*mmap)(struct file *, struct vm_area *); /* 0 if the area may show it; NULL if it has no pages */
    int (*fsync)(struct file *);
    void (*open)(struct file *);    /* everything else is filled in */
    void (*release)(struct file *); /* the last user is gone */
};

/* How the pages of files get in and out.  get_block maps the buffer to the block of the disk that this one of the file
   is; if there is none, it allocates one if `create`, or leaves the buffer without. */
struct address_space_operations {
    int (*readpage)(struct file *, struct page *);
    int (*prepare_write)(struct file *, struct page *, u32 from, u32 to);
    int (*commit_write)(struct file *, struct page *, u32 from, u32 to);
    int (*get_block)(struct inode *, u32 block, struct buffer_head *, bool create);
};

struct inode {
    u32 i_ino;                           /* its number in its filesystem */
    u32 i_mode;                          /* S_IF… and permissions */
    u32 i_nlink;                         /* names; a directory has two, and one for each directory in it */
    u32 i_rdev;                          /* of a device: major << 8 | minor */
    u32 i_count;                         /* users: pointers that somebody keeps */
    loff_t i_size;                       /* in bytes */
    const struct inode_operations *i_op; /* what can be done with it by name */
    const struct file_operations *i_fop; /* what its open files can do */
    struct super_block *i_sb;            /* the filesystem that it is in */
    struct super_block *i_mount;         /* the filesystem that is mounted over it, if any */
    struct page *i_pages;                /* list of those in memory */
    u32 i_nrpages;                       /* how many */
    const struct address_space_operations *i_aops; /* how they get in and out */
    struct inode *next_hash;                       /* in a chain of the inode cache */
    void *i_private;                               /* the filesystem's */
};

/* The inodes have a user while an operation runs.  lookup and create return one with one more user, or an error. */
struct inode_operations {
    struct inode *(*lookup)(struct inode *dir, const char *name, u32 length); /* also "..", but not "." */
    struct inode *(*create)(struct inode *dir, const char *name, u32 length, u32 mode);
    int (*remove)(struct inode *dir, struct inode *inode, const char *name, u32 length); /* -ENOTEMPTY */
    int (*truncate)(struct inode *, loff_t size); /* pages, blocks and i_size */
};

struct super_block {
    struct inode *s_root;        /* the filesystem's first directory */
    struct inode *s_covered;     /* the directory that it is mounted over; NULL for the first filesystem */
    u32 s_dev;                   /* its number */
    struct block_device *s_bdev; /* what it lies on, if it is on a disk */
    loff_t s_maxbytes;           /* how large a file may grow */
    const struct super_operations *s_op; /* what it does with inodes */
    struct super_block *s_next;          /* in the list of those mounted */
    void *s_private;                     /* the filesystem's */
};

/* Each may be NULL. */
struct super_operations {
    int (*read_inode)(struct inode *);  /* fill it in by i_ino; 0 or an error */
    void (*drop_inode)(struct inode *); /* it leaves memory and, if no name is left, the filesystem */
    int (*sync)(struct super_block *);  /* write what is not yet where it is safe */
};

/* A path that was followed up to its last component. */
struct nameidata {
    struct inode *dir; /* where the last component is, or may be made; nd is a user of it */
    const char *last;  /* the component, not ended by a zero; empty for the root itself */
    u32 length;        /* of the component, in bytes */
    bool directory;    /* a slash follows, so it must be one */
};

/* What the last component of a path is. */
enum last_type { LAST_NAME, LAST_ROOT, LAST_DOT, LAST_DOT_DOT };

/* What a read still has to do, handed from page to page. */
struct read_descriptor {
    char *buf;    /* where the next bytes go */
    size_t count; /* how many are wanted */
    int error;    /* why it ended early */
};

/* Take up to so many bytes of a page, at most as many as are wanted: how many. */
typedef size_t (*read_actor_t)(struct read_descriptor *, const void *from, size_t size);

/* fs/file_table.c */
struct file *fget(u32 fd);
void fput(struct file *file);

/* What the expression makes of the task's open file; -EBADF if the descriptor is not open. */
#define with_file(file, fd, expression)                                                                      \
    ({                                                                                                       \
        struct file *file = fget(fd);                                                                        \
        int with_ = -EBADF;                                                                                  \
        if (file) {                                                                                          \
            with_ = (expression);                                                                            \
            fput(file);                                                                                      \
        }                                                                                                    \
        with_;                                                                                               \
    })

int get_unused_fd(u32 first);
void install_fd(u32 fd, struct file *file);
struct file *file_of(struct inode *inode, u32 flags);
void copy_files(struct task *child);
void exit_files(void);
void close_files(u32 which);

/* fs/open.c */
struct file *file_open(const char *path, u32 flags, u32 mode);
int close_fd(u32 fd);

/* fs/inode.c */
struct inode *new_inode(struct super_block *super, u32 mode);
struct inode *iget(struct super_block *super, u32 ino);
void free_inode(struct inode *inode);
extern u32 nr_unused_inodes;
void iput(struct inode *inode);
bool prune_inode(void);

static inline struct inode *igrab(struct inode *inode)
{
    inode->i_count++;
    return inode;
}

/* fs/namei.c */
char *getname(const char *user_path);
struct inode *lookup(const struct nameidata *nd);
int path_parent(const char *path, struct nameidata *nd);
enum last_type last_type(const struct nameidata *nd);
struct inode *open_namei(const char *path, u32 flags, u32 mode);
struct inode *namei_user(const char *user_path, u32 flags);

/* What the expression makes of a copy of the program's path; an error if it cannot be copied. */
#define with_name(path, user_path, expression)                                                               \
    ({                                                                                                       \
        char *path = getname(user_path);                                                                     \
        __typeof__(expression) with_ = (__typeof__(expression))path;                                         \
        if (!IS_ERR(path)) {                                                                                 \
            with_ = (expression);                                                                            \
            put_page(page_of(path));                                                                         \
        }                                                                                                    \
        with_;                                                                                               \
    })

/* fs/super.c */
extern struct super_block *root_filesystem;
void mount_at(struct inode *dir, struct super_block *super);
void sync_filesystems(void);

/* fs/read_write.c */
loff_t generic_file_llseek(struct file *file, loff_t offset, int origin);
loff_t no_llseek(struct file *file, loff_t offset, int origin);

/* fs/ramfs.c, fs/initramfs.c */
void ramfs_init(void);
struct file *ramfs_file(loff_t size);
struct inode *ramfs_mknod(const char *path, u32 mode);
struct inode *ramfs_special(const char *path, u32 mode, const struct file_operations *operations);
struct inode *ramfs_lookup(struct inode *dir, const char *name, u32 length);
void unpack_archive(u32 start, u32 end);

/* fs/ext/super.c */
void mount_disk(u32 start, u32 end);

/* fs/devices.c */
extern struct file *console;
void devices_init(void);

/* fs/proc.c */
void proc_init(void);

/* mm/filemap.c */
struct page *grab_cache_page(struct inode *inode, u32 index);
void truncate_pages(struct inode *inode, loff_t size);
extern u32 page_cache_size;

/* mm/file_read.c, mm/file_write.c */
struct page *read_cache_page(struct file *file, u32 index);
ssize_t generic_file_read(struct file *file, char *buf, size_t count, loff_t *ppos);
ssize_t generic_file_write(struct file *file, const char *buf, size_t count, loff_t *ppos);
ssize_t kernel_read(struct file *file, void *to, size_t count, loff_t *ppos);
