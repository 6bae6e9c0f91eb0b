/* The virtual filesystem: open files, inodes, their pages, and the operations of each kind. */
#pragma once

#include "mm.h"
#include "sched.h"

#define NAME_MAX 59           /* bytes of one component of a path */
#define PATH_MAX PAGE_SIZE    /* bytes of a path with its final zero */
#define MAX_SIZE 0x7FFFFFFFLL /* of a file that a 32-bit off_t can seek in */

#define O_ACCMODE 3
#define O_RDONLY  0
#define O_RDWR    2
#define O_CREAT   0100
#define O_EXCL    0200
#define O_TRUNC   01000
#define O_APPEND  02000

#define FMODE_READ  1
#define FMODE_WRITE 2

#define S_IFMT  0170000
#define S_IFCHR 0020000
#define S_IFDIR 0040000
#define S_IFREG 0100000

enum { SEEK_SET, SEEK_CUR, SEEK_END };

struct file {
    struct inode *f_inode;              /* the file that was opened */
    const struct file_operations *f_op; /* how to use it */
    u32 f_count;                        /* descriptors and running system calls that use it */
    u32 f_flags;                        /* O_… as opened */
    u32 f_mode;                         /* FMODE_… */
    loff_t f_pos;                       /* where the next read or write begins */
};

struct file_operations {
    loff_t (*llseek)(struct file *, loff_t, int);
    ssize_t (*read)(struct file *, char *, size_t, loff_t *);
    ssize_t (*write)(struct file *, const char *, size_t, loff_t *);
};

struct address_space {
    struct inode *host;                           /* whose pages these are */
    struct page *pages;                           /* list of those in memory */
    u32 nrpages;                                  /* how many */
    const struct address_space_operations *a_ops; /* how they get in and out */
};

struct address_space_operations {
    int (*readpage)(struct file *, struct page *);
    int (*prepare_write)(struct file *, struct page *, u32 from, u32 to);
    int (*commit_write)(struct file *, struct page *, u32 from, u32 to);
};

struct inode {
    u32 i_mode;                          /* S_IF… and permissions */
    u32 i_count;                         /* names and open files that refer to it */
    loff_t i_size;                       /* in bytes */
    const struct inode_operations *i_op; /* what can be done with it by name */
    const struct file_operations *i_fop; /* what its open files can do */
    struct super_block *i_sb;            /* the filesystem that it is in */
    struct address_space *i_mapping;     /* where its pages are: its own, or another inode's */
    struct address_space i_data;         /* its own */
    void *i_private;                     /* the filesystem's */
};

struct inode_operations {
    struct inode *(*lookup)(struct inode *dir, const char *name, u32 length);
    struct inode *(*create)(struct inode *dir, const char *name, u32 length, u32 mode);
    void (*truncate)(struct inode *);
};

struct super_block {
    struct inode *s_root; /* the filesystem's first directory */
    loff_t s_maxbytes;    /* how large a file may grow */
};

/* A path that was followed up to its last component. */
struct nameidata {
    struct inode *dir; /* where the last component is, or may be made */
    const char *last;  /* the component, not ended by a zero; empty for the root itself */
    u32 length;        /* of the component, in bytes */
    bool directory;    /* a slash follows, so it must be one */
};

/* What a read still has to do, handed from page to page. */
struct read_descriptor {
    size_t written; /* bytes delivered */
    size_t count;   /* bytes wanted */
    char *buf;      /* where the next ones go */
    int error;      /* why it ended early */
};
typedef size_t (*read_actor_t)(struct read_descriptor *, struct page *, u32 offset, u32 size);

/* fs/file_table.c */
struct file *fget(u32 fd);
void fput(struct file *file);
int get_unused_fd(void);
void install_fd(u32 fd, struct file *file);
struct file *detach_fd(u32 fd);
struct file *get_empty_file(void);

/* fs/open.c */
struct file *file_open(const char *path, u32 flags, u32 mode);

/* fs/inode.c */
struct inode *new_inode(struct super_block *super, u32 mode);
void iput(struct inode *inode);

/* fs/namei.c */
extern struct super_block *root_filesystem;
int path_parent(const char *path, struct nameidata *nd);
struct inode *open_namei(const char *path, u32 flags, u32 mode);
char *getname(const char *user_path);
void putname(char *path);

/* fs/read_write.c */
loff_t generic_file_llseek(struct file *file, loff_t offset, int origin);
loff_t no_llseek(struct file *file, loff_t offset, int origin);

/* fs/ramfs.c, fs/initramfs.c, fs/console.c */
void ramfs_init(void);
struct inode *ramfs_mknod(const char *path, u32 mode);
void unpack_archive(u32 start, u32 end);
void console_init(void);
extern struct file *console;

/* mm/filemap.c */
struct page *find_get_page(struct address_space *mapping, u32 index);
struct page *grab_cache_page(struct address_space *mapping, u32 index);
void truncate_pages(struct address_space *mapping);

/* mm/file_read.c, mm/file_write.c */
ssize_t generic_file_read(struct file *file, char *buf, size_t count, loff_t *ppos);
ssize_t generic_file_write(struct file *file, const char *buf, size_t count, loff_t *ppos);
ssize_t kernel_read(struct file *file, loff_t pos, void *to, size_t count);
int kernel_write(struct inode *inode, const void *from, size_t count);
