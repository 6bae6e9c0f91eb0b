/* What a process dies of when it does what it must not; nobody else notices. */
#include "usertests.h"

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

static void privileged(void)
{
    asm volatile("hlt");
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
    asm volatile("int $14");
}

static void bad_segment(void)
{
    asm volatile("movl $0x18, %eax\n\tmovl %eax, %ds");
}

static void lost_stack(void)
{
    asm volatile("xorl %esp, %esp\n\tpushl %eax");
}

static const struct {
    void (*die)(void);
    int signal;
} ways[] = {
    {read_null, SIGSEGV},   {write_code, SIGSEGV},  {read_kernel, SIGSEGV}, {jump_kernel, SIGSEGV},
    {divide, SIGFPE},       {invalid, SIGILL},      {privileged, SIGSEGV},  {breakpoint, SIGTRAP},
    {overflow, SIGSEGV},    {bounds, SIGSEGV},      {single_step, SIGTRAP}, {bad_gate, SIGSEGV},
    {kernel_gate, SIGSEGV}, {bad_segment, SIGSEGV}, {lost_stack, SIGSEGV},
};

static void deaths(void)
{
    for (u32 i = 0; i < sizeof ways / sizeof *ways; i++)
        EXPECT(run_child(ways[i].die) & 0x7F, ways[i].signal);
}

/* Numbers without a call behind them. */
static void numbers(void)
{
    EXPECT(syscall0(0), is_linux() ? -EINTR : -ENOSYS);
    EXPECT(syscall0(0x400), -ENOSYS);
    EXPECT(syscall0(-1), -ENOSYS);
    EXPECT(syscall0(0x7FFFFFFF), -ENOSYS);
}

const struct test fault_tests[] = {
    {"fault-deaths", deaths},
    {"fault-numbers", numbers},
    {},
};
