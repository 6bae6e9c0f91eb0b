/* The system calls.  A handler's arguments are the program's saved registers themselves (entry.S). */
#pragma once

#include "kernel.h"

/* A compiler may reuse the slots of arguments, and tail calls do: that would change the program's registers.
   This says that the arguments are still needed where the result is known.  (Linux: asmlinkage_protect.) */
#define KEEP_1(result, a)          asm("" : "+r"(result) : "m"(a))
#define KEEP_2(result, a, b)       asm("" : "+r"(result) : "m"(a), "m"(b))
#define KEEP_3(result, a, b, c)    asm("" : "+r"(result) : "m"(a), "m"(b), "m"(c))
#define KEEP_4(result, a, b, c, d) asm("" : "+r"(result) : "m"(a), "m"(b), "m"(c), "m"(d))
#define KEEP_6(result, a, b, c, d, e, f)                                                                     \
    asm("" : "+r"(result) : "m"(a), "m"(b), "m"(c), "m"(d), "m"(e), "m"(f))

struct tms {
    u32 tms_utime;  /* ticks in user mode */
    u32 tms_stime;  /* in the kernel */
    u32 tms_cutime; /* the same of children that were waited for */
    u32 tms_cstime;
};

struct timespec {
    int tv_sec;
    int tv_nsec;
};

/* The same for a result that is returned at once. */
#define kept_1(value, a)                                                                                     \
    ({                                                                                                       \
        int value_ = (value);                                                                                \
        KEEP_1(value_, a);                                                                                   \
        value_;                                                                                              \
    })
#define kept_2(value, a, b)    kept_1(kept_1(value, a), b)
#define kept_3(value, a, b, c) kept_1(kept_2(value, a, b), c)

typedef void (*syscall_t)(void); /* the handlers differ in their parameters */
extern syscall_t sys_call_table[NR_SYSCALLS];

struct stat;

int sys_ni_syscall(void);
int sys_exit(int status);
int sys_fork(struct pt_regs regs);
int sys_read(u32 fd, char *buf, size_t count);
int sys_write(u32 fd, const char *buf, size_t count);
int sys_open(const char *path, u32 flags, u32 mode);
int sys_close(u32 fd);
int sys_unlink(const char *path);
int sys_chdir(const char *path);
int sys_lseek(u32 fd, off_t offset, u32 origin);
int sys_getpid(void);
int sys_sync(void);
int sys_mkdir(const char *path, u32 mode);
int sys_rmdir(const char *path);
int sys_dup(u32 fd);
int sys_pipe(int *fds);
int sys_ioctl(u32 fd, u32 command, u32 argument);
int sys_fcntl(u32 fd, u32 command, u32 argument);
int sys_dup2(u32 fd, u32 new);
int sys_ftruncate(u32 fd, off_t length);
int sys_stat(const char *path, struct stat *to);
int sys_fstat(u32 fd, struct stat *to);
int sys_fsync(u32 fd);
int sys_uname(void *to);
int sys_getdents(u32 fd, void *buf, size_t count);
int sys_waitpid(int pid, u32 *status, u32 options);
int sys_execve(struct pt_regs regs);
int sys_ptrace(u32 request, u32 pid, u32 address, u32 data);
int sys_kill(int pid, u32 signal);
int sys_time(u32 *to);
int sys_times(struct tms *to);
int sys_brk(u32 end);
int sys_getppid(void);
int sys_munmap(u32 start, u32 length);
int sys_sched_yield(void);
int sys_nanosleep(const struct timespec *time, struct timespec *left);
int sys_mmap2(u32 start, u32 length, u32 prot, u32 flags, u32 fd, u32 pgoff);
int sys_kprofile(u32 command, u32 type);
