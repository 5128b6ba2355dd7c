#include "fw_config.h"
#include "fww_plugin_frame.h"
#include "fw_wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A frame, from its first byte to its last: a byte now and then would hold a process for ever. */
#define FRAME_S 5

typedef struct reader {
    int fd;
    apr_time_t due; /* monotonic; 0: no byte came yet */
} reader;

static bool is_late(reader *r)
{
    if (!r->due)
        r->due = fw_monotonic() + apr_time_from_sec(FRAME_S);
    return fw_monotonic() > r->due;
}

/* Reads n bytes, or fewer at the end of the stream. */
static const fw_err *read_bytes(reader *from, void *buf, size_t n, size_t *got, apr_pool_t *pool)
{
    char *to = buf;
    *got = 0;
    while (*got < n) {
        ssize_t r = recv(from->fd, to + *got, n - *got, 0);
        if (r == 0)
            return NULL;
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "reading a frame");
        *got += (size_t)r;
        if (is_late(from))
            return FW_ERR(pool, FW_E_UNAVAILABLE, ETIMEDOUT, "reading a frame");
    }
    return NULL;
}

/* One part of a frame. *part is NULL if the stream ended before its first byte. */
static const fw_err *read_part(reader *from, size_t max, char **part, size_t *n, apr_pool_t *pool)
{
    unsigned char h[4];
    size_t got;

    *part = NULL;
    FW_TRY(read_bytes(from, h, sizeof(h), &got, pool));
    if (got == 0)
        return NULL;
    if (got < sizeof(h))
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "frame cut off");
    *n = (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
    if (*n > max)
        return FW_ERR(pool, FW_E_LIMIT, 0, "frame part of %" APR_SIZE_T_FMT " bytes", *n);
    *part = apr_palloc(pool, *n + 1);
    (*part)[*n] = '\0';
    FW_TRY(read_bytes(from, *part, *n, &got, pool));
    return got == *n ? NULL : FW_ERR(pool, FW_E_UNAVAILABLE, 0, "frame cut off");
}

const fw_err *fww_frame_read_blob(int fd, size_t max_blob, json_t **frame, const char **blob,
                                  size_t *n_blob, apr_pool_t *pool)
{
    reader from = {.fd = fd};
    char *text;
    char *bytes;
    size_t n;
    json_error_t why;

    *frame = NULL;
    FW_TRY(read_part(&from, FWW_FRAME_JSON_MAX, &text, &n, pool));
    if (!text)
        return NULL;
    FW_TRY(read_part(&from, max_blob, &bytes, n_blob, pool));
    if (!bytes)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "frame without its blob");
    *blob = bytes;
    *frame = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(*frame)) {
        json_decref(*frame);
        *frame = NULL;
        return FW_ERR(pool, FW_E_INPUT, 0, "frame is not a JSON object");
    }
    return NULL;
}

const fw_err *fww_frame_read(int fd, json_t **frame, const char **blob, size_t *n_blob,
                             apr_pool_t *pool)
{
    return fww_frame_read_blob(fd, FWW_FRAME_BLOB_MAX, frame, blob, n_blob, pool);
}

static const fw_err *write_bytes(int fd, const char *p, size_t n, apr_pool_t *pool)
{
    while (n > 0) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "writing a frame");
        p += w;
        n -= (size_t)w;
    }
    return NULL;
}

static void put_length(char *to, size_t n)
{
    to[0] = (char)(n >> 24 & 0xff);
    to[1] = (char)(n >> 16 & 0xff);
    to[2] = (char)(n >> 8 & 0xff);
    to[3] = (char)(n & 0xff);
}

const fw_err *fww_frame_write_blob(int fd, const json_t *frame, const void *blob, size_t n_blob,
                                   apr_pool_t *pool)
{
    size_t n = json_dumpb(frame, NULL, 0, JSON_COMPACT);
    char *out;

    if (n == 0 || n > FWW_FRAME_JSON_MAX || n_blob > UINT32_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "frame of %" APR_SIZE_T_FMT " bytes", n);
    out = apr_palloc(pool, n + 8);
    put_length(out, n);
    json_dumpb(frame, out + 4, n, JSON_COMPACT);
    put_length(out + 4 + n, n_blob);
    FW_TRY(write_bytes(fd, out, n + 8, pool));
    return write_bytes(fd, blob, n_blob, pool);
}

const fw_err *fww_frame_write(int fd, const json_t *frame, apr_pool_t *pool)
{
    return fww_frame_write_blob(fd, frame, "", 0, pool);
}
