// Tables sorted by code address, searched by halves: whose order they are in stays where it is.
// stays: alpha: compared by order
// stays: beta: compared by order
// stays: gamma: compared by order
// stays: delta: compared by order
// stays: epsilon: compared by order
// stays: first: compared by order
// stays: second: compared by order
// stays: third: compared by order
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
    movl $second, %eax
    call behind
    EXPECT(2)
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
LOCAL(behind)                       // how many begin before eax or there, of entries of twelve bytes
    xorl %esi, %esi
    xorl %edi, %edi
1:  movl records(%esi), %edx
    cmpl %eax, %edx
    ja 2f
    incl %edi
    addl $12, %esi
    cmpl $36, %esi
    jne 1b
2:  movl %edi, %eax
    ret
END(behind)
    .irp name, alpha, beta, gamma, delta, epsilon, first, second, third
    .type \name, @function
\name: ret
    .size \name, . - \name
    .endr
    .section sorted_table, "a"
    .balign 4
sorted: .long alpha, 1, beta, 2, gamma, 3, delta, 4, epsilon, 5
records: .long first, 1, 1, second, 2, 2, third, 3, 3
