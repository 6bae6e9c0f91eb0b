// Symbols that the linker makes mark where sections begin and end, wherever those go.
#include "check.h"
FUNCTION(_start)
    movl $__start_hooks, %esi       // every function of the section, in order
    xorl %eax, %eax
1:  cmpl $__stop_hooks, %esi
    je 2f
    call *(%esi)
    addl $4, %esi
    jmp 1b
2:  EXPECT(0x123)
    movl $__stop_hooks - 4, %esi
    xorl %eax, %eax
    call *(%esi)
    EXPECT(3)
    movl $__bss_start, %edi         // all zero from here to the end
    xorl %eax, %eax
3:  orb (%edi), %al
    incl %edi
    cmpl $end, %edi
    jb 3b
    EXPECT(0)
    movl $end, %eax
    subl $__bss_start, %eax
    EXPECT(68)
    movl edata - 4, %eax            // the last word of .data
    EXPECT(0x77)
    movl last, %eax                 // all code lies before this
    cmpl $etext, %eax
    setae %al
    movzbl %al, %eax
    EXPECT(0)
    DONE
END(_start)

LOCAL(one)
    shll $4, %eax
    incl %eax
    ret
END(one)
LOCAL(two)
    shll $4, %eax
    addl $2, %eax
    ret
END(two)
    .section .text.later, "ax"
LOCAL(three)
    shll $4, %eax
    addl $3, %eax
    ret
END(three)

    .section hooks, "a"
    .long one, two, three
    .data
last: .long three, 0x77
    .bss
    .skip 68
