/* Tests of the kernel, from where programs see it.  A test says what each call should give; Linux 2.4 decides. */
#pragma once

#include "libc.h"

enum { PAGE = 4096, MAX_COUNTERS = 32, MAX_TEXT = 1024 };

struct test {
    const char *name; /* on the command line and in the output */
    void (*run)(
        void); /* in a process and an empty directory of its own, which must be empty again at the end */
};

/* Each group ends with an entry without a name. */
extern const struct test path_tests[], file_tests[], directory_tests[], descriptor_tests[], pointer_tests[];
extern const struct test pipe_tests[], process_tests[], signal_tests[], exec_tests[], memory_tests[];
extern const struct test mapping_tests[], device_tests[], fault_tests[], limit_tests[], disk_tests[];
extern const struct test trace_tests[];

/* check.c */
#define EXPECT(expression, wanted) expect(__FILE__, __LINE__, #expression, expression, wanted)
#define CHECK(condition)           expect(__FILE__, __LINE__, #condition, !!(condition), 1)
#define EXITED(code)               ((code) << 8) /* the status of a child that ended with this code */
int expect(const char *file, int line, const char *what, int found, int wanted);
extern u32 failures;
extern char buffer[4 * PAGE];
int is_linux(void);
int start(void (*run)(void));
int outcome(int pid);
int run_child(void (*run)(void));
void fill(char *to, u32 n, u32 seed);
int filled(const char *from, u32 n, u32 seed);
int zeros(const char *from, u32 n);
char *border(void);
int make(const char *path, u32 n, u32 seed);
int size_of(const char *path);
int holds(int fd, int from, u32 n, u32 seed);

/* leaks.c */
struct counters {
    u32 n;                     /* how many there are */
    u32 values[MAX_COUNTERS];  /* what they count */
    char *names[MAX_COUNTERS]; /* what they are called */
    char text[MAX_TEXT];       /* the file, cut into words */
};
void read_counters(struct counters *counters);
int same_counters(const struct counters *before, const struct counters *after);

/* exec.c: what the program does when a test has executed it. */
int executed(int argc, char **argv);
