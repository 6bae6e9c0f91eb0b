__attribute__((noinline)) static int helper(int x) { return x ^ 77; }
int overridden(void) { return 3; }
int other(int x) { return helper(x) + 1; }
