/* Tasks end: a zombie keeps its status and its times until its parent asks for them. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

enum { WNOHANG = 1, WUNTRACED = 2 };

/* Init becomes the parent of the children. */
static void leave_children(struct task *task)
{
    struct task *init_task = idle_task->next;

    for (struct task *child = init_task; child != idle_task; child = child->next)
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

    for (struct task *task = idle_task->next; task != idle_task; task = task->next) {
        if (task->parent != current || (pid > 0 && task->pid != (u32)pid))
            continue;
        if (task->state == TASK_ZOMBIE)
            return task;
        found = task;
    }
    return found;
}

/* A child that has ended; NULL if none has and we shall not sleep; or an error. */
struct task *wait_for_child(int pid, bool block)
{
    for (;;) {
        struct task *child = find_child(pid);
        if (!child)
            return ERR_PTR(-ECHILD);
        if (child->state == TASK_ZOMBIE)
            return child;
        if (!block)
            return NULL;
        if (signal_pending())
            return ERR_PTR(-EINTR);
        sleep_on(&current->children);
    }
}

/* The last that happens to a zombie. */
void bury(struct task *task)
{
    current->cutime += task->utime + task->cutime;
    current->cstime += task->stime + task->cstime;
    remove_task(task);
    free_task(task);
}

SYSCALL_DEFINE3(waitpid, int, pid, u32 *, status, u32, options)
{
    struct task *child;

    if (options & ~(WNOHANG | WUNTRACED))
        return -EINVAL;
    child = wait_for_child(pid, !(options & WNOHANG));
    if (!child || IS_ERR(child))
        return PTR_ERR(child);
    if (status && put_user(child->exit_status, status))
        return -EFAULT;
    pid = child->pid;
    bury(child);
    return pid;
}
