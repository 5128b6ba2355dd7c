/* An archive that keeps what it is given backwards, and gives it back; "location" tells it what else to try. */
#include "fwpermit_plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define KEPT_MAX 64
#define PIECE    1000

typedef struct kept {
    char name[256];
    char *bytes;
    size_t n;
} kept;

struct fwp_instance {
    const fwp_host *host;
    kept files[KEPT_MAX];
    int n;
};

static fwp_rc no(fwp_reply *reply, const char *why)
{
    reply->reason = why;
    return FWP_REJECTED;
}

static fwp_rc yes(fwp_instance *self, fwp_call *call, fwp_reply *reply, const char *text)
{
    char *copy = self->host->alloc(call, strlen(text) + 1);

    memcpy(copy, text, strlen(text) + 1);
    reply->body = (fwp_str){copy, strlen(copy)};
    return FWP_OK;
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    (void)config, (void)n, (void)call, (void)reply;
    *self = calloc(1, sizeof(**self));
    (*self)->host = host;
    return FWP_OK;
}

static void forget(fwp_instance *self)
{
    while (self->n > 0)
        free(self->files[--self->n].bytes);
}

static void destroy(fwp_instance *self)
{
    forget(self);
    free(self);
}

/* Reads a file in pieces, last byte first. */
static int keep(fwp_instance *self, fwp_call *call, const char *name)
{
    int64_t size = self->host->file_size(call, name), at = 0, got;
    kept *k = &self->files[self->n++];
    char piece[PIECE];

    snprintf(k->name, sizeof(k->name), "%s", name);
    k->n = (size_t)size;
    k->bytes = malloc(k->n + 1);
    for (got = self->host->file_read(call, name, at, piece, sizeof(piece)); got > 0;
         got = self->host->file_read(call, name, at, piece, sizeof(piece))) {
        for (int64_t i = 0; i < got; i++)
            k->bytes[size - 1 - at - i] = piece[i];
        at += got;
    }
    return got == 0 && at == size;
}

static fwp_rc put(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = json_loadb(request.p, request.n, 0, NULL), *files = json_object_get(o, "files"), *one;
    size_t i;
    int good = 1;

    forget(self);
    json_array_foreach(files, i, one) good =
        good && keep(self, call, json_string_value(json_object_get(one, "name")));
    json_decref(o);
    return good ? yes(self, call, reply, "{\"location\":\"here\"}") : no(reply, "a file cannot be read");
}

/* What may not be asked for, and is answered -1. */
static fwp_rc verify(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    const fwp_host *h = self->host;
    char b;

    (void)request;
    if (h->file_size(call, "none") != -1 || h->file_size(call, NULL) != -1 ||
        h->file_read(call, "none", 0, &b, 1) != -1)
        return no(reply, "a file that is not there can be read");
    if (h->file_write(call, "a/b", "x", 1) != -1 || h->file_write(call, "..", "x", 1) != -1 ||
        h->file_write(call, "", "x", 1) != -1 || h->file_write(call, "a\nb", "x", 1) != -1 ||
        h->file_write(call, "a\xff", "x", 1) != -1 || h->file_write(call, NULL, "x", 1) != -1 ||
        h->file_write(call, "a", NULL, 1) != -1)
        return no(reply, "a file can be written that may not be");
    return yes(self, call, reply, "{\"state\":\"missing\"}");
}

static int write_many(fwp_instance *self, fwp_call *call)
{
    char name[20];
    int n = 0;

    do
        snprintf(name, sizeof(name), "file-%d", n);
    while (self->host->file_write(call, name, "x", 1) == 0 && ++n);
    return n;
}

static int write_long(fwp_instance *self, fwp_call *call)
{
    static char mb[1 << 20];
    int n = 0;

    while (self->host->file_write(call, "long", mb, sizeof(mb)) == 0)
        n++;
    return n;
}

static fwp_rc get(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    if (memmem(request.p, request.n, "\"many\"", 6))
        self->host->log(call, FWP_LOG_INFO, "wrote %d files", write_many(self, call));
    else if (memmem(request.p, request.n, "\"long\"", 6))
        self->host->log(call, FWP_LOG_INFO, "wrote %d MiB", write_long(self, call));
    else
        for (int i = 0; i < self->n; i++) {
            const kept *k = &self->files[i];

            self->host->file_write(call, k->name, k->bytes, k->n / 2);
            self->host->file_write(call, k->name, k->bytes + k->n / 2, k->n - k->n / 2);
        }
    if (memmem(request.p, request.n, "\"refuse\"", 8))
        return no(reply, "no, though files were written");
    return yes(self, call, reply, "{}");
}

FWP_EXPORT const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_archive_ops ops = {.size = sizeof(ops), .put = put, .verify = verify, .get = get};
    static const fwp_plugin plugin = {.size = sizeof(plugin), .abi = FWP_ABI, .port = FWP_PORT_ARCHIVE,
                                      .name = "copier", .version = "0.0.1", .create = create,
                                      .destroy = destroy, .ops = &ops};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
