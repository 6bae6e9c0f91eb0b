// The address of a jump table passed to others, in a register and on the stack, who count the bytes between entries;
// another whose entries are read where it is known, too.
// stays: by_register: data that is no jump table names a place in it
// stays: by_stack: data that is no jump table names a place in it
// stays: directly: data that is no jump table names a place in it
#include "check.h"
FUNCTION(_start)
    call by_register
    EXPECT(7)
    call by_stack
    EXPECT(7)
    call directly
    EXPECT(7)
    DONE
END(_start)
LOCAL(between)
    movl 4(%edx), %eax
    subl (%edx), %eax
    ret
END(between)
LOCAL(between_argument)
    movl 4(%esp), %edx
    movl 4(%edx), %eax
    subl (%edx), %eax
    ret
END(between_argument)
    .macro ARMS table
    leal \table, %ecx
    movl $1, %edx
    jmp *(%ecx,%edx,4)
1:  movl $7, %ebx
    jmp 3f
2:  movl $8, %ebx
    nop
3:  ret
    .section .rodata
    .balign 4
\table: .long 1b, 2b
    .text
    .endm
LOCAL(by_register)
    leal first, %edx
    call between
    ARMS first
END(by_register)
LOCAL(by_stack)
    pushl $second
    call between_argument
    addl $4, %esp
    ARMS second
END(by_stack)
LOCAL(directly)
    movl third + 4, %eax
    subl third, %eax
    ARMS third
END(directly)
