// Who reads its return address is only called through pointers, or jumped to through one.
// stays: _start: calls through a pointer, perhaps get, which reads its return address
// stays: outer: calls through, which reads its return address
#include "check.h"
FUNCTION(_start)
    movl $get, %edx
    call *%edx
    movl $42, %ebx
    EXPECT(42)
    call *pointers
    movl $43, %ebx
    EXPECT(43)
    call outer
    EXPECT(44)
    DONE
END(_start)
LOCAL(outer)
    call through
    movl $44, %ebx
    ret
END(outer)
LOCAL(through)
    jmp *pointers
END(through)
LOCAL(get)
    movl (%esp), %ecx
    movl 1(%ecx), %eax
    ret
END(get)
    .data
pointers: .long get
