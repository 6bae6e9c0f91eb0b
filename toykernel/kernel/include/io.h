/* Ports and control registers. */
#pragma once

#include "types.h"

#define DEFINE_OUT(name, type)                                                                               \
    static inline void name(type value, u16 port)                                                            \
    {                                                                                                        \
        asm volatile(#name " %0, %1" : : "a"(value), "Nd"(port));                                            \
    }
DEFINE_OUT(outb, u8)
DEFINE_OUT(outw, u16)
DEFINE_OUT(outl, u32)

static inline u8 inb(u16 port)
{
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#define enable_interrupts()  asm volatile("sti" : : : "memory")
#define disable_interrupts() asm volatile("cli" : : : "memory")

/* The address whose access faulted. */
static inline u32 read_cr2(void)
{
    u32 value;
    asm volatile("movl %%cr2, %0" : "=r"(value));
    return value;
}

/* Change the address space; forgets all cached translations. */
#define load_cr3(physical) asm volatile("movl %0, %%cr3" : : "r"(physical) : "memory")

/* Forget the cached translation of one page. */
#define invalidate_page(address) asm volatile("invlpg (%0)" : : "r"(address) : "memory")
