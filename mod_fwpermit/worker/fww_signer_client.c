#include "fw_config.h"
#include "fww_signer_client.h"
#include "fww_plugin_frame.h"
#include "fww_signer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

typedef struct question {
    const char *op, *key;
    const void *bytes;
    size_t n;
    const char *result;
    size_t n_result;
} question;

static const fw_err *call(int *fd, const char *run_dir, apr_pool_t *pool)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval wait = {.tv_sec = FWW_SIGNER_WAIT_S};
    const char *place = apr_psprintf(pool, "%s/" FWW_SIGNER_SOCKET, run_dir);

    if (strlen(place) >= sizeof(at.sun_path))
        return FW_ERR(pool, FW_E_CONFIG, 0, "the path of the signer's socket is too long");
    memcpy(at.sun_path, place, strlen(place) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "no socket");
    setsockopt(*fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(*fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(*fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        return FW_ERR(pool, FW_E_UNAVAILABLE, errno, "the signer is away");
    return NULL;
}

static const fw_err *talk(int fd, question *q, apr_pool_t *pool)
{
    json_t *frame = json_pack("{s:s, s:s*}", "op", q->op, "key", q->key);
    const fw_err *err = NULL;
    const char *why;

    if (!frame)
        return FW_ERR(pool, FW_E_INPUT, 0, "the key's name is not UTF-8");
    err = fww_frame_write_blob(fd, frame, q->bytes, q->n, pool);
    json_decref(frame);
    FW_TRY(err);
    FW_TRY(fww_frame_read_blob(fd, FWW_SIGNER_BLOB_MAX, &frame, &q->result, &q->n_result, pool));
    if (!frame)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "the signer hung up");
    if (!json_is_true(json_object_get(frame, "ok"))) {
        why = json_string_value(json_object_get(frame, "error"));
        err = FW_ERR(pool,
                     json_is_true(json_object_get(frame, "away")) ? FW_E_UNAVAILABLE : FW_E_CONFIG,
                     0, "the signer refuses: %s", why ? why : "no reason given");
    } else if (q->n_result == 0)
        err = FW_ERR(pool, FW_E_UNAVAILABLE, 0, "the signer gave nothing");
    json_decref(frame);
    return err;
}

static const fw_err *ask(const char *run_dir, question *q, apr_pool_t *pool)
{
    int fd = -1;
    const fw_err *err = NULL;

    if (q->n > FWW_SIGNER_BLOB_MAX)
        return FW_ERR(pool, FW_E_LIMIT, 0, "%" APR_SIZE_T_FMT " bytes to sign", q->n);
    err = call(&fd, run_dir, pool);
    if (!err)
        err = talk(fd, q, pool);
    if (fd >= 0)
        close(fd);
    return err;
}

const fw_err *fww_signer_cms(const char *run_dir, const char *key, const void *bytes, size_t n,
                             const char **der, size_t *n_der, apr_pool_t *pool)
{
    question q = {.op = "cms", .key = key, .bytes = bytes, .n = n};

    FW_TRY(ask(run_dir, &q, pool));
    *der = q.result;
    *n_der = q.n_result;
    return NULL;
}

const fw_err *fww_signer_sign(const char *run_dir, const char *key, const void *bytes, size_t n,
                              const char **signature, size_t *n_signature, apr_pool_t *pool)
{
    question q = {.op = "sign", .key = key, .bytes = bytes, .n = n};

    FW_TRY(ask(run_dir, &q, pool));
    *signature = q.result;
    *n_signature = q.n_result;
    return NULL;
}

const fw_err *fww_signer_cert(const char *run_dir, const char *key, const char **pem, size_t *n_pem,
                              apr_pool_t *pool)
{
    question q = {.op = "cert", .key = key};

    FW_TRY(ask(run_dir, &q, pool));
    *pem = q.result;
    *n_pem = q.n_result;
    return NULL;
}

const fw_err *fww_signer_certs(const char *run_dir, json_t **out, apr_pool_t *pool)
{
    question q = {.op = "certs"};

    FW_TRY(ask(run_dir, &q, pool));
    *out = json_loadb(q.result, q.n_result, JSON_REJECT_DUPLICATES, NULL);
    return *out ? NULL : FW_ERR(pool, FW_E_INTERNAL, 0, "the signer's certificates are no JSON");
}
