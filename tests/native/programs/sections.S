// Code in several sections, read-only and writable, calling across; code that rewrites itself.
// stays: in_init: stays in place
// stays: in_exit: stays in place
// stays: in_mine: stays in place
// stays: patched: stays in place
#include "check.h"
FUNCTION(_start)
    xorl %eax, %eax
    call in_init
    EXPECT(1)
    call *exit_pointer
    EXPECT(11)
    movl $12, patched_value
    call patched
    EXPECT(12)
    call in_start
    EXPECT(112)
    DONE
END(_start)
LOCAL(back)
    incl %eax
    ret
END(back)
    .section .init.text, "ax"
LOCAL(in_init)
    jmp back
END(in_init)
    .section .exit.text, "ax"
LOCAL(in_exit)
    addl $9, %eax
    call back
    ret
END(in_exit)
    .section code_of_mine, "ax"     // a name of which the linker makes boundary symbols
LOCAL(in_mine)
    addl $99, %eax
    call back
    ret
END(in_mine)
    .text
LOCAL(in_start)
    movl $__start_code_of_mine, %ecx
    jmp *%ecx
END(in_start)
    .section .patchable, "awx"
LOCAL(patched)
    movl $0, %eax
    .set patched_value, . - 4
    ret
END(patched)
    .section .rodata
exit_pointer: .long in_exit
