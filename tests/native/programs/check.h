/* A program exits with 0, or with the line of the first EXPECT that did not hold. */
#define FUNCTION(name) .globl name; .type name, @function; name:
#define LOCAL(name) .type name, @function; name:
#define END(name) .size name, . - name
#define EXPECT(value) cmpl $(value), %eax; je 77f; movl $__LINE__, %ebx; jmp fail; 77:
#define DONE xorl %ebx, %ebx; jmp fail

    .section .text.fail, "ax"
LOCAL(fail)
    movl $1, %eax
    int $0x80
    ud2
    END(fail)
    .text
