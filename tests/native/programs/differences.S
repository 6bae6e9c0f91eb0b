// Distances between labels leave no relocation: code that is reached by one keeps its shape.
// stays: in_text: computed with
// stays: in_data: computed with
// stays: copied: computed with
// stays: _start: computed with
#include "check.h"
FUNCTION(_start)
    movl $1, %ecx
    call in_text
    EXPECT(20)
    movl $2, %ecx
    call in_text
    EXPECT(30)
    movl $0, %ecx
    call in_data
    EXPECT(11)
    movl $1, %ecx
    call in_data
    EXPECT(22)
    movl $1, %ecx
    call self_relative
    EXPECT(55)
    movl $copied, %esi              // a function's size is a distance too
    movl $copied_end - copied, %eax
    movl %eax, %ecx
    xorl %edx, %edx
1:  addb (%esi), %dl
    incl %esi
    loop 1b
    movl %edx, %eax
    EXPECT((0xb8 + 1 + 2 + 3 + 4 + 0xc3) & 255)
    DONE
END(_start)

LOCAL(in_text)                      // jump by a table of bytes behind the code
    movzbl tab(%ecx), %eax
    addl $1f, %eax
    jmp *%eax
1:  movl $10, %eax
    ret
2:  movl $20, %eax
    jmp.d32 4f
3:  movl $30, %eax
4:  ret
tab: .byte 1b - 1b, 2b - 1b, 3b - 1b, 0
END(in_text)

LOCAL(in_data)                      // gcc's `goto *(&&one + way[i])`
    movl $1f, %eax
    addl way(,%ecx,4), %eax
    jmp *%eax
1:  movl $11, %eax
    jmp.d32 3f
2:  movl $22, %eax
3:  ret
    .section .rodata
way: .long 1b - 1b, 2b - 1b
    .text
END(in_data)

LOCAL(self_relative)                // `.long f - .` has a relocation in another section, and no shape to keep
    leal sites(,%ecx,4), %eax
    addl (%eax), %eax
    jmp *%eax
END(self_relative)
LOCAL(four)
    movl $44, %eax
    ret
END(four)
LOCAL(five)
    movl $55, %eax
    ret
END(five)
    .section .rodata
sites: .long four - ., five - .
    .text
LOCAL(copied)
    movl $0x04030201, %eax
    ret
copied_end:
END(copied)
