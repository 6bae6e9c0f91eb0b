/* What the programs share: system calls, which are inline so that their constants stand at the call, and printing. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

typedef unsigned int u32;

enum { SYS_exit = 1, SYS_read = 3, SYS_write = 4, SYS_open = 5, SYS_close = 6 };
enum { SYS_lseek = 19, SYS_getpid = 20, SYS_kprofile = 200 };

enum {
    O_RDONLY = 0,
    O_WRONLY = 1,
    O_RDWR = 2,
    O_CREAT = 0100,
    O_EXCL = 0200,
    O_TRUNC = 01000,
    O_APPEND = 02000
};
enum { SEEK_SET, SEEK_CUR, SEEK_END };

enum { ENOENT = 2, EBADF = 9, EFAULT = 14, EEXIST = 17, ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22 };
enum { EMFILE = 24, EFBIG = 27, ESPIPE = 29, ENAMETOOLONG = 36, ENOSYS = 38, EOVERFLOW = 75 };

#define CALL static inline __attribute__((always_inline))

/* Results are the kernel's: negative ones are errors. */
CALL int syscall3(int number, int a, int b, int c)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

CALL int syscall2(int number, int a, int b)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a), "c"(b) : "memory");
    return result;
}

CALL int syscall1(int number, int a)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number), "b"(a) : "memory");
    return result;
}

CALL int syscall0(int number)
{
    int result;
    asm volatile("int $0x80" : "=a"(result) : "0"(number) : "memory");
    return result;
}

CALL int read(int fd, void *buf, size_t count)
{
    return syscall3(SYS_read, fd, (int)buf, count);
}

CALL int write(int fd, const void *buf, size_t count)
{
    return syscall3(SYS_write, fd, (int)buf, count);
}

CALL int open(const char *path, int flags, int mode)
{
    return syscall3(SYS_open, (int)path, flags, mode);
}

CALL int close(int fd)
{
    return syscall1(SYS_close, fd);
}

CALL int lseek(int fd, int offset, int whence)
{
    return syscall3(SYS_lseek, fd, offset, whence);
}

CALL int getpid(void)
{
    return syscall0(SYS_getpid);
}

CALL int kprofile(int command, int type)
{
    return syscall2(SYS_kprofile, command, type);
}

__attribute__((noreturn)) CALL void exit(int status)
{
    syscall1(SYS_exit, status);
    __builtin_unreachable();
}

/* print.c: %s, %d, %u, %x, %c and %%; one write for each call. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

/* string.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int parse_number(const char *s); /* decimal, or -1 */
