/* Change the kernel stack, and with it the task. */
#include "asm.h"

    .text
/* void switch_to(struct task *previous, struct task *next).  A new task begins with a frame as if it had called
   this: four registers and a return address (process.c). */
ENTRY(switch_to)
    movl 4(%esp), %eax
    movl 8(%esp), %edx
    pushl %ebp
    pushl %ebx
    pushl %esi
    pushl %edi
    movl %esp, TASK_ESP(%eax)
    movl TASK_ESP(%edx), %esp
    popl %edi
    popl %esi
    popl %ebx
    popl %ebp
    ret
END(switch_to)
