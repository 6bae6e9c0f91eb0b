/* The two 8259 interrupt controllers, and what runs when a device raises one of their lines. */
#include "io.h"
#include "kernel.h"

enum { MASTER = 0x20, SLAVE = 0xA0 };                     /* command ports; the data ports follow */
enum { END_OF_INTERRUPT = 0x20, READ_IN_SERVICE = 0x0B }; /* commands */
enum { NR_LINES = 16, CASCADE_LINE = 2 };                 /* the slave hangs on that line of the master */
enum { FIRST_VECTOR = 0x20 };                             /* of line 0 */

extern const char irq_stubs[]; /* entry.S: where line 0 enters, the others behind it */

static irq_handler handlers[NR_LINES];          /* by line; NULL while it is masked */
static u32 masked = (u16) ~(1 << CASCADE_LINE); /* bit n: line n does not interrupt */

static void write_mask(void)
{
    outb(masked, MASTER + 1);
    outb(masked >> 8, SLAVE + 1);
}

/* Four words each: begin, first vector, how they are connected, 8086 mode. */
static void init_8259(u16 port, u8 vector, u8 connection)
{
    outb(0x11, port);
    outb(vector, port + 1);
    outb(connection, port + 1);
    outb(0x01, port + 1);
}

void irq_init(void)
{
    init_8259(MASTER, FIRST_VECTOR, 1 << CASCADE_LINE);
    init_8259(SLAVE, FIRST_VECTOR + 8, CASCADE_LINE);
    write_mask();
    for (u32 line = 0; line < NR_LINES; line++)
        set_gate(FIRST_VECTOR + line, INTERRUPT_GATE, irq_stubs + line * IRQ_STUB_SIZE);
}

/* From now on the line interrupts, and leads to `handler`, with interrupts off. */
void request_irq(u32 line, irq_handler handler)
{
    handlers[line] = handler;
    masked &= ~(1 << line);
    write_mask();
}

/* A controller whose interrupt went away before it could say which gives its last line, but does not serve it. */
static bool spurious(u32 line, u16 controller)
{
    if ((line & 7) != 7)
        return false;
    outb(READ_IN_SERVICE, controller);
    return !(inb(controller) & 0x80);
}

/* From entry.S, interrupts off. */
void do_IRQ(struct pt_regs *regs)
{
    u32 line = ~regs->orig_eax;
    u16 controller = line < 8 ? MASTER : SLAVE;
    bool real = !spurious(line, controller);

    if (real)
        outb(END_OF_INTERRUPT, controller);
    if (controller == SLAVE)
        outb(END_OF_INTERRUPT, MASTER); /* which served its cascade line in any case */
    if (real && handlers[line])
        handlers[line](regs);
}
