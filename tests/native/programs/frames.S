// Return addresses that are compared, replaced or thrown away, as exceptions and coroutines do.
#include "check.h"
FUNCTION(_start)
    call two_levels
    EXPECT(1)
back:
    call switcher
    EXPECT(6)
    movl %esp, %ebp
    call deep
caught:
    movl %ebp, %esp
    EXPECT(8)
    DONE
END(_start)
LOCAL(two_levels)
    call up
    movl $2, %eax
    ret
END(two_levels)
LOCAL(up)                           // returns to its caller's caller
    movl $1, %eax
    addl $4, %esp
    ret
END(up)
LOCAL(switcher)                     // to another stack and back
    movl %esp, saved
    movl $stack_top, %esp
    pushl $1f
    pushl $coroutine
    ret
1:  movl saved, %esp
    ret
END(switcher)
LOCAL(coroutine)
    movl $6, %eax
    ret
END(coroutine)
LOCAL(deep)
    pushl $caught
    movl $8, %eax
    ret
END(deep)
    .bss
saved: .skip 4
    .skip 256
stack_top:
