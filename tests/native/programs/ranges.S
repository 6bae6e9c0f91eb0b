// Labels around code ask "is this address in there?", as kernels do for their schedulers and copy routines.
// stays: scheduler: compared by order
// stays: sleeper: compared by order
// stays: behind: compared by order
#include "check.h"
FUNCTION(_start)
    movl $scheduler, %eax
    call within
    EXPECT(1)
    movl $sleeper, %eax
    call within
    EXPECT(1)
    movl $before, %eax
    call within
    EXPECT(0)
    movl $behind, %eax
    call within
    EXPECT(0)
    DONE
END(_start)
LOCAL(within)
    cmpl $range_start, %eax
    setae %cl
    cmpl $range_end, %eax
    setb %al
    andb %cl, %al
    movzbl %al, %eax
    ret
END(within)
LOCAL(before)
    ret
END(before)
range_start:
LOCAL(scheduler)
    nop
    ret
END(scheduler)
LOCAL(sleeper)
    ret
END(sleeper)
range_end:
LOCAL(behind)
    ret
END(behind)
