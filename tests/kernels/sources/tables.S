// Faults on addresses where nothing is, and their fixups; the exception table's format is given by FORMAT.
#include "start.h"
#define NOTHING 0x50000000

FUNCTION(main):
    pushl $NOTHING
    call read_word                          // -14
    pushl %eax
    call say
    movl $digits, (%esp)
    call read_word                          // "0123"
    movl %eax, (%esp)
    call say
    call read_either                        // -14
    movl %eax, (%esp)
    call say
    call copy                               // 12 bytes are left
    movl %eax, (%esp)
    call say
    call marked                             // 77 where the entry says so
    movl %eax, (%esp)
    call say
    addl $8, %esp
    xorl %eax, %eax
    ret
END(main)

FUNCTION(read_word):
    movl 4(%esp), %ecx
1:  movl (%ecx), %eax
2:  ret
    .section .fixup, "ax"
3:  movl $-14, %eax
    jmp 2b
    .text
    ENTRY(1b, 3b, plain)
END(read_word)

FUNCTION(read_either):                      // what is read is not used
    xorl %eax, %eax
    movl $digits, %ecx
1:  movl (%ecx), %edx
    movl $NOTHING, %ecx
2:  movl (%ecx), %edx
3:  ret
    .section .fixup, "ax"
4:  movl $-14, %eax
    jmp 3b
    .text
    ENTRY(1b, 4b, plain)
    ENTRY(2b, 4b, plain)
END(read_either)

FUNCTION(copy):                             // stops in the middle: pages of the kernel end at 4 MiB
    pushl %esi
    pushl %edi
    movl $OFFSET + 0x400000 - 4, %esi
    movl $room, %edi
    movl $16, %ecx
1:  rep movsb
2:  movl %ecx, %eax
    popl %edi
    popl %esi
    ret
    ENTRY(1b, 2b, plain)
END(copy)

FUNCTION(marked):
    xorl %eax, %eax
1:  cmpl $0, NOTHING
2:  ret
    ENTRY(1b, 2b, mark)
END(marked)

    .bss
room: .fill 16
