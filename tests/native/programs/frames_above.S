// Code behind calls that is read from frames below: through saved frame pointers, and beyond one's own arguments.
// stays: _start: calls outer, which
// stays: second: calls third, which
// stays: fourth: calls fifth, which
#include "check.h"
FUNCTION(_start)
    call outer
    .byte 0xb9                      // mov ecx, …
    .long 0x1234
    EXPECT(0x1234)
    call second
    EXPECT(0x4321)
    call fourth
    EXPECT(0x5678)
    DONE
END(_start)
LOCAL(outer)                        // its caller's code is read
    pushl %ebp
    movl %esp, %ebp
    call inner
    popl %ebp
    ret
END(outer)
LOCAL(inner)
    pushl %ebp
    movl %esp, %ebp
    movl (%ebp), %eax
    movl 4(%eax), %eax
    movl 1(%eax), %eax
    popl %ebp
    ret
END(inner)
LOCAL(second)
    call third
    .byte 0xb9
    .long 0x4321
    ret
END(second)
LOCAL(third)
    pushl %ebp
    movl %esp, %ebp
    call no_frame
    popl %ebp
    ret
END(third)
LOCAL(no_frame)                     // leaves ebp alone
    call no_frame_either
    ret
END(no_frame)
LOCAL(no_frame_either)
    movl 4(%ebp), %ecx
    movl 1(%ecx), %eax
    ret
END(no_frame_either)
LOCAL(fourth)
    call fifth
    .byte 0xb9
    .long 0x5678
    ret
END(fourth)
LOCAL(fifth)
    call sixth
    ret
END(fifth)
LOCAL(sixth)
    movl 4(%esp), %ecx
    movl 1(%ecx), %eax
    ret
END(sixth)
