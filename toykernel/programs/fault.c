/* Die in one of many ways: fault KIND.  The kernel must outlive them all. */
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
} kinds[] = {
    {"read-null", read_null},
    {"write-code", write_code},
    {"read-kernel", read_kernel},
    {"jump-kernel", jump_kernel},
    {"divide", divide},
    {"invalid", invalid},
    {"halt", halt},
    {"no-interrupts", no_interrupts},
    {"page-directory", page_directory},
    {"breakpoint", breakpoint},
    {"bad-gate", bad_gate},
    {"kernel-gate", kernel_gate},
    {"bad-segment", bad_segment},
    {"deep-stack", deep_stack},
    {"lost-stack", lost_stack},
    {"coprocessor", coprocessor},
};

int main(int argc, char **argv)
{
    for (u32 i = 0; argc == 2 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            kinds[i].die();
    print("usage: fault KIND, one of");
    for (u32 i = 0; i < sizeof kinds / sizeof *kinds; i++)
        print(" %s", kinds[i].name);
    print("\n");
    return 2;
}
