/* Serial lines: COM1 is the console, COM2 takes what kprofile writes out. */
#include "io.h"
#include "kernel.h"

/* Registers of a 16550, relative to its port. */
enum { DATA = 0, INTERRUPTS = 1, FIFO = 2, LINE = 3, MODEM = 4, STATUS = 5 };
enum { DIVISOR_LOW = 0, DIVISOR_HIGH = 1 }; /* instead of the first two while LINE says so */
enum { RECEIVED = 0x01, CAN_SEND = 0x20 };  /* bits of STATUS */

static void init_line(u16 port)
{
    outb(0x00, port + INTERRUPTS);
    outb(0x80, port + LINE); /* the divisor is visible now */
    outb(1, port + DIVISOR_LOW);
    outb(0, port + DIVISOR_HIGH); /* 115200 baud */
    outb(0x03, port + LINE);      /* 8 bits, no parity, 1 stop bit */
    outb(0x07, port + FIFO);
    outb(0x03, port + MODEM);
}

void serial_init(void)
{
    init_line(CONSOLE);
    init_line(PROFILE);
}

void serial_write(u16 port, const void *data, size_t n)
{
    for (const u8 *p = data; n > 0; n--) {
        while (!(inb(port + STATUS) & CAN_SEND))
            ;
        outb(*p++, port + DATA);
    }
}

/* What has arrived, at most n bytes; does not wait. */
size_t serial_read(u16 port, void *data, size_t n)
{
    u8 *p = data;
    size_t got = 0;
    for (; got < n && inb(port + STATUS) & RECEIVED; got++)
        *p++ = inb(port + DATA);
    return got;
}
