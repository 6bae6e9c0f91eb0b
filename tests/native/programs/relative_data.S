// Addresses as distances from the place that holds them, across sections: these have relocations.
#include "check.h"
FUNCTION(_start)
    movl $sites, %esi
    xorl %ebx, %ebx
1:  movl (%esi), %ecx
    addl %esi, %ecx
    call *%ecx
    addl %eax, %ebx
    addl $4, %esi
    cmpl $sites_end, %esi
    jne 1b
    movl %ebx, %eax
    EXPECT(111)
    movl words, %eax                // a distance between sections
    addl $words, %eax
    call *%eax
    EXPECT(100)
    DONE
END(_start)
LOCAL(one)
    movl $1, %eax
    ret
END(one)
LOCAL(ten)
    movl $10, %eax
    ret
END(ten)
LOCAL(hundred)
    movl $100, %eax
    ret
END(hundred)
    .section .rodata
sites: .long one - ., ten - ., hundred - .
sites_end:
    .data
words: .long hundred - words
