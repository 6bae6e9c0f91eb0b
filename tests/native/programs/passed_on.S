// Who reads its return address is reached by a jump, and its caller's code is read.
// stays: _start: calls through, which reads its return address
#include "check.h"
FUNCTION(_start)
    call through
    movl $42, %ebx
    EXPECT(42)
    movl $get, %edx
    call *%edx
    movl $43, %ebx
    EXPECT(43)
    DONE
END(_start)
LOCAL(through)
    jmp get
END(through)
LOCAL(get)
    movl (%esp), %ecx
    movl 1(%ecx), %eax
    ret
END(get)
