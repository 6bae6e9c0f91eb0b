// The same where each stub is a function with a symbol of its own: all of them keep their places.
// stays: stub0: computed with
// stays: stub1
// stays: stub2
// stays: stub3
// stays: stub4
// stays: stub5
// stays: stub6
// stays: stub7
#include "check.h"
FUNCTION(_start)
    movl $3, %ecx
    call enter
    EXPECT(3)
    movl $7, %ecx
    call enter
    EXPECT(7)
    DONE
END(_start)
LOCAL(enter)
    movl $stub0, %edx
    shll $4, %ecx
    addl %ecx, %edx
    jmp *%edx
END(enter)
    .macro stub n
    .balign 16
    .type stub\n, @function
stub\n:
    movl $\n, %eax
    jmp.d32 common
    .size stub\n, . - stub\n
    .endm
    stub 0
    stub 1
    stub 2
    stub 3
    stub 4
    stub 5
    stub 6
    stub 7
LOCAL(common)
    ret
END(common)
