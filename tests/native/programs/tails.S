// Control that leaves a function other than by ret: tail jumps, conditional ones, short ones, push/ret, far returns.
#include "check.h"
FUNCTION(_start)
    movl $1, %eax
    call always
    EXPECT(3)
    movl $0, %eax
    call sometimes
    EXPECT(2)
    movl $5, %eax
    call sometimes
    EXPECT(50)
    movl $0, %ecx
    call short
    EXPECT(70)
    movl $1, %ecx
    call short
    EXPECT(60)
    movl $3, %ecx
    movl $0, %eax
    call looping
    EXPECT(43)
    pushl $1f
    jmp always
1:  EXPECT(45)
    pushl $2f
    ret
2:  pushl %cs
    pushl $3f
    lret
3:  movl $9, %eax
    call pushed
    EXPECT(11)
    movl $3, %eax
    call self
    EXPECT(6)
    DONE
END(_start)

LOCAL(always)
    jmp add_two
END(always)
LOCAL(sometimes)
    testl %eax, %eax
    je add_two
    movl $50, %eax
    ret
END(sometimes)
LOCAL(add_two)
    addl $2, %eax
    ret
END(add_two)
LOCAL(short)                        // jecxz has no long form
    jecxz seventy
    movl $60, %eax
    ret
END(short)
LOCAL(seventy)
    movl $70, %eax
    ret
END(seventy)
LOCAL(looping)
    loop forty
    ret
END(looping)
LOCAL(forty)
    addl $43, %eax
    ret
END(forty)
LOCAL(pushed)
    pushl $add_two
    ret
END(pushed)
LOCAL(self)                         // a recursion whose return address is 1f
    testl %eax, %eax
    je 2f
    pushl %eax
    decl %eax
    call self
1:  popl %ecx
    addl %ecx, %eax
2:  ret
END(self)
