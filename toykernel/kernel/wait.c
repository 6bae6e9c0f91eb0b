/* Letting others run: for a turn, until something happens, or whenever nobody else can. */
#include "io.h"
#include "sched.h"
#include "syscall.h"

/* For long work in the kernel, wherever it holds nothing that others could find half-done. */
void cond_resched(void)
{
    if (current->need_resched)
        schedule();
}

SYSCALL_DEFINE0(sched_yield)
{
    schedule();
    return 0;
}

/* A task that sleeps may run again; a zombie does not. */
void wake_task(struct task *task)
{
    if (task->state == TASK_SLEEPING)
        task->state = TASK_RUNNING;
}

/* Sleep until wake_up; not at all, or no longer, if a signal is pending. */
void sleep_on(struct wait_queue *queue)
{
    struct task *task = current;

    if (signal_pending())
        return;
    task->next_waiting = queue->first;
    queue->first = task;
    task->state = TASK_SLEEPING;
    schedule();
    list_remove(&queue->first, task, next_waiting); /* where it still is after a signal */
}

/* All that sleep there look at their condition again. */
void wake_up(struct wait_queue *queue)
{
    for (; queue->first; queue->first = queue->first->next_waiting)
        wake_task(queue->first);
}

/* What the first task does ever after: run when nobody else can. */
void idle(void)
{
    for (;;) {
        schedule();
        disable_interrupts();
        if (!current->need_resched)
            asm volatile("sti\n\thlt"); /* no interrupt gets lost between the two */
        enable_interrupts();
    }
}
