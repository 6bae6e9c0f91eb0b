/* The tables that the processor reads: segments, gates, and the stack for entries from user mode. */
#include "kernel.h"

struct tss {
    u32 link;        /* previous task, not used */
    u32 esp0;        /* kernel stack of the running task */
    u32 ss0;         /* its segment */
    u32 unused[22];  /* of hardware task switches */
    u16 trap;        /* no debug trap on a switch */
    u16 io_map_base; /* behind the segment: no port is open to programs */
};

struct gate {
    u16 offset_low; /* of the handler */
    u16 selector;   /* its code segment */
    u16 type;       /* present, ring that may call it, trap or interrupt gate */
    u16 offset_high;
};

#define FLAT(access) (0x00CF00000000FFFFull | (u64)(access) << 40) /* base 0, 4 GiB, 32 bits */

static struct tss tss;
static struct gate idt[256];

u64 gdt[7] = {
    [KERNEL_CS / 8] = FLAT(0x9A),
    [KERNEL_DS / 8] = FLAT(0x92),
    [USER_CS / 8] = FLAT(0xFA),
    [USER_DS / 8] = FLAT(0xF2),
};

void set_gate(u32 vector, u16 type, const void *handler)
{
    u32 offset = (u32)handler;
    idt[vector] = (struct gate){offset, KERNEL_CS, type, offset >> 16};
}

/* Where the next entry from user mode finds its stack. */
void set_kernel_stack(u32 top)
{
    tss.esp0 = top;
}

/* The GDT was loaded in head.S, at its physical address. */
void cpu_init(void)
{
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) gdtr = {sizeof gdt - 1, (u32)gdt}, idtr = {sizeof idt - 1, (u32)idt};
    u64 base = (u32)&tss;

    tss.ss0 = KERNEL_DS;
    tss.io_map_base = sizeof tss;
    gdt[TSS_SELECTOR / 8] = (sizeof tss - 1) | (base & 0xFFFFFF) << 16 | 0x89ull << 40 | (base >> 24) << 56;
    asm volatile("lgdt %0\n\tlidt %1\n\tltr %w2" : : "m"(gdtr), "m"(idtr), "r"(TSS_SELECTOR));
}
