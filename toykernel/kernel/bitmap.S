/* Bitmaps: bit n is bit n % 32 of word n / 32. */
#include "asm.h"

    .text
/* u32 find_first_zero_bit(const u32 *map, u32 bits): the lowest bit that is clear; `bits` if there is none. */
ENTRY(find_first_zero_bit)
    xorl %ecx, %ecx
    jmp 1f
/* u32 find_next_zero_bit(const u32 *map, u32 bits, u32 start): likewise, but none below `start`. */
ENTRY(find_next_zero_bit)
    movl 12(%esp), %ecx
1:  pushl %ebx
    movl 8(%esp), %ebx
    movl 12(%esp), %edx
2:  movl %edx, %eax
    cmpl %edx, %ecx
    jae 4f
    movl %ecx, %eax
    shrl $5, %eax
    movl (%ebx, %eax, 4), %eax
    notl %eax
    shrl %cl, %eax /* what lies below in its word does not count */
    bsfl %eax, %eax
    jne 3f
    orl $31, %ecx
    incl %ecx
    jmp 2b
3:  addl %ecx, %eax
    cmpl %edx, %eax /* what lies behind the map does not count either */
    jbe 4f
    movl %edx, %eax
4:  popl %ebx
    ret
END(find_next_zero_bit)
END(find_first_zero_bit)
