/* void call(u32 registers[7]): int $0x80 with eax, ebx, ecx, edx, esi, edi, ebp as given; then they are what the
   kernel left in them. */
    .text
    .globl call
    .type call, @function
call:
    pushal
    movl 36(%esp), %eax
    movl 4(%eax), %ebx
    movl 8(%eax), %ecx
    movl 12(%eax), %edx
    movl 16(%eax), %esi
    movl 20(%eax), %edi
    movl 24(%eax), %ebp
    movl (%eax), %eax
    int $0x80
    pushl %eax
    movl 40(%esp), %eax
    movl %ebx, 4(%eax)
    movl %ecx, 8(%eax)
    movl %edx, 12(%eax)
    movl %esi, 16(%eax)
    movl %edi, 20(%eax)
    movl %ebp, 24(%eax)
    popl (%eax)
    popal
    ret
    .size call, .- call
