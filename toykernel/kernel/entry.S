/* The ways into the kernel and back.  The frame that they build is struct pt_regs (regs.h). */
#include "asm.h"

/* Offsets in struct pt_regs. */
EAX      = 24
ORIG_EAX = 36
CS       = 44

/* The last pushed is the first argument of a system call: saved ebx … ebp are the handler's parameters. */
.macro SAVE_ALL
    cld
    pushl %es
    pushl %ds
    pushl %eax
    pushl %ebp
    pushl %edi
    pushl %esi
    pushl %edx
    pushl %ecx
    pushl %ebx
    movl $KERNEL_DS, %edx
    movl %edx, %ds
    movl %edx, %es
.endm

.macro GET_CURRENT register
    movl $-STACK_SIZE, \register
    andl %esp, \register
.endm

    .text
/* int $0x80: eax = number, arguments in ebx, ecx, edx, esi, edi, ebp. */
ENTRY(system_call)
    pushl %eax
    SAVE_ALL
    GET_CURRENT %ebx
    cmpl $NR_SYSCALLS, %eax
    jae bad_number
    testb $PT_TRACESYS, TASK_PTRACE(%ebx)
    jne traced_call
    call *sys_call_table(, %eax, 4)
    movl %eax, EAX(%esp)
ENTRY(ret_from_sys_call)
    cli /* from these tests to the iret nothing may come between */
    cmpl $0, TASK_NEED_RESCHED(%ebx)
    jne reschedule
    cmpl $0, TASK_SIGPENDING(%ebx)
    jne signal_return
restore_all:
    popl %ebx
    popl %ecx
    popl %edx
    popl %esi
    popl %edi
    popl %ebp
    popl %eax
    popl %ds
    popl %es
    addl $4, %esp /* orig_eax */
    iret

bad_number:
    movl $-ENOSYS, EAX(%esp)
    jmp ret_from_sys_call

.macro TRACE
    pushl %esp
    call syscall_trace /* (regs) */
    addl $4, %esp
.endm
traced_call:
    movl $-ENOSYS, EAX(%esp)
    TRACE
    movl ORIG_EAX(%esp), %eax
    call *sys_call_table(, %eax, 4)
    movl %eax, EAX(%esp)
    TRACE
    jmp ret_from_sys_call

reschedule:
    sti
    call schedule
    jmp ret_from_sys_call

signal_return:
    sti
    call do_signal
    jmp ret_from_sys_call
END(system_call)

/* The same, with time stamps: the gate leads here while kprofile measures CYCLES. */
ENTRY(system_call_timed)
    pushl %eax
    SAVE_ALL
    GET_CURRENT %ebx
    call kprofile_enter
    movl ORIG_EAX(%esp), %eax
    cmpl $NR_SYSCALLS, %eax
    jae bad_number
    call *sys_call_table(, %eax, 4)
    movl %eax, EAX(%esp)
    pushl ORIG_EAX(%esp)
    call kprofile_leave
    addl $4, %esp
    jmp ret_from_sys_call
END(system_call_timed)

/* void enter_user(struct pt_regs *regs): leave for user mode with registers that lie at the top of the stack. */
ENTRY(enter_user)
    movl 4(%esp), %esp
/* Where a fork's copy begins: switch_to returns here, and the registers are next on the stack. */
ENTRY(ret_from_fork)
    GET_CURRENT %ebx
    jmp ret_from_sys_call
END(ret_from_fork)
END(enter_user)

/* A trap: edx is its vector, and its error code or our 0 lies where a system call has its number. */
error_code:
    movl %esp, %eax
    pushl ORIG_EAX(%esp)
    pushl %edx
    pushl %eax
    call do_trap /* (regs, vector, error) */
    addl $12, %esp

/* Whoever was interrupted inside the kernel goes on at once. */
ret_from_intr:
    GET_CURRENT %ebx
    testb $3, CS(%esp)
    jne ret_from_sys_call
    jmp restore_all

/* An interrupt: ~line is on the stack, which is no system call's number. */
common_interrupt:
    SAVE_ALL
    pushl %esp
    call do_IRQ /* (regs) */
    addl $4, %esp
    jmp ret_from_intr

/* The processor pushes an error code for some traps; for the others we push 0. */
.macro TRAP name, vector, error=0
ENTRY(\name)
    .if \error == 0
    pushl $0
    .endif
    SAVE_ALL
    movl $\vector, %edx
    jmp error_code
END(\name)
.endm

    TRAP divide_error, 0
    TRAP debug, 1
    TRAP nmi, 2
    TRAP breakpoint, 3
    TRAP overflow, 4
    TRAP bounds, 5
    TRAP invalid_op, 6
    TRAP device_not_available, 7
    TRAP double_fault, 8, 1
    TRAP coprocessor_segment_overrun, 9
    TRAP invalid_tss, 10, 1
    TRAP segment_not_present, 11, 1
    TRAP stack_segment, 12, 1
    TRAP general_protection, 13, 1
    TRAP page_fault, 14, 1
    TRAP coprocessor_error, 16
    TRAP alignment_check, 17, 1

/* One for each line of the interrupt controllers, IRQ_STUB_SIZE bytes apart: irq.c counts from the first. */
    .balign IRQ_STUB_SIZE
ENTRY(irq_stubs)
    .irp line, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pushl $~\line
    jmp common_interrupt
    .balign IRQ_STUB_SIZE
    .endr
END(irq_stubs)
