/* Descriptors are copied, and flags of them and of open files changed. */
#include "fs.h"
#include "syscall.h"

enum {
    F_DUPFD,
    F_GETFD,
    F_SETFD,
    F_GETFL,
    F_SETFL,
    F_GETLK,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_GETOWN,
    F_SETSIG,
    F_GETSIG
};
enum { FD_CLOEXEC = 1, LAST_SIGNAL = 64, CHANGEABLE = O_APPEND | O_NONBLOCK };

/* Another descriptor for the file, not below `first`; it takes over the caller's use of the file. */
static int duplicate(struct file *file, u32 first)
{
    int fd = get_unused_fd(first);

    if (fd >= 0)
        install_fd(fd, file);
    else
        fput(file);
    return fd;
}

int sys_dup(u32 fd)
{
    struct file *file = fget(fd);
    int result = file ? duplicate(file, 0) : -EBADF;

    KEEP_1(result, fd);
    return result;
}

static int replace(u32 fd, u32 new)
{
    struct file *file = fget(fd), *old;

    if (!file)
        return -EBADF;
    if (new >= NR_OPEN || new == fd) {
        fput(file);
        return new == fd ? (int)new : -EBADF;
    }
    old = detach_fd(new);
    install_fd(new, file);
    if (old)
        fput(old);
    return new;
}

int sys_dup2(u32 fd, u32 new)
{
    int result = replace(fd, new);

    KEEP_2(result, fd, new);
    return result;
}

void set_close_on_exec(u32 fd, bool on)
{
    if (on)
        current->close_on_exec |= 1u << fd;
    else
        current->close_on_exec &= ~(1u << fd);
}

/* No filesystem here knows locks; no file sends signals, it only remembers which, and to whom. */
static int do_fcntl(u32 fd, struct file *file, u32 command, u32 argument)
{
    switch (command) {
    case F_DUPFD:
        return argument < NR_OPEN ? duplicate(fget(fd), argument) : -EINVAL;
    case F_GETFD:
        return current->close_on_exec >> fd & FD_CLOEXEC;
    case F_SETFD:
        set_close_on_exec(fd, argument & FD_CLOEXEC);
        return 0;
    case F_GETFL:
        return file->f_flags;
    case F_SETFL:
        file->f_flags = (file->f_flags & ~CHANGEABLE) | (argument & CHANGEABLE);
        return 0;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        return -ENOLCK;
    case F_SETOWN:
        file->f_owner = argument;
        return 0;
    case F_GETOWN:
        return file->f_owner;
    case F_SETSIG:
        if (argument > LAST_SIGNAL)
            return -EINVAL;
        file->f_signal = argument;
        return 0;
    case F_GETSIG:
        return file->f_signal;
    }
    return -EINVAL;
}

int sys_fcntl(u32 fd, u32 command, u32 argument)
{
    int result = -EBADF;
    struct file *file = fget(fd);

    if (file) {
        result = do_fcntl(fd, file, command, argument);
        fput(file);
    }
    KEEP_3(result, fd, command, argument);
    return result;
}
