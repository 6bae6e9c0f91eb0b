// Code that asks where it is: call/pop, and functions that look at, or beyond, their return address.
// stays: call_pop: calls into itself
// stays: thunk_user: return address
// stays: inline_argument: return address
// stays: inline_by_frame: return address
// stays: fail: falls into it
#include "check.h"
FUNCTION(_start)
    call call_pop
    EXPECT(7)
    call thunk_user
    EXPECT(9)
    call inline_argument
    EXPECT(0x1234)
    call inline_by_frame
    EXPECT(0x4321)
    DONE
END(_start)

LOCAL(call_pop)
    call 1f
1:  popl %ebx
    leal 2f - 1b(%ebx), %eax
    jmp *%eax
    jmp.d32 3f
2:  movl $7, %eax
3:  ret
END(call_pop)

LOCAL(thunk)
    movl (%esp), %ebx
    ret
END(thunk)
LOCAL(thunk_user)
    call thunk
1:  addl $2f - 1b, %ebx
    jmp *%ebx
    jmp.d32 3f
2:  movl $9, %eax
3:  ret
END(thunk_user)

LOCAL(read_inline)                  // the word behind the call is an argument
    popl %ecx
    movl (%ecx), %eax
    addl $4, %ecx
    jmp *%ecx
END(read_inline)
LOCAL(inline_argument)
    call read_inline
    .long 0x1234
    ret
END(inline_argument)

LOCAL(read_by_frame)                // the same as a compiler's __builtin_return_address
    pushl %ebp
    movl %esp, %ebp
    movl 4(%ebp), %ecx
    movl (%ecx), %eax
    addl $4, 4(%ebp)
    popl %ebp
    ret
END(read_by_frame)
LOCAL(inline_by_frame)
    call read_by_frame
    .long 0x4321
    ret
END(inline_by_frame)
