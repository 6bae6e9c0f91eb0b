// Data between instructions: jump tables, words and strings in the text, what a kernel's BUG() leaves behind ud2.
// stays: words: read as data
// stays: by_table: middle of an instruction
// stays: by_biased_table: a relocated field is no operand
// stays: checked: do not decode
#include "check.h"
FUNCTION(_start)
    movl words + 4, %eax
    EXPECT(0x2222)
    movl $2, %ecx
    movl words(,%ecx,4), %eax
    EXPECT(0x3333)
    movl $1, %ecx
    call by_table
    EXPECT(20)
    movl $5, %ecx
    call by_biased_table
    EXPECT(20)
    movl $0, %ecx
    call checked
    EXPECT(5)
    DONE
END(_start)
words:
    .long 0x1111, 0x2222, 0x3333

LOCAL(by_table)
    jmp *table(,%ecx,4)
    .balign 4
table: .long 1f, 2f
1:  movl $10, %eax
    ret
2:  movl $20, %eax
    ret
END(by_table)

LOCAL(by_biased_table)              // the field names bytes of the instructions before the table
    jmp *biased - 16(,%ecx,4)
    .balign 4
biased: .long 1f, 2f
1:  movl $10, %eax
    ret
2:  movl $20, %eax
    ret
END(by_biased_table)

LOCAL(checked)
    testl %ecx, %ecx
    jne 1f
    movl $5, %eax
    ret
1:  ud2
    .word 1234
    .long file
END(checked)
    .section .rodata
file: .asciz "data_in_text.S"
