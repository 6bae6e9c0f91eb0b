// A table sorted by code address, searched by halves: it must be sorted again when the code moves.
#include "check.h"
FUNCTION(_start)
    movl $alpha, %eax
    call find
    EXPECT(1)
    movl $beta, %eax
    call find
    EXPECT(2)
    movl $gamma, %eax
    call find
    EXPECT(3)
    movl $delta, %eax
    call find
    EXPECT(4)
    movl $epsilon, %eax
    call find
    EXPECT(5)
    DONE
END(_start)

LOCAL(find)                         // the value beside eax, 0 if it is not there
    xorl %esi, %esi
    movl $5, %edi
1:  cmpl %edi, %esi
    jae 4f
    leal (%esi,%edi), %ebx
    shrl $1, %ebx
    cmpl %eax, sorted(,%ebx,8)
    je 3f
    jb 2f
    movl %ebx, %edi
    jmp 1b
2:  leal 1(%ebx), %esi
    jmp 1b
3:  movl sorted + 4(,%ebx,8), %eax
    ret
4:  xorl %eax, %eax
    ret
END(find)
    .irp name, alpha, beta, gamma, delta, epsilon
    .type \name, @function
\name: ret
    .size \name, . - \name
    .endr
    .section sorted_table, "a"
    .balign 4
sorted: .long alpha, 1, beta, 2, gamma, 3, delta, 4, epsilon, 5
