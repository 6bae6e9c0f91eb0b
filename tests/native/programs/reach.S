// Branches that reach exactly ±127 and ±128 bytes, those that have no long form, and those that keep their hints.
#include "check.h"
    .macro forward count            // jumps over so many bytes
    jmp 1f
    .fill \count, 1, 0x90
1:
    .endm
    .macro backward count
    jmp 2f
1:  jmp 3f
    .fill \count, 1, 0x90
2:  jmp 1b
3:
    .endm
FUNCTION(_start)
    xorl %eax, %eax
    forward 126
    forward 127
    forward 128
    forward 129
    backward 123
    backward 124
    backward 125
    backward 126
    movl $3, %ecx
1:  incl %eax
    .fill 123, 1, 0x90
    loop 1b
    EXPECT(3)
    movl $3, %ecx
1:  incl %eax
    .fill 124, 1, 0x90
    loop 1b
    EXPECT(6)
    xorl %ecx, %ecx
    jecxz 1f
    .fill 127, 1, 0xcc
1:  movl $5, %ecx
1:  decl %ecx
    loopne 1b
    movl %ecx, %eax
    EXPECT(-1)
    movl $0x10000, %ecx
    jcxz 1f                         // cx only, by the address-size prefix
    EXPECT(1)
1:  movl $0x50002, %ecx
    xorl %eax, %eax
1:  incl %eax
    addr16 loop 1b
    EXPECT(2)
    movl %ecx, %eax
    EXPECT(0x50000)
    xorl %eax, %eax
    .byte 0x3e                      // hint: taken
    je 1f
    .fill 125, 1, 0xcc
1:  .byte 0x2e                      // hint: not taken
    jne 2f
    .byte 0x3e                      // notrack
    jmp *place
    .fill 80, 1, 0xcc
3:  DONE
2:  EXPECT(1)
    .data
place: .long 3b
    .text
END(_start)
