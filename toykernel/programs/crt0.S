/* Where a program starts: argc is at esp, argv above it. */
    .text
    .globl _start
    .type _start, @function
_start:
    movl (%esp), %eax
    leal 4(%esp), %ecx
    xorl %ebp, %ebp
    pushl %ecx
    pushl %eax
    call main
    movl %eax, %ebx
    movl $1, %eax /* exit */
    int $0x80
    .size _start, .- _start
