#include "card.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#define NAME_BYTES   255
#define FOLDER_BYTES 200
#define DIGEST_CHARS 43 /* SHA-256 in base64 without padding */
#define SCHEMAS      "/usr/share/fwpermit/contracts"
#define DIGITS       "0123456789"
#define LETTERS      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define BASE64       LETTERS DIGITS "+/"

/* ---- single values ---- */

static bool is_of(const char *v, const char *characters, size_t most)
{
    size_t n = strlen(v);
    return n > 0 && n <= most && strspn(v, characters) == n;
}

static bool is_host(const char *v)
{
    return is_of(v, LETTERS DIGITS ".-:%", NAME_BYTES);
}

static bool is_port(const char *v)
{
    return is_of(v, DIGITS, 5) && v[0] != '0' && strtol(v, NULL, 10) <= 65535;
}

static bool is_user(const char *v)
{
    return is_of(v, LETTERS DIGITS "._@-", 64);
}

static bool is_key(const char *v)
{
    return strncmp(v, "-----BEGIN ", 11) == 0 && strstr(v, "PRIVATE KEY-----") != NULL;
}

/* One fingerprint, or two with a space between. */
static bool is_host_key(const char *v)
{
    for (int i = 0; i < 2; i++) {
        if (strncmp(v, "SHA256:", 7) != 0 || strspn(v + 7, BASE64) != DIGEST_CHARS)
            return false;
        v += 7 + DIGEST_CHARS;
        if (*v == '\0')
            return true;
        if (*v++ != ' ')
            return false;
    }
    return false;
}

static bool is_folder(const char *v)
{
    return is_of(v, LETTERS DIGITS "._/-", FOLDER_BYTES) && !strstr(v, "..");
}

static bool is_path(const char *v)
{
    return v[0] == '/';
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    bool secret, must;
    bool (*good)(const char *);
    size_t at;
} options[] = {
#define OPTION(n, secret, must, good)                      \
    {                                                      \
#n, secret, must, good, offsetof(card_settings, n) \
    }
    OPTION(host, false, true, is_host),          OPTION(port, false, false, is_port),
    OPTION(user, false, true, is_user),          OPTION(key, true, true, is_key),
    OPTION(host_key, false, true, is_host_key),  OPTION(folder_in, false, false, is_folder),
    OPTION(folder_out, false, false, is_folder), OPTION(folder_books, false, false, is_folder),
    OPTION(schemas, false, false, is_path),
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char **slot(card_settings *s, size_t option)
{
    return (const char **)(void *)((char *)s + options[option].at);
}

static const char *complain(fwp_instance *self, fwp_call *call, const char *what, const char *name,
                            const char *why)
{
    char *text = self->host->alloc(call, CARD_WHY_BYTES);

    snprintf(text, CARD_WHY_BYTES, "%s %.120s%s%s", what, name, *why ? ": " : "", why);
    return text;
}

static const char *take(fwp_instance *self, fwp_call *call, const fwp_kv *kv)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        const char **at = slot(&self->s, o);

        if (strcmp(options[o].name, kv->key.p) != 0)
            continue;
        if (options[o].secret != !!(kv->flags & FWP_KV_SECRET))
            return complain(self, call, "secret and option mixed up:", options[o].name, "");
        if (*at || strlen(kv->value.p) != kv->value.n || !options[o].good(kv->value.p))
            return complain(self, call, "not a good value of", options[o].name, "");
        *at = strdup(kv->value.p);
        return *at ? NULL : "no memory";
    }
    return complain(self, call, "no such option:", kv->key.p, "");
}

static const char *find_missing(fwp_instance *self, fwp_call *call)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        if (options[o].must && !*slot(&self->s, o))
            return complain(self, call, "missing:", options[o].name, "");
    }
    return NULL;
}

static const char *or_else(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

static void put_together(fwp_instance *self)
{
    const card_settings *s = &self->s;

    self->in = or_else(s->folder_in, "in");
    self->out = or_else(s->folder_out, "out");
    self->books = or_else(s->folder_books, "books");
    self->peer = (card_peer){.host = s->host,
                             .port = or_else(s->port, "22"),
                             .user = s->user,
                             .key = s->key,
                             .host_key = s->host_key};
    self->link = (card_link){.host = self->host, .peer = &self->peer, .fd = -1};
}

/* ---- schemas ---- */

static const char *read_schemas(fwp_instance *self, fwp_call *call)
{
    const struct {
        const char *name;
        kit_xml_schema **at;
    } all[] = {{"card-job-1.xsd", &self->job},
               {"card-state-1.xsd", &self->state},
               {"card-stock-1.xsd", &self->stock}};
    const char *folder = or_else(self->s.schemas, SCHEMAS);
    kit_xml_fault fault;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const char *path = card_path(self, call, folder, all[i].name);

        *all[i].at = kit_xml_schema_open(path, CARD_NAMESPACE, &fault);
        if (!*all[i].at)
            return complain(self, call, "schemas: cannot read", path, fault.text);
    }
    return NULL;
}

const char *card_configure(fwp_instance *self, const fwp_kv *config, size_t n, fwp_call *call)
{
    const char *why = NULL;

    self->link.fd = -1;
    for (size_t i = 0; i < n && !why; i++)
        why = take(self, call, &config[i]);
    if (!why)
        why = find_missing(self, call);
    if (why)
        return why;
    put_together(self);
    return read_schemas(self, call);
}

void card_forget(fwp_instance *self)
{
    card_link_close(&self->link);
    kit_xml_schema_close(self->job);
    kit_xml_schema_close(self->state);
    kit_xml_schema_close(self->stock);
    for (size_t o = 0; o < OPTIONS; o++) {
        char *value = (char *)(uintptr_t)*slot(&self->s, o);

        if (value && options[o].secret)
            OPENSSL_cleanse(value, strlen(value));
        free(value);
    }
}
