/* The 8253 timer: 100 ticks a second. */
#include "io.h"
#include "sched.h"

enum { PIT_COUNTER = 0x40, PIT_MODE = 0x43 }; /* ports */
enum { PIT_HZ = 1193182, TIMER_LINE = 0 };

void timer_init(void)
{
    request_irq(TIMER_LINE, do_timer);
    outb(0x34, PIT_MODE); /* counter 0, low byte then high byte, rate generator */
    outb(PIT_HZ / HZ & 0xFF, PIT_COUNTER);
    outb(PIT_HZ / HZ >> 8, PIT_COUNTER);
}
