/* Process 1: it runs the commands of the boot loader's line, one after the other, and waits for orphans. */
#include "fs.h"
#include "io.h"

enum { EXIT_RECORD = 0xE0 };                    /* the port where the machine learns how a program ended */
enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 }; /* exit statuses, as a shell has them */

char commands[4096];                                /* the command line, without the kernel's own name */
static char *words[sizeof commands / 2 + 1];        /* of the command that is to run; the last is NULL */
static char program[sizeof commands + 5] = "/bin/"; /* its path */

/* The first thing that a command's task does: become the program. */
static void start_program(void)
{
    int error;

    enable_interrupts();
    memcpy(program + 5, words[0], strlen(words[0]) + 1);
    error = do_execve(program, words, NULL);
    if (!error)
        enter_user(task_regs(current));
    do_exit((error == -ENOENT || error == -ENAMETOOLONG ? NOT_FOUND : CANNOT_EXECUTE) << 8);
}

/* Its exit status as a shell has it. */
static u32 run_command(void)
{
    int pid = do_fork(start_program);
    u32 status;

    if (pid < 0)
        return CANNOT_EXECUTE;
    while (do_wait(-1, &status, true) != pid)
        ;
    return status & 0x7F ? 128 + (status & 0x7F) : status >> 8;
}

/* Cut the first command into words.  Returns what follows its semicolon, or NULL. */
static char *next_command(char *at)
{
    char **word = words;

    for (bool inside = false; *at && *at != ';'; at++) {
        if (*at != ' ' && !inside)
            *word++ = at;
        inside = *at != ' ';
        if (!inside)
            *at = 0;
    }
    *word = NULL;
    if (!*at)
        return NULL;
    *at = 0;
    return at + 1;
}

void init(void)
{
    enable_interrupts();
    for (u32 fd = 0; fd < 3; fd++) {
        console->f_count++;
        install_fd(fd, console);
    }
    for (char *line = commands; line;) {
        line = next_command(line);
        if (words[0])
            outl(run_command(), EXIT_RECORD);
    }
    sync_filesystems();
    power_off(0);
}
