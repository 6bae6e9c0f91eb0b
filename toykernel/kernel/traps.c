/* What the processor complains about.  A program's fault ends the program; ours may be one that we foresaw. */
#include "mm.h"
#include "sched.h"

enum { PAGE_FAULT = 14, NR_TRAPS = 18 };

/* entry.S */
void divide_error(void), debug(void), nmi(void), breakpoint(void), overflow(void), bounds(void);
void invalid_op(void), device_not_available(void), double_fault(void), coprocessor_segment_overrun(void);
void invalid_tss(void), segment_not_present(void), stack_segment(void), general_protection(void);
void page_fault(void), coprocessor_error(void), alignment_check(void), system_call(void);

static const struct trap {
    void (*entry)(void); /* where the gate leads */
    u32 gate;            /* which kind of gate that is; interrupts stay off until cr2 was read */
    u32 signal;          /* what a program dies of, 0 if it cannot be the cause */
    const char *name;    /* what the panic says */
} traps[NR_TRAPS] = {
    [0] = {divide_error, TRAP_GATE, SIGFPE, "divide error"},
    [1] = {debug, TRAP_GATE, SIGTRAP, "debug trap"},
    [2] = {nmi, TRAP_GATE, 0, "nmi"},
    [3] = {breakpoint, SYSTEM_GATE, SIGTRAP, "breakpoint"},
    [4] = {overflow, SYSTEM_GATE, SIGSEGV, "overflow"},
    [5] = {bounds, TRAP_GATE, SIGSEGV, "bounds"},
    [6] = {invalid_op, TRAP_GATE, SIGILL, "invalid opcode"},
    [7] = {device_not_available, TRAP_GATE, SIGFPE, "coprocessor"},
    [8] = {double_fault, TRAP_GATE, 0, "double fault"},
    [9] = {coprocessor_segment_overrun, TRAP_GATE, SIGFPE, "coprocessor segment overrun"},
    [10] = {invalid_tss, TRAP_GATE, SIGSEGV, "invalid tss"},
    [11] = {segment_not_present, TRAP_GATE, SIGBUS, "segment not present"},
    [12] = {stack_segment, TRAP_GATE, SIGBUS, "stack segment"},
    [13] = {general_protection, TRAP_GATE, SIGSEGV, "general protection"},
    [PAGE_FAULT] = {page_fault, INTERRUPT_GATE, SIGSEGV, "page fault"},
    [16] = {coprocessor_error, TRAP_GATE, SIGFPE, "coprocessor error"},
    [17] = {alignment_check, TRAP_GATE, SIGBUS, "alignment check"},
};

void trap_init(void)
{
    for (u32 vector = 0; vector < NR_TRAPS; vector++)
        if (traps[vector].entry)
            set_gate(vector, traps[vector].gate, traps[vector].entry);
    set_gate(SYSTEM_CALL, SYSTEM_GATE, system_call);
}

/* From entry.S. */
void do_trap(struct pt_regs *regs, u32 vector, u32 error)
{
    const struct trap *trap = &traps[vector];

    if (vector == PAGE_FAULT)
        do_page_fault(regs, error);
    else if (user_mode(regs) && trap->signal)
        send_signal(current, trap->signal);
    else
        panic(trap->name, regs->eip);
}
