/* A plugin of port border (or, with -DLABOUR, labour) whose other side is a folder: each file there is a message, oldest name first;
 * its text is the list of facts that it tells, or "no" for one that is a lie. Acknowledged files are deleted. While there is a file "down"
 * in the folder, nobody is there. What the border is told of permits is a line each of "permits". Letters that the labour agency is asked
 * for by number lie in "letters" as an array; each question is noted as a line of "asked", with the id of the request that bore it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "fwpermit_plugin.h"

#define BYTES 500000
#define NAMES 20

struct fwp_instance {
    const fwp_host *host;
    char folder[1024];
};

static fwp_instance box;

static const char *path_of(char *out, size_t n, const char *name)
{
    snprintf(out, n, "%s/%s", box.folder, name);
    return out;
}

static fwp_rc away(fwp_reply *reply)
{
    char path[2048];

    reply->reason = "the folder is shut";
    return access(path_of(path, sizeof(path), "down"), F_OK) == 0 ? FWP_TEMPFAIL : FWP_OK;
}

static fwp_rc answer(fwp_call *call, fwp_reply *reply, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT), *kept;
    size_t n = strlen(text);

    kept = box.host->alloc(call, n + 1);
    memcpy(kept, text, n);
    reply->body = (fwp_str){kept, n};
    reply->reason = NULL;
    free(text);
    json_decref(o);
    return FWP_OK;
}

static size_t read_file(const char *name, unsigned char *out, size_t most)
{
    char path[2048];
    FILE *f = fopen(path_of(path, sizeof(path), name), "rb");
    size_t n = f ? fread(out, 1, most, f) : 0;

    if (f)
        fclose(f);
    return n;
}

static json_t *message_of(const char *name)
{
    static unsigned char bytes[BYTES], base64[BYTES * 4 / 3 + 8];
    size_t n = read_file(name, bytes, sizeof(bytes));

    EVP_EncodeBlock(base64, bytes, (int)n);
    return json_pack("{s:s, s:s}", "id", name, "body_base64", (char *)base64);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_message(const struct dirent *e)
{
    return strstr(e->d_name, ".msg") != NULL;
}

static fwp_rc poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *list = json_array();
    struct dirent **names;
    int n;

    (void)self;
    (void)request;
    if (away(reply) != FWP_OK) {
        json_decref(list);
        return FWP_TEMPFAIL;
    }
    n = scandir(box.folder, &names, is_message, by_name);
    for (int i = 0; i < n; i++) {
        if (i < NAMES)
            json_array_append_new(list, message_of(names[i]->d_name));
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return answer(call, reply, json_pack("{s:o}", "messages", list));
}

static fwp_rc ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = json_loadb(request.p, request.n, 0, NULL);
    const json_t *id;
    char path[2048];
    size_t i;

    (void)self;
    json_array_foreach(json_object_get(o, "ids"), i, id)
        unlink(path_of(path, sizeof(path), json_string_value(id)));
    json_decref(o);
    return answer(call, reply, json_object());
}

static fwp_rc message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    static unsigned char bytes[BYTES];
    json_t *o = json_loadb(request.p, request.n, 0, NULL), *facts;
    const char *text = json_string_value(json_object_get(o, "body_base64"));
    int n = text ? EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)strlen(text)) : 0;

    (void)self;
    while (n > 0 && bytes[n - 1] == '\0')
        n--;
    json_decref(o);
    facts = n > 0 ? json_loadb((char *)bytes, (size_t)n, 0, NULL) : NULL;
    reply->reason = "a lie";
    return facts ? answer(call, reply, json_pack("{s:o}", "facts", facts)) : FWP_REJECTED;
}

#ifndef LABOUR
static fwp_rc permit(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    char path[2048];
    FILE *f;

    (void)self;
    if (away(reply) != FWP_OK)
        return FWP_TEMPFAIL;
    f = fopen(path_of(path, sizeof(path), "permits"), "ab");
    if (!f)
        return FWP_TEMPFAIL;
    fprintf(f, "%.*s\n", (int)request.n, request.p);
    fclose(f);
    return answer(call, reply, json_object());
}
#else
static void note(fwp_call *call, fwp_str request)
{
    char path[2048];
    FILE *f = fopen(path_of(path, sizeof(path), "asked"), "a");

    if (!f)
        return;
    fprintf(f, "%s %.*s\n", box.host->idempotency_key(call), (int)request.n, request.p);
    fclose(f);
}

static fwp_rc find(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    static unsigned char bytes[BYTES];
    json_t *o = json_loadb(request.p, request.n, 0, NULL), *found = json_array();
    const char *no = json_string_value(json_object_get(o, "letter_no"));
    json_t *all = json_loadb((char *)bytes, read_file("letters", bytes, sizeof(bytes)), 0, NULL);
    const json_t *l;
    size_t i;

    (void)self;
    json_array_foreach(all, i, l)
    {
        if (no && strcmp(no, json_string_value(json_object_get(l, "letter_no"))) == 0)
            json_array_append(found, (json_t *)(uintptr_t)l);
    }
    json_decref(all);
    json_decref(o);
    if (away(reply) != FWP_OK) {
        json_decref(found);
        return FWP_TEMPFAIL;
    }
    note(call, request);
    return answer(call, reply, json_pack("{s:o}", "permits", found));
}
#endif

static fwp_rc health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    (void)self;
    (void)call;
    (void)request;
    return away(reply);
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    (void)call;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(config[i].key.p, "folder") == 0)
            snprintf(box.folder, sizeof(box.folder), "%s", config[i].value.p);
    }
    box.host = host;
    *self = &box;
    reply->reason = "folder: missing";
    return *box.folder ? FWP_OK : FWP_MISCONFIGURED;
}

static void destroy(fwp_instance *self)
{
    (void)self;
}

#ifdef LABOUR
static const fwp_labour_ops ops = {
    .size = sizeof(ops), .find = find, .poll = poll, .ack = ack, .message = message};
#define PORT "labour"
#else
static const fwp_border_ops ops = {
    .size = sizeof(ops), .permit = permit, .poll = poll, .ack = ack, .message = message};
#define PORT "border"
#endif

static const fwp_plugin plugin = {.size = sizeof(plugin),
                                  .abi = FWP_ABI,
                                  .port = PORT,
                                  .name = PORT "_box",
                                  .version = "1",
                                  .create = create,
                                  .destroy = destroy,
                                  .health = health,
                                  .ops = &ops};

FWP_EXPORT const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
