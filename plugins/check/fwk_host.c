#include "fw_config.h"
#include "fwk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ALLOC_MAX   67108864u /* as in the platform's process */
#define FILES_MAX   16777216u
#define GUARD       16
#define GUARD_VALUE 0xa5

/* What host->alloc gave: its bytes, and after them a guard that nobody may write on. */
typedef struct fwk_block {
    struct fwk_block *next;
    size_t n;
} fwk_block;

int64_t fwk_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void fwk_fault(const fwp_call *call, const char *fmt, ...)
{
    char line[2 * FWK_TEXT];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    fwk_note(call->child->t->line.faults, line, strlen(line));
}

static void *alloc(fwp_call *call, size_t n)
{
    fwk_block *b;

    if (n > ALLOC_MAX - call->allocated) {
        fwk_fault(call, "it took more than %u bytes of host->alloc in one call", ALLOC_MAX);
        abort();
    }
    b = calloc(1, sizeof(*b) + n + GUARD);
    if (!b)
        abort();
    b->n = n;
    b->next = call->blocks;
    call->blocks = b;
    call->allocated += n;
    memset((char *)(b + 1) + n, GUARD_VALUE, GUARD);
    return b + 1;
}

static void free_blocks(fwp_call *call)
{
    fwk_block *b = call->blocks;

    while (b) {
        fwk_block *next = b->next;
        const unsigned char *guard = (unsigned char *)(b + 1) + b->n;
        bool whole = true;
        for (int i = 0; i < GUARD; i++)
            whole = whole && guard[i] == GUARD_VALUE;
        if (!whole)
            fwk_fault(call, "it wrote beyond the %lu bytes that host->alloc gave",
                      (unsigned long)b->n);
        memset(b, 0xdd, sizeof(*b) + b->n);
        free(b);
        b = next;
    }
    call->blocks = NULL;
}

static int remaining_ms(const fwp_call *call)
{
    int64_t left = call->due - fwk_clock_ms();
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
    char line[1024];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    (void)level;
    if (!call->quiet)
        json_array_append_new(json_object_get(call->child->out, "log"), json_string(line));
}

static int64_t now(const fwp_call *call)
{
    return call->c ? call->c->now : (int64_t)time(NULL);
}

/* ---- files ---- */

static const json_t *file_of(const fwp_call *call, const char *name)
{
    return call->c && name ? json_object_get(json_object_get(call->c->all, "files"), name) : NULL;
}

static int64_t file_size(fwp_call *call, const char *name)
{
    const json_t *file = file_of(call, name);
    return file ? (int64_t)json_string_length(file) : -1;
}

static int64_t file_read(fwp_call *call, const char *name, int64_t offset, void *buffer, size_t n)
{
    const json_t *file = file_of(call, name);
    size_t size = json_string_length(file);
    size_t at = (size_t)offset;

    if (!file || offset < 0)
        return -1;
    if (at >= size)
        return 0;
    if (n > size - at)
        n = size - at;
    memcpy(buffer, json_string_value(file) + at, n);
    return (int64_t)n;
}

/* Files of the reply are texts in the fixtures, so they are here; bytes that are none count as a fault. */
static int file_write(fwp_call *call, const char *name, const void *bytes, size_t n)
{
    const json_t *old;
    json_t *grown;
    size_t had;
    char *all;

    if (!name || (!bytes && n > 0) || n > FILES_MAX)
        return -1;
    if (!call->written)
        call->written = json_object();
    old = json_object_get(call->written, name);
    had = json_string_length(old);
    if (had + n > FILES_MAX)
        return -1;
    all = malloc(had + n + 1);
    if (!all)
        return -1;
    if (had > 0)
        memcpy(all, json_string_value(old), had);
    if (n > 0)
        memcpy(all + had, bytes, n);
    grown = json_stringn(all, had + n);
    free(all);
    if (!grown)
        fwk_fault(call, "file %s of the reply is not text, as the recorded one is", name);
    json_object_set_new(call->written, name, grown ? grown : json_string(""));
    return 0;
}

void fwk_call_begin(fwp_call *call, fwk_child *child, const fwk_case *c, int ms)
{
    *call = (fwp_call){.child = child, .c = c, .key = "", .due = fwk_clock_ms() + ms};
    if (c)
        call->key = child->t->key ? child->t->key : c->key;
    call->mode = c ? child->t->mode : FWK_PLAIN;
}

void fwk_call_end(fwp_call *call)
{
    free_blocks(call);
    json_decref(call->written);
    call->written = NULL;
}

const fwp_host *fwk_host(bool old)
{
    static const fwp_host host = {.size = sizeof(fwp_host),
                                  .abi = FWP_ABI,
                                  .alloc = alloc,
                                  .remaining_ms = remaining_ms,
                                  .idempotency_key = idempotency_key,
                                  .log = log_line,
                                  .http = fwk_http,
                                  .now = now,
                                  .file_size = file_size,
                                  .file_read = file_read,
                                  .file_write = file_write};
    static fwp_host first;

    if (!old)
        return &host;
    memcpy(&first, &host, offsetof(fwp_host, file_size));
    first.size = offsetof(fwp_host, file_size);
    first.abi = FWP_ABI_MAJOR << 16;
    return &first;
}
