/* Makes calls fail: a library for LD_PRELOAD, told what to do by a file that tests/fault/shim.py maps as well.
 *
 * FW_FAULT names the platform's folder; the file is "fault.ctl" in it. Of files only those below "state/" and "secrets/"
 * count, by their names; of sockets all. Each call is counted by the process's role and the call's kind; one order at a time
 * says which call, from now, meets what. Without the file every call passes. Calls that the C library makes of its own
 * (stdio) are not seen. */
#include <apr_dbd.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* shim.py has the same lists in the same order. */
enum kind {
    WRITE,
    SYNC,
    RENAME,
    LINK,
    UNLINK,
    OPEN,
    TRUNCATE,
    READ,
    CONNECT,
    SEND,
    RECV,
    DATABASE,
    KINDS
};
static const char *const roles[] = {"httpd",  "pump",         "sealer",      "signer", "pictures",
                                    "parent", "plugin ecpay", "plugin mail", "other"};
enum { HTTPD = 0, PARENT = 5, OTHER = 8, ROLES };

/* What an order may ask for beside an errno. LOST: the call is made, and an error is told all the same. */
enum { SHORT = -1, SLOW = -2, LOST = -3 };
enum { DISK_FULL = 1, READ_ONLY = 2, NO_DESCRIPTORS = 4, NO_NAMES = 8 };

#define FAR_SIDE "far-side.example"

struct control {
    atomic_int armed, role, kind, left, times,
        how; /* the order: `left` calls pass but for the last, then `times` meet `how` */
    atomic_int hits;
    atomic_int conditions;
    atomic_int back,
        back_role; /* by how many seconds the clock was set back, and for which role; -1 for all */
    atomic_int calls[ROLES][KINDS];
};

static struct control *control;
static char below_state[PATH_MAX], below_secrets[PATH_MAX];
static int own_role;
static _Thread_local int told; /* SQLite's code for the statement that failed last, 0 for none */

#define REAL(name)                                              \
    ({                                                          \
        static __typeof__(&name) real_;                         \
        if (!real_)                                             \
            real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        real_;                                                  \
    })

/* ---- who and what ---- */

static int role_by_command_line(void)
{
    char line[PATH_MAX] = "";
    int fd = REAL(open)("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = REAL(read)(fd, line, sizeof(line) - 1);
    const char *name;

    close(fd);
    for (ssize_t i = 0; i < n - 1; i++)
        if (!line[i])
            line[i] = ' ';
    name = strstr(line, "fwpermit-worker ");
    if (!name)
        return strstr(line, "apache2") ? HTTPD : OTHER;
    name += strlen("fwpermit-worker ");
    for (int i = 0; i < OTHER; i++)
        if (strcmp(name, roles[i]) == 0)
            return i;
    return OTHER;
}

/* httpd's parent leads its session; what it forks without an exec serves requests. */
static int role(void)
{
    return own_role == HTTPD && getsid(0) == getpid() ? PARENT : own_role;
}

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("FW_FAULT");
    char path[PATH_MAX];
    void *map;
    int fd;

    if (!folder)
        return;
    snprintf(below_state, sizeof(below_state), "%s/state/", folder);
    snprintf(below_secrets, sizeof(below_secrets), "%s/secrets/", folder);
    snprintf(path, sizeof(path), "%s/fault.ctl", folder);
    fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    map = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    own_role = role_by_command_line();
    control = map == MAP_FAILED ? NULL : map;
}

static bool is_ours(const char *path)
{
    return strncmp(path, below_state, strlen(below_state)) == 0 ||
           strncmp(path, below_secrets, strlen(below_secrets)) == 0;
}

/* The kind of a call on this descriptor: `file` for a file of the platform, `sock` for a socket, else KINDS. */
static enum kind kind_of(int fd, enum kind file, enum kind sock)
{
    char link[32], path[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (!control || fstat(fd, &st) != 0)
        return KINDS;
    if (S_ISSOCK(st.st_mode))
        return sock;
    if (!S_ISREG(st.st_mode))
        return KINDS;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return KINDS;
    path[n] = 0;
    return is_ours(path) ? file : KINDS;
}

/* ---- what happens to it ---- */

static int by_condition(enum kind kind, bool writes)
{
    int c = atomic_load_explicit(&control->conditions, memory_order_relaxed);

    if (c & DISK_FULL && (kind == WRITE || kind == TRUNCATE))
        return ENOSPC;
    if (c & READ_ONLY && writes && kind != SEND)
        return EROFS;
    if (c & NO_DESCRIPTORS && kind == OPEN)
        return EMFILE;
    return 0;
}

/* Counts the call; 0 where it passes, else what it meets. */
static int meets(enum kind kind, bool writes)
{
    int how, left;

    if (!control || kind == KINDS)
        return 0;
    atomic_fetch_add_explicit(&control->calls[role()][kind], 1, memory_order_relaxed);
    how = by_condition(kind, writes);
    if (how || !atomic_load(&control->armed) || control->kind != (int)kind ||
        control->role != role())
        return how;
    left = atomic_fetch_sub(&control->left, 1);
    if (left > 1 || left <= 1 - control->times)
        return 0;
    how = control->how;
    atomic_fetch_add(&control->hits, 1);
    if (how == SLOW)
        REAL(nanosleep)(&(struct timespec){.tv_sec = 2}, NULL);
    return how == SLOW ? 0 : how;
}

static int failed(int how)
{
    errno = how;
    return -1;
}

static size_t half(size_t n)
{
    return n > 1 ? n / 2 : n;
}

/* A call that moves bytes, `n` of them: it fails, moves half, or passes. */
#define MOVE(kind, writes, n, ...)      \
    do {                                \
        int how_ = meets(kind, writes); \
        if (how_ > 0)                   \
            return failed(how_);        \
        if (how_ == SHORT)              \
            n = half(n);                \
        return __VA_ARGS__;             \
    } while (0)

#define PASS_OR_FAIL(kind, writes, ...)               \
    do {                                              \
        int how_ = meets(kind, writes);               \
        return how_ > 0 ? failed(how_) : __VA_ARGS__; \
    } while (0)

/* ---- files and sockets ---- */

ssize_t write(int fd, const void *buf, size_t n)
{
    MOVE(kind_of(fd, WRITE, SEND), true, n, REAL(write)(fd, buf, n));
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
    MOVE(kind_of(fd, WRITE, SEND), true, n, REAL(pwrite)(fd, buf, n, at));
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
    MOVE(kind_of(fd, WRITE, SEND), true, n, REAL(pwrite64)(fd, buf, n, at));
}

/* Short: the first buffer alone. */
ssize_t writev(int fd, const struct iovec *iov, int n)
{
    int how = meets(kind_of(fd, WRITE, SEND), true);

    if (how > 0)
        return failed(how);
    if (how == SHORT)
        return REAL(write)(fd, iov[0].iov_base, half(iov[0].iov_len));
    return REAL(writev)(fd, iov, n);
}

ssize_t read(int fd, void *buf, size_t n)
{
    MOVE(kind_of(fd, READ, RECV), false, n, REAL(read)(fd, buf, n));
}

ssize_t pread(int fd, void *buf, size_t n, off_t at)
{
    MOVE(kind_of(fd, READ, RECV), false, n, REAL(pread)(fd, buf, n, at));
}

ssize_t pread64(int fd, void *buf, size_t n, off64_t at)
{
    MOVE(kind_of(fd, READ, RECV), false, n, REAL(pread64)(fd, buf, n, at));
}

int fsync(int fd)
{
    PASS_OR_FAIL(kind_of(fd, SYNC, KINDS), true, REAL(fsync)(fd));
}

int fdatasync(int fd)
{
    PASS_OR_FAIL(kind_of(fd, SYNC, KINDS), true, REAL(fdatasync)(fd));
}

int ftruncate(int fd, off_t size)
{
    PASS_OR_FAIL(kind_of(fd, TRUNCATE, KINDS), true, REAL(ftruncate)(fd, size));
}

int ftruncate64(int fd, off64_t size)
{
    PASS_OR_FAIL(kind_of(fd, TRUNCATE, KINDS), true, REAL(ftruncate64)(fd, size));
}

int rename(const char *from, const char *to)
{
    PASS_OR_FAIL(is_ours(to) ? RENAME : KINDS, true, REAL(rename)(from, to));
}

int link(const char *from, const char *to)
{
    PASS_OR_FAIL(is_ours(to) ? LINK : KINDS, true, REAL(link)(from, to));
}

int unlink(const char *path)
{
    PASS_OR_FAIL(is_ours(path) ? UNLINK : KINDS, true, REAL(unlink)(path));
}

static bool opens_to_write(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
}

#define OPEN_AS(name)                                                     \
    int name(const char *path, int flags, ...)                            \
    {                                                                     \
        va_list more;                                                     \
        mode_t mode;                                                      \
                                                                          \
        va_start(more, flags);                                            \
        mode = va_arg(more, mode_t);                                      \
        va_end(more);                                                     \
        PASS_OR_FAIL(is_ours(path) ? OPEN : KINDS, opens_to_write(flags), \
                     REAL(name)(path, flags, mode));                      \
    }

#define OPENAT_AS(name)                                                   \
    int name(int at, const char *path, int flags, ...)                    \
    {                                                                     \
        va_list more;                                                     \
        mode_t mode;                                                      \
                                                                          \
        va_start(more, flags);                                            \
        mode = va_arg(more, mode_t);                                      \
        va_end(more);                                                     \
        PASS_OR_FAIL(is_ours(path) ? OPEN : KINDS, opens_to_write(flags), \
                     REAL(name)(at, path, flags, mode));                  \
    }

OPEN_AS(open)
OPEN_AS(open64)
OPENAT_AS(openat)
OPENAT_AS(openat64)

int socket(int domain, int type, int protocol)
{
    if (control && atomic_load(&control->conditions) & NO_DESCRIPTORS)
        return failed(EMFILE);
    return REAL(socket)(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *to, socklen_t n)
{
    PASS_OR_FAIL(CONNECT, false, REAL(connect)(fd, to, n));
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
    MOVE(SEND, false, n, REAL(send)(fd, buf, n, flags));
}

ssize_t sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
               socklen_t len)
{
    MOVE(SEND, false, n, REAL(sendto)(fd, buf, n, flags, to, len));
}

/* Messages that carry descriptors have no half. */
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    PASS_OR_FAIL(SEND, false, REAL(sendmsg)(fd, m, flags));
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    MOVE(RECV, false, n, REAL(recv)(fd, buf, n, flags));
}

ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
    MOVE(RECV, false, n, REAL(recvfrom)(fd, buf, n, flags, from, len));
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    PASS_OR_FAIL(RECV, false, REAL(recvmsg)(fd, m, flags));
}

/* What needs no name server is answered as ever. The name of a far side, of this machine in truth, is FAR_SIDE. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **out)
{
    struct in_addr number;

    if (control && atomic_load(&control->conditions) & NO_NAMES && node &&
        inet_pton(AF_INET, node, &number) != 1)
        return EAI_AGAIN;
    if (control && node && strcmp(node, FAR_SIDE) == 0)
        node = "127.0.0.1";
    return REAL(getaddrinfo)(node, service, hints, out);
}

/* ---- the clock ---- */

static time_t back(void)
{
    int by = control ? atomic_load_explicit(&control->back, memory_order_relaxed) : 0;

    return by && (control->back_role < 0 || control->back_role == role()) ? by : 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    int rc = REAL(gettimeofday)(tv, zone);

    tv->tv_sec -= back();
    return rc;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
    int rc = REAL(clock_gettime)(clock, ts);

    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        ts->tv_sec -= back();
    return rc;
}

time_t time(time_t *out)
{
    time_t now = REAL(time)(NULL) - back();

    if (out)
        *out = now;
    return now;
}

/* ---- the database, as the store calls it ---- */

/* An order's number is SQLite's code, which the store asks for afterwards. LOST tells an error of what was done. */
#define STATEMENT(is_made, ...)                                \
    do {                                                       \
        int how_ = meets(DATABASE, false);                     \
        if (how_ == LOST && (is_made))                         \
            (void)__VA_ARGS__;                                 \
        told = how_ == 0 ? 0 : how_ > 0 ? how_ : SQLITE_IOERR; \
        return told ? told : __VA_ARGS__;                      \
    } while (0)

int apr_dbd_query(const apr_dbd_driver_t *driver, apr_dbd_t *handle, int *rows,
                  const char *statement)
{
    STATEMENT(true, REAL(apr_dbd_query)(driver, handle, rows, statement));
}

int apr_dbd_pbquery(const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle, int *rows,
                    apr_dbd_prepared_t *ready, const void **args)
{
    STATEMENT(true, REAL(apr_dbd_pbquery)(driver, pool, handle, rows, ready, args));
}

int apr_dbd_pbselect(const apr_dbd_driver_t *driver, apr_pool_t *pool, apr_dbd_t *handle,
                     apr_dbd_results_t **res, apr_dbd_prepared_t *ready, int random,
                     const void **args)
{
    STATEMENT(false, REAL(apr_dbd_pbselect)(driver, pool, handle, res, ready, random, args));
}

/* SQLite asks itself for its error at the end of opening: what was told of another connection is over. */
apr_status_t apr_dbd_open_ex(const apr_dbd_driver_t *driver, apr_pool_t *pool, const char *params,
                             apr_dbd_t **handle, const char **error)
{
    told = 0;
    return REAL(apr_dbd_open_ex)(driver, pool, params, handle, error);
}

int sqlite3_errcode(sqlite3 *db)
{
    return told ? told : REAL(sqlite3_errcode)(db);
}

int sqlite3_extended_errcode(sqlite3 *db)
{
    return told ? told : REAL(sqlite3_extended_errcode)(db);
}
