#include "fw_config.h"
#include "fww_plugin_files.h"
#include "fww_plugin_call.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fw_call_files.h"

static fw_call_file *find(const apr_array_header_t *files, const char *name)
{
    for (int i = 0; files && name && i < files->nelts; i++) {
        fw_call_file *f = &APR_ARRAY_IDX(files, i, fw_call_file);

        if (strcmp(f->name, name) == 0)
            return f;
    }
    return NULL;
}

int64_t fww_plugin_file_size(fwp_call *call, const char *name)
{
    const fw_call_file *f = find(call->files, name);

    return f ? f->size : -1;
}

int64_t fww_plugin_file_read(fwp_call *call, const char *name, int64_t offset, void *buffer,
                             size_t n)
{
    const fw_call_file *f = find(call->files, name);
    ssize_t got;

    if (!f || offset < 0 || (!buffer && n > 0))
        return -1;
    do
        got = pread(f->fd, buffer, n, offset);
    while (got < 0 && errno == EINTR);
    return got;
}

int fww_plugin_file_write(fwp_call *call, const char *name, const void *bytes, size_t n)
{
    fw_call_file *f = find(call->written, name);
    const fw_err *err = NULL;

    if (!bytes && n > 0)
        return -1;
    if (!f)
        err = fw_call_file_new(&f, call->written, name, call->pool);
    if (!err)
        err = fw_call_file_append(f, call->written, bytes, n, call->pool);
    if (err)
        call->env->log(FWP_LOG_ERROR, "plugin %s: %s", call->plugin, err->msg);
    return err ? -1 : 0;
}
