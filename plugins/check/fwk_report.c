#include "fw_config.h"
#include "fwk.h"

#include <stdarg.h>
#include <stdio.h>

static void add(fwk *k, const char *state, const char *check, const char *text)
{
    json_array_append_new(
        k->report, json_pack("{s:s, s:s, s:s}", "check", check, "state", state, "text", text));
    if (k->json || (k->quiet && state[0] != 'F'))
        return;
    printf("%-4s %s%s%s\n", state, check, *text ? ": " : "", text);
    fflush(stdout);
}

/* One printable line: what a plugin says may be anything. */
static void compose(char *line, size_t n, const char *fmt, va_list args)
{
    json_t *probe;

    vsnprintf(line, n, fmt, args);
    for (char *p = line; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    probe = json_string(line);
    for (char *p = line; !probe && *p; p++)
        if ((unsigned char)*p > 0x7e)
            *p = '?';
    json_decref(probe);
}

void fwk_ok(fwk *k, const char *check, const char *fmt, ...)
{
    char line[2 * FWK_TEXT];
    va_list args;

    va_start(args, fmt);
    compose(line, sizeof(line), fmt, args);
    va_end(args);
    k->held++;
    add(k, "ok", check, line);
}

void fwk_fail(fwk *k, const char *check, const char *fmt, ...)
{
    char line[2 * FWK_TEXT];
    va_list args;

    va_start(args, fmt);
    compose(line, sizeof(line), fmt, args);
    va_end(args);
    k->failed++;
    add(k, "FAIL", check, line);
}

void fwk_skip(fwk *k, const char *check, const char *fmt, ...)
{
    char line[2 * FWK_TEXT];
    va_list args;

    va_start(args, fmt);
    compose(line, sizeof(line), fmt, args);
    va_end(args);
    k->skipped++;
    add(k, "skip", check, line);
}

int fwk_sum(fwk *k)
{
    if (k->json) {
        json_t *all = json_pack("{s:O, s:i, s:i, s:i}", "checks", k->report, "held", k->held,
                                "failed", k->failed, "skipped", k->skipped);
        json_dumpf(all, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(all);
    } else if (!k->quiet || k->failed) {
        printf("%d held, %d failed\n", k->held, k->failed);
    }
    fflush(stdout);
    return k->failed ? 1 : 0;
}
