/* Records what is done to the files below "state/": a library for LD_PRELOAD. tests/fault/disk.py reads the record.
 *
 * FW_RECORD names the platform's folder; the record is "disk.log" in it, and nothing is recorded where that is not. A call and
 * its line in the record are made under one lock of all processes, so that the record has the order in which things were
 * done. SQLite's shared index is left out: it outlives no start. Of a file that stdio wrote the contents are recorded when it is
 * closed. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* What a line is of; disk.py has the same. */
enum {
    CREATED = 'C',
    WRITTEN = 'W',
    CUT = 'T',
    SYNCED = 'S',
    FOLDER_SYNCED = 'F',
    FOLDER_MADE = 'D',
    RENAMED = 'R',
    LINKED = 'L',
    UNLINKED = 'U'
};

struct line {
    char what;
    uint64_t node, at;
    uint32_t n, more; /* bytes that follow: of a path or of the contents; of a second path */
} __attribute__((packed));

static char below[PATH_MAX], record[PATH_MAX];

#define REAL(name)                                              \
    ({                                                          \
        static __typeof__(&name) real_;                         \
        if (!real_)                                             \
            real_ = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        real_;                                                  \
    })

__attribute__((constructor)) static void begin(void)
{
    const char *folder = getenv("FW_RECORD");

    if (!folder)
        return;
    snprintf(below, sizeof(below), "%s/state/", folder);
    snprintf(record, sizeof(record), "%s/disk.log", folder);
}

/* ---- which files ---- */

static bool is_ours(const char *path)
{
    size_t n = strlen(path);

    return below[0] && strncmp(path, below, strlen(below)) == 0 &&
           !(n > 4 && strcmp(path + n - 4, "-shm") == 0);
}

/* A path of ours as it is from the root, else NULL. */
static const char *resolve(int at, const char *path, char *out)
{
    char link[32];
    ssize_t n;

    if (!below[0] || path[0] == '/')
        return below[0] && is_ours(path) ? path : NULL;
    snprintf(link, sizeof(link), at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
    n = readlink(link, out, PATH_MAX - 1);
    if (n < 0 || (size_t)n + strlen(path) + 2 > PATH_MAX)
        return NULL;
    snprintf(out + n, (size_t)(PATH_MAX - n), "/%s", path);
    return is_ours(out) ? out : NULL;
}

/* What stands behind the descriptor, if it is a file or a folder of ours. */
static bool look(int fd, char *path, struct stat *st)
{
    char link[32];
    ssize_t n;

    if (!below[0] || fstat(fd, st) != 0 || !(S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)))
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 2);
    if (n < 0)
        return false;
    path[n] = S_ISDIR(st->st_mode) ? '/' : 0;
    path[n + 1] = 0;
    return is_ours(path);
}

/* ---- the record ---- */

/* -1 where nothing is recorded. */
static int lock(void)
{
    int fd = REAL(open)(record, O_WRONLY | O_APPEND | O_CLOEXEC);

    while (fd >= 0 && flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            abort();
    return fd;
}

static void note(int to, char what, uint64_t node, off_t at, const void *data, size_t n,
                 const char *second)
{
    size_t more = second ? strlen(second) : 0;
    struct line line = {what, node, (uint64_t)at, (uint32_t)n, (uint32_t)more};
    struct iovec parts[] = {{&line, sizeof(line)}, {(void *)data, n}, {(void *)second, more}};
    int kept = errno;

    if (to >= 0 && REAL(writev)(to, parts, 3) != (ssize_t)(sizeof(line) + n + more))
        abort();
    errno = kept;
}

static void note_path(int to, char what, uint64_t node, const char *path, const char *second)
{
    note(to, what, node, 0, path, strlen(path), second);
}

static void unlock(int fd)
{
    int kept = errno;

    if (fd >= 0)
        close(fd);
    errno = kept;
}

/* ---- contents ---- */

/* A call that writes; `at_` may tell by done_, its answer, where. */
#define WRITE(fd, data, at_, ...)                                           \
    do {                                                                    \
        char path_[PATH_MAX];                                               \
        struct stat st_;                                                    \
        ssize_t done_;                                                      \
        int to_;                                                            \
                                                                            \
        if (!look(fd, path_, &st_))                                         \
            return __VA_ARGS__;                                             \
        to_ = lock();                                                       \
        done_ = __VA_ARGS__;                                                \
        if (done_ > 0)                                                      \
            note(to_, WRITTEN, st_.st_ino, at_, data, (size_t)done_, NULL); \
        unlock(to_);                                                        \
        return done_;                                                       \
    } while (0)

ssize_t write(int fd, const void *buf, size_t n)
{
    WRITE(fd, buf, lseek(fd, 0, SEEK_CUR) - done_, REAL(write)(fd, buf, n));
}

ssize_t pwrite(int fd, const void *buf, size_t n, off_t at)
{
    WRITE(fd, buf, at, REAL(pwrite)(fd, buf, n, at));
}

ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
    WRITE(fd, buf, at, REAL(pwrite64)(fd, buf, n, at));
}

/* Of several buffers the first alone, as a short write. */
ssize_t writev(int fd, const struct iovec *iov, int n)
{
    char path[PATH_MAX];
    struct stat st;

    return look(fd, path, &st) ? write(fd, iov[0].iov_base, iov[0].iov_len)
                               : REAL(writev)(fd, iov, n);
}

#define CUT_AS(name, type)                                 \
    int name(int fd, type size)                            \
    {                                                      \
        char path[PATH_MAX];                               \
        struct stat st;                                    \
        int to, rc;                                        \
                                                           \
        if (!look(fd, path, &st))                          \
            return REAL(name)(fd, size);                   \
        to = lock();                                       \
        rc = REAL(name)(fd, size);                         \
        if (rc == 0)                                       \
            note(to, CUT, st.st_ino, size, NULL, 0, NULL); \
        unlock(to);                                        \
        return rc;                                         \
    }
CUT_AS(ftruncate, off_t)
CUT_AS(ftruncate64, off64_t)

#define SYNC_AS(name)                                                                           \
    int name(int fd)                                                                            \
    {                                                                                           \
        char path[PATH_MAX];                                                                    \
        struct stat st;                                                                         \
        int to, rc;                                                                             \
                                                                                                \
        if (!look(fd, path, &st))                                                               \
            return REAL(name)(fd);                                                              \
        to = lock();                                                                            \
        rc = REAL(name)(fd);                                                                    \
        if (rc == 0)                                                                            \
            note_path(to, S_ISDIR(st.st_mode) ? FOLDER_SYNCED : SYNCED, st.st_ino, path, NULL); \
        unlock(to);                                                                             \
        return rc;                                                                              \
    }
SYNC_AS(fsync)
SYNC_AS(fdatasync)

/* ---- names ---- */

static uint64_t node_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_ino : 0;
}

/* After an open that may have made the file or cut it. */
static void note_open(int to, int fd, const char *path, bool was_there, int flags)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    if (!was_there)
        note_path(to, CREATED, st.st_ino, path, NULL);
    else if (flags & O_TRUNC)
        note(to, CUT, st.st_ino, 0, NULL, 0, NULL);
}

#define OPENED(at, name, flags, ...)                    \
    do {                                                \
        char room_[PATH_MAX];                           \
        const char *path_ = resolve(at, name, room_);   \
        bool was_there_;                                \
        int to_, fd_;                                   \
                                                        \
        if (!path_ || !((flags) & (O_CREAT | O_TRUNC))) \
            return __VA_ARGS__;                         \
        to_ = lock();                                   \
        was_there_ = node_of(path_) != 0;               \
        fd_ = __VA_ARGS__;                              \
        note_open(to_, fd_, path_, was_there_, flags);  \
        unlock(to_);                                    \
        return fd_;                                     \
    } while (0)

static mode_t mode_in(int flags, va_list more)
{
    return flags & O_CREAT ? va_arg(more, mode_t) : 0;
}

#define OPEN_AS(name)                                                 \
    int name(const char *path, int flags, ...)                        \
    {                                                                 \
        va_list more;                                                 \
        mode_t mode;                                                  \
                                                                      \
        va_start(more, flags);                                        \
        mode = mode_in(flags, more);                                  \
        va_end(more);                                                 \
        OPENED(AT_FDCWD, path, flags, REAL(name)(path, flags, mode)); \
    }
#define OPENAT_AS(name)                                             \
    int name(int at, const char *path, int flags, ...)              \
    {                                                               \
        va_list more;                                               \
        mode_t mode;                                                \
                                                                    \
        va_start(more, flags);                                      \
        mode = mode_in(flags, more);                                \
        va_end(more);                                               \
        OPENED(at, path, flags, REAL(name)(at, path, flags, mode)); \
    }
OPEN_AS(open)
OPEN_AS(open64)
OPENAT_AS(openat)
OPENAT_AS(openat64)

/* A call on names: on success a line of that kind. */
#define NAMED(what, path, node, second, ...)           \
    do {                                               \
        int to_ = lock(), rc_;                         \
        uint64_t node_ = node;                         \
                                                       \
        rc_ = __VA_ARGS__;                             \
        if (rc_ == 0)                                  \
            note_path(to_, what, node_, path, second); \
        unlock(to_);                                   \
        return rc_;                                    \
    } while (0)

int rename(const char *from, const char *to)
{
    if (!is_ours(to))
        return REAL(rename)(from, to);
    NAMED(RENAMED, from, node_of(from), to, REAL(rename)(from, to));
}

int link(const char *from, const char *to)
{
    if (!is_ours(to))
        return REAL(link)(from, to);
    NAMED(LINKED, from, node_of(from), to, REAL(link)(from, to));
}

int unlink(const char *path)
{
    if (!is_ours(path))
        return REAL(unlink)(path);
    NAMED(UNLINKED, path, 0, NULL, REAL(unlink)(path));
}

int unlinkat(int at, const char *path, int flags)
{
    char room[PATH_MAX];
    const char *whole = resolve(at, path, room);

    if (!whole)
        return REAL(unlinkat)(at, path, flags);
    NAMED(UNLINKED, whole, 0, NULL, REAL(unlinkat)(at, path, flags));
}

int mkdir(const char *path, mode_t mode)
{
    char room[PATH_MAX];
    const char *whole = resolve(AT_FDCWD, path, room);

    if (!whole)
        return REAL(mkdir)(path, mode);
    NAMED(FOLDER_MADE, whole, 0, NULL, REAL(mkdir)(path, mode));
}

/* ---- stdio ---- */

static bool writes(const char *mode)
{
    return mode[0] != 'r';
}

#define FOPEN_AS(name)                                          \
    FILE *name(const char *path, const char *mode)              \
    {                                                           \
        bool was_there;                                         \
        FILE *f;                                                \
        int to;                                                 \
                                                                \
        if (!is_ours(path) || !writes(mode))                    \
            return REAL(name)(path, mode);                      \
        to = lock();                                            \
        was_there = node_of(path) != 0;                         \
        f = REAL(name)(path, mode);                             \
        if (f)                                                  \
            note_open(to, fileno(f), path, was_there, O_TRUNC); \
        unlock(to);                                             \
        return f;                                               \
    }
FOPEN_AS(fopen)
FOPEN_AS(fopen64)

/* All of it, once it is written. */
static void note_contents(int to, const char *path)
{
    int fd = REAL(open)(path, O_RDONLY | O_CLOEXEC);
    uint64_t node = node_of(path);
    char piece[65536];
    ssize_t n;

    for (off_t at = 0; (n = read(fd, piece, sizeof(piece))) > 0; at += n)
        note(to, WRITTEN, node, at, piece, (size_t)n, NULL);
    close(fd);
}

int fclose(FILE *f)
{
    char path[PATH_MAX];
    struct stat st;
    int to, rc, fd = fileno(f);

    if (fd < 0 || !look(fd, path, &st) || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
        return REAL(fclose)(f);
    to = lock();
    rc = REAL(fclose)(f);
    if (rc == 0)
        note_contents(to, path);
    unlock(to);
    return rc;
}
