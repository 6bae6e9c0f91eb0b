// setjmp and longjmp, through frames and with the signal mask; signal handlers, on a stack of their own too.
// counted: deeper: 60
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static jmp_buf back;
static sigjmp_buf masked;
static volatile sig_atomic_t seen;

__attribute__((noipa)) int deeper(int n) {
    if (n == 0) longjmp(back, 5);
    volatile int keep = n;
    return deeper(n - 1) + keep;
}

static void handler(int number) { seen += number; }

static void leave(int number, siginfo_t *info, void *context) {
    (void)info, (void)context;
    seen += 100 + number;
    siglongjmp(masked, 3);
}

int main(void) {
    volatile int rounds = 0;
    int code = setjmp(back);
    rounds += code;
    if (rounds < 25) deeper(9);
    if (rounds == 25) {
        rounds++;
        if (setjmp(back) == 0) deeper(9);
    }
    printf("%d\n", rounds);
    signal(SIGUSR1, handler);
    for (int i = 0; i < 3; i++) raise(SIGUSR1);
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = leave;
    sigaction(SIGSEGV, &action, NULL);
    for (volatile int i = 0; i < 2; i++)
        if (sigsetjmp(masked, 1) == 0) *(volatile int *)16 = i;
    printf("%d\n", (int)seen);
    fflush(stdout);
    abort();
}
