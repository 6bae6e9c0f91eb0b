/* Round robin over a ring of tasks. */
#include "io.h"
#include "sched.h"

union task_union init_task_union __attribute__((aligned(STACK_SIZE))) = {
    .task = {.next = &init_task_union.task, .mm = {.pgd = swapper_pg_dir}, .addr_limit = ~0u},
};

u32 nr_tasks; /* in the ring, without the idle task */

/* The next task in the ring that can run, at worst `task` itself again, or the idle task. */
static struct task *next_runnable(struct task *task)
{
    struct task *next = task;

    do
        next = next->next;
    while ((next->state != TASK_RUNNING || next == idle_task) && next != task);
    return next->state == TASK_RUNNING ? next : idle_task;
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
    load_cr3(physical(next->mm.pgd));
    switch_to(previous, next);
    enable_interrupts();
}

/* Exchange the running task's address space with another. */
void use_mm(struct mm *mm)
{
    struct mm old = current->mm;

    current->mm = *mm;
    load_cr3(physical(mm->pgd));
    *mm = old;
}

/* The running task has had another tick. */
void scheduler_tick(void)
{
    struct task *task = current;

    if (task->counter > 0)
        task->counter--;
    if (task->counter == 0)
        task->need_resched = 1;
}

/* Its turn comes when all others had theirs. */
void add_task(struct task *task)
{
    struct task *last = idle_task;

    while (last->next != idle_task)
        last = last->next;
    last->next = task;
    nr_tasks++;
}

void remove_task(struct task *task)
{
    list_remove(&idle_task->next, task, next);
    nr_tasks--;
}
