/* Tasks begin: threads of the kernel, and copies of programs. */
#include "fs.h"
#include "syscall.h"

static u32 last_pid;

/* Below its registers for user mode, a new stack has the frame that switch_to pops. */
static void prepare_stack(struct task *task, void (*function)(void))
{
    u32 *top = (u32 *)task_regs(task);

    *--top = (u32)function; /* switch_to returns there; it does not return itself */
    top -= 4;               /* edi, esi, ebx, ebp */
    task->esp = (u32)top;
}

/* A task that begins with `function`, still without memory or open files; NULL if memory is short. */
struct task *new_task(void (*function)(void))
{
    struct page *pages = alloc_pages(1);
    struct task *task;

    if (!pages)
        return NULL;
    task = memset(pages->address, 0, STACK_SIZE);
    task->mm.pgd = swapper_pg_dir;
    task->pid = ++last_pid;
    task->parent = current;
    task->addr_limit = PAGE_OFFSET;
    prepare_stack(task, function);
    return task;
}

/* Give back what new_task took. */
void free_task(struct task *task)
{
    free_pages(page_of(task), 1);
}

/* A task that stays in the kernel. */
void start_thread(void (*function)(void))
{
    struct task *task = new_task(function);

    if (!task)
        panic("no memory for a thread", 0);
    copy_files(task);
    add_task(task);
}

/* A copy of the running task, which goes on where this one does, but for eax: its pid, or an error. */
static int do_fork(const struct pt_regs *regs)
{
    struct task *task;

    if (nr_tasks >= NR_TASKS)
        return -EAGAIN;
    task = new_task(ret_from_fork);
    if (!task)
        return -ENOMEM;
    if (copy_mm(&task->mm, &current->mm)) {
        free_mm(&task->mm);
        free_task(task);
        return -ENOMEM;
    }
    *task_regs(task) = *regs;
    task_regs(task)->eax = 0;
    copy_files(task);
    add_task(task);
    return task->pid;
}

/* The program's registers lie where a handler expects its arguments. */
int sys_fork(struct pt_regs regs)
{
    int result = do_fork(&regs);

    asm("" : "+r"(result) : "m"(regs)); /* as SYSCALL_DEFINE does */
    return result;
}

SYSCALL_DEFINE0(getpid)
{
    return current->pid;
}

SYSCALL_DEFINE0(getppid)
{
    return current->parent->pid;
}
