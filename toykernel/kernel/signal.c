/* Signals, with their default actions only: they end a task or mean nothing to it. */
#include "sched.h"
#include "syscall.h"

#define BIT(signal) (1u << (signal))
#define IGNORED                                                                                              \
    (BIT(0) | BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU) |      \
     BIT(SIGURG) | BIT(SIGWINCH)) /* nobody stops: there is no terminal to stop for */

/* It takes effect when the task next leaves for user mode, which the kernel's own never do. */
void send_signal(struct task *task, u32 signal)
{
    if (BIT(signal) & IGNORED || task->pid <= 1)
        return;
    task->sigpending |= BIT(signal);
    wake_task(task);
}

/* From entry.S, on the way back to user mode. */
void do_signal(void)
{
    do_exit(__builtin_ctz(current->sigpending));
}

/* Does kill mean this task?  All are of one group: 0 is everybody, -1 everybody else. */
static bool is_meant(const struct task *task, int pid)
{
    return pid > 0 ? task->pid == (u32)pid : task->pid > 1 && (pid == 0 || (pid == -1 && task != current));
}

SYSCALL_DEFINE2(kill, int, pid, u32, signal)
{
    int result = -ESRCH;

    for_each_task (task)
        if (is_meant(task, pid)) {
            if (signal >= NR_SIGNALS)
                return -EINVAL;
            send_signal(task, signal);
            result = 0;
        }
    return result;
}
