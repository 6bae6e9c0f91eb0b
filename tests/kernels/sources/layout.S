// What symbols of the linker script name: the text, an array that sections of many files make, the end of the image,
// behind which all memory is free.  With BEHIND, code lies behind the text.
#include "start.h"

FUNCTION(main):
    pushl %ebx
    pushl $0
#ifdef BEHIND
    call early
    movl %eax, (%esp)
    call say
#endif
    call use_memory
    movl $__start_calls, %ebx
call_next:
    cmpl $__stop_calls, %ebx
    jae all_called
    call *(%ebx)
    movl %eax, (%esp)
    call say
    pushl (%ebx)
    call in_text
    addl $4, %esp
    movl %eax, (%esp)
    call say
    addl $4, %ebx
    jmp call_next
all_called:
    addl $4, %esp
    popl %ebx
    xorl %eax, %eax
    ret
END(main)

FUNCTION(in_text):                          // whether an address is one of the text
    movl 4(%esp), %ecx
    xorl %eax, %eax
    cmpl $_text, %ecx
    jb 1f
    cmpl $_etext, %ecx
    jae 1f
    incl %eax
1:  ret
END(in_text)

FUNCTION(use_memory):                       // 256 KiB behind the image
    pushl %edi
    movl $_end, %edi
    movl $65536, %ecx
    movl $0xF4F4F4F4, %eax
    rep stosl
    popl %edi
    ret
END(use_memory)

FUNCTION(first):
    movl $0x1111, %eax
    ret
END(first)

FUNCTION(second):
    movl $0x2222, %eax
    ret
END(second)

    .section calls, "a"
    .long first, second

#ifdef BEHIND
    .section .init.text, "ax"
FUNCTION(early):                            // runs once; what it calls lies in the text
    call first
    incl %eax
    ret
END(early)
#endif
