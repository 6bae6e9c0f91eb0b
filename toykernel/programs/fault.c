/* Die in one of many ways: fault KIND.  The kernel must outlive them all. */
#include "deaths.h"

int main(int argc, char **argv)
{
    for (u32 i = 0; argc == 2 && i < sizeof deaths / sizeof *deaths; i++)
        if (strcmp(argv[1], deaths[i].name) == 0)
            deaths[i].die();
    print("usage: fault KIND, one of");
    for (u32 i = 0; i < sizeof deaths / sizeof *deaths; i++)
        print(" %s", deaths[i].name);
    print("\n");
    return 2;
}
