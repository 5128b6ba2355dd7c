#include "fw_config.h"
#include "fw_plugin_ask.h"

#include <apr_strings.h>

#include "fw_call_files.h"
#include "fw_frame.h"

#define REPLY_BLOB_MAX 1024u

static const fw_err *hear_files(fw_plugin_ask *ask, int fd, apr_time_t due, apr_pool_t *pool)
{
    const json_t *list = json_object_get(json_object_get(ask->answer, "reply"), "files");
    const fw_err *err;

    FW_TRY(fw_call_files_receive(fd, due, list, &ask->written, pool));
    err = fw_call_files_prove(ask->written, list, pool);
    return err ? FW_ERR(pool, FW_E_CORRUPT, 0, "%s", err->msg) : NULL;
}

static const fw_err *exchange(fw_plugin_ask *ask, int fd, apr_time_t due, apr_pool_t *pool)
{
    const char *blob;
    apr_size_t n;

    FW_TRY(fw_frame_write(fd, due, ask->frame, ask->blob, ask->n_blob, pool));
    FW_TRY(fw_call_files_send(fd, due, ask->files, pool));
    FW_TRY(fw_frame_read(fd, due, REPLY_BLOB_MAX, &ask->answer, &blob, &n, pool));
    return hear_files(ask, fd, due, pool);
}

const fw_err *fw_plugin_ask_run(fw_plugin_ask *ask, const char *run_dir, const char *plugin,
                                apr_time_t due, apr_pool_t *pool)
{
    const fw_err *err;
    int fd = -1;

    ask->answer = NULL;
    ask->written = NULL;
    if (ask->files && ask->files->nelts > 0)
        json_object_set_new(json_object_get(ask->frame, "request"), "files",
                            fw_call_files_json(ask->files));
    FW_TRY(fw_frame_connect(run_dir, apr_pstrcat(pool, "plugin-", plugin, NULL), due, &fd, pool));
    err = exchange(ask, fd, due, pool);
    fw_frame_close(fd, pool);
    if (err) {
        json_decref(ask->answer);
        ask->answer = NULL;
    }
    return err;
}
