/* The system calls of Linux 2.4 that programs use, with its numbers, constants and structures.  They are inline, so
   that their constants stand at the call.  Results are the kernel's: negative ones are errors (errno.h). */
#pragma once

#include <stddef.h>

typedef unsigned short u16;
typedef unsigned int u32;

enum {
    SYS_exit = 1,
    SYS_fork = 2,
    SYS_read = 3,
    SYS_write = 4,
    SYS_open = 5,
    SYS_close = 6,
    SYS_waitpid = 7,
    SYS_unlink = 10,
    SYS_execve = 11,
    SYS_chdir = 12,
    SYS_time = 13,
    SYS_lseek = 19,
    SYS_getpid = 20,
    SYS_ptrace = 26,
    SYS_sync = 36,
    SYS_kill = 37,
    SYS_mkdir = 39,
    SYS_rmdir = 40,
    SYS_dup = 41,
    SYS_pipe = 42,
    SYS_times = 43,
    SYS_brk = 45,
    SYS_ioctl = 54,
    SYS_fcntl = 55,
    SYS_dup2 = 63,
    SYS_getppid = 64,
    SYS_munmap = 91,
    SYS_ftruncate = 93,
    SYS_stat = 106,
    SYS_fstat = 108,
    SYS_fsync = 118,
    SYS_uname = 122,
    SYS_getdents = 141,
    SYS_sched_yield = 158,
    SYS_nanosleep = 162,
    SYS_mmap2 = 192,
    SYS_kprofile = 200
};

enum {
    O_RDONLY = 0,
    O_WRONLY = 1,
    O_RDWR = 2,
    O_CREAT = 0100,
    O_EXCL = 0200,
    O_TRUNC = 01000,
    O_APPEND = 02000,
    O_NONBLOCK = 04000,
    O_DIRECTORY = 0200000
};
enum { SEEK_SET, SEEK_CUR, SEEK_END };
enum {
    F_DUPFD,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_SETFL,
    F_GETLK,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_GETOWN,
    F_SETSIG,
    F_GETSIG
};
enum { FD_CLOEXEC = 1 };
enum { TCGETS = 0x5401, TIOCGWINSZ = 0x5413, FIONREAD = 0x541B };
enum { S_IFMT = 0170000, S_IFIFO = 0010000, S_IFCHR = 0020000, S_IFDIR = 0040000, S_IFREG = 0100000 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { MAP_SHARED = 1, MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20 };
enum { WNOHANG = 1, PTRACE_TRACEME = 0 };
enum {
    SIGHUP = 1,
    SIGINT = 2,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGSEGV = 11,
    SIGPIPE = 13,
    SIGALRM = 14,
    SIGTERM = 15,
    SIGCHLD = 17
};

struct stat {
    u32 st_dev;      /* the filesystem */
    u32 st_ino;      /* the file's number there */
    u16 st_mode;     /* S_IF… and permissions */
    u16 st_nlink;    /* names */
    u16 st_uid;      /* owner */
    u16 st_gid;      /* group */
    u32 st_rdev;     /* which device it is */
    u32 st_size;     /* bytes */
    u32 st_blksize;  /* bytes that are best read at once */
    u32 st_blocks;   /* of 512 bytes, in use */
    u32 st_times[6]; /* access, change, status: seconds and nanoseconds each */
    u32 st_reserved[2];
};

struct dirent {
    u32 d_ino;    /* number of the file */
    u32 d_off;    /* position of the entry behind it */
    u16 d_reclen; /* bytes of this entry */
    char d_name[];
};

struct utsname {
    char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct tms {
    int tms_utime;  /* ticks in user mode */
    int tms_stime;  /* in the kernel */
    int tms_cutime; /* the same of children that were waited for */
    int tms_cstime;
};

struct timespec {
    int tv_sec;
    int tv_nsec;
};

#define CALL static inline __attribute__((always_inline))

CALL int syscall6(int number, int a, int b, int c, int d, int e, int f)
{
    int result;
    asm volatile(
        "pushl %7\n\tpushl %%ebp\n\tmovl 4(%%esp), %%ebp\n\tint $0x80\n\tpopl %%ebp\n\taddl $4, %%esp"
        : "=a"(result)
        : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "g"(f)
        : "memory");
    return result;
}

CALL int syscall4(int number, int a, int b, int c, int d)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
    return result;
}

CALL int syscall3(int number, int a, int b, int c)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

CALL int syscall2(int number, int a, int b)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b) : "memory");
    return result;
}

CALL int syscall1(int number, int a)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a) : "memory");
    return result;
}

CALL int syscall0(int number)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number) : "memory");
    return result;
}

CALL int read(int fd, void *buf, size_t count)
{
    return syscall3(SYS_read, fd, (int)buf, count);
}

CALL int write(int fd, const void *buf, size_t count)
{
    return syscall3(SYS_write, fd, (int)buf, count);
}

CALL int open(const char *path, int flags, int mode)
{
    return syscall3(SYS_open, (int)path, flags, mode);
}

CALL int close(int fd)
{
    return syscall1(SYS_close, fd);
}

CALL int lseek(int fd, int offset, int whence)
{
    return syscall3(SYS_lseek, fd, offset, whence);
}

CALL int unlink(const char *path)
{
    return syscall1(SYS_unlink, (int)path);
}

CALL int mkdir(const char *path, int mode)
{
    return syscall2(SYS_mkdir, (int)path, mode);
}

CALL int rmdir(const char *path)
{
    return syscall1(SYS_rmdir, (int)path);
}

CALL int chdir(const char *path)
{
    return syscall1(SYS_chdir, (int)path);
}

CALL int stat(const char *path, struct stat *st)
{
    return syscall2(SYS_stat, (int)path, (int)st);
}

CALL int fstat(int fd, struct stat *st)
{
    return syscall2(SYS_fstat, fd, (int)st);
}

CALL int ftruncate(int fd, int length)
{
    return syscall2(SYS_ftruncate, fd, length);
}

CALL int fsync(int fd)
{
    return syscall1(SYS_fsync, fd);
}

CALL int sync(void)
{
    return syscall0(SYS_sync);
}

CALL int getdents(int fd, void *buf, size_t count)
{
    return syscall3(SYS_getdents, fd, (int)buf, count);
}

CALL int dup(int fd)
{
    return syscall1(SYS_dup, fd);
}

CALL int dup2(int old, int new)
{
    return syscall2(SYS_dup2, old, new);
}

CALL int pipe(int *fds)
{
    return syscall1(SYS_pipe, (int)fds);
}

CALL int fcntl(int fd, int command, int argument)
{
    return syscall3(SYS_fcntl, fd, command, argument);
}

CALL int ioctl(int fd, int request, void *argument)
{
    return syscall3(SYS_ioctl, fd, request, (int)argument);
}

CALL int fork(void)
{
    return syscall0(SYS_fork);
}

CALL int waitpid(int pid, int *status, int options)
{
    return syscall3(SYS_waitpid, pid, (int)status, options);
}

CALL int execve(const char *path, char *const *argv, char *const *envp)
{
    return syscall3(SYS_execve, (int)path, (int)argv, (int)envp);
}

CALL int getpid(void)
{
    return syscall0(SYS_getpid);
}

CALL int getppid(void)
{
    return syscall0(SYS_getppid);
}

CALL int kill(int pid, int signal)
{
    return syscall2(SYS_kill, pid, signal);
}

CALL int sched_yield(void)
{
    return syscall0(SYS_sched_yield);
}

CALL int nanosleep(const struct timespec *time, struct timespec *left)
{
    return syscall2(SYS_nanosleep, (int)time, (int)left);
}

CALL int ptrace(int request, int pid, void *address, void *data)
{
    return syscall4(SYS_ptrace, request, pid, (int)address, (int)data);
}

CALL int brk(void *end)
{
    return syscall1(SYS_brk, (int)end);
}

CALL int munmap(void *start, size_t length)
{
    return syscall2(SYS_munmap, (int)start, length);
}

CALL int time(int *t)
{
    return syscall1(SYS_time, (int)t);
}

CALL int times(struct tms *buf)
{
    return syscall1(SYS_times, (int)buf);
}

CALL int uname(struct utsname *name)
{
    return syscall1(SYS_uname, (int)name);
}

CALL int kprofile(int command, int type)
{
    return syscall2(SYS_kprofile, command, type);
}

/* The offset is in pages. */
CALL int mmap2(void *start, size_t length, int protection, int flags, int fd, int offset)
{
    return syscall6(SYS_mmap2, (int)start, length, protection, flags, fd, offset);
}

__attribute__((noreturn)) CALL void exit(int status)
{
    syscall1(SYS_exit, status);
    __builtin_unreachable();
}
