// From the boot loader to `main`, which returns in eax what the machine powers off with; a page fault looks for a fixup.
#define OFFSET 0xC0000000
#ifndef FORMAT
#define FORMAT 0
#endif
#if FORMAT == 0
#define ENTRY_SIZE 8
#define ENTRY(insn, fixup, third) .pushsection __ex_table, "a"; .long insn, fixup; .popsection
#elif FORMAT == 1
#define ENTRY_SIZE 8
#define ENTRY(insn, fixup, third) .pushsection __ex_table, "a"; .long insn - ., fixup - .; .popsection
#elif FORMAT == 2
#define ENTRY_SIZE 12
#define ENTRY(insn, fixup, third) .pushsection __ex_table, "a"; .long insn - ., fixup - ., handle_##third - .; .popsection
#else
#define ENTRY_SIZE 12
#define number_plain 1
#define number_mark 2
#define ENTRY(insn, fixup, third) .pushsection __ex_table, "a"; .long insn - ., fixup - ., number_##third; .popsection
#endif
#define FUNCTION(name) .globl name; .type name, @function; name
#define END(name) .size name, . - name

#ifdef PVH                                  // a note says where to start, instead of a header
    .section .note.pvh, "a", @note
    .long 4, 4, 18                          // XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long _start - OFFSET
#else
    .section .multiboot, "ax"
    .align 4
    .long 0x1BADB002, 0, -0x1BADB002
#endif

    .text
FUNCTION(_start):                           // paging is off, and there is no stack: the contract lets it stay
    movl $directory - OFFSET, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $0x10, %eax                         // pages of 4 MiB
    movl %eax, %cr4
    movl %cr0, %eax
    orl $0x80010000, %eax
    movl %eax, %cr0
    movl $stack_top, %esp
    movl $high, %eax
    jmp *%eax
END(_start)

FUNCTION(high):
    lgdt gdt_pointer
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    ljmp $8, $flat
END(high)

FUNCTION(flat):
    pushl $page_fault
    call set_gate
    addl $4, %esp
    lidt idt_pointer
    call main
    outb %al, $0xF4                         // powers off
    cli
    hlt
END(flat)

FUNCTION(set_gate):                         // of vector 14, to the address on the stack
    movl 4(%esp), %eax
    movw %ax, idt + 14 * 8
    movw $8, idt + 14 * 8 + 2
    movw $0x8E00, idt + 14 * 8 + 4
    shrl $16, %eax
    movw %ax, idt + 14 * 8 + 6
    ret
END(set_gate)

FUNCTION(page_fault):                       // a search by halves
    pushal
    movl $__start___ex_table, %esi
    movl $__stop___ex_table, %edi
again:
    cmpl %edi, %esi
    jae nobody
    movl %edi, %eax
    subl %esi, %eax
    xorl %edx, %edx
    movl $ENTRY_SIZE, %ecx
    divl %ecx
    shrl $1, %eax
    imull $ENTRY_SIZE, %eax
    addl %esi, %eax                         // the entry in the middle
    movl (%eax), %ebx
#if FORMAT
    addl %eax, %ebx
#endif
    cmpl 36(%esp), %ebx
    je found
    ja lower
    leal ENTRY_SIZE(%eax), %esi
    jmp again
lower:
    movl %eax, %edi
    jmp again
found:
    movl 4(%eax), %ebx
#if FORMAT
    leal 4(%eax, %ebx), %ebx
#endif
    movl %ebx, 36(%esp)
#if FORMAT == 2
    movl 8(%eax), %ecx
    leal 8(%eax, %ecx), %ecx
    call *%ecx
#elif FORMAT == 3
    cmpl $number_mark, 8(%eax)
    jne plain
    movl $77, 28(%esp)                      // eax of who faulted
plain:
#endif
    popal
    addl $4, %esp
    iretl
nobody:
    movl $99, %eax
    outb %al, $0xF4
    hlt
END(page_fault)

FUNCTION(handle_plain):
    ret
END(handle_plain)

FUNCTION(handle_mark):
    movl $77, 32(%esp)                      // eax of who faulted, behind the return address
    ret
END(handle_mark)

FUNCTION(say):                              // the word on the stack, in hexadecimal digits
    pushl %ebx
    movl 8(%esp), %ebx
    movl $8, %ecx
digit:
    roll $4, %ebx
    movl %ebx, %eax
    andl $15, %eax
    movb digits(%eax), %al
    movw $0x3F8, %dx
    outb %al, %dx
    loop digit
    movb $10, %al
    outb %al, %dx
    popl %ebx
    ret
END(say)

    .section .rodata
digits: .ascii "0123456789abcdef"
gdt_pointer: .short 23
    .long gdt
idt_pointer: .short 15 * 8 - 1
    .long idt
    .data
    .align 4096
directory: .long 0x83
    .fill 767, 4, 0
    .long 0x83                              // OFFSET is the first 4 MiB
    .fill 255, 4, 0
gdt: .quad 0, 0x00CF9A000000FFFF, 0x00CF92000000FFFF
idt: .fill 15, 8, 0
    .bss
    .fill 4096
stack_top:
    .text
