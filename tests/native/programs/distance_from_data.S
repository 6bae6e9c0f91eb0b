// A distance added to a label that only data names: no instruction shows that the code's shape matters.
// stays: walk
#include "check.h"
FUNCTION(_start)
    movl $0, %ecx
    call walk
    EXPECT(33)
    movl $1, %ecx
    call walk
    EXPECT(22)
    DONE
END(_start)
LOCAL(walk)
    xorl %edx, %edx
    movl base, %eax
    addl way(,%ecx,4), %eax
    jmp *%eax
1:  addl $11, %edx
2:  addl $22, %edx
    movl %edx, %eax
    ret
END(walk)
    .data
base: .long 1b
way: .long 1b - 1b, 2b - 1b
