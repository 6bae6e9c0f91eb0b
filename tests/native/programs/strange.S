// Instructions that few decoders know, bytes that are none, prefixes without need: kept as they are.
// stays: garbage: do not decode
// stays: decorated: not understood
// stays: odd: data in the text
#include "check.h"
FUNCTION(_start)
    movl $7, %eax
    call decorated
    EXPECT(9)
    movl $1, %ecx
    call vectors
    EXPECT(1)
    movl $1, %ecx
    call garbage
    EXPECT(2)
    movl $0, %ecx
    call transaction
    EXPECT(3)
    movzbl odd, %eax
    EXPECT(0x0f)
    DONE
END(_start)
    .type odd, @object
odd: .byte 0x0f
    .size odd, 1
LOCAL(decorated)
    .byte 0x2e, 0x90, 0x66, 0x90, 0xf3, 0x90        // idle
    .byte 0x3e; incl %eax
    .byte 0x83, 0xc0, 0x01                          // addl $1, %eax
    .byte 0xf2; ret                                 // bnd ret
END(decorated)
LOCAL(vectors)                      // not executed: not every processor has them
    jecxz 1f
    movl $1, %eax
    ret
1:  movl $decorated, %edx
    vzeroupper
    call *%edx
    vzeroupper
    vpaddd %ymm0, %ymm1, %ymm2
    vmovdqu words, %xmm1
    rdrand %eax
    ret
END(vectors)
LOCAL(garbage)
    jecxz 1f
    movl $2, %eax
    ret
1:  .byte 0x0f, 0xff, 0xc7, 0xc8, 0x0f, 0x04, 0xd6, 0xfe, 0xff
END(garbage)
LOCAL(transaction)                  // xbegin is a branch
    testl %ecx, %ecx
    jne 2f
    movl $3, %eax
    ret
2:  xbegin 1f
    xend
    ret
1:  movl $4, %eax
    ret
END(transaction)
    .data
words: .long 1, 2, 3, 4
