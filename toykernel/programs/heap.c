#include "file.h"
#include "heap.h"

enum { ALIGNMENT = 4, GROWTH = 16 << 10 }; /* what brk is asked for at once, so that it is rarely called */

static u32 next, end; /* first free byte, and the program's end; 0 before the first use */

void *allocate(u32 n)
{
    u32 start;

    if (!end)
        next = end = (brk(NULL) + ALIGNMENT - 1) & -ALIGNMENT;
    start = next;
    next += (n + ALIGNMENT - 1) & -ALIGNMENT;
    if (next > end) {
        end = (next + GROWTH - 1) & -GROWTH;
        if ((u32)brk((void *)end) < end)
            die("out of memory\n");
    }
    return (void *)start;
}
