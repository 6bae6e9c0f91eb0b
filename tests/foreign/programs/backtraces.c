// backtrace() from deep calls and from within a signal handler: as many frames, in the same functions.
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>

static int frames_in_handler;
static void *here[64];

__attribute__((noinline)) static int count(void) { return backtrace(here, 64); }
static void handler(int number) { frames_in_handler = count() + number - SIGUSR1; }
__attribute__((noinline)) static int leaf(int n) { return count() + 0 * n; }
__attribute__((noinline)) int nested(int n) {
    volatile int keep = n;
    int frames = n ? nested(n - 1) : leaf(n);
    return frames + keep - keep;
}
__attribute__((noinline)) void interrupted(void) {
    volatile int keep = 1;
    raise(SIGUSR1);
    keep++;
}

int main(void) {
    int flat = leaf(0), deep = nested(10);
    signal(SIGUSR1, handler);
    interrupted();
    int returned = 0;
    for (int i = 0; i < flat; i++) returned += here[i] != NULL;
    printf("%d %d %d %d\n", flat, deep, frames_in_handler > flat, returned);
    return deep - flat;
}
