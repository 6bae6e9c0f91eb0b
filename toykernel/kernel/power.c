/* The end: switched off, or dead. */
#include "io.h"
#include "kernel.h"

/* Ask each machine that we know in its own way: QEMU's debug exit, then ACPI as QEMU and Bochs have it. */
void power_off(u8 status)
{
    disable_interrupts();
    outb(status, 0xF4);
    outw(0x2000, 0x604);
    for (;;)
        asm volatile("hlt");
}

/* One line on the console says what happened and where. */
void panic(const char *what, u32 where)
{
    char place[] = " at 00000000\n";
    for (int i = 11; i > 3; i--, where >>= 4)
        place[i] = "0123456789abcdef"[where & 15];
    disable_interrupts();
    serial_write(CONSOLE, "panic: ", 7);
    serial_write(CONSOLE, what, strlen(what));
    serial_write(CONSOLE, place, sizeof place - 1);
    power_off(1);
}
