/* A task that asks for it has its system calls recorded. */
#include "sched.h"
#include "syscall.h"

enum { PTRACE_TRACEME = 0 };

struct trace_entry trace_log[NR_TRACE_ENTRIES];
u32 nr_traced;

/* From entry.S, before and after the call. */
void syscall_trace(const struct pt_regs *regs)
{
    trace_log[nr_traced++ % NR_TRACE_ENTRIES] =
        (struct trace_entry){.pid = current->pid, .number = regs->orig_eax, .result = regs->eax};
}

/* Nobody but the task itself; there is nothing else to be done with it. */
int sys_ptrace(u32 request, u32 pid, u32 address, u32 data)
{
    int result = request == PTRACE_TRACEME ? -EPERM : -ESRCH;

    if (request == PTRACE_TRACEME && !current->ptrace) {
        current->ptrace = PT_TRACESYS;
        result = 0;
    }
    KEEP_4(result, request, pid, address, data);
    return result;
}
