// A jump over a prefix into the middle of an instruction, as C libraries skip `lock`.
#include "check.h"
FUNCTION(_start)
    movl $1, %eax
    movl $1, value
    movl $7, %ecx
    call exchange
    movl value, %eax
    EXPECT(7)
    DONE
END(_start)
LOCAL(exchange)
    cmpl $1, %eax
    je 1f
    lock
1:  cmpxchgl %ecx, value
    ret
END(exchange)
    .data
value: .long 0
