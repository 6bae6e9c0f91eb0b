/* What every file may use: strings, panic, and the devices that start with the kernel. */
#pragma once

#include "asm.h"
#include "errno.h"
#include "regs.h"
#include "types.h"

static inline size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Take an item out of the list that begins at *head and goes on by this field; nothing happens if it is not there. */
#define list_remove(head, item, next)                                                                        \
    do {                                                                                                     \
        __typeof__(item) *link_ = (head);                                                                    \
        while (*link_ && *link_ != (item))                                                                   \
            link_ = &(*link_)->next;                                                                         \
        if (*link_)                                                                                          \
            *link_ = (item)->next;                                                                           \
    } while (0)

/* string.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* checksum.S: a sum of words with end-around carry, continued from `sum` */
u32 checksum(const void *from, size_t n, u32 sum);

/* bitmap.S: a clear bit, or `bits` */
u32 find_first_zero_bit(const u32 *map, u32 bits);
u32 find_next_zero_bit(const u32 *map, u32 bits, u32 start);

/* power.c */
__attribute__((noreturn)) void panic(const char *what, u32 where);
__attribute__((noreturn)) void power_off(u8 status);

/* cpu.c */
void cpu_init(void);
void set_kernel_stack(u32 top);
enum {
    INTERRUPT_GATE = 0x8E00, /* interrupts are off on entry */
    TRAP_GATE = 0x8F00,      /* they stay as they are */
    SYSTEM_GATE = 0xEF00     /* a trap gate that programs may call by `int` */
};
void set_gate(u32 vector, u16 type, const void *handler);

/* irq.c */
void irq_init(void);
typedef void (*irq_handler)(const struct pt_regs *); /* what they interrupted */
void request_irq(u32 line, irq_handler handler);

/* traps.c, timer.c */
void trap_init(void);
void timer_init(void);

/* serial.c */
enum { CONSOLE = 0x3F8, PROFILE = 0x2F8 }; /* ports of COM1 and COM2 */
void serial_init(void);
void serial_write(u16 port, const void *data, size_t n);
size_t serial_read(u16 port, void *data, size_t n);
