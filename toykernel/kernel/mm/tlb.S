/* What the processor remembers of page tables.  The kernel's part is the same in all of them. */
#include "asm.h"

    .text
/* void load_cr3(u32 physical): use this page directory, and forget what is remembered of the last. */
ENTRY(load_cr3)
    movl 4(%esp), %eax
    movl %eax, %cr3
    ret
END(load_cr3)

/* void invalidate_page(u32 address): forget one page's entry. */
ENTRY(invalidate_page)
    movl 4(%esp), %eax
    invlpg (%eax)
    ret
END(invalidate_page)
