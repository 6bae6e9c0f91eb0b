/* What C and assembly both know: the map of the address space, selectors, offsets. */
#pragma once

#define PAGE_OFFSET 0xC0000000 /* all physical memory is mapped from here on; programs live below */
#define PAGE_SHIFT  12
#define PAGE_SIZE   4096
#define PAGE_MASK   (PAGE_SIZE - 1) /* the offset in a page */
#define STACK_SIZE  8192            /* of a kernel stack; the task itself lies at its bottom */

#define KERNEL_CS    0x10
#define KERNEL_DS    0x18
#define USER_CS      0x23
#define USER_DS      0x2B
#define TSS_SELECTOR 0x30

#define SYSTEM_CALL   0x80 /* the vector of system calls */
#define NR_SYSCALLS   256
#define ENOSYS        38
#define IRQ_STUB_SIZE 8 /* from one interrupt entry to the next */

/* Offsets of the first fields of struct task. */
#define TASK_NEED_RESCHED 0
#define TASK_SIGPENDING   4
#define TASK_ESP          8
#define TASK_ADDR_LIMIT   12
#define TASK_PTRACE       16

#define PT_TRACESYS 2 /* in ptrace of struct task: its system calls are recorded */

#ifdef __ASSEMBLER__
#define ENTRY(name)                                                                                          \
    .globl name;                                                                                             \
    .type name, @function;                                                                                   \
    name:
#define OBJECT(name)                                                                                         \
    .type name, @object;                                                                                     \
    name:
#define END(name) .size name, .- name
#endif
