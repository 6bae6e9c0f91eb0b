/* ioctl: what all files know, and what only some do. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

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
