/* From the boot loader to C: turn paging on, move to the high addresses, take our own segments and stack. */
#include "asm.h"

#define HIGH(symbol) (symbol - PAGE_OFFSET) /* its physical address, for as long as paging is off */

    .section .multiboot, "a"
    .align 4
OBJECT(multiboot_header)
    .long 0x1BADB002, 3, -(0x1BADB002 + 3) /* magic; page-aligned modules and the memory's size; checksum */
END(multiboot_header)

    .text
/* In: eax = magic, ebx = physical address of struct multiboot_info, protected mode, paging off. */
ENTRY(_start)
    movl $HIGH(swapper_pg_dir), %ecx
    movl %ecx, %cr3
    movl %cr4, %ecx
    orl $0x10, %ecx /* pages of 4 MiB */
    movl %ecx, %cr4
    movl %cr0, %ecx
    orl $0x80010004, %ecx /* paging; read-only pages also for us; no coprocessor */
    movl %ecx, %cr0
    lgdt HIGH(boot_gdt_pointer)
    ljmp $KERNEL_CS, $high
high:
    movl $KERNEL_DS, %ecx
    movl %ecx, %ds
    movl %ecx, %es
    movl %ecx, %ss
    movl $init_task_union + STACK_SIZE, %esp
    pushl %ebx
    pushl %eax
    call kernel_main /* does not return */
END(_start)

    .data
    .align 4
boot_gdt_pointer:
    .word 7 * 8 - 1
    .long gdt - PAGE_OFFSET

/* The first page directory, the model of all others: memory at PAGE_OFFSET, and its first 4 MiB also where they
   are, for the instructions after paging is on. */
    .align PAGE_SIZE
    .globl swapper_pg_dir
OBJECT(swapper_pg_dir)
    .long 0x83 /* present, writable, 4 MiB */
    .fill PAGE_OFFSET / 0x400000 - 1, 4, 0
    .set frame, 0
    .rept 16
    .long frame + 0x83
    .set frame, frame + 0x400000
    .endr
    .fill 1024 - PAGE_OFFSET / 0x400000 - 16, 4, 0
END(swapper_pg_dir)
