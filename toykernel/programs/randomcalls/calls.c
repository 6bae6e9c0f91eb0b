/* The calls about files and paths. */
#include "randomcalls.h"

enum { FAR = 1000000 };

static int call_open(struct call *c)
{
    c->path = draw_path();
    c->a = draw(3);
    if (draw(2))
        c->a |= O_CREAT;
    if (draw(8) == 0)
        c->a |= O_EXCL;
    if (draw(6) == 0)
        c->a |= O_TRUNC;
    if (draw(6) == 0)
        c->a |= O_APPEND;
    if (draw(16) == 0 && !(c->a & O_CREAT))
        c->a |= O_DIRECTORY;
    return open(c->path, c->a, 0644);
}

static int call_close(struct call *c)
{
    c->a = draw_fd();
    return close(c->a);
}

static int call_read(struct call *c)
{
    u32 there;
    char *to;
    int n;

    c->a = draw_fd();
    to = draw_target(&there);
    c->b = there;
    c->c = draw_size();
    n = read(c->a, to, c->c);
    if (n > 0)
        c->sum = adler(1, to, n);
    return n;
}

static int call_write(struct call *c)
{
    const char *from;

    c->a = draw_fd();
    from = draw_source();
    c->b = draw_size();
    return write(c->a, from, c->b);
}

static int is_directory(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == S_IFDIR;
}

static int call_lseek(struct call *c)
{
    int at;

    c->a = draw_fd();
    c->b = draw_position();
    c->c = draw(16) ? draw(3) : 5 + draw(2); /* 3 and 4 mean something to a later Linux */
    if (is_directory(c->a))
        c->c = SEEK_SET; /* where a directory ends is its filesystem's business */
    at = lseek(c->a, c->b, c->c);
    if (at > FAR)
        lseek(c->a, 0, SEEK_SET); /* so that files do not grow for ever */
    return at;
}

static int call_ftruncate(struct call *c)
{
    c->a = draw_fd();
    c->b = draw_position();
    return ftruncate(c->a, c->b);
}

/* Devices are needed by others. */
static int is_device(const char *path)
{
    return memcmp(shown(path), "/dev/", 5) == 0;
}

static int call_unlink(struct call *c)
{
    c->path = draw_path();
    return is_device(c->path) ? 0 : unlink(c->path);
}

static int call_mkdir(struct call *c)
{
    c->path = draw_path();
    return mkdir(c->path, 0755);
}

static int call_rmdir(struct call *c)
{
    c->path = draw_path();
    return rmdir(c->path);
}

static int call_chdir(struct call *c)
{
    c->path = draw_path();
    return chdir(c->path);
}

/* Kind, names and size; the size of a directory is its filesystem's business. */
static u32 sum_of(const struct stat *st)
{
    u32 kind = st->st_mode & S_IFMT;

    return kind << 16 | st->st_nlink << 24 | (kind == S_IFREG ? st->st_size : 0);
}

static int call_stat(struct call *c)
{
    struct stat st;
    int error;

    c->path = draw_path();
    error = stat(c->path, &st);
    if (!error)
        c->sum = sum_of(&st);
    return error;
}

static int call_fstat(struct call *c)
{
    struct stat st;
    int error;

    c->a = draw_fd();
    error = fstat(c->a, &st);
    if (!error)
        c->sum = sum_of(&st);
    return error;
}

/* A whole directory; the order of names does not matter.  How many there are. */
static int call_list(struct call *c)
{
    int fd, n, count = 0;

    c->path = draw_path();
    fd = open(c->path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return fd;
    while ((n = getdents(fd, room, 300)) > 0)
        for (int at = 0; at < n; at += ((struct dirent *)(room + at))->d_reclen, count++) {
            const char *name = ((struct dirent *)(room + at))->d_name;
            c->sum += adler(1, name, strlen(name));
        }
    close(fd);
    return n < 0 ? n : count;
}

/* A file as memory: what of it is there. */
static int call_map(struct call *c)
{
    struct stat st;
    u32 pages, address;
    int left;

    c->a = draw_fd();
    pages = 1 + draw(3);
    c->b = draw(4);
    c->c = pages;
    address = mmap2(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE, c->a, c->b);
    if (address >= -(u32)PAGE)
        return address;
    fstat(c->a, &st);
    left = st.st_size - c->b * PAGE;
    if (left > (int)pages * PAGE)
        left = pages * PAGE;
    if (left > 0)
        c->sum = adler(1, (char *)address, left);
    return munmap((void *)address, pages * PAGE);
}

static int call_fsync(struct call *c)
{
    c->a = draw_fd();
    return fsync(c->a);
}

static int call_sync(struct call *c)
{
    (void)c;
    return sync();
}

static int call_dup(struct call *c)
{
    c->a = draw_fd();
    return dup(c->a);
}

static int call_dup2(struct call *c)
{
    c->a = draw_fd();
    c->b = draw(16) ? 3 + (int)draw(14) : draw_fd();
    return dup2(c->a, c->b);
}

static int call_fcntl(struct call *c)
{
    static const int commands[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, 99};

    c->a = draw_fd();
    c->b = commands[draw(6)];
    c->c = draw(20);
    if (c->b == F_SETFL)
        c->c = (c->c & 1 ? O_APPEND : 0) | O_NONBLOCK; /* so that nothing ever waits */
    return fcntl(c->a, c->b, c->c);
}

/* Its ends do not wait, and a spare reading end keeps writers alive. */
static int call_pipe(struct call *c)
{
    int fds[2], error = pipe(fds), spare;

    (void)c;
    if (error)
        return error;
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    spare = fcntl(fds[0], F_DUPFD, SHORTEST_SPARE);
    if (spare < 0) {
        close(fds[0]);
        close(fds[1]);
        return spare;
    }
    return fds[0] << 8 | fds[1];
}

static int call_left(struct call *c)
{
    int error, left = 0;

    c->a = draw_fd();
    error = ioctl(c->a, FIONREAD, &left);
    c->sum = left;
    return error;
}

/* Begin with nothing open. */
static int call_close_all(struct call *c)
{
    int n = 0;

    (void)c;
    for (int fd = 3; fd < NR_FDS; fd++)
        n += close(fd) == 0;
    return n;
}

/* A child makes calls with the same open files, and tells a part of its checksum. */
static int call_child(struct call *c)
{
    static int is_child;
    int pid, status = 0;

    c->a = draw(1 << 30);
    c->b = draw(20);
    if (is_child)
        return 0;
    pid = fork();
    if (pid == 0) {
        is_child = 1;
        exit(run_calls(c->a, c->b) & 0xFF);
    }
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

const struct operation operations[] = {
    {"open", 20, call_open},          {"close", 12, call_close}, {"read", 20, call_read},
    {"write", 20, call_write},        {"lseek", 14, call_lseek}, {"ftruncate", 3, call_ftruncate},
    {"unlink", 8, call_unlink},       {"mkdir", 5, call_mkdir},  {"rmdir", 5, call_rmdir},
    {"chdir", 3, call_chdir},         {"stat", 4, call_stat},    {"fstat", 3, call_fstat},
    {"list", 2, call_list},           {"map", 2, call_map},      {"fsync", 1, call_fsync},
    {"sync", 1, call_sync},           {"dup", 3, call_dup},      {"dup2", 3, call_dup2},
    {"fcntl", 5, call_fcntl},         {"pipe", 2, call_pipe},    {"left", 2, call_left},
    {"close all", 1, call_close_all}, {"child", 1, call_child},  {},
};
