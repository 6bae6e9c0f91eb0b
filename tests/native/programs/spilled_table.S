// The address of a jump table spilled, and then read as data.
// stays: _start: data that is no jump table names a place in it
#include "check.h"
FUNCTION(_start)
    pushl %ebp
    movl %esp, %ebp
    subl $16, %esp
    leal table, %eax
    movl %eax, -4(%ebp)
    movl $1, %ecx
    movl -4(%ebp), %edx
    movl (%edx,%ecx,4), %eax
    subl (%edx), %eax
    movl -4(%ebp), %edx
    jmp *(%edx,%ecx,4)
.Ltwo:  movl $7, %ebx
    jmp .Lfour
.Lthree:  movl $8, %ebx
    nop
.Lfour:  cmpl $7, %eax
    jne 9f
    movl %ebx, %eax
    leave
    EXPECT(8)
    DONE
9:  movl $3, %ebx
    jmp fail
    .section .rodata
    .balign 4
table: .long .Ltwo, .Lthree
    .text
END(_start)
