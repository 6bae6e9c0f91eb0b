/* Round robin over a ring of tasks. */
#include "io.h"
#include "mm.h"
#include "sched.h"

extern u32 swapper_pg_dir[];

union task_union init_task_union __attribute__((aligned(STACK_SIZE))) = {
    .task = {.next = &init_task_union.task, .pgd = swapper_pg_dir},
};

/* The task behind `task` that can run: at worst `task` itself again. */
static struct task *next_runnable(struct task *task)
{
    struct task *next = task->next;
    while (next->state != TASK_RUNNING && next != task)
        next = next->next;
    return next;
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

void wake_up(struct task *task)
{
    task->state = TASK_RUNNING;
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
