/* The system-call table, numbered as on Linux. */
#include "syscall.h"

/* Every free slot; specialization fills some of them. */
int sys_ni_syscall(void)
{
    return -ENOSYS;
}

#pragma GCC diagnostic ignored "-Woverride-init"

syscall_t sys_call_table[NR_SYSCALLS] = {
    [0 ... NR_SYSCALLS - 1] = (syscall_t)sys_ni_syscall,
    [1] = (syscall_t)sys_exit,
    [2] = (syscall_t)sys_fork,
    [3] = (syscall_t)sys_read,
    [4] = (syscall_t)sys_write,
    [5] = (syscall_t)sys_open,
    [6] = (syscall_t)sys_close,
    [7] = (syscall_t)sys_waitpid,
    [10] = (syscall_t)sys_unlink,
    [11] = (syscall_t)sys_execve,
    [12] = (syscall_t)sys_chdir,
    [13] = (syscall_t)sys_time,
    [19] = (syscall_t)sys_lseek,
    [20] = (syscall_t)sys_getpid,
    [26] = (syscall_t)sys_ptrace,
    [36] = (syscall_t)sys_sync,
    [37] = (syscall_t)sys_kill,
    [39] = (syscall_t)sys_mkdir,
    [40] = (syscall_t)sys_rmdir,
    [41] = (syscall_t)sys_dup,
    [42] = (syscall_t)sys_pipe,
    [43] = (syscall_t)sys_times,
    [45] = (syscall_t)sys_brk,
    [54] = (syscall_t)sys_ioctl,
    [55] = (syscall_t)sys_fcntl,
    [63] = (syscall_t)sys_dup2,
    [64] = (syscall_t)sys_getppid,
    [91] = (syscall_t)sys_munmap,
    [93] = (syscall_t)sys_ftruncate,
    [106] = (syscall_t)sys_stat,
    [108] = (syscall_t)sys_fstat,
    [118] = (syscall_t)sys_fsync,
    [122] = (syscall_t)sys_uname,
    [141] = (syscall_t)sys_getdents,
    [158] = (syscall_t)sys_sched_yield,
    [162] = (syscall_t)sys_nanosleep,
    [192] = (syscall_t)sys_mmap2,
    [200] = (syscall_t)sys_kprofile,
};
