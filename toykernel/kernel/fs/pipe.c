/* Pipes: a page of memory as a ring, between those who write and those who read. */
#include "fs.h"
#include "syscall.h"
#include "uaccess.h"

#define PIPE_SIZE PAGE_SIZE /* also how much is written at once or not at all */

struct pipe {
    struct wait_queue wait; /* for bytes, for room, or for the last one at the other end to go */
    char *ring;             /* the page */
    u32 start;              /* where the next byte to be read is */
    u32 length;             /* how many there are */
    u32 users[3];           /* open files by f_mode: readers are users[FMODE_READ] */
};

static struct cache pipes = {.name = "pipes", .size = sizeof(struct pipe)};

/* Sleep once, unless the file or a signal forbids it: 0, or an error. */
static int wait_in(struct pipe *pipe, const struct file *file)
{
    if (file->f_flags & O_NONBLOCK)
        return -EAGAIN;
    if (signal_pending())
        return -EINTR;
    sleep_on(&pipe->wait);
    return 0;
}

/* Copy bytes of the ring from `at` on to the program or from it, in at most two pieces: how many.  A piece that
   faults does not count. */
static size_t copy(struct pipe *pipe, u32 at, char *buf, size_t count, bool to_user)
{
    size_t done = 0;

    while (done < count) {
        char *piece = pipe->ring + (at + done) % PIPE_SIZE;
        size_t n = min(count - done, pipe->ring + PIPE_SIZE - piece);
        if (to_user ? copy_to_user(buf + done, piece, n) : copy_from_user(piece, buf + done, n))
            break;
        done += n;
    }
    return done;
}

/* What is there, but at least one byte, unless nobody is left who could write it. */
static ssize_t pipe_read(struct file *file, char *buf, size_t count, loff_t *)
{
    struct pipe *pipe = file->f_inode->i_private;
    int error = 0;

    while (!error && count && !pipe->length && pipe->users[FMODE_WRITE])
        error = wait_in(pipe, file);
    count = min(count, pipe->length);
    if (error || !count)
        return error;
    count = copy(pipe, pipe->start, buf, count, true);
    if (!count)
        return -EFAULT;
    pipe->start = (pipe->start + count) % PIPE_SIZE;
    pipe->length -= count;
    wake_up(&pipe->wait);
    return count;
}

/* Wait for so much room and somebody to read: 0, or an error. */
static int wait_for_room(struct pipe *pipe, const struct file *file, size_t room)
{
    int error = 0;

    while (!error && pipe->users[FMODE_READ] && PIPE_SIZE - pipe->length < room)
        error = wait_in(pipe, file);
    if (pipe->users[FMODE_READ])
        return error;
    send_signal(current, SIGPIPE);
    return -EPIPE;
}

/* All of it, in one piece if it is short enough to fit. */
static ssize_t pipe_write(struct file *file, const char *buf, size_t count, loff_t *)
{
    struct pipe *pipe = file->f_inode->i_private;
    size_t done = 0;

    while (done < count) {
        int error = wait_for_room(pipe, file, count <= PIPE_SIZE ? count - done : 1);
        size_t n = error ? 0 : min(count - done, PIPE_SIZE - pipe->length);
        n = copy(pipe, pipe->start + pipe->length, (char *)buf + done, n, false);
        if (!n)
            return done ? (ssize_t)done : error ? error : -EFAULT;
        pipe->length += n;
        wake_up(&pipe->wait);
        done += n;
    }
    return done;
}

static int pipe_ioctl(struct file *file, u32 command, u32 argument)
{
    struct pipe *pipe = file->f_inode->i_private;

    return command == FIONREAD ? put_user(pipe->length, (u32 *)argument) : -ENOTTY;
}

static void pipe_open(struct file *file)
{
    struct pipe *pipe = file->f_inode->i_private;

    pipe->users[file->f_mode]++;
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->f_inode->i_private;

    pipe->users[file->f_mode]--;
    wake_up(&pipe->wait);
}

static void pipe_drop_inode(struct inode *inode)
{
    struct pipe *pipe = inode->i_private;

    put_page(page_of(pipe->ring));
    cache_free(&pipes, pipe);
}

static const struct file_operations pipe_operations = {
    .llseek = no_llseek,
    .read = pipe_read,
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .open = pipe_open,
    .release = pipe_release,
};
static const struct super_operations pipe_super = {.drop_inode = pipe_drop_inode};
static struct super_block pipe_filesystem = {.s_op = &pipe_super};

/* One without a user at either end; NULL if memory is short. */
static struct inode *pipe_inode(void)
{
    static u32 last_pipe;
    struct inode *inode = new_inode(&pipe_filesystem, S_IFIFO | 0600);
    struct pipe *pipe = inode ? cache_alloc(&pipes) : NULL;
    struct page *page = pipe ? alloc_pages(0) : NULL;

    if (page) {
        pipe->ring = page->address;
        inode->i_ino = ++last_pipe;
        inode->i_fop = &pipe_operations;
        inode->i_private = pipe;
        return inode;
    }
    if (pipe)
        cache_free(&pipes, pipe);
    if (inode)
        free_inode(inode);
    return NULL;
}

/* A descriptor for one end, or an error. */
static int open_end(struct inode *inode, u32 flags)
{
    int fd = get_unused_fd(0);
    struct file *file = fd < 0 ? ERR_PTR(fd) : file_of(igrab(inode), flags);

    if (IS_ERR(file))
        return PTR_ERR(file);
    install_fd(fd, file);
    return fd;
}

SYSCALL_DEFINE1(pipe, int *, user_fds)
{
    struct inode *inode = pipe_inode();
    int fds[2], error;

    if (!inode)
        return -ENOMEM;
    fds[0] = open_end(inode, O_RDONLY);
    fds[1] = fds[0] < 0 ? fds[0] : open_end(inode, O_WRONLY);
    iput(inode);
    error = fds[1] < 0 ? fds[1] : copy_to_user(user_fds, fds, sizeof fds) ? -EFAULT : 0;
    for (u32 i = 0; i < 2 && error; i++)
        close_fd(fds[i]); /* if it is one */
    return error;
}
