/* A card bureau in a folder, as a plugin of port card: orders come to <books>/orders with their photos, what the bureau says lies in
 * <books>/says until it is fetched. How it behaves stands in <books>/how. */
#include "fwpermit_plugin.h"

#include <dirent.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 512
#define FILE_BYTES 1048576
#define AT         "2026-01-05T02:00:00Z"

struct fwp_instance {
    const fwp_host *host;
    char books[PATH_BYTES / 2];
};

static void path_of(char *out, const fwp_instance *self, const char *folder, const char *name)
{
    snprintf(out, PATH_BYTES, "%s/%s/%s", self->books, folder, name);
}

/* The text of a file of the books; NULL: there is none. To be freed. */
static char *read_text(const fwp_instance *self, const char *folder, const char *name, size_t *n)
{
    char path[PATH_BYTES], *text;
    FILE *f;

    path_of(path, self, folder, name);
    f = fopen(path, "rb");
    if (!f)
        return NULL;
    text = calloc(1, FILE_BYTES + 1);
    *n = fread(text, 1, FILE_BYTES, f);
    fclose(f);
    return text;
}

static fwp_rc answer(fwp_instance *self, fwp_call *call, fwp_reply *reply, json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);
    size_t n = strlen(text);
    char *kept = self->host->alloc(call, n + 1);

    memcpy(kept, text, n);
    reply->body = (fwp_str){kept, n};
    free(text);
    json_decref(o);
    return FWP_OK;
}

static fwp_rc say(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

static json_t *asked(fwp_str request)
{
    return json_loadb(request.p, request.n, 0, NULL);
}

static void note(const fwp_instance *self, const char *name, const char *line)
{
    char path[PATH_BYTES];
    FILE *f;

    path_of(path, self, ".", name);
    f = fopen(path, "ab");
    if (!f)
        return;
    fprintf(f, "%s\n", line);
    fclose(f);
}

static void keep_photo(fwp_instance *self, fwp_call *call, const char *job, const char *name)
{
    static char bytes[FILE_BYTES];
    char path[PATH_BYTES], file[64];
    int64_t n = self->host->file_read(call, name, 0, bytes, sizeof(bytes));
    FILE *f;

    snprintf(file, sizeof(file), "%s.jpg", job);
    path_of(path, self, "orders", file);
    f = fopen(path, "wb");
    if (!f)
        return;
    fwrite(bytes, 1, n > 0 ? (size_t)n : 0, f);
    fclose(f);
}

static void keep_order(fwp_instance *self, fwp_call *call, const json_t *order)
{
    const char *job = json_string_value(json_object_get(order, "job_no"));
    char path[PATH_BYTES], file[64], line[128];

    snprintf(file, sizeof(file), "%s.json", job);
    path_of(path, self, "orders", file);
    json_dump_file(order, path, 0);
    keep_photo(self, call, job, json_string_value(json_object_get(order, "photo")));
    snprintf(line, sizeof(line), "%s %s", job, self->host->idempotency_key(call));
    note(self, "orders.log", line);
}

/* How it behaves; the word in <books>/how. */
static bool behaves(const fwp_instance *self, const char *how)
{
    size_t n = 0;
    char *text = read_text(self, ".", "how", &n);
    bool yes = text && strncmp(text, how, strlen(how)) == 0;

    free(text);
    return yes;
}

static fwp_rc order(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = asked(request), *job;
    fwp_rc rc = FWP_OK;

    keep_order(self, call, o);
    if (behaves(self, "pending"))
        rc = say(reply, FWP_PENDING, "later");
    if (behaves(self, "rejected"))
        rc = say(reply, FWP_REJECTED, "no blank is left");
    if (behaves(self, "unknown"))
        rc = say(reply, FWP_UNKNOWN, "the answer was lost");
    if (rc == FWP_OK) {
        job = json_pack("{s:{s:O, s:i, s:s, s:s}}", "job", "job_no", json_object_get(o, "job_no"),
                        "seq", 1, "state", "accepted", "at", AT);
        rc = answer(self, call, reply, job);
    }
    json_decref(o);
    return rc;
}

static fwp_rc cancel(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = asked(request), *job;
    fwp_rc rc = FWP_OK;

    note(self, "cancel.log", json_string_value(json_object_get(o, "job_no")));
    if (behaves(self, "late"))
        rc = say(reply, FWP_REJECTED, "it is made");
    if (behaves(self, "pending"))
        rc = say(reply, FWP_PENDING, "later");
    job =
        json_pack("{s:{s:O, s:i, s:s, s:s, s:O}}", "job", "job_no", json_object_get(o, "job_no"),
                  "seq", 9, "state", "cancelled", "at", AT, "reason", json_object_get(o, "reason"));
    json_decref(o);
    if (rc == FWP_OK)
        return answer(self, call, reply, job);
    json_decref(job);
    return rc;
}

/* A job of the folder jobs, or null. */
static fwp_rc find(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = asked(request), *job;
    const char *no = json_string_value(json_object_get(o, "job_no"));
    size_t n = 0;
    char *text = read_text(self, "jobs", no, &n);

    note(self, "find.log", no);
    job = text ? json_loadb(text, n, 0, NULL) : NULL;
    free(text);
    json_decref(o);
    return answer(self, call, reply, json_pack("{s:o}", "job", job ? job : json_null()));
}

static fwp_rc stock(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    size_t n = 0;
    char *text = read_text(self, ".", "stock", &n);
    json_t *shelves = text ? json_loadb(text, n, 0, NULL) : json_array();

    (void)request;
    free(text);
    return answer(self, call, reply, json_pack("{s:o}", "shelves", shelves));
}

static json_t *message_of(const fwp_instance *self, const char *name)
{
    size_t n = 0;
    char *text = read_text(self, "says", name, &n);
    unsigned char *base64 = calloc(1, 2 * n + 8);
    json_t *o;

    EVP_EncodeBlock(base64, (const unsigned char *)text, (int)n);
    o = json_pack("{s:s, s:s}", "id", name, "body_base64", (const char *)base64);
    free(base64);
    free(text);
    return o;
}

static fwp_rc fetch(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *list = json_array();
    struct dirent **names;
    char path[PATH_BYTES];
    int n;

    (void)request;
    path_of(path, self, "says", "");
    n = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.' && json_array_size(list) < 20)
            json_array_append_new(list, message_of(self, names[i]->d_name));
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    return answer(self, call, reply, json_pack("{s:o}", "messages", list));
}

static fwp_rc ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = asked(request), *id;
    char path[PATH_BYTES];
    size_t i;

    json_array_foreach(json_object_get(o, "ids"), i, id)
    {
        path_of(path, self, "says", json_string_value(id));
        unlink(path);
    }
    json_decref(o);
    return answer(self, call, reply, json_object());
}

/* What is said is the list of facts itself. */
static fwp_rc message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *o = asked(request), *facts;
    const char *base64 = json_string_value(json_object_get(o, "body_base64"));
    unsigned char *bytes = calloc(1, base64 ? strlen(base64) + 1 : 1);
    int n = base64 ? EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)strlen(base64)) : 0;

    while (n > 0 && bytes[n - 1] == 0)
        n--;
    facts = n > 0 ? json_loadb((const char *)bytes, (size_t)n, 0, NULL) : NULL;
    free(bytes);
    json_decref(o);
    if (!facts)
        return say(reply, FWP_REJECTED, "it says nothing");
    return answer(self, call, reply, json_pack("{s:o}", "facts", facts));
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    (void)call;
    (void)reply;
    *self = calloc(1, sizeof(**self));
    (*self)->host = host;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(config[i].key.p, "books") == 0)
            snprintf((*self)->books, sizeof((*self)->books), "%s", config[i].value.p);
        if (strcmp(config[i].key.p, "starts_in_s") == 0)
            sleep((unsigned)atoi(config[i].value.p));
    }
    return FWP_OK;
}

static void destroy(fwp_instance *self)
{
    free(self);
}

static fwp_rc health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    (void)self;
    (void)call;
    (void)request;
    (void)reply;
    return FWP_OK;
}

static const fwp_card_ops ops = {.size = sizeof(ops),
                                 .order = order,
                                 .find = find,
                                 .cancel = cancel,
                                 .stock = stock,
                                 .poll = fetch,
                                 .ack = ack,
                                 .message = message};

static const fwp_plugin plugin = {.size = sizeof(plugin),
                                  .abi = FWP_ABI,
                                  .port = FWP_PORT_CARD,
                                  .name = "card_books",
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
