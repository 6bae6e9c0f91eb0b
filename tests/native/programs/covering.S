// A function whose size covers the next one, and one whose size is too small.
// stays: wide: calls into itself
// stays: .text_…: no symbol names it
#include "check.h"
FUNCTION(_start)
    xorl %eax, %eax
    call wide
    EXPECT(5)
    call narrow
    EXPECT(8)
    DONE
END(_start)
LOCAL(wide)
    addl $2, %eax
    call covered
    ret
LOCAL(covered)
    addl $3, %eax
    ret
END(covered)
END(wide)
LOCAL(narrow)
    addl $1, %eax
END(narrow)
    addl $2, %eax
    ret
