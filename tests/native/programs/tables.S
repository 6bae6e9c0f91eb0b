// Jump tables and tables of functions: shared, biased, of tail calls, of structures, changed at run time.
#include "check.h"
FUNCTION(_start)
    movl $0, %ecx
    call choose
    EXPECT(100)
    movl $3, %ecx
    call choose
    EXPECT(103)
    movl $4, %ecx
    call choose
    EXPECT(99)
    movl $7, %ecx
    call biased
    EXPECT(101)
    movl $2, %ecx
    call by_register
    EXPECT(102)
    movl $1, %ecx
    call tail
    EXPECT(22)
    movl $1, %ecx
    shll $3, %ecx
    call *operations + 4(%ecx)
    EXPECT(22)
    movl $eleven, operations + 12
    call *operations + 12
    EXPECT(11)
    pushl operations + 4
    ret_to_it: call *(%esp)
    addl $4, %esp
    EXPECT(11)
    movl $list, %ebx
    xorl %eax, %eax
1:  addl 4(%ebx), %eax              // a chain of pointers
    movl (%ebx), %ebx
    testl %ebx, %ebx
    jne 1b
    EXPECT(6)
    DONE
END(_start)

LOCAL(choose)
    cmpl $3, %ecx
    ja 5f
    jmp *arms(,%ecx,4)
1:  movl $100, %eax
    ret
2:  movl $101, %eax
    ret
3:  movl $102, %eax
    ret
4:  movl $103, %eax
    ret
5:  movl $99, %eax
    ret
    .section .rodata
    .balign 4
arms: .long 1b, 2b, 3b, 4b
    .text
END(choose)

LOCAL(biased)                       // arms[ecx - 6]: before the first byte of its section
    jmp *arms - 24(,%ecx,4)
END(biased)
LOCAL(by_register)
    movl $arms, %edx
    movl (%edx,%ecx,4), %edx
    jmp *%edx
END(by_register)
LOCAL(tail)
    movl tails(,%ecx,4), %edx
    jmp *%edx
END(tail)
LOCAL(eleven)
    movl $11, %eax
    ret
END(eleven)
LOCAL(twenty_two)
    movl $22, %eax
    ret
END(twenty_two)
    .section .rodata
tails: .long eleven, twenty_two
    .data
operations: .long 0, eleven, 0, twenty_two
list: .long 1f, 1
2:  .long 0, 3
1:  .long 2b, 2
