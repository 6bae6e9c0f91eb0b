/* The saved registers of whoever entered the kernel, as entry.S pushes them. */
#pragma once

#include "asm.h"
#include "types.h"

#define EFLAGS_IF 0x200 /* interrupts are on */

struct pt_regs {
    u32 ebx; /* the first argument of a system call */
    u32 ecx;
    u32 edx;
    u32 esi;
    u32 edi;
    u32 ebp; /* the sixth */
    u32 eax; /* where the result goes */
    u32 ds;
    u32 es;
    u32 orig_eax; /* number of the system call, or the error code of a trap */
    u32 eip;      /* pushed by the processor from here on */
    u32 cs;
    u32 eflags;
    u32 esp; /* this and ss only if the entry changed the ring */
    u32 ss;
};

static inline bool user_mode(const struct pt_regs *regs)
{
    return (regs->cs & 3) != 0;
}
