// The address of the first stub is handed to a function that computes the others, as for an interrupt table.
// stays: stub0
// stays: stub1
// stays: stub2
#include "check.h"
FUNCTION(_start)
    pushl $stub0
    call fill
    call *gates + 8
    EXPECT(2)
    DONE
END(_start)
LOCAL(fill)
    movl 4(%esp), %eax
    xorl %ecx, %ecx
1:  movl %eax, gates(,%ecx,4)
    addl $16, %eax
    incl %ecx
    cmpl $3, %ecx
    jne 1b
    ret $4
END(fill)
    .balign 16
LOCAL(stub0)
    movl $0, %eax
    ret
END(stub0)
    .balign 16
LOCAL(stub1)
    movl $1, %eax
    ret
END(stub1)
    .balign 16
LOCAL(stub2)
    movl $2, %eax
    ret
END(stub2)
    .bss
gates: .skip 12
