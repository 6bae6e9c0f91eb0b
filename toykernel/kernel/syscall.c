/* The system-call table, numbered as on Linux. */
#include "syscall.h"

/* Every free slot; specialization fills some of them. */
int sys_ni_syscall(void)
{
    return -ENOSYS;
}

typedef void (*syscall_t)(void); /* the handlers differ in their parameters */

#pragma GCC diagnostic ignored "-Woverride-init"

syscall_t sys_call_table[NR_SYSCALLS] = {
    [0 ... NR_SYSCALLS - 1] = (syscall_t)sys_ni_syscall,
    [1] = (syscall_t)sys_exit,
    [3] = (syscall_t)sys_read,
    [4] = (syscall_t)sys_write,
    [5] = (syscall_t)sys_open,
    [6] = (syscall_t)sys_close,
    [10] = (syscall_t)sys_unlink,
    [12] = (syscall_t)sys_chdir,
    [19] = (syscall_t)sys_lseek,
    [20] = (syscall_t)sys_getpid,
    [36] = (syscall_t)sys_sync,
    [39] = (syscall_t)sys_mkdir,
    [40] = (syscall_t)sys_rmdir,
    [93] = (syscall_t)sys_ftruncate,
    [118] = (syscall_t)sys_fsync,
    [141] = (syscall_t)sys_getdents,
    [200] = (syscall_t)sys_kprofile,
};
