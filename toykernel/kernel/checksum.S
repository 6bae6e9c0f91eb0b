/* The Internet's checksum (RFC 1071) in words of 32 bits: eight additions a round, each with the carry of the last. */
#include "asm.h"

    .text
/* u32 checksum(const void *from, size_t n, u32 sum): `sum` and all words; zeros fill up the last one. */
ENTRY(checksum)
    pushl %esi
    pushl %ebx
    movl 12(%esp), %esi
    movl 16(%esp), %ecx
    movl 20(%esp), %eax
    movl %ecx, %edx
    andl $28, %edx /* bytes in words that fill no round: they are the end of the first */
    shrl $5, %ecx  /* rounds behind it */
    leal -32(%esi, %edx), %esi
    call 1f
1:  popl %ebx /* where we are, and from here, where to enter the first round */
    addl checksum_ways - 1b(%ebx, %edx), %ebx
    testl %eax, %eax /* no carry yet */
    jmp *%ebx
2:  adcl (%esi), %eax
3:  adcl 4(%esi), %eax
4:  adcl 8(%esi), %eax
5:  adcl 12(%esi), %eax
6:  adcl 16(%esi), %eax
7:  adcl 20(%esi), %eax
8:  adcl 24(%esi), %eax
9:  adcl 28(%esi), %eax
10: leal 32(%esi), %esi
    decl %ecx /* like leal it keeps the carry */
    jns 2b
    adcl $0, %eax
    movl 16(%esp), %ecx
    xorl %edx, %edx
    andl $3, %ecx
    je 12f
11: shll $8, %edx /* the last byte is the highest */
    movb -1(%esi, %ecx), %dl
    loop 11b
    addl %edx, %eax
    adcl $0, %eax
12: popl %ebx
    popl %esi
    ret
END(checksum)

/* Distances, by the number of words that fill no round. */
OBJECT(checksum_ways)
    .long 10b - 1b, 9b - 1b, 8b - 1b, 7b - 1b, 6b - 1b, 5b - 1b, 4b - 1b, 3b - 1b
END(checksum_ways)
