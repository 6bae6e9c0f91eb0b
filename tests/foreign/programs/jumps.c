// Switches in several shapes, computed goto, tables of functions, alloca.
// counted: operation: 4000
#include <alloca.h>
#include <stdio.h>
#include <string.h>

__attribute__((noinline)) unsigned operation(unsigned kind, unsigned x) {
    switch (kind) {  // dense: a jump table
        case 0: return x + 3;
        case 1: return x * 5;
        case 2: return x ^ 0x55;
        case 3: return x << 1;
        case 4: return x >> 3;
        case 5: return ~x;
        case 6: return x - 77;
        case 7: return x | 0x1000;
        case 9: return x & 0xffff;
        default: return x / 3;
    }
}

__attribute__((noinline)) const char *sparse(int n) {
    switch (n) {
        case -1000: return "far below";
        case 7: return "seven";
        case 1000000: return "million";
        case 'x': return "letter";
    }
    return "other";
}

__attribute__((noinline)) int interpret(const unsigned char *code) {
    static const void *const way[] = {&&halt, &&push, &&add, &&multiply, &&repeat, &&negate};
    int stack[8], *top = stack, rounds = 3;
    const unsigned char *at = code;
    goto *way[*at++];
push:
    *top++ = *at++;
    goto *way[*at++];
add:
    top--;
    top[-1] += *top;
    goto *way[*at++];
multiply:
    top--;
    top[-1] *= *top;
    goto *way[*at++];
negate:
    top[-1] = -top[-1];
    goto *way[*at++];
repeat:
    if (--rounds) at = code;
    goto *way[*at++];
halt:
    return top[-1] * 100 + (int)(top - stack);
}

static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }
static int zero(int x) { return x - x; }
static int (*const table[])(int) = {twice, square, zero, twice};

__attribute__((noinline)) int on_the_stack(int n) {
    char *room = alloca(n);
    memset(room, n, n);
    return room[n - 1] + n;
}

int main(void) {
    unsigned x = 1;
    for (unsigned i = 0; i < 4000; i++) x = operation(i * 7 % 11, x) + i;
    printf("%u %s %s %s\n", x, sparse(7), sparse('x'), sparse(-1000));
    printf("%d\n", interpret((const unsigned char[]){1, 4, 1, 5, 2, 1, 6, 3, 5, 4, 0}));
    int sum = 0;
    for (int i = 0; i < 40; i++) sum += table[i % 4](i) + on_the_stack(i + 1);
    printf("%d\n", sum);
    return sum & 63;
}
