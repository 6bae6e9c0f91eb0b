// Code that is copied as data, by somebody who only gets to know where its address and its size are: nothing here says what for.
// contract: copied = ["trampoline"]
// stays: trampoline: copied
#include "check.h"
FUNCTION(_start)
    pushl $piece
    call sum
    addl $4, %esp
    EXPECT((0xb8 + 5 + 0xe9 + 5 + 0x90 + 0x90 + 0x90 + 0x90 + 0x90 + 0xc3) & 255)
    call trampoline
    EXPECT(5)
    DONE
END(_start)
LOCAL(sum)
    movl 4(%esp), %eax
    movl (%eax), %edx
    movl 4(%eax), %ecx
    xorl %eax, %eax
1:  addb (%edx), %al
    incl %edx
    loop 1b
    ret
END(sum)
LOCAL(trampoline)
    movl $5, %eax
    jmp.d32 1f
    nop
    nop
    nop
    nop
    nop
1:  ret
trampoline_end:
END(trampoline)
    .data
piece: .long trampoline, trampoline_end - trampoline
