#include "fw_config.h"
#include "fww_plugin_call.h"
#include "fww_plugin_files.h"
#include "fww_plugin_http.h"
#include "fww_plugin_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t fww_call_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *alloc(fwp_call *call, size_t n)
{
    if (n > FWW_CALL_ALLOC_MAX - call->allocated) {
        call->env->log(FWP_LOG_ERROR, "plugin %s: took more than %u bytes in one call",
                       call->plugin, FWW_CALL_ALLOC_MAX);
        abort();
    }
    call->allocated += n;
    return apr_pcalloc(call->pool, n ? n : 1);
}

static int remaining_ms(const fwp_call *call)
{
    int64_t left = call->due - fww_call_clock_ms();
    return left > 0 ? (int)left : 0;
}

static const char *idempotency_key(const fwp_call *call)
{
    return call->key;
}

static void log_line(fwp_call *call, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void log_line(fwp_call *call, int level, const char *fmt, ...)
{
    char line[FWW_SAY_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    if (level < FWP_LOG_ERROR || level > FWP_LOG_DEBUG)
        level = FWP_LOG_INFO;
    fww_plugin_say(call->env, call->plugin, level, line);
}

static int64_t now(const fwp_call *call)
{
    (void)call;
    return (int64_t)time(NULL);
}

const fwp_host *fww_call_host(void)
{
    static const fwp_host host = {.size = sizeof(fwp_host),
                                  .abi = FWP_ABI,
                                  .alloc = alloc,
                                  .remaining_ms = remaining_ms,
                                  .idempotency_key = idempotency_key,
                                  .log = log_line,
                                  .http = fww_plugin_http,
                                  .now = now,
                                  .file_size = fww_plugin_file_size,
                                  .file_read = fww_plugin_file_read,
                                  .file_write = fww_plugin_file_write};
    return &host;
}
