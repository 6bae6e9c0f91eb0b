/* dup, fcntl, ioctl: descriptors are copied, and flags of them and of open files changed. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

enum { F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK };
enum { F_SETLK = F_GETLK + 1, F_SETLKW, F_SETOWN, F_GETOWN, F_SETSIG, F_GETSIG };
enum { FD_CLOEXEC = 1, LAST_SIGNAL = 64, CHANGEABLE = O_APPEND | O_NONBLOCK };

/* Another descriptor for the file, not below `first`. */
static int duplicate(struct file *file, u32 first)
{
    int fd = get_unused_fd(first);

    if (fd >= 0) {
        file->f_count++;
        install_fd(fd, file);
    }
    return fd;
}

SYSCALL_DEFINE1(dup, u32, fd)
{
    return with_file(file, fd, duplicate(file, 0));
}

/* The descriptor `new` leads to the file, whatever it led to before. */
static int replace(struct file *file, u32 fd, u32 new)
{
    if (new >= NR_OPEN)
        return -EBADF;
    if (new == fd)
        return new;
    close_fd(new);
    file->f_count++;
    install_fd(new, file);
    return new;
}

SYSCALL_DEFINE2(dup2, u32, fd, u32, new)
{
    return with_file(file, fd, replace(file, fd, new));
}

static void set_close_on_exec(u32 fd, bool on)
{
    current->close_on_exec = (current->close_on_exec & ~(1u << fd)) | (u32)on << fd;
}

/* No filesystem here knows locks; no file sends signals, it only remembers which, and to whom. */
static int do_fcntl(u32 fd, struct file *file, u32 command, u32 argument)
{
    switch (command) {
    case F_DUPFD:
        return argument < NR_OPEN ? duplicate(file, argument) : -EINVAL;
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

SYSCALL_DEFINE3(fcntl, u32, fd, u32, command, u32, argument)
{
    return with_file(file, fd, do_fcntl(fd, file, command, argument));
}

/* What all files know, and what only some do. */
static int do_ioctl(u32 fd, struct file *file, u32 command, u32 argument)
{
    u32 on;

    switch (command) {
    case FIOCLEX:
    case FIONCLEX:
        set_close_on_exec(fd, command == FIOCLEX);
        return 0;
    case FIONBIO: /* a word of the program says whether reads and writes shall not wait */
        if (get_user(on, (u32 *)argument))
            return -EFAULT;
        file->f_flags = on ? file->f_flags | O_NONBLOCK : file->f_flags & ~O_NONBLOCK;
        return 0;
    case FIONREAD: /* how much can be read, as far as that is known */
        if (S_ISREG(file->f_inode->i_mode))
            return put_user((u32)(file->f_inode->i_size - file->f_pos), (u32 *)argument);
    }
    return file->f_op->ioctl ? file->f_op->ioctl(file, command, argument) : -ENOTTY;
}

SYSCALL_DEFINE3(ioctl, u32, fd, u32, command, u32, argument)
{
    return with_file(file, fd, do_ioctl(fd, file, command, argument));
}
