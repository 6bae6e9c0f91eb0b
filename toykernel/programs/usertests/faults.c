/* What a process dies of when it does what it must not; nobody else notices. */
#include "../deaths.h"
#include "usertests.h"

static void all_deaths(void)
{
    for (u32 i = 0; i < sizeof deaths / sizeof *deaths; i++)
        if (deaths[i].signal)
            EXPECT(run_child(deaths[i].die) & 0x7F, deaths[i].signal);
}

/* Numbers without a call behind them. */
static void numbers(void)
{
    EXPECT(syscall0(0), is_linux() ? -EINTR : -ENOSYS);
    EXPECT(syscall0(0x400), -ENOSYS);
    EXPECT(syscall0(-1), -ENOSYS);
    EXPECT(syscall0(0x7FFFFFFF), -ENOSYS);
}

const struct test fault_tests[] = {
    {"fault-deaths", all_deaths},
    {"fault-numbers", numbers},
    {},
};
