/* Page faults: the end of a program, a foreseen failure of a copy, or a mistake of ours. */
#include "io.h"
#include "mm.h"
#include "sched.h"

/* From do_trap, interrupts off. */
void do_page_fault(struct pt_regs *regs, u32 error)
{
    (void)error; /* all memory of a program is there from the beginning: no fault is a good one */
    if (regs->eflags & EFLAGS_IF)
        enable_interrupts();
    if (user_mode(regs))
        send_signal(current, SIGSEGV);
    else if (!fixup_exception(regs))
        panic("page fault", regs->eip);
}
