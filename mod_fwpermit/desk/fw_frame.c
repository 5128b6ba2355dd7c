#include "fw_config.h"
#include "fw_frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_wait.h"

#define JSON_MAX  1056768u /* bytes: the longest body of a plugin, and what stands around it */
#define LENGTH    4        /* bytes that tell a length */
#define WAIT_MS   50       /* before a full backlog is tried again */
#define POLL_MOST 60000    /* ms */

/* ---- waiting ---- */

static const fw_err *gone(int os, const char *what, apr_pool_t *pool)
{
    return FW_ERR(pool, FW_E_UNAVAILABLE, os, "%s", what);
}

/* Until `fd` is ready for `events`, or `due`. */
static const fw_err *wait_for(int fd, short events, apr_time_t due, apr_pool_t *pool)
{
    struct pollfd p = {.fd = fd, .events = events};

    for (;;) {
        apr_time_t left = due - fw_monotonic();
        int ms = left > apr_time_from_msec(POLL_MOST) ? POLL_MOST : (int)apr_time_as_msec(left) + 1;
        int n;

        if (left <= 0)
            return gone(ETIMEDOUT, "a role of the worker is too slow", pool);
        n = poll(&p, 1, ms);
        if (n > 0)
            return NULL;
        if (n < 0 && errno != EINTR)
            return FW_ERR(pool, FW_E_INTERNAL, errno, "poll");
    }
}

static apr_status_t close_fd(void *fd)
{
    return close((int)(intptr_t)fd) == 0 ? APR_SUCCESS : errno;
}

/* ---- connecting ---- */

/* A full backlog answers EAGAIN to a non-blocking socket of this family. */
static const fw_err *connect_until(int fd, const struct sockaddr_un *to, apr_time_t due,
                                   apr_pool_t *pool)
{
    for (;;) {
        if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
            return NULL;
        if (errno != EAGAIN && errno != EINTR)
            return gone(errno, "a role of the worker is away", pool);
        if (fw_monotonic() + apr_time_from_msec(WAIT_MS) > due)
            return gone(ETIMEDOUT, "a role of the worker is busy", pool);
        apr_sleep(apr_time_from_msec(WAIT_MS));
    }
}

const fw_err *fw_frame_connect(const char *run_dir, const char *role, apr_time_t due, int *fd,
                               apr_pool_t *pool)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const fw_err *err;
    const char *path = apr_pstrcat(pool, run_dir, "/", role, ".sock", NULL);

    if (strlen(path) >= sizeof(to.sun_path))
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: the path is too long for a socket", path);
    memcpy(to.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return FW_ERR(pool, FW_E_INTERNAL, errno, "socket");
    apr_pool_cleanup_register(pool, (void *)(intptr_t)*fd, close_fd, apr_pool_cleanup_null);
    err = connect_until(*fd, &to, due, pool);
    if (err)
        fw_frame_close(*fd, pool);
    return err;
}

void fw_frame_close(int fd, apr_pool_t *pool)
{
    apr_pool_cleanup_run(pool, (void *)(intptr_t)fd, close_fd);
}

/* ---- writing ---- */

static const fw_err *write_bytes(int fd, apr_time_t due, const char *p, size_t n, apr_pool_t *pool)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w >= 0) {
            p += w;
            n -= (size_t)w;
        } else if (errno == EAGAIN)
            FW_TRY(wait_for(fd, POLLOUT, due, pool));
        else if (errno != EINTR)
            return gone(errno, "writing a frame", pool);
    }
    return NULL;
}

static void put_length(char *to, size_t n)
{
    for (int i = 0; i < LENGTH; i++)
        to[i] = (char)(n >> (8 * (LENGTH - 1 - i)) & 0xff);
}

const fw_err *fw_frame_write(int fd, apr_time_t due, const json_t *frame, const void *blob,
                             apr_size_t n_blob, apr_pool_t *pool)
{
    size_t n = json_dumpb(frame, NULL, 0, JSON_COMPACT);
    char *head;

    if (n == 0 || n > JSON_MAX || n_blob > UINT32_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "frame of %" APR_SIZE_T_FMT " bytes", n);
    head = apr_palloc(pool, n + 2 * (size_t)LENGTH);
    put_length(head, n);
    json_dumpb(frame, head + LENGTH, n, JSON_COMPACT);
    put_length(head + LENGTH + n, n_blob);
    FW_TRY(write_bytes(fd, due, head, n + 2 * (size_t)LENGTH, pool));
    return write_bytes(fd, due, blob, n_blob, pool);
}

/* ---- reading ---- */

static const fw_err *read_bytes(int fd, apr_time_t due, char *to, size_t n, apr_pool_t *pool)
{
    while (n > 0) {
        ssize_t r = recv(fd, to, n, 0);
        if (r == 0)
            return gone(0, "a role of the worker broke off", pool);
        if (r > 0) {
            to += r;
            n -= (size_t)r;
        } else if (errno == EAGAIN)
            FW_TRY(wait_for(fd, POLLIN, due, pool));
        else if (errno != EINTR)
            return gone(errno, "reading a frame", pool);
    }
    return NULL;
}

static const fw_err *read_part(int fd, apr_time_t due, size_t max, char **part, size_t *n,
                               apr_pool_t *pool)
{
    unsigned char h[LENGTH];

    FW_TRY(read_bytes(fd, due, (char *)h, sizeof(h), pool));
    *n = (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
    if (*n > max)
        return FW_ERR(pool, FW_E_LIMIT, 0, "frame part of %" APR_SIZE_T_FMT " bytes", *n);
    *part = apr_palloc(pool, *n + 1);
    (*part)[*n] = '\0';
    return read_bytes(fd, due, *part, *n, pool);
}

const fw_err *fw_frame_read(int fd, apr_time_t due, apr_size_t max_blob, json_t **frame,
                            const char **blob, apr_size_t *n_blob, apr_pool_t *pool)
{
    char *text, *bytes;
    size_t n;
    json_error_t why;

    *frame = NULL;
    FW_TRY(read_part(fd, due, JSON_MAX, &text, &n, pool));
    FW_TRY(read_part(fd, due, max_blob, &bytes, n_blob, pool));
    *blob = bytes;
    *frame = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(*frame))
        return NULL;
    json_decref(*frame);
    *frame = NULL;
    return FW_ERR(pool, FW_E_CORRUPT, 0, "a frame is not a JSON object");
}
