/* Process 1: it runs the commands of the boot loader's line, one after the other, and waits for orphans. */
#include "fs.h"
#include "io.h"

enum { EXIT_RECORD = 0xE0 };                    /* the port where the machine learns how a program ended */
enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 }; /* exit statuses, as a shell has them */

char commands[4096]; /* the command line, without the kernel's own name */

static bool blank(const char *s)
{
    while (*s == ' ')
        s++;
    return *s == 0;
}

/* The first thing that a command's task does: become the program. */
static void start_program(void)
{
    int error;

    enable_interrupts();
    error = exec_command(current->command);
    do_exit((error == -ENOENT ? NOT_FOUND : CANNOT_EXECUTE) << 8);
}

static struct task *new_command(char *command)
{
    struct task *task = new_task(start_program);

    if (!task)
        return NULL;
    task->command = command;
    copy_files(task);
    add_task(task);
    return task;
}

/* Bury our children up to this one; its exit status as a shell has it. */
static u32 wait_for_command(const struct task *task)
{
    for (;;) {
        struct task *child = wait_for_child(-1, true);
        u32 status = child->exit_status;
        bool found = child == task;
        bury(child);
        if (found)
            return status & 0x7F ? 128 + (status & 0x7F) : status >> 8;
    }
}

/* Commands are separated by semicolons. */
static void run_commands(void)
{
    for (char *line = commands, *next; line; line = next) {
        for (next = line; *next && *next != ';'; next++)
            ;
        next = *next ? (*next = 0, next + 1) : NULL;
        if (!blank(line)) {
            struct task *task = new_command(line);
            outl(task ? wait_for_command(task) : CANNOT_EXECUTE, EXIT_RECORD);
        }
    }
}

void init(void)
{
    enable_interrupts();
    for (u32 fd = 0; fd < 3; fd++) {
        console->f_count++;
        install_fd(fd, console);
    }
    run_commands();
    sync_filesystems();
    power_off(0);
}
