/* Time passes in ticks of the timer. */
#include "io.h"
#include "sched.h"
#include "syscall.h"
#include "uaccess.h"

struct timespec {
    int tv_sec;
    int tv_nsec;
};

enum { TICK = 1000000000 / HZ, SECOND = 1000000000 }; /* nanoseconds */

u32 jiffies; /* ticks since the boot */

/* A tick: interrupts are off. */
void do_timer(const struct pt_regs *regs)
{
    jiffies++;
    if (user_mode(regs))
        current->times.utime++;
    else
        current->times.stime++;
    for_each_task (task)
        if (task->wake_at == jiffies)
            wake_task(task);
    scheduler_tick();
}

/* Sleep for so many ticks, at least two, or until a signal comes. */
static void sleep_for(u32 ticks)
{
    current->wake_at = jiffies + ticks;
    current->state = TASK_SLEEPING;
    schedule();
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
    return to && copy_to_user(to, &current->times, sizeof *to) ? -EFAULT : (int)jiffies;
}
