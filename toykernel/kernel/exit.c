/* Tasks end: a zombie keeps its status and its times until its parent asks for them. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

enum { WNOHANG = 1, WUNTRACED = 2 };

/* Init becomes the parent of the children. */
static void leave_children(struct task *task)
{
    struct task *init_task = idle_task->next;

    for_each_task (child)
        if (child->parent == task) {
            child->parent = init_task;
            wake_up(&init_task->children);
        }
}

/* End the running task; the parent finds the status. */
void do_exit(u32 status)
{
    struct task *task = current;

    exit_files();
    free_mm(&task->mm);
    leave_children(task);
    task->exit_status = status;
    task->state = TASK_ZOMBIE;
    wake_up(&task->parent->children);
    schedule();
    panic("a zombie runs", (u32)task);
}

SYSCALL_DEFINE1(exit, int, status)
{
    do_exit((status & 0xFF) << 8);
}

/* A child that `pid` may mean (any, if it is not positive), a zombie if there is one; NULL if there is none. */
static struct task *find_child(int pid)
{
    struct task *found = NULL;

    for_each_task (task) {
        if (task->parent != current || (pid > 0 && task->pid != (u32)pid))
            continue;
        if (task->state == TASK_ZOMBIE)
            return task;
        found = task;
    }
    return found;
}

/* The last that happens to a zombie, whose pid is returned, unless the status cannot be told. */
static int bury(struct task *task, u32 *status)
{
    int pid = task->pid;

    if (status && put_user(task->exit_status, status))
        return -EFAULT;
    current->times.cutime += task->times.utime + task->times.cutime;
    current->times.cstime += task->times.stime + task->times.cstime;
    remove_task(task);
    free_pages(page_of(task), 1);
    return pid;
}

/* Wait for a child's end: its pid, 0 if none has ended and we shall not sleep, or an error. */
int do_wait(int pid, u32 *status, bool block)
{
    for (;;) {
        struct task *child = find_child(pid);
        if (!child)
            return -ECHILD;
        if (child->state == TASK_ZOMBIE)
            return bury(child, status);
        if (!block)
            return 0;
        if (signal_pending())
            return -EINTR;
        sleep_on(&current->children);
    }
}

SYSCALL_DEFINE3(waitpid, int, pid, u32 *, status, u32, options)
{
    return options & ~(WNOHANG | WUNTRACED) ? -EINVAL : do_wait(pid, status, !(options & WNOHANG));
}
