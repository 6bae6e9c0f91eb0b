// The address of a jump table kept on the stack, at changing distances from esp; entries are subtracted from each other.
// stays: _start: data that is no jump table names a place in it
// stays: lost: data that is no jump table names a place in it
#include "check.h"
FUNCTION(_start)
    subl $16, %esp
    leal table, %eax
    movl %eax, 4(%esp)
    pushl $3
    movl 8(%esp), %edx
    popl %ecx
    movl 4(%edx), %eax
    subl (%edx), %eax
    movl $1, %ecx
    movl 4(%esp), %edx
    jmp *(%edx,%ecx,4)
.Ltwo:  movl $7, %ebx
    jmp .Lfour
.Lthree:  movl $8, %ebx
    nop
.Lfour:  addl $16, %esp
    EXPECT(7)
    movl %ebx, %eax
    EXPECT(8)
    DONE
END(_start)
    .section .rodata
    .balign 4
table: .long .Ltwo, .Lthree
    .text
LOCAL(lost)                         // with what has no operands: never called
    leal other, %eax
    cltd
    movl (%eax,%ecx,4), %eax
    jmp *%eax
.Lfive: ret
.Lsix: ret
END(lost)
    .section .rodata
other: .long .Lfive, .Lsix
