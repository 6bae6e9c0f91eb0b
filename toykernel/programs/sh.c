/* sh FILE: run the file's lines; sh -c WORD...: run the words as one line.  It stops at the first line that fails.

   A line holds commands with | between them; < FILE and > FILE say where the first reads and the last writes, and
   words are separated by blanks.  `cd DIR` is done by the shell itself: a child would change its own directory. */
#include "file.h"
#include "stream.h"

enum { LINE = 256, WORDS = 16, COMMANDS = 8 };

struct command {
    char *words[WORDS + 1];     /* the program's name first, NULL at the end */
    const char *input, *output; /* files, or NULL */
};

static char line[LINE];
static unsigned char buffer[512];         /* of the script */
static struct command commands[COMMANDS]; /* of the line */

/* Cut the next word off; NULL at the end of the line. */
static char *next_word(char **rest)
{
    char *word = *rest, *end;

    while (*word == ' ')
        word++;
    for (end = word; *end && *end != ' '; end++)
        ;
    *rest = *end ? end + 1 : end;
    *end = 0;
    return *word && *word != '#' ? word : NULL;
}

static const char *next_file(char **rest)
{
    const char *name = next_word(rest);

    if (!name)
        die("sh: no file behind < or >\n");
    return name;
}

/* Take the line apart; how many commands there are. */
static u32 parse(char *rest)
{
    u32 count = 0, words = 0;

    memset(commands, 0, sizeof commands);
    for (char *word; (word = next_word(&rest));) {
        struct command *command = &commands[count];
        if (strcmp(word, "|") == 0) {
            count++;
            words = 0;
        } else if (strcmp(word, "<") == 0)
            command->input = next_file(&rest);
        else if (strcmp(word, ">") == 0)
            command->output = next_file(&rest);
        else
            command->words[words++] = word;
        if (count == COMMANDS || words > WORDS)
            die("sh: the line is too long\n");
    }
    return words || count ? count + 1 : 0;
}

static void move(int from, int to)
{
    if (from == to)
        return;
    check(dup2(from, to), "dup2");
    close(from);
}

/* The child: arrange descriptors 0 and 1, and become the program. */
__attribute__((noreturn)) static void become(const struct command *command, int in, int out)
{
    static char path[LINE + sizeof "/bin/"];

    if (command->input)
        in = check(open(command->input, O_RDONLY, 0), command->input);
    if (command->output)
        out = check(open(command->output, O_WRONLY | O_CREAT | O_TRUNC, 0644), command->output);
    move(in, 0);
    move(out, 1);
    if (command->words[0]) {
        format(path, sizeof path, "/bin/%s", command->words[0]);
        check(execve(path, command->words, NULL), path);
    }
    die("sh: no command\n");
}

/* Start the commands from the first to the last, a pipe from each to the next.  Nobody but its reader may keep a
   pipe's reading end, nor anyone but its writer the other: a reader sees the end when the last writer is gone. */
static void start(u32 count, int children[])
{
    int in = 0;

    for (u32 i = 0; i < count; i++) {
        int ends[2] = {0, 1}, last = i + 1 == count;
        if (!last)
            check(pipe(ends), "pipe");
        children[i] = check(fork(), "fork");
        if (children[i] == 0) {
            if (!last)
                close(ends[0]);
            become(&commands[i], in, ends[1]);
        }
        if (i > 0)
            close(in);
        if (!last)
            close(ends[1]);
        in = ends[0];
    }
}

/* Wait for all; the status of the last: its exit code, or 128 + signal. */
static int wait_for(u32 count, const int children[])
{
    int status = 0;

    for (u32 i = 0; i < count; i++)
        check(waitpid(children[i], &status, 0), "waitpid");
    return status & 127 ? 128 + (status & 127) : status >> 8;
}

static int run_line(void)
{
    u32 count = parse(line);
    int children[COMMANDS];
    char **words = commands[0].words;

    if (count == 0)
        return 0;
    if (words[0] && strcmp(words[0], "cd") == 0) {
        check(chdir(words[1] ? words[1] : "/"), "cd");
        return 0;
    }
    start(count, children);
    return wait_for(count, children);
}

/* The next line of the script, without its end; false if there is none. */
static int get_line(struct stream *in)
{
    u32 n = 0;
    int c;

    while ((c = get(in)) != END && c != '\n') {
        line[n++] = c;
        if (n == LINE)
            die("sh: the line is too long\n");
    }
    line[n] = 0;
    return n > 0 || c != END;
}

static int run_script(const char *name)
{
    struct stream in = STREAM(open_input(name), buffer);
    int status = 0;

    if (name)
        fcntl(in.fd, F_SETFD, FD_CLOEXEC); /* it is not for the children */
    for (int number = 1; status == 0 && get_line(&in); number++) {
        status = run_line();
        if (status)
            complain("sh: line %d: status %d\n", number, status);
    }
    return status;
}

static int run_words(char **words)
{
    u32 n = 0;

    for (line[0] = 0; *words; words++)
        n += format(line + n, LINE - n, "%s ", *words);
    return run_line();
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-c") == 0)
        return run_words(argv + 2);
    return run_script(argv[1]);
}
