// `symbol + addend` into the middle of functions and data, behind their ends and before their beginnings.
// stays: twice: no jump table
#include "check.h"
FUNCTION(_start)
    xorl %eax, %eax
    call twice + 2                  // past the first addition
    EXPECT(2)
    call *middle
    EXPECT(4)
    movl $twice + 2, %ecx
    call *%ecx
    EXPECT(6)
    movl words + 8, %eax
    EXPECT(33)
    movl third, %ecx
    movl -4(%ecx), %eax
    EXPECT(22)
    movl $5, %ecx                   // words[ecx - 3], and far before the image
    movl words - 12(,%ecx,4), %eax
    EXPECT(33)
    movl $0x10000001, %ecx
    movl words - 0x40000000(,%ecx,4), %eax
    EXPECT(22)
    movl stop, %ecx                 // one behind the last
    xorl %eax, %eax
1:  subl $4, %ecx
    addl (%ecx), %eax
    cmpl $words, %ecx
    jne 1b
    EXPECT(110)
    DONE
END(_start)

FUNCTION(twice)
    addb $2, %al
    addl $2, %eax
    ret
END(twice)
    .data
middle: .long twice + 2
third:  .long words + 8
stop:   .long words + 16
    .section .rodata
    .globl words
words:  .long 11, 22, 33, 44
