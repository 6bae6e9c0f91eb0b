/* Single words and bytes of a program.  These keep no convention: C calls them from inline assembly (uaccess.h). */
#include "asm.h"
#include "errno.h"

/* Go to `bad` unless all bytes at eax lie below the task's limit; eax is the last one's address then. */
.macro CHECK size, register, bad
    .if \size > 1
    addl $\size - 1, %eax
    jc \bad
    .endif
    movl $-STACK_SIZE, \register /* current */
    andl %esp, \register
    cmpl TASK_ADDR_LIMIT(\register), %eax
    jae \bad
.endm

/* In: eax = address.  Out: eax = 0, edx = what is there; or eax = -EFAULT, edx = 0.  No other register changes. */
.macro GET_USER size, load
ENTRY(__get_user_\size)
    CHECK \size, %edx, bad_get_user
1:  \load -(\size - 1)(%eax), %edx
    xorl %eax, %eax
    ret
END(__get_user_\size)
    .section __ex_table, "a"
    .long 1b, bad_get_user
    .previous
.endm

    .text
    GET_USER 1, movzbl
    GET_USER 4, movl

/* In: eax = address, edx = value.  Out: eax = 0 or -EFAULT.  ecx changes. */
ENTRY(__put_user_4)
    CHECK 4, %ecx, bad_put_user
2:  movl %edx, -3(%eax)
    xorl %eax, %eax
    ret
END(__put_user_4)
    .section __ex_table, "a"
    .long 2b, bad_put_user
    .previous

bad_get_user:
    xorl %edx, %edx
bad_put_user:
    movl $-EFAULT, %eax
    ret
END(bad_put_user)
