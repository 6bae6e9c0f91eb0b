// Functions that run before and after main, and the environment.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int order;
__attribute__((constructor(101))) static void first(void) { order = order * 10 + 1; }
__attribute__((constructor(102))) static void second(void) { order = order * 10 + 2; }
__attribute__((constructor)) static void third(void) { order = order * 10 + 3; }
__attribute__((destructor)) static void last(void) { printf("last %d\n", order); fflush(stdout); }
static void at_exit_1(void) { printf("exit 1\n"); }
static void at_exit_2(void) { printf("exit 2\n"); }
static int preinit(void) { order = 9; return 0; }
__attribute__((section(".preinit_array"), used)) static int (*early)(void) = preinit;

int main(int argc, char **argv, char **environment) {
    atexit(at_exit_1);
    atexit(at_exit_2);
    printf("%d %d %d %d\n", order, argc, argv[argc] == NULL, environment != NULL);
    setenv("NAME", "value", 1);
    printf("%s %ld\n", getenv("NAME"), sysconf(_SC_PAGESIZE));
    exit(3);
}
