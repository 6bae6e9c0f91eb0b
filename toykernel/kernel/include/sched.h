/* Tasks: who runs, and what belongs to it. */
#pragma once

#include "mm.h"

#define NR_OPEN  32  /* descriptors a task may have */
#define NR_TASKS 128 /* tasks that there may be */
#define QUANTUM  5   /* timer ticks before another task gets its turn */
#define HZ       100 /* ticks in a second */

enum task_state { TASK_RUNNING, TASK_SLEEPING, TASK_ZOMBIE };

/* Those who sleep until something happens.  Nobody is preempted inside the kernel, and no interrupt wakes a queue, so
   that the condition is tested in a loop around sleep_on, without any lock. */
struct wait_queue {
    struct task *first; /* the others behind it, by next_waiting */
};

enum {
    SIGILL = 4,
    SIGTRAP = 5,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGSEGV = 11,
    SIGPIPE = 13,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGWINCH = 28,
    NR_SIGNALS = 32
};

/* Ticks, as programs see them. */
struct tms {
    u32 utime;  /* in user mode */
    u32 stime;  /* in the kernel */
    u32 cutime; /* the same of children that were waited for */
    u32 cstime;
};

struct task {
    u32 need_resched;            /* asks the way back to user mode for schedule(); offset known to entry.S */
    u32 sigpending;              /* bit n: signal n is pending; known to entry.S */
    u32 esp;                     /* kernel stack while another task runs; known to switch.S */
    u32 addr_limit;              /* where memory ends that it may name; known to getuser.S */
    u32 ptrace;                  /* PT_TRACESYS; known to entry.S */
    enum task_state state;       /* may it run? */
    u32 pid;                     /* its number: 0 is the idle task, 1 is init */
    u32 counter;                 /* ticks left of its quantum */
    u32 exit_status;             /* of a zombie, as waitpid tells it */
    u32 wake_at;                 /* the tick that ends its nanosleep */
    struct tms times;            /* how long it ran */
    struct mm mm;                /* its memory */
    struct task *next;           /* ring of all tasks, which interrupts walk */
    struct task *next_waiting;   /* in the same wait queue */
    struct task *parent;         /* who is told when it ends */
    struct wait_queue children;  /* where it sleeps until one of its children ends */
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
#define idle_task (&init_task_union.task) /* the ring begins and ends with it */

#define for_each_task(item) for (struct task *item = idle_task->next; item != idle_task; item = item->next)

/* The running task: it lies at the bottom of the stack that we are on. */
static inline struct task *get_current(void)
{
    struct task *task;
    asm("andl %%esp, %0" : "=r"(task) : "0"(-STACK_SIZE));
    return task;
}
#define current get_current()

/* Its registers in user mode: what an entry from there pushes lies at the top of the stack. */
static inline struct pt_regs *task_regs(struct task *task)
{
    return (struct pt_regs *)((u32)task + STACK_SIZE) - 1;
}

static inline bool signal_pending(void)
{
    return current->sigpending;
}

/* sched.c */
extern u32 nr_tasks;
void schedule(void);
void use_mm(struct mm *mm);
void scheduler_tick(void);
void add_task(struct task *task);
void remove_task(struct task *task);

/* wait.c */
void cond_resched(void);
void sleep_on(struct wait_queue *queue);
void wake_up(struct wait_queue *queue);
void wake_task(struct task *task);
__attribute__((noreturn)) void idle(void);

/* switch.S: returns when somebody switches back. */
void switch_to(struct task *previous, struct task *next);

/* fork.c */
int do_fork(void (*function)(void));

/* exit.c */
__attribute__((noreturn)) void do_exit(u32 status);
int do_wait(int pid, u32 *status, bool block);

/* init.c */
extern char commands[4096];
void init(void);

/* elf.c, exec.c */
int load_elf(struct file *file, struct mm *mm, u32 *entry);
int do_execve(const char *path, char **argv, char **envp);

/* time.c */
extern u32 jiffies;
void do_timer(const struct pt_regs *regs);

/* signal.c */
void send_signal(struct task *task, u32 signal);
void do_signal(void);

/* ptrace.c: what the traced tasks called; the last of them are kept. */
struct trace_entry {
    u32 pid;    /* who called */
    u32 number; /* which system call */
    int result; /* -ENOSYS on the way in */
};
enum { NR_TRACE_ENTRIES = 256 };
extern struct trace_entry trace_log[NR_TRACE_ENTRIES];
extern u32 nr_traced; /* the next one goes to trace_log[nr_traced % NR_TRACE_ENTRIES] */

/* entry.S: leaves for user mode with these registers, which lie at the top of the stack. */
__attribute__((noreturn)) void enter_user(struct pt_regs *regs);
void ret_from_fork(void);
