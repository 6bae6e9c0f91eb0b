/* Signals: so far only those that a program's own faults send, and all of them end it. */
#include "sched.h"

/* It takes effect when the task next leaves for user mode. */
void send_signal(struct task *task, u32 signal)
{
    task->signals |= 1u << signal;
    task->sigpending = 1;
}

/* From entry.S, on the way back to user mode. */
void do_signal(void)
{
    do_exit(128 + __builtin_ctz(current->signals));
}
