#include "kit_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

json_t *kit_request(fwp_str request)
{
    return json_loadb(request.p ? request.p : "", request.n, JSON_REJECT_DUPLICATES, NULL);
}

const char *kit_text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

fwp_rc kit_answer(const fwp_host *host, fwp_call *call, json_t *object, fwp_reply *reply)
{
    size_t n = json_dumpb(object, NULL, 0, JSON_COMPACT);
    char *text = host->alloc(call, n + 1);

    json_dumpb(object, text, n, JSON_COMPACT);
    json_decref(object);
    reply->body = (fwp_str){text, n};
    return FWP_OK;
}

fwp_rc kit_refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

/* How many bytes the character at p has; 0: it is none, or cut. */
static size_t character(const char *p)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;

    for (size_t i = 1; i < n; i++)
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* A reason that is not UTF-8 is none, and texts are cut by bytes. */
static void mend(char *line)
{
    while (*line) {
        size_t n = character(line);
        if (n == 0)
            *line = '?';
        line += n ? n : 1;
    }
}

const char *kit_say(const fwp_host *host, fwp_call *call, const char *fmt, ...)
{
    char *line = host->alloc(call, KIT_SAY_BYTES);
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, KIT_SAY_BYTES, fmt, args);
    va_end(args);
    mend(line);
    return line;
}

fwp_str kit_copy(const fwp_host *host, fwp_call *call, const char *p, size_t n)
{
    char *copy = host->alloc(call, n + 1);

    if (n > 0)
        memcpy(copy, p, n);
    return (fwp_str){copy, n};
}
