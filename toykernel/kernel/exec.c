/* Become a program: replace the memory, and build the stack on which the program finds its arguments. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

/* All strings of a program's arguments and environment, one behind the other with their zeros. */
enum { ARGUMENT_PAGES = 8 };
struct arguments {
    u32 argc;                    /* how many come first */
    u32 envc;                    /* and how many then */
    u32 size;                    /* bytes in use */
    char *pages[ARGUMENT_PAGES]; /* where they are */
};

static char *byte_at(const struct arguments *arguments, u32 offset)
{
    return arguments->pages[offset >> PAGE_SHIFT] + (offset & PAGE_MASK);
}

static int append_byte(struct arguments *to, char c)
{
    u32 index = to->size >> PAGE_SHIFT;

    if (index == ARGUMENT_PAGES)
        return -E2BIG;
    if (!to->pages[index]) {
        struct page *page = alloc_pages(0);
        if (!page)
            return -ENOMEM;
        to->pages[index] = page->address;
    }
    *byte_at(to, to->size++) = c;
    return 0;
}

static void free_arguments(struct arguments *arguments)
{
    for (u32 i = 0; i < ARGUMENT_PAGES; i++)
        if (arguments->pages[i])
            put_page(page_of(arguments->pages[i]));
}

/* Cut a command into words. */
static int split_command(struct arguments *to, const char *command)
{
    bool letter, before = false;
    int error = 0;

    do {
        letter = *command && *command != ' ';
        if (letter || before)
            error = append_byte(to, letter ? *command : 0);
        if (before && !letter)
            to->argc++;
        before = letter;
    } while (*command++ && !error);
    return error;
}

static int copy_string(struct arguments *to, const char *user_string)
{
    char c;
    int error;

    do
        error = get_user(c, user_string++) ? -EFAULT : append_byte(to, c);
    while (c && !error);
    return error;
}

/* Copy a list of strings that ends with NULL; no list is an empty one. */
static int copy_strings(struct arguments *to, char **user_list, u32 *n)
{
    char *string;
    int error = 0;

    for (; user_list && !error; user_list++, ++*n) {
        if (get_user(string, user_list))
            return -EFAULT;
        if (!string)
            return 0;
        error = copy_string(to, string);
    }
    return error;
}

static int put_strings(const struct arguments *from, u32 to)
{
    for (u32 at = 0; at < from->size; at += PAGE_SIZE)
        if (copy_to_user((char *)to + at, byte_at(from, at),
                         from->size - at < PAGE_SIZE ? from->size - at : PAGE_SIZE))
            return -EFAULT;
    return 0;
}

/* Write the addresses of the n strings from *offset on, and a NULL; the slot behind that, or NULL at a fault. */
static u32 *put_list(const struct arguments *from, u32 *slot, u32 n, u32 text, u32 *offset)
{
    for (; n > 0; n--) {
        if (put_user(text + *offset, slot++))
            return NULL;
        while (*byte_at(from, (*offset)++))
            ;
    }
    return put_user(0, slot) ? NULL : slot + 1;
}

/* From esp upwards: argc, argv with its NULL, the environment with its NULL, the strings.  Returns esp, or 0. */
static u32 build_stack(const struct arguments *from)
{
    u32 text = STACK_TOP - from->size, offset = 0;
    u32 *esp = (u32 *)(text & -16) - (from->argc + from->envc + 3), *slot;

    if (put_strings(from, text) || put_user(from->argc, esp))
        return 0;
    slot = put_list(from, esp + 1, from->argc, text, &offset);
    return slot && put_list(from, slot, from->envc, text, &offset) ? (u32)esp : 0;
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

/* The new memory takes the place of the old as soon as nothing else can go wrong; 0, or an error with nothing changed. */
static int load_program(struct file *file, const struct arguments *arguments, u32 *entry, u32 *esp)
{
    struct mm mm;
    int error = new_mm(&mm);

    if (!error)
        error = load_elf(file, &mm, entry);
    if (!error) {
        use_mm(&mm);
        *esp = build_stack(arguments);
        if (!*esp) {
            use_mm(&mm);
            error = -ENOMEM;
        }
    }
    free_mm(&mm); /* of the two the one that is not wanted */
    return error;
}

/* The running task becomes the program: 0 with its registers as they are to be in user mode, or an error. */
static int execute(struct file *file, const struct arguments *arguments, struct pt_regs *regs)
{
    u32 entry, esp;
    int error = load_program(file, arguments, &entry, &esp);

    if (error)
        return error;
    exec_files();
    memset(regs, 0, sizeof *regs);
    regs->eip = entry;
    regs->esp = esp;
    regs->cs = USER_CS;
    regs->ds = regs->es = regs->ss = USER_DS;
    regs->eflags = EFLAGS_IF;
    return 0;
}

static int do_execve(const char *path, char **argv, char **envp, struct pt_regs *regs)
{
    struct file *file = with_name(name, path, open_program(name));
    struct arguments arguments = {};
    int error;

    if (IS_ERR(file))
        return PTR_ERR(file);
    error = copy_strings(&arguments, argv, &arguments.argc);
    if (!error)
        error = copy_strings(&arguments, envp, &arguments.envc);
    if (!error)
        error = execute(file, &arguments, regs);
    free_arguments(&arguments);
    fput(file);
    return error;
}

/* If all is well the registers are the new program's by now, and this returns to it. */
int sys_execve(struct pt_regs regs)
{
    int result = do_execve((const char *)regs.ebx, (char **)regs.ecx, (char **)regs.edx, &regs);

    asm("" : "+r"(result) : "m"(regs)); /* as SYSCALL_DEFINE does */
    return result;
}

/* Open bin/<name> below the root. */
static struct file *open_command(const char *name)
{
    static const char directory[] = "/bin/";
    char path[sizeof directory + NAME_MAX];
    size_t n = strlen(name);

    if (n > NAME_MAX)
        return ERR_PTR(-ENOENT);
    memcpy(path, directory, sizeof directory - 1);
    memcpy(path + sizeof directory - 1, name, n + 1);
    return open_program(path);
}

/* The running task becomes the program that a line names: its first word, with all words as arguments.  Returns only
   with an error. */
int exec_command(const char *command)
{
    struct pt_regs *regs = task_regs(current);
    struct arguments arguments = {};
    struct file *file = NULL;
    int error = split_command(&arguments, command);

    if (!error) {
        file = open_command(byte_at(&arguments, 0));
        error = IS_ERR(file) ? PTR_ERR(file) : execute(file, &arguments, regs);
    }
    free_arguments(&arguments);
    if (file && !IS_ERR(file))
        fput(file);
    if (!error)
        enter_user(regs);
    return error;
}
