// Equal-sized stubs whose address is handed on; some are called by name, too, so that nothing looks like counting.
// contract: equal_stubs = [{symbol = "stub0", size = 16, count = 4}]
// stays: stub0: counting from stub0
// stays: stub1: counting from stub0
// stays: stub2: counting from stub0
// stays: stub3: counting from stub0
#include "check.h"
FUNCTION(_start)
    pushl $stub0
    call fill
    call *gates + 8
    EXPECT(2)
    call *gates + 12
    EXPECT(3)
    call stub1
    EXPECT(1)
    DONE
END(_start)
LOCAL(fill)
    movl 4(%esp), %eax
    xorl %ecx, %ecx
1:  movl %eax, gates(,%ecx,4)
    addl $16, %eax
    incl %ecx
    cmpl $4, %ecx
    jne 1b
    ret $4
END(fill)
    .balign 16
LOCAL(stub0)
    movl $0, %eax
    jmp common
END(stub0)
    .balign 16
LOCAL(stub1)
    movl $1, %eax
    jmp common
END(stub1)
    .balign 16
LOCAL(stub2)
    movl $2, %eax
    ret
    .balign 16
END(stub2)
LOCAL(stub3)
    movl $3, %eax
    jmp *leave
    .balign 16
END(stub3)
LOCAL(unnamed)
    int3
END(unnamed)
    .skip 200, 0xcc
LOCAL(common)
    ret
END(common)
    .data
leave: .long common
    .bss
gates: .skip 16
