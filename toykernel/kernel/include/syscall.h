/* The system calls.  A handler's parameters are the program's saved registers themselves (entry.S). */
#pragma once

#include "kernel.h"
#include "regs.h"

typedef int syscall_t(u32 ebx, u32 ecx, u32 edx, u32 esi, u32 edi, u32 ebp);

/* SYSCALL_DEFINE1(close, u32, fd) and a body make the handler sys_close, which takes the body's arguments from the
   registers.  A compiler may reuse the slots of parameters, and tail calls do: that would change the program's registers.
   So it says that they are still needed where the result is known.  (Linux: asmlinkage_protect.) */
#define SYSCALL_DEFINE0(name)         SYSCALL_BODY(sys_##name, do_sys_##name, (void), ())
#define SYSCALL_DEFINE1(name, t1, a1) SYSCALL_BODY(sys_##name, do_sys_##name, (t1 a1), ((t1)ebx))
#define SYSCALL_DEFINE2(name, t1, a1, t2, a2)                                                                \
    SYSCALL_BODY(sys_##name, do_sys_##name, (t1 a1, t2 a2), ((t1)ebx, (t2)ecx))
#define SYSCALL_DEFINE3(name, t1, a1, t2, a2, t3, a3)                                                        \
    SYSCALL_BODY(sys_##name, do_sys_##name, (t1 a1, t2 a2, t3 a3), ((t1)ebx, (t2)ecx, (t3)edx))
#define SYSCALL_DEFINE6(name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                                \
    SYSCALL_BODY(sys_##name, do_sys_##name, (t1 a1, t2 a2, t3 a3, t4 a4, t5 a5, t6 a6),                      \
                 ((t1)ebx, (t2)ecx, (t3)edx, (t4)esi, (t5)edi, (t6)ebp))

#define SYSCALL_BODY(handler, body, parameters, arguments)                                                   \
    static inline int body parameters;                                                                       \
    int handler(u32 ebx, u32 ecx, u32 edx, u32 esi, u32 edi, u32 ebp)                                        \
    {                                                                                                        \
        int result = body arguments;                                                                         \
        asm("" : "+r"(result) : "m"(ebx), "m"(ecx), "m"(edx), "m"(esi), "m"(edi), "m"(ebp));                 \
        return result;                                                                                       \
    }                                                                                                        \
    static inline int body parameters

syscall_t sys_ni_syscall, sys_exit, sys_fork, sys_execve, sys_read, sys_write, sys_open, sys_close,
    sys_waitpid, sys_unlink, sys_chdir, sys_time, sys_lseek, sys_getpid, sys_ptrace, sys_sync, sys_kill,
    sys_mkdir, sys_rmdir, sys_dup, sys_pipe, sys_times, sys_brk, sys_ioctl, sys_fcntl, sys_dup2, sys_getppid,
    sys_munmap, sys_ftruncate, sys_stat, sys_fstat, sys_fsync, sys_uname, sys_getdents, sys_sched_yield,
    sys_nanosleep, sys_mmap2, sys_kprofile;

extern syscall_t *sys_call_table[NR_SYSCALLS];
