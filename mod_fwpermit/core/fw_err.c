#include "fw_config.h"
#define FW_ERR_DEFINES
#include "fw_err.h"

#include <stdarg.h>

#include <apr_strings.h>
#include <apr_errno.h>
#include <apr_lib.h>

static fw_err *make_v(apr_pool_t *pool, const char *file, int line, const char *fmt, va_list ap)
{
    fw_err *err = apr_pcalloc(pool, sizeof(*err));

    err->msg = apr_pvsprintf(pool, fmt, ap);
    err->file = file;
    err->line = line;
    return err;
}

const fw_err *fw_err_make(apr_pool_t *pool, fw_code_e code, apr_status_t os, const char *file,
                          int line, const char *fmt, ...)
{
    fw_err *err;
    va_list ap;

    va_start(ap, fmt);
    err = make_v(pool, file, line, fmt, ap);
    va_end(ap);
    err->code = code;
    err->os = os;
    return err;
}

const fw_err *fw_err_wrap(apr_pool_t *pool, const fw_err *cause, const char *file, int line,
                          const char *fmt, ...)
{
    fw_err *err;
    va_list ap;

    va_start(ap, fmt);
    err = make_v(pool, file, line, fmt, ap);
    va_end(ap);
    err->code = cause->code;
    err->user_key = cause->user_key;
    err->field = cause->field;
    err->cause = cause;
    return err;
}

const fw_err *fw_err_told(apr_pool_t *pool, fw_code_e code, const char *field, const char *user_key)
{
    fw_err *err = apr_pcalloc(pool, sizeof(*err));

    err->code = code;
    err->msg = apr_pstrcat(pool, field ? field : "", field ? ": " : "", user_key, NULL);
    err->user_key = user_key;
    err->field = field;
    return err;
}

const fw_err *fw_err_field(apr_pool_t *pool, const char *field, const char *user_key)
{
    return fw_err_told(pool, FW_E_INPUT, field, user_key);
}

bool fw_err_retryable(const fw_err *err)
{
    return err->code == FW_E_BUSY || err->code == FW_E_UNAVAILABLE;
}

const char *fw_err_text(const fw_err *err, apr_pool_t *pool)
{
    const char *text = "";
    char buf[160];

    for (; err; err = err->cause) {
        const char *os = err->os ? apr_strerror(err->os, buf, sizeof(buf)) : NULL;

        text = apr_pstrcat(pool, text, *text ? ": " : "", err->msg, os ? " (" : "", os ? os : "",
                           os ? ")" : "", NULL);
        if (!err->cause && err->file)
            text =
                apr_psprintf(pool, "%s [%s:%d]", text, apr_filepath_name_get(err->file), err->line);
    }
    return text;
}
