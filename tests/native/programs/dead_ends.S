// Functions that end with a call that never returns, with ud2, hlt or int3, and code that nothing reaches.
#include "check.h"
FUNCTION(_start)
    movl $1, %ecx
    call picky
    EXPECT(1)
    movl $1, %ecx
    call last_call
    EXPECT(2)
    movl $1, %ecx
    call traps
    EXPECT(3)
    DONE
END(_start)
LOCAL(picky)
    jecxz 1f
    movl $1, %eax
    ret
1:  hlt                             // not allowed to a program
END(picky)
LOCAL(last_call)
    testl %ecx, %ecx
    je 1f
    movl $2, %eax
    ret
1:  movl $99, %ebx
    call fail
END(last_call)
LOCAL(traps)
    testl %ecx, %ecx
    je 1f
    movl $3, %eax
    ret
1:  int3
    ud2
END(traps)
