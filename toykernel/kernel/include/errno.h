/* Why a system call failed: it returns the negative number, as on Linux. */
#pragma once

#define ENOENT       2
#define E2BIG        7
#define ENOEXEC      8
#define EBADF        9
#define ENOMEM       12
#define EFAULT       14
#define EEXIST       17
#define ENODEV       19
#define ENOTDIR      20
#define EISDIR       21
#define EINVAL       22
#define ENFILE       23
#define EMFILE       24
#define EFBIG        27
#define ESPIPE       29
#define ENAMETOOLONG 36
#define EOVERFLOW    75

/* A pointer or the reason why there is none: the last page of the address space holds no object. */
#define ERR_PTR(error)   ((void *)(error))
#define PTR_ERR(pointer) ((int)(pointer))
#define IS_ERR(pointer)  ((u32)(pointer) >= 0xFFFFF000)
