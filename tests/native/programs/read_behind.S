// More ways to get to one's return address: other frames, copies of esp, an arm of a jump table, a loop over all frames.
// stays: _start: calls
// stays: framed_caller: calls framed, which
// stays: by_hand: computed
// stays: up: computed
// stays: through_both_caller: return address
#include "check.h"
    .macro BEHIND value             // movl $value, %ecx: read from behind the call, then run
    .byte 0xb9
    .long \value
    .endm
FUNCTION(_start)
    call entered
    BEHIND 101
    EXPECT(101)
    call copied
    BEHIND 102
    EXPECT(102)
    call aligned
    BEHIND 103
    EXPECT(103)
    movl $1, %edx
    call in_arm
    BEHIND 104
    EXPECT(104)
    call all_pushed
    BEHIND 105
    EXPECT(105)
    call exchanged
    BEHIND 106
    EXPECT(106)
    pushl %ebp
    movl $0, %ebp
    call framed_caller
    popl %ebp
    EXPECT(107)
    call by_hand
    EXPECT(108)
    call through_both_caller
    EXPECT(109)
    DONE
END(_start)

LOCAL(entered)
    enter $8, $0
    movl 4(%ebp), %edx
    movl 1(%edx), %eax
    leave
    ret
END(entered)
LOCAL(copied)
    movl %esp, %ecx
    subl $12, %esp
    movl (%ecx), %edx
    movl 1(%edx), %eax
    addl $12, %esp
    ret
END(copied)
LOCAL(aligned)
    leal 4(%esp), %ecx
    andl $-16, %esp
    pushl -4(%ecx)
    pushl %ebp
    movl %esp, %ebp
    movl -4(%ecx), %edx
    movl 1(%edx), %eax
    popl %ebp
    leal -4(%ecx), %esp
    ret
END(aligned)
LOCAL(in_arm)
    jmp *arms(,%edx,4)
.Lnone:  xorl %eax, %eax
    ret
.Lread:  movl (%esp), %edx
    movl 1(%edx), %eax
    ret
END(in_arm)
LOCAL(all_pushed)
    pushal
    movl 32(%esp), %esi
    incl %esi
    lodsl
    movl %eax, 28(%esp)
    popal
    ret
END(all_pushed)
LOCAL(exchanged)
    xchgl (%esp), %esi
    movl 1(%esi), %eax
    xchgl (%esp), %esi
    ret
END(exchanged)

LOCAL(framed_caller)
    pushl %ebp
    movl %esp, %ebp
    call framed
    BEHIND 107
    popl %ebp
    ret
END(framed_caller)
LOCAL(framed)
    pushl %ebp
    movl %esp, %ebp
    call up
    popl %ebp
    ret
END(framed)
LOCAL(up)                           // the code behind calls of all frames, the first 0xb9 counts
    movl %ebp, %edx
1:  movl 4(%edx), %ecx
    cmpb $0xb9, (%ecx)
    je 2f
    movl (%edx), %edx
    testl %edx, %edx
    jne 1b
2:  movl 1(%ecx), %eax
    ret
END(up)

LOCAL(by_hand)                      // a call in two instructions
    pushl $1f
    jmp copied
1:  BEHIND 108
    ret
END(by_hand)

LOCAL(through_both_caller)
    movl $2, %edx
    call through_both
    BEHIND 109
    ret
END(through_both_caller)
LOCAL(through_both)                 // places of its own, and another function
    cmpl $2, %edx
    je 3f
    jmp *own(,%edx,4)
.Lidle:  nop
.Lback:  ret
3:  jmp *another
END(through_both)
    .data
another: .long copied
    .section .rodata
arms: .long .Lnone, .Lread
own: .long .Lidle, .Lback
