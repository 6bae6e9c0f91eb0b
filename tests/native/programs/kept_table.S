// Addresses of jump tables kept on the stack, in registers and in their own slots, only to jump through them.
#include "check.h"
FUNCTION(_start)
    subl $16, %esp
    leal table, %eax
    movl %eax, 4(%esp)
    call clobber
    movl $1, %ecx
    pushl $0
    movl 8(%esp), %edx
    popl %eax
    jmp *(%edx,%ecx,4)
.Ltwo:  movl $7, %ebx
    jmp .Lfour
.Lthree:  movl $8, %ebx
    nop
.Lfour:  addl $16, %esp
    movl %ebx, %eax
    EXPECT(8)
    DONE
END(_start)
LOCAL(clobber)
    movl $0, %eax
    movl $0, %edx
    ret
END(clobber)
    .section .rodata
    .balign 4
table: .long .Ltwo, .Lthree
