/* Become a program: load its file, and build the stack on which it finds its arguments. */
#include "fs.h"
#include "uaccess.h"

enum { MAX_ARGUMENTS = 16, STACK_PAGES = 16 };
#define STACK_TOP    PAGE_OFFSET
#define STACK_BOTTOM (STACK_TOP - STACK_PAGES * PAGE_SIZE)

/* Cut a command into words, in place; how many, or -E2BIG. */
static int split(char *command, char **words)
{
    int n = 0;

    for (;;) {
        while (*command == ' ')
            *command++ = 0;
        if (!*command)
            return n;
        if (n == MAX_ARGUMENTS)
            return -E2BIG;
        words[n++] = command;
        while (*command && *command != ' ')
            command++;
    }
}

static int map_stack(void)
{
    for (u32 at = STACK_BOTTOM; at < STACK_TOP; at += PAGE_SIZE)
        if (!map_user_page(current->pgd, at, true))
            return -ENOMEM;
    return 0;
}

/* Copy the strings to the top of the stack, the first one lowest; returns where they begin, or 0. */
static u32 push_strings(int argc, char **argv, u32 *strings)
{
    u32 at = STACK_TOP;

    for (int i = argc - 1; i >= 0; i--) {
        size_t n = strlen(argv[i]) + 1;
        at -= n;
        if (copy_to_user((void *)at, argv[i], n))
            return 0;
        strings[i] = at;
    }
    return at;
}

/* From esp upwards: argc, argv with its NULL, an empty environment, the strings.  Returns esp, or 0. */
static u32 build_stack(int argc, char **argv)
{
    u32 strings[MAX_ARGUMENTS];
    u32 *esp = (u32 *)(push_strings(argc, argv, strings) & -16) - (argc + 3), *slot = esp;

    if (put_user(argc, slot++))
        return 0;
    for (int i = 0; i < argc; i++)
        if (put_user(strings[i], slot++))
            return 0;
    return put_user(0, slot) || put_user(0, slot + 1) ? 0 : (u32)esp;
}

/* Open bin/<name> below the root. */
static struct file *open_program(const char *name)
{
    static const char directory[] = "/bin/";
    char path[sizeof directory + NAME_MAX];
    size_t n = strlen(name);

    if (n > NAME_MAX)
        return ERR_PTR(-ENOENT);
    memcpy(path, directory, sizeof directory - 1);
    memcpy(path + sizeof directory - 1, name, n + 1);
    return file_open(path, O_RDONLY, 0);
}

static int load_program(const char *name, u32 *entry)
{
    struct file *file = open_program(name);
    int error;

    if (IS_ERR(file))
        return PTR_ERR(file);
    error = load_elf(file, STACK_BOTTOM - PAGE_SIZE, entry); /* a page below the stack stays empty */
    fput(file);
    return error;
}

/* Load the program that the command names into the running task: 0 with its first registers, or an error. */
int exec(char *command, struct pt_regs *regs)
{
    char *argv[MAX_ARGUMENTS];
    int argc = split(command, argv), error;

    if (argc <= 0)
        return argc ? argc : -ENOENT;
    current->addr_limit = PAGE_OFFSET;
    memset(regs, 0, sizeof *regs);
    error = load_program(argv[0], &regs->eip);
    if (!error)
        error = map_stack();
    if (error)
        return error;
    regs->esp = build_stack(argc, argv);
    regs->cs = USER_CS;
    regs->ds = regs->es = regs->ss = USER_DS;
    regs->eflags = EFLAGS_IF;
    return regs->esp ? 0 : -EFAULT;
}
