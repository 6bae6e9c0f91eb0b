/* The system-call table, numbered as on Linux. */
#include "syscall.h"

/* Every free slot; specialization fills some of them. */
SYSCALL_DEFINE0(ni_syscall)
{
    return -ENOSYS;
}

#pragma GCC diagnostic ignored "-Woverride-init"

syscall_t *sys_call_table[NR_SYSCALLS] = {
    [0 ... NR_SYSCALLS - 1] = sys_ni_syscall,
    [1] = sys_exit,
    [2] = sys_fork,
    [3] = sys_read,
    [4] = sys_write,
    [5] = sys_open,
    [6] = sys_close,
    [7] = sys_waitpid,
    [10] = sys_unlink,
    [11] = sys_execve,
    [12] = sys_chdir,
    [13] = sys_time,
    [19] = sys_lseek,
    [20] = sys_getpid,
    [26] = sys_ptrace,
    [36] = sys_sync,
    [37] = sys_kill,
    [39] = sys_mkdir,
    [40] = sys_rmdir,
    [41] = sys_dup,
    [42] = sys_pipe,
    [43] = sys_times,
    [45] = sys_brk,
    [54] = sys_ioctl,
    [55] = sys_fcntl,
    [63] = sys_dup2,
    [64] = sys_getppid,
    [91] = sys_munmap,
    [93] = sys_ftruncate,
    [106] = sys_stat,
    [108] = sys_fstat,
    [118] = sys_fsync,
    [122] = sys_uname,
    [141] = sys_getdents,
    [158] = sys_sched_yield,
    [162] = sys_nanosleep,
    [192] = sys_mmap2,
    [200] = sys_kprofile,
};
