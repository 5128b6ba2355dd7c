#ifndef FW_ERR_H
#define FW_ERR_H

#include "fw_config.h"

/* Errors are a chain in a pool; NULL is success. An error is logged once, at the border. */

typedef enum fw_code_e {
    FW_E_INTERNAL,    /* a fault of ours */
    FW_E_INPUT,       /* the caller's data; `field` names which */
    FW_E_CONFIG,      /* a file or a directive; the message names file, line and reason */
    FW_E_NOTFOUND,    /* no such thing, or none that this actor may know of */
    FW_E_FORBIDDEN,   /* known and not allowed */
    FW_E_CONFLICT,    /* somebody was faster, or the thing is not in that state */
    FW_E_LIMIT,       /* a named limit was passed */
    FW_E_BUSY,        /* try again at once or soon */
    FW_E_UNAVAILABLE, /* something that we stand on is away; try again later */
    FW_E_CORRUPT      /* stored bytes fail their check */
} fw_code_e;

typedef struct fw_err {
    fw_code_e code;
    apr_status_t os;      /* 0, or the status of the call beneath */
    const char *msg;      /* for operators: English, no personal data */
    const char *user_key; /* key in the message catalogue, or NULL */
    const char *field;    /* the form's field for FW_E_INPUT, or NULL */
    const struct fw_err *cause;
    const char *file;
    int line;
} fw_err;

/* Makes an error in `pool`. The format is APR's: no %zu, no %lld; use APR_*_FMT. */
const fw_err *fw_err_make(apr_pool_t *pool, fw_code_e code, apr_status_t os, const char *file,
                          int line, const char *fmt, ...)
    __attribute__((format(printf, 6, 7), returns_nonnull));

/* The same error seen one call further up: a chain link of the same code. */
const fw_err *fw_err_wrap(apr_pool_t *pool, const fw_err *cause, const char *file, int line,
                          const char *fmt, ...)
    __attribute__((format(printf, 5, 6), returns_nonnull));

/* An input error: `field` and the catalogue's key of the reason. Both are kept by pointer. */
const fw_err *fw_err_field(apr_pool_t *pool, const char *field, const char *user_key)
    __attribute__((returns_nonnull));

/* An error that a person is told by `user_key`; `field` may be NULL. Both are kept by pointer. */
const fw_err *fw_err_told(apr_pool_t *pool, fw_code_e code, const char *field, const char *user_key)
    __attribute__((returns_nonnull));

/* An analyzer looks into one file at a time and does not believe returns_nonnull: without this it goes on where an error was
 * returned, with all that an error leaves unset. */
#if defined(FW_ANALYSED) && !defined(FW_ERR_DEFINES)
static inline const fw_err *fw_err_is(const fw_err *err)
{
    if (!err)
        __builtin_unreachable();
    return err;
}
#define fw_err_make(...)  fw_err_is(fw_err_make(__VA_ARGS__))
#define fw_err_wrap(...)  fw_err_is(fw_err_wrap(__VA_ARGS__))
#define fw_err_field(...) fw_err_is(fw_err_field(__VA_ARGS__))
#define fw_err_told(...)  fw_err_is(fw_err_told(__VA_ARGS__))
#endif

/* FW_E_BUSY and FW_E_UNAVAILABLE: the only codes that trying again can mend. */
bool fw_err_retryable(const fw_err *err);

/* The whole chain on one line, for a log: "outer: inner (os text) [file:line]". */
const char *fw_err_text(const fw_err *err, apr_pool_t *pool);

#define FW_ERR(pool, code, os, ...) \
    fw_err_make((pool), (code), (os), __FILE__, __LINE__, __VA_ARGS__)
#define FW_WRAP(pool, cause, ...) fw_err_wrap((pool), (cause), __FILE__, __LINE__, __VA_ARGS__)

#define FW_TRY(expr)                        \
    do {                                    \
        const fw_err *fw_try_err_ = (expr); \
        if (fw_try_err_)                    \
            return fw_try_err_;             \
    } while (0)

#endif
