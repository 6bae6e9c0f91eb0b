// Functions with two entries, functions that fall into the next one, entries without type or size, aliases.
// stays: outer: no jump table
#include "check.h"
FUNCTION(_start)
    xorl %eax, %eax
    call outer
    EXPECT(3)
    call inner
    EXPECT(5)
    call *inner_pointer
    EXPECT(7)
    xorl %eax, %eax
    call first
    EXPECT(0x321)
    xorl %eax, %eax
    call second
    EXPECT(0x320)
    xorl %eax, %eax
    call untyped
    EXPECT(100)
    call alias
    EXPECT(200)
    call weak_alias
    EXPECT(300)
    movl $alias, %eax
    EXPECT(untyped)
    DONE
END(_start)

LOCAL(outer)                        // inner is a label inside
    incl %eax
inner:
    addl $2, %eax
    ret
END(outer)

LOCAL(first)                        // runs into second, over padding
    orl $1, %eax
END(first)
    .balign 32
LOCAL(second)
    orl $0x20, %eax
END(second)
LOCAL(third)
    orl $0x300, %eax
    ret
END(third)

untyped:
    addl $100, %eax
    ret
    .set alias, untyped
    .weak weak_alias
    .set weak_alias, untyped
    .data
inner_pointer: .long inner
