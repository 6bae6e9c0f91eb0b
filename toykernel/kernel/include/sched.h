/* Tasks: who runs, and what belongs to it. */
#pragma once

#include "regs.h"

#define NR_OPEN 32 /* descriptors a task may have */
#define QUANTUM 5  /* timer ticks before another task gets its turn */

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_ZOMBIE };

/* Those who sleep until something happens.  Nobody is preempted inside the kernel, and no interrupt wakes a queue, so
   that the condition is tested in a loop around sleep_on, without any lock. */
struct wait_queue {
    struct task *first; /* the others behind it, by next_waiting */
};

enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGPIPE = 13 };

struct task {
    u32 need_resched;            /* asks the way back to user mode for schedule(); offset known to entry.S */
    u32 sigpending;              /* asks it for do_signal(); known to entry.S */
    u32 esp;                     /* kernel stack while another task runs; known to switch.S */
    u32 addr_limit;              /* where memory ends that it may name; known to getuser.S */
    enum task_state state;       /* may it run? */
    u32 pid;                     /* its number: 0 is the idle task, 1 is init */
    u32 counter;                 /* ticks left of its quantum */
    u32 signals;                 /* bit n: signal n is pending */
    u32 exit_status;             /* of a zombie */
    u32 *pgd;                    /* page directory */
    struct task *next;           /* ring of all tasks */
    struct task *next_waiting;   /* in the same wait queue */
    struct task *parent;         /* who is told when it ends */
    struct wait_queue children;  /* where it sleeps until one of its children ends */
    char *command;               /* what it was started for */
    u64 entered;                 /* time stamp of its last timed system call (kprofile.c) */
    struct inode *cwd;           /* where its paths without a leading slash begin */
    u32 close_on_exec;           /* bit n: descriptor n does not outlive exec */
    struct file *files[NR_OPEN]; /* its open files by descriptor */
};

union task_union {
    struct task task;
    u32 stack[STACK_SIZE / sizeof(u32)];
};

extern union task_union init_task_union;

/* The running task: it lies at the bottom of the stack that we are on. */
static inline struct task *get_current(void)
{
    u32 esp;
    asm("movl %%esp, %0" : "=r"(esp));
    return (struct task *)(esp & -STACK_SIZE);
}
#define current get_current()

static inline bool signal_pending(void)
{
    return current->sigpending;
}

/* sched.c */
void schedule(void);
void cond_resched(void);
void sleep_on(struct wait_queue *queue);
void wake_up(struct wait_queue *queue);
void wake_task(struct task *task);
__attribute__((noreturn)) void idle(void);
void scheduler_tick(void);
void add_task(struct task *task);
void remove_task(struct task *task);

/* switch.S: returns when somebody switches back. */
void switch_to(struct task *previous, struct task *next);

/* process.c */
void start_thread(void (*function)(void));
u32 run_command(char *command);
__attribute__((noreturn)) void do_exit(u32 status);

/* elf.c, exec.c */
struct file;
int load_elf(struct file *file, u32 limit, u32 *entry);
int exec(char *command, struct pt_regs *regs);

/* signal.c */
void send_signal(struct task *task, u32 signal);
void do_signal(void);

/* entry.S: leaves for user mode with these registers, which lie at the top of the stack. */
__attribute__((noreturn)) void enter_user(struct pt_regs *regs);
