// Equal-sized stubs: the relocation names the first one only.
// stays: stubs: computed with
// stays: common: falls into it
#include "check.h"
FUNCTION(_start)
    movl $9, %ecx
    call enter
    EXPECT(9)
    movl $31, %ecx
    call enter
    EXPECT(31)
    movl $4, %ecx
    call by_pointer
    EXPECT(4)
    DONE
END(_start)
LOCAL(enter)
    movl $stubs, %edx
    leal (%ecx,%ecx), %ecx
    leal (%edx,%ecx,4), %edx
    call *%edx
    ret
END(enter)
LOCAL(by_pointer)
    shll $3, %ecx
    leal stubs(%ecx), %edx
    jmp *%edx
END(by_pointer)
    .balign 16
LOCAL(stubs)
    .set number, 0
    .rept 32
    pushl $number
    jmp.d32 common
    .balign 8
    .set number, number + 1
    .endr
END(stubs)
LOCAL(common)
    popl %eax
    ret
END(common)
