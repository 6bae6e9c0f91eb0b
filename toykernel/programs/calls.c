#include "libc.h"
int main(void) { print("calls\n"); return 0; }
