/* The 8259 interrupt controllers and the 8253 timer: 100 ticks a second. */
#include "io.h"
#include "kernel.h"
#include "sched.h"

enum { MASTER = 0x20, SLAVE = 0xA0, PIT_COUNTER = 0x40, PIT_MODE = 0x43 }; /* ports */
enum { FIRST_VECTOR = 0x20, TIMER_IRQ = 0, CASCADE_IRQ = 2, SPURIOUS_IRQ = 7 };
enum { HZ = 100, PIT_HZ = 1193182, END_OF_INTERRUPT = 0x20 };

void timer_interrupt(void); /* entry.S */
void spurious_interrupt(void);

/* Four words each: begin, first vector, how they are connected, 8086 mode; then what is masked. */
static void init_8259(u16 port, u8 vector, u8 connection, u8 mask)
{
    outb(0x11, port);
    outb(vector, port + 1);
    outb(connection, port + 1);
    outb(0x01, port + 1);
    outb(mask, port + 1);
}

void timer_init(void)
{
    init_8259(MASTER, FIRST_VECTOR, 1 << CASCADE_IRQ, (u8) ~(1 << TIMER_IRQ));
    init_8259(SLAVE, FIRST_VECTOR + 8, CASCADE_IRQ, 0xFF);
    set_interrupt_gate(FIRST_VECTOR + TIMER_IRQ, timer_interrupt);
    set_interrupt_gate(FIRST_VECTOR + SPURIOUS_IRQ, spurious_interrupt);
    outb(0x34, PIT_MODE); /* counter 0, low byte then high byte, rate generator */
    outb(PIT_HZ / HZ & 0xFF, PIT_COUNTER);
    outb(PIT_HZ / HZ >> 8, PIT_COUNTER);
}

/* From entry.S, interrupts off. */
void do_timer(void)
{
    outb(END_OF_INTERRUPT, MASTER);
    scheduler_tick();
}
