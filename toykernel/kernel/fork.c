/* Tasks begin: as copies of others, of programs or of tasks of the kernel. */
#include "fs.h"
#include "syscall.h"

static u32 last_pid;

/* A task like the running one, which begins with `function`, still without memory or open files; NULL if memory is
   short.  Above its registers for user mode nothing is on its stack, below them what switch_to pops. */
static struct task *new_task(void (*function)(void))
{
    struct page *pages = alloc_pages(1);
    struct task *task;
    u32 *top;

    if (!pages)
        return NULL;
    task = memset(pages->address, 0, STACK_SIZE);
    task->pid = ++last_pid;
    task->next = idle_task;
    task->parent = current;
    task->addr_limit = current->addr_limit;
    *task_regs(task) = *task_regs(current);
    task_regs(task)->eax = 0;
    top = (u32 *)task_regs(task) - 1;
    *top = (u32)function;       /* switch_to returns there; it does not return itself */
    task->esp = (u32)(top - 4); /* edi, esi, ebx, ebp */
    return task;
}

/* A copy of the running task, which begins with `function`: its pid, or an error. */
int do_fork(void (*function)(void))
{
    struct task *task;

    if (nr_tasks >= NR_TASKS)
        return -EAGAIN;
    task = new_task(function);
    if (!task)
        return -ENOMEM;
    if (copy_mm(&task->mm, &current->mm)) {
        free_mm(&task->mm);
        free_pages(page_of(task), 1);
        return -ENOMEM;
    }
    copy_files(task);
    add_task(task);
    return task->pid;
}

/* The copy goes on where its parent does, but for eax. */
SYSCALL_DEFINE0(fork)
{
    return do_fork(ret_from_fork);
}

SYSCALL_DEFINE0(getpid)
{
    return current->pid;
}

SYSCALL_DEFINE0(getppid)
{
    return current->parent->pid;
}
