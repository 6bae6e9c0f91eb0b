/* Time passes in ticks of the timer. */
#include "io.h"
#include "sched.h"
#include "syscall.h"
#include "uaccess.h"

struct tms {
    u32 tms_utime;  /* ticks in user mode */
    u32 tms_stime;  /* in the kernel */
    u32 tms_cutime; /* the same of children that were waited for */
    u32 tms_cstime;
};

struct timespec {
    int tv_sec;
    int tv_nsec;
};

enum { TICK = 1000000000 / HZ, SECOND = 1000000000 }; /* nanoseconds */

u32 jiffies;                  /* ticks since the boot */
static struct task *sleepers; /* those in nanosleep, the first to wake first */

/* Interrupts are off. */
static void wake_sleepers(void)
{
    while (sleepers && (int)(sleepers->wake_at - jiffies) <= 0) {
        wake_task(sleepers);
        sleepers = sleepers->next_sleeper;
    }
}

/* A tick: interrupts are off. */
void do_timer(const struct pt_regs *regs)
{
    jiffies++;
    if (user_mode(regs))
        current->utime++;
    else
        current->stime++;
    wake_sleepers();
    scheduler_tick();
}

/* Sleep for so many ticks, or until a signal comes. */
static void sleep_for(u32 ticks)
{
    struct task *task = current, **link = &sleepers;

    disable_interrupts();
    task->wake_at = jiffies + ticks;
    while (*link && (int)((*link)->wake_at - task->wake_at) <= 0)
        link = &(*link)->next_sleeper;
    task->next_sleeper = *link;
    *link = task;
    task->state = TASK_SLEEPING;
    schedule();
    disable_interrupts();
    list_remove(&sleepers, task, next_sleeper); /* where it still is after a signal */
    enable_interrupts();
}

/* Whoever is interrupted by a signal dies of it: nobody needs to know what was left. */
SYSCALL_DEFINE1(nanosleep, const struct timespec *, user)
{
    struct timespec time;

    if (copy_from_user(&time, user, sizeof time))
        return -EFAULT;
    if (time.tv_nsec < 0 || time.tv_nsec >= SECOND || time.tv_sec < 0)
        return -EINVAL;
    if (time.tv_sec > 0x7FFFFFFF / HZ - 2)
        time.tv_sec = 0x7FFFFFFF / HZ - 2;
    if (time.tv_sec || time.tv_nsec) /* the tick under way is not a whole one */
        sleep_for(time.tv_sec * HZ + (time.tv_nsec + TICK - 1) / TICK + 1);
    return signal_pending() ? -EINTR : 0;
}

/* Seconds since the boot: there is no other clock. */
SYSCALL_DEFINE1(time, u32 *, to)
{
    int result = jiffies / HZ;

    if (to && put_user(result, to))
        result = -EFAULT;
    return result;
}

SYSCALL_DEFINE1(times, struct tms *, to)
{
    const struct task *task = current;
    struct tms times = {task->utime, task->stime, task->cutime, task->cstime};

    return to && copy_to_user(to, &times, sizeof times) ? -EFAULT : (int)jiffies;
}
