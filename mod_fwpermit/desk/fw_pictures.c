#include "fw_config.h"
#include "fw_pictures.h"
#include "fw_frame.h"

#include <string.h>

#include "fw_wait.h"

#define ROLE         "pictures"
#define SECONDS_MOST 15
#define PATIENCE     apr_time_from_sec(10) /* of an upload, which costs its sender much to send again */
#define AGAIN        apr_time_from_msec(100)
#define JPEG_MAX     1048576u /* bytes; the role's own limit is lower */

/* What the role could not do is in "error": "input", "limit" or "internal", with a "reason". */
static const fw_err *error_of(const json_t *answer, apr_pool_t *pool)
{
    const char *error = json_string_value(json_object_get(answer, "error"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    fw_code_e code = FW_E_INTERNAL;

    if (!error)
        return NULL;
    if (strcmp(error, "input") == 0)
        code = FW_E_INPUT;
    if (strcmp(error, "limit") == 0)
        code = FW_E_LIMIT;
    return FW_ERR(pool, code, 0, "pictures: %s", reason ? reason : error);
}

static bool is_answer(const json_t *answer)
{
    return json_is_boolean(json_object_get(answer, "ok")) &&
           json_is_array(json_object_get(answer, "problems")) &&
           json_is_object(json_object_get(answer, "measures"));
}

static const fw_err *ask(const char *run_dir, const json_t *request, const void *bytes,
                         apr_size_t n, apr_time_t due, json_t **answer, const char **jpeg,
                         apr_size_t *n_jpeg, apr_pool_t *pool)
{
    const fw_err *err;
    int fd;

    FW_TRY(fw_frame_connect(run_dir, ROLE, due, &fd, pool));
    err = fw_frame_write(fd, due, request, bytes, n, pool);
    if (!err)
        err = fw_frame_read(fd, due, JPEG_MAX, answer, jpeg, n_jpeg, pool);
    fw_frame_close(fd, pool);
    return err;
}

/* Where the role is away it comes again at once, with a graceful restart or after a crash: within `patience` it is asked
 * again. `request` is taken over. */
static const fw_err *ask_until(const char *run_dir, json_t *request, const void *bytes,
                               apr_size_t n, apr_interval_time_t patience, json_t **answer,
                               const char **jpeg, apr_size_t *n_jpeg, apr_pool_t *pool)
{
    apr_time_t now = fw_monotonic();
    apr_time_t due = now + apr_time_from_sec(SECONDS_MOST), until = now + patience;
    const fw_err *err;

    err = ask(run_dir, request, bytes, n, due, answer, jpeg, n_jpeg, pool);
    while (err && err->code == FW_E_UNAVAILABLE && fw_monotonic() < until) {
        apr_sleep(AGAIN);
        err = ask(run_dir, request, bytes, n, due, answer, jpeg, n_jpeg, pool);
    }
    json_decref(request);
    return err;
}

static const fw_err *finish(const char *run_dir, json_t *request, const void *bytes, apr_size_t n,
                            apr_interval_time_t patience, json_t **answer, const char **jpeg,
                            apr_size_t *n_jpeg, apr_pool_t *pool)
{
    const fw_err *err;

    *answer = NULL;
    *jpeg = NULL;
    *n_jpeg = 0;
    if (n > FW_PICTURES_BYTES_MAX) {
        json_decref(request);
        return FW_ERR(pool, FW_E_LIMIT, 0, "a picture of %" APR_SIZE_T_FMT " bytes", n);
    }
    FW_TRY(ask_until(run_dir, request, bytes, n, patience, answer, jpeg, n_jpeg, pool));
    err = error_of(*answer, pool);
    if (!err && !is_answer(*answer))
        err = FW_ERR(pool, FW_E_CORRUPT, 0, "pictures: the answer is not known");
    if (err) {
        json_decref(*answer);
        *answer = NULL;
    }
    if (err || *n_jpeg == 0)
        *jpeg = NULL;
    return err;
}

const fw_err *fw_pictures_photo(const char *run_dir, const void *bytes, apr_size_t n,
                                json_t **answer, const char **jpeg, apr_size_t *n_jpeg,
                                apr_pool_t *pool)
{
    return finish(run_dir, json_pack("{s:s}", "op", "photo"), bytes, n, PATIENCE, answer, jpeg,
                  n_jpeg, pool);
}

const fw_err *fw_pictures_thumb(const char *run_dir, const void *bytes, apr_size_t n, int size,
                                json_t **answer, const char **jpeg, apr_size_t *n_jpeg,
                                apr_pool_t *pool)
{
    return finish(run_dir, json_pack("{s:s, s:i}", "op", "thumb", "size", size), bytes, n, 0,
                  answer, jpeg, n_jpeg, pool);
}

const fw_err *fw_pictures_page(const char *run_dir, const void *bytes, apr_size_t n, int page,
                               int size, json_t **answer, const char **jpeg, apr_size_t *n_jpeg,
                               apr_pool_t *pool)
{
    json_t *request = json_pack("{s:s, s:i, s:i}", "op", "page", "page", page, "size", size);

    return finish(run_dir, request, bytes, n, 0, answer, jpeg, n_jpeg, pool);
}
