/* Copy between kernel and program.  A fault on the program's side ends the copy at that byte or word. */
#include "asm.h"

.macro COPY
    pushl %esi
    pushl %edi
    movl 12(%esp), %edi
    movl 16(%esp), %esi
    movl 20(%esp), %edx
    movl %edx, %ecx
    shrl $2, %ecx
1:  rep movsl
    movl %edx, %ecx
    andl $3, %ecx
2:  rep movsb
3:  movl %ecx, %eax
    popl %edi
    popl %esi
    ret
    .section __ex_table, "a"
    .long 1b, 4f, 2b, 5f
    .previous
4:  andl $3, %edx /* words that are left, and the rest */
    leal (%edx, %ecx, 4), %ecx
5:
.endm

    .text
/* size_t __copy_to_user(void *to, const void *from, size_t n): bytes that were not copied. */
ENTRY(__copy_to_user)
    COPY
    jmp 3b
END(__copy_to_user)

/* size_t __copy_from_user(void *to, const void *from, size_t n): likewise, and these bytes become zero, so that
   nothing of ours that lay there is taken for the program's. */
ENTRY(__copy_from_user)
    COPY
    pushl %ecx
    xorl %eax, %eax
    rep stosb
    popl %ecx
    jmp 3b
END(__copy_from_user)
