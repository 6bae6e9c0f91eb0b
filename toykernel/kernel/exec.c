/* Become a program: replace the memory, and build the stack on which the program finds its arguments. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

enum { MAX_STRINGS = 8 * PAGE_SIZE }; /* bytes of all arguments and the environment */

/* A new stack.  From esp upwards: argc, argv with its NULL, the environment with its NULL, the strings. */
struct stack {
    struct mm *mm; /* where it is, not yet in use */
    u32 slot;      /* where the next word goes */
    u32 text;      /* and the next byte of a string */
};

/* Count a list of strings that ends with NULL, and the bytes of all; no list is an empty one. */
static int count_strings(char **list, u32 *n, u32 *size)
{
    char *string, c;

    for (*n = 0; list; ++*n) {
        if (get_user(string, list + *n))
            return -EFAULT;
        if (!string)
            return 0;
        do {
            if (get_user(c, string++))
                return -EFAULT;
            if (++*size > MAX_STRINGS)
                return -E2BIG;
        } while (c);
    }
    return 0;
}

/* These fail if memory is short, or if somebody changes the strings after they were counted. */
static bool push_word(struct stack *stack, u32 word)
{
    u32 *slot = reach(stack->mm, stack->slot);

    if (slot)
        *slot = word;
    stack->slot += sizeof word;
    return slot;
}

static bool push_string(struct stack *stack, const char *from)
{
    char *to = NULL;

    do {
        if (!to || (stack->text & PAGE_MASK) == 0)
            to = reach(stack->mm, stack->text);
        if (!to || get_user(*to, from++))
            return false;
        stack->text++;
    } while (*to++);
    return true;
}

static bool push_list(struct stack *stack, char **list, u32 n)
{
    char *string;

    for (; n > 0; n--)
        if (!push_word(stack, stack->text) || get_user(string, list++) || !push_string(stack, string))
            return false;
    return push_word(stack, 0);
}

static int build_stack(struct mm *mm, char **argv, char **envp, u32 *esp)
{
    struct stack stack = {.mm = mm};
    u32 argc, envc, size = 0;
    int error = count_strings(argv, &argc, &size);

    if (!error)
        error = count_strings(envp, &envc, &size);
    if (error)
        return error;
    stack.text = STACK_TOP - size;
    *esp = stack.slot = (stack.text & -16) - (argc + envc + 3) * sizeof(u32);
    return push_word(&stack, argc) && push_list(&stack, argv, argc) && push_list(&stack, envp, envc)
               ? 0
               : -ENOMEM;
}

/* A file that may be executed, open; or an error. */
static struct file *open_program(const char *path)
{
    struct file *file = file_open(path, O_RDONLY, 0);

    if (IS_ERR(file))
        return file;
    if (S_ISREG(file->f_inode->i_mode) && file->f_inode->i_mode & 0111)
        return file;
    fput(file);
    return ERR_PTR(-EACCES);
}

/* The new memory takes the place of the old as soon as nothing else can go wrong. */
static int load_program(struct file *file, char **argv, char **envp, struct pt_regs *regs)
{
    struct mm mm;
    u32 entry, esp;
    int error = new_mm(&mm);

    if (!error)
        error = build_stack(&mm, argv, envp, &esp);
    if (!error)
        error = load_elf(file, &mm, &entry);
    if (!error) {
        use_mm(&mm);
        close_files(current->close_on_exec);
        current->addr_limit = PAGE_OFFSET;
        *regs = (struct pt_regs){.eip = entry, .cs = USER_CS, .eflags = EFLAGS_IF, .esp = esp, .ss = USER_DS};
        regs->ds = regs->es = USER_DS;
    }
    free_mm(&mm); /* of the two the one that is not wanted */
    return error;
}

/* The running task becomes the program: 0 with its registers as they are to be in user mode, or an error with nothing
   changed.  The kernel's own tasks may give strings of the kernel. */
int do_execve(const char *path, char **argv, char **envp)
{
    struct file *file = with_name(name, path, open_program(name));
    int error;

    if (IS_ERR(file))
        return PTR_ERR(file);
    error = load_program(file, argv, envp, task_regs(current));
    fput(file);
    return error;
}

/* If all is well the registers are the new program's by now, and this returns to it. */
SYSCALL_DEFINE3(execve, const char *, path, char **, argv, char **, envp)
{
    return do_execve(path, argv, envp);
}
