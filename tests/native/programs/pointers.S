// What programs do with the address of a function besides calling it.
// stays: tagged: computed with
// stays: hashed: computed with
// stays: peeked: read as data
// stays: loaded: computed with
#include "check.h"
FUNCTION(_start)
    movl $tagged, %eax              // a tag in the low bit
    orl $1, %eax
    movl %eax, slot
    movl slot, %eax
    andl $-2, %eax
    call *%eax
    EXPECT(1)
    movl $hashed, %eax              // its number is part of the answer
    shrl $20, %eax
    EXPECT(0x80)
    movzbl peeked, %eax             // its first byte
    EXPECT(0xb8)
    movl $plain, slot
    cmpl $plain, slot
    jne 1f
    call *slot
    EXPECT(4)
1:  movl $plain, %edx
    movl $other, %ecx
    testl %eax, %eax
    cmovnel %ecx, %edx
    call *%edx
    EXPECT(5)
    movl $passed, %edx              // what the kernel may make of it is not our arithmetic
    movl $20, %eax                  // getpid
    int $0x80
    call *%edx
    EXPECT(6)
    movl $maybe, %eax               // undefined and weak: zero
    EXPECT(0)
    cmpl $0, slot
    setne %al
    movzbl %al, %eax
    EXPECT(1)
    DONE
END(_start)
    .weak maybe
    .balign 2
LOCAL(tagged)
    movl $1, %eax
    ret
END(tagged)
LOCAL(hashed)
    movl $2, %eax
    ret
END(hashed)
LOCAL(peeked)
    movl $3, %eax
    ret
END(peeked)
LOCAL(plain)
    movl $4, %eax
    ret
END(plain)
LOCAL(other)
    movl $5, %eax
    ret
END(other)
LOCAL(passed)
    movl $6, %eax
    ret
END(passed)
LOCAL(never)
    movl $loaded, %ecx              // the processor makes something of it
    movl %ecx, %cr3
    ret
END(never)
LOCAL(loaded)
    movl $7, %eax
    ret
END(loaded)
    .data
slot: .long 0
