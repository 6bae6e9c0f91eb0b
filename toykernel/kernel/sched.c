/* Round robin over a ring of tasks. */
#include "io.h"
#include "mm.h"
#include "sched.h"

extern u32 swapper_pg_dir[];

union task_union init_task_union __attribute__((aligned(STACK_SIZE))) = {
    .task = {.next = &init_task_union.task, .pgd = swapper_pg_dir},
};

/* The next task in the ring that can run, at worst `task` itself again, or the idle task. */
static struct task *next_runnable(struct task *task)
{
    struct task *next = task, *idler = &init_task_union.task;

    do
        next = next->next;
    while ((next->state != TASK_RUNNING || next == idler) && next != task);
    return next->state == TASK_RUNNING ? next : idler;
}

/* Let another task run; returns when it is our turn again, with the caller's frame intact. */
void schedule(void)
{
    struct task *previous = current;
    struct task *next = next_runnable(previous);

    previous->need_resched = 0;
    next->counter = QUANTUM;
    if (next == previous)
        return;
    disable_interrupts();
    set_kernel_stack((u32)next + STACK_SIZE);
    load_cr3(physical(next->pgd));
    switch_to(previous, next);
    enable_interrupts();
}

/* For long work in the kernel, wherever it holds nothing that others could find half-done. */
void cond_resched(void)
{
    if (current->need_resched)
        schedule();
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
    struct task *task = current, **link = &queue->first;

    if (signal_pending())
        return;
    task->next_waiting = queue->first;
    queue->first = task;
    task->state = TASK_SLEEPING;
    schedule();
    while (*link && *link != task)
        link = &(*link)->next_waiting;
    if (*link) /* it was a signal */
        *link = task->next_waiting;
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
            wait_for_interrupt();
        enable_interrupts();
    }
}

/* From the timer interrupt. */
void scheduler_tick(void)
{
    struct task *task = current;
    if (task->counter > 0)
        task->counter--;
    if (task->counter == 0)
        task->need_resched = 1;
}

void add_task(struct task *task)
{
    struct task *first = &init_task_union.task;
    task->next = first->next;
    first->next = task;
}

void remove_task(struct task *task)
{
    struct task *before = &init_task_union.task;
    while (before->next != task)
        before = before->next;
    before->next = task->next;
}
