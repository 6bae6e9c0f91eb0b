// A function of forty thousand instructions with branches across it.
#include "check.h"
FUNCTION(_start)
    xorl %eax, %eax
    xorl %ecx, %ecx
1:  .rept 10000
    addl $3, %eax
    incl %edx
    xorl $1, %edx
    .endr
    incl %ecx
    .rept 2000
    testl $0x40000000, %eax
    jne 2f
    cmpl $0x10000, %edx
    je 3f
    nop
    .endr
    cmpl $2, %ecx
    jb 1b
    EXPECT(60000)
    DONE
2:  EXPECT(1)
3:  EXPECT(2)
END(_start)
