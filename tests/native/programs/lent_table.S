// The address of a jump table kept in the frame, where another function finds it and counts the bytes between entries.
// stays: _start: data that is no jump table names a place in it
#include "check.h"
FUNCTION(_start)
    pushl %ebp
    movl %esp, %ebp
    subl $16, %esp
    leal table, %eax
    movl %eax, -4(%ebp)
    leal -4(%ebp), %eax
    call between
    movl %eax, %esi
    movl $1, %ecx
    movl -4(%ebp), %edx
    jmp *(%edx,%ecx,4)
.Ltwo:  movl $7, %ebx
    jmp .Lfour
.Lthree:  movl $8, %ebx
    nop
.Lfour:  movl %esi, %eax
    leave
    EXPECT(7)
    movl %ebx, %eax
    EXPECT(8)
    DONE
END(_start)
LOCAL(between)
    movl (%eax), %edx
    movl 4(%edx), %eax
    subl (%edx), %eax
    ret
END(between)
    .section .rodata
    .balign 4
table: .long .Ltwo, .Lthree
