/* A program's life: it is started for a command, runs, and ends; its parent waits. */
#include "fs.h"
#include "io.h"
#include "sched.h"
#include "syscall.h"

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 }; /* exit statuses, as a shell has them */

static u32 last_pid;

/* The first thing that a new task does: become the program. */
static void start_task(void)
{
    struct pt_regs *regs = (struct pt_regs *)((u32)current + STACK_SIZE) - 1;
    int error;

    enable_interrupts();
    error = exec(current->command, regs);
    if (error)
        do_exit(error == -ENOENT ? NOT_FOUND : CANNOT_EXECUTE);
    enter_user(regs);
}

/* Below its registers for user mode, a new stack has the frame that switch_to pops. */
static void prepare_stack(struct task *task, void (*function)(void))
{
    u32 *top = (u32 *)((struct pt_regs *)((u32)task + STACK_SIZE) - 1);

    *--top = 0; /* return address of the function, which does not return */
    *--top = (u32)function;
    top -= 4; /* edi, esi, ebx, ebp */
    task->esp = (u32)top;
}

/* A task that begins with `function`, still without files; NULL if memory is short. */
static struct task *new_task(void (*function)(void))
{
    struct page *pages = alloc_pages(1);
    struct task *task;

    if (!pages)
        return NULL;
    task = memset(pages->address, 0, STACK_SIZE);
    task->pgd = new_pgd();
    if (!task->pgd) {
        free_pages(pages, 1);
        return NULL;
    }
    task->pid = ++last_pid;
    task->parent = current;
    task->cwd = igrab(current->cwd);
    prepare_stack(task, function);
    return task;
}

/* A task that never leaves the kernel. */
void start_thread(void (*function)(void))
{
    struct task *task = new_task(function);

    if (!task)
        panic("no memory for a thread", 0);
    add_task(task);
}

static void open_console(struct task *task)
{
    for (u32 fd = 0; fd < 3; fd++) {
        console->f_count++;
        task->files[fd] = console;
    }
}

/* Sleep until the task is a zombie, and bury it. */
static u32 wait_for(struct task *task)
{
    u32 status;

    while (task->state != TASK_ZOMBIE)
        sleep_on(&current->children);
    status = task->exit_status;
    remove_task(task);
    free_pgd(task->pgd);
    free_pages(page_of(task), 1);
    return status;
}

/* Run a command with the console as its first three files to its end, and return its exit status. */
u32 run_command(char *command)
{
    struct task *task = new_task(start_task);

    if (!task)
        return CANNOT_EXECUTE;
    task->command = command;
    open_console(task);
    add_task(task);
    return wait_for(task);
}

/* End the running task; the parent finds the status. */
void do_exit(u32 status)
{
    struct task *task = current;

    exit_files();
    task->exit_status = status;
    task->state = TASK_ZOMBIE;
    wake_up(&task->parent->children);
    schedule();
    panic("a zombie runs", (u32)task);
}

int sys_exit(int status)
{
    do_exit(status & 0xFF);
}

int sys_getpid(void)
{
    return current->pid;
}
