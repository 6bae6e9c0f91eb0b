/* Why a system call failed: it returns the negative number, as on Linux. */
#pragma once

#define EPERM        1
#define ENOENT       2
#define ESRCH        3
#define EINTR        4
#define EIO          5
#define E2BIG        7
#define ENOEXEC      8
#define EBADF        9
#define ECHILD       10
#define EAGAIN       11
#define ENOMEM       12
#define EACCES       13
#define EFAULT       14
#define EBUSY        16
#define EEXIST       17
#define ENODEV       19
#define ENOTDIR      20
#define EISDIR       21
#define EINVAL       22
#define ENFILE       23
#define EMFILE       24
#define ENOTTY       25
#define EFBIG        27
#define ENOSPC       28
#define ESPIPE       29
#define EPIPE        32
#define ENAMETOOLONG 36
#define ENOLCK       37
#define ENOTEMPTY    39
#define EOVERFLOW    75

/* A pointer or the reason why there is none: the last page of the address space holds no object. */
#define ERR_PTR(error)   ((void *)(error))
#define PTR_ERR(pointer) ((int)(pointer))
#define IS_ERR(pointer)  ((u32)(pointer) >= 0xFFFFF000)
