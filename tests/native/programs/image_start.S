// The image begins before its first section: with headers that a program may look at.
// stays: _start: compared by order
#include "check.h"
FUNCTION(_start)
    movl __executable_start, %eax
    EXPECT(0x464c457f)
    movl $__ehdr_start, %ecx
    movzwl 16(%ecx), %eax
    EXPECT(2)
    movl $_start, %eax
    cmpl $__executable_start, %eax
    setb %al
    movzbl %al, %eax
    EXPECT(0)
    DONE
END(_start)
