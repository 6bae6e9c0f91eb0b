/* What this system is called. */
#include "syscall.h"
#include "uaccess.h"

struct utsname {
    char sysname[65];    /* of the system */
    char nodename[65];   /* of the machine in a network */
    char release[65];    /* of the system */
    char version[65];    /* when it was built, on other systems */
    char machine[65];    /* the processor */
    char domainname[65]; /* of the network */
};

static const struct utsname system_name = {
    .sysname = "Hotpath",
    .nodename = "toy",
    .release = "2.4.0",
    .version = "#1",
    .machine = "i686",
    .domainname = "(none)",
};

int sys_uname(struct utsname *to)
{
    int result = copy_to_user(to, &system_name, sizeof system_name) ? -EFAULT : 0;

    KEEP_1(result, to);
    return result;
}
