/* Faults that were foreseen: each instruction that touches a program's memory has an entry. */
#include "mm.h"

struct exception_entry {
    u32 instruction; /* address of one that may fault */
    u32 fixup;       /* where to go on if it does */
};

/* kernel.ld.  They are sorted, because each file's code and entries come in the same order. */
extern const struct exception_entry __start___ex_table[], __stop___ex_table[];

/* Is the interrupted instruction in the table?  Then it goes on at its fixup. */
bool fixup_exception(struct pt_regs *regs)
{
    const struct exception_entry *low = __start___ex_table, *high = __stop___ex_table;

    while (low < high) {
        const struct exception_entry *middle = low + (high - low) / 2;
        if (middle->instruction == regs->eip) {
            regs->eip = middle->fixup;
            return true;
        }
        if (middle->instruction < regs->eip)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
