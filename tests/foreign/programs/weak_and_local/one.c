// Symbols that are weak or missing, local ones with equal names, and code that the compiler finds cold.
// counted: helper: 5
#include <stdio.h>
#include <stdlib.h>

__attribute__((weak)) int overridden(void) { return 1; }
__attribute__((weak)) int kept(void) { return 2; }
extern int missing(void) __attribute__((weak));
extern int other(int);
__attribute__((noinline)) static int helper(int x) { return x + 1000; }

__attribute__((noinline)) int checked(int n) {
    if (__builtin_expect(n < 0, 0)) {
        fprintf(stderr, "negative %d\n", n);
        abort();
    }
    return n * 2;
}

int main(void) {
    int sum = 0;
    for (volatile int i = 0; i < 5; i++) sum += helper(i) + other(i) + checked(i);
    printf("%d %d %d %d\n", overridden(), kept(), missing ? missing() : -1, sum);
    return checked(21);
}
