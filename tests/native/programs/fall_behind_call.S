// A function whose last instruction is a call that returns: it runs on into the next one, over padding.
#include "check.h"
FUNCTION(_start)
    xorl %eax, %eax
    call after_call
    EXPECT(30)
    DONE
END(_start)
LOCAL(after_call)
    call ten
END(after_call)
    .balign 16
LOCAL(behind_call)
    addl $20, %eax
    ret
END(behind_call)
LOCAL(ten)
    addl $10, %eax
    ret
END(ten)
