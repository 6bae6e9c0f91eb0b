/* What a program must not do, and the signal that it dies of. */
#pragma once

#include "libc.h"

static void read_null(void)
{
    asm volatile("movl 0, %eax");
}

static void write_code(void)
{
    asm volatile("movl %eax, main");
}

static void read_kernel(void)
{
    asm volatile("movl 0xC0100000, %eax");
}

static void jump_kernel(void)
{
    asm volatile("movl $0xC0100000, %eax\n\tjmp *%eax");
}

static void divide(void)
{
    asm volatile("xorl %ecx, %ecx\n\tdivl %ecx");
}

static void invalid(void)
{
    asm volatile("ud2");
}

static void halt(void)
{
    asm volatile("hlt");
}

static void no_interrupts(void)
{
    asm volatile("cli");
}

static void page_directory(void)
{
    asm volatile("movl %eax, %cr3");
}

static void breakpoint(void)
{
    asm volatile("int3");
}

static void overflow(void)
{
    asm volatile("movb $0x7F, %al\n\taddb $1, %al\n\tinto");
}

static void bounds(void)
{
    static const u32 limits[] = {1, 2};

    asm volatile("xorl %%eax, %%eax\n\tbound %%eax, (%0)" ::"r"(limits) : "eax");
}

static void single_step(void)
{
    asm volatile("pushfl\n\torl $0x100, (%esp)\n\tpopfl\n\tnop");
}

static void bad_gate(void)
{
    asm volatile("int $0x81");
}

static void kernel_gate(void)
{
    asm volatile("int $14"); /* only the processor may enter here */
}

static void bad_segment(void)
{
    asm volatile("movl $0x18, %eax\n\tmovl %eax, %ds");
}

static void deep_stack(void)
{
    asm volatile("1: pushl %eax\n\tjmp 1b");
}

static void lost_stack(void)
{
    asm volatile("xorl %esp, %esp\n\tpushl %eax");
}

static void coprocessor(void)
{
    asm volatile("fld1");
}

static const struct {
    const char *name;
    void (*die)(void);
    int signal; /* 0: not the same everywhere */
} deaths[] = {
    {"read-null", read_null, SIGSEGV},
    {"write-code", write_code, SIGSEGV},
    {"read-kernel", read_kernel, SIGSEGV},
    {"jump-kernel", jump_kernel, SIGSEGV},
    {"divide", divide, SIGFPE},
    {"invalid", invalid, SIGILL},
    {"halt", halt, SIGSEGV},
    {"no-interrupts", no_interrupts, SIGSEGV},
    {"page-directory", page_directory, SIGSEGV},
    {"breakpoint", breakpoint, SIGTRAP},
    {"overflow", overflow, SIGSEGV},
    {"bounds", bounds, SIGSEGV},
    {"single-step", single_step, SIGTRAP},
    {"bad-gate", bad_gate, SIGSEGV},
    {"kernel-gate", kernel_gate, SIGSEGV},
    {"bad-segment", bad_segment, SIGSEGV},
    {"deep-stack", deep_stack, SIGSEGV},
    {"lost-stack", lost_stack, SIGSEGV},
    {"coprocessor", coprocessor, 0},
};
