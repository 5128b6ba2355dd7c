#include "mail_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#define VERSION    "0.1.0"
#define RETRY_MS   60000u
#define CONNECT_MS 10000
#define ANSWER_S   10 /* how long a server may take for each of its answers */
#define ID_BYTES   200

typedef struct mail_settings {
    const char *url, *tls, *ca_file, *from, *from_name, *reply_to, *username, *password;
} mail_settings;

struct fwp_instance {
    const fwp_host *host;
    mail_settings s;
};

static fwp_rc refuse(fwp_reply *reply, fwp_rc rc, const char *reason)
{
    reply->reason = reason;
    return rc;
}

/* ---- settings ---- */

static bool is_server(const char *v)
{
    bool mail = strncmp(v, "smtp://", 7) == 0 || strncmp(v, "smtps://", 8) == 0;
    return mail && strlen(v) <= 200 && !strpbrk(v, " @?#\"<>\\\r\n\t");
}

static bool is_tls(const char *v)
{
    return strcmp(v, "starttls") == 0 || strcmp(v, "tls") == 0 || strcmp(v, "none") == 0;
}

static bool is_path(const char *v)
{
    return v[0] == '/';
}

static bool is_line(const char *v)
{
    return strlen(v) <= 200 && mail_text_good(v, true);
}

static const struct {
    const char *name;
    bool needed, secret;
    bool (*good)(const char *);
    size_t at;
} options[] = {
#define OPTION(n, needed, secret, good)                      \
    {                                                        \
#n, needed, secret, good, offsetof(mail_settings, n) \
    }
    OPTION(url, true, false, is_server),      OPTION(tls, true, false, is_tls),
    OPTION(ca_file, false, false, is_path),   OPTION(from, true, false, mail_address_good),
    OPTION(from_name, false, false, is_line), OPTION(reply_to, false, false, mail_address_good),
    OPTION(username, false, false, is_line),  OPTION(password, false, true, is_line),
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char **slot(mail_settings *s, size_t option)
{
    return (const char **)(void *)((char *)s + options[option].at);
}

static const char *complain(const fwp_host *host, fwp_call *call, const char *what,
                            const char *name)
{
    char *s = host->alloc(call, 120);
    snprintf(s, 120, "%s %.60s", what, name);
    return s;
}

static const char *take(const fwp_host *host, fwp_call *call, mail_settings *s, const fwp_kv *kv)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        if (strcmp(options[o].name, kv->key.p) != 0)
            continue;
        if (options[o].secret != !!(kv->flags & FWP_KV_SECRET))
            return complain(host, call, "secret and option mixed up:", options[o].name);
        if (kv->value.n == 0 || strlen(kv->value.p) != kv->value.n || !options[o].good(kv->value.p))
            return complain(host, call, "not a good value of", options[o].name);
        *slot(s, o) = kv->value.p;
        return NULL;
    }
    return complain(host, call, "no such option:", kv->key.p);
}

/* NULL, or what is wrong with the settings. */
static const char *read_settings(const fwp_host *host, fwp_call *call, const fwp_kv *config,
                                 size_t n, mail_settings *s)
{
    for (size_t i = 0; i < n; i++) {
        const char *why = take(host, call, s, &config[i]);
        if (why)
            return why;
    }
    for (size_t o = 0; o < OPTIONS; o++)
        if (options[o].needed && !*slot(s, o))
            return complain(host, call, "missing option", options[o].name);
    if ((strncmp(s->url, "smtps:", 6) == 0) != (strcmp(s->tls, "tls") == 0))
        return "url smtps:// and tls \"tls\" go together";
    if (!s->username != !s->password)
        return "username and secret password go together";
    if (s->username && strcmp(s->tls, "none") == 0)
        return "no password without TLS: tls is \"none\"";
    return NULL;
}

static fwp_rc check_config(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                           fwp_reply *reply)
{
    mail_settings s = {0};
    const char *why = read_settings(host, call, config, n, &s);
    return why ? refuse(reply, FWP_MISCONFIGURED, why) : FWP_OK;
}

static void destroy(fwp_instance *self)
{
    for (size_t o = 0; o < OPTIONS; o++)
        free((void *)(uintptr_t)*slot(&self->s, o));
    free(self);
}

/* Copies of the settings, which the caller's memory does not outlive; false: no memory. */
static bool keep(fwp_instance *i, mail_settings *s)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        if (!*slot(s, o))
            continue;
        *slot(&i->s, o) = strdup(*slot(s, o));
        if (!*slot(&i->s, o))
            return false;
    }
    return true;
}

static fwp_rc create(const fwp_host *host, const fwp_kv *config, size_t n, fwp_call *call,
                     fwp_instance **self, fwp_reply *reply)
{
    mail_settings s = {0};
    const char *why = read_settings(host, call, config, n, &s);
    fwp_instance *i;

    if (why)
        return refuse(reply, FWP_MISCONFIGURED, why);
    i = calloc(1, sizeof(*i));
    if (!i)
        return refuse(reply, FWP_TEMPFAIL, "no memory");
    i->host = host;
    if (!keep(i, &s)) {
        destroy(i);
        return refuse(reply, FWP_TEMPFAIL, "no memory");
    }
    *self = i;
    return FWP_OK;
}

/* ---- SMTP ---- */

static size_t give(char *to, size_t size, size_t n, void *ctx)
{
    fwp_str *left = ctx;
    size_t take = size * n < left->n ? size * n : left->n;

    if (take == 0)
        return 0;
    memcpy(to, left->p, take);
    left->p += take;
    left->n -= take;
    return take;
}

static CURL *open_session(const mail_settings *s, int left)
{
    CURL *c = curl_easy_init();

    if (!c)
        return NULL;
    curl_easy_setopt(c, CURLOPT_URL, s->url);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)left);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)(left < CONNECT_MS ? left : CONNECT_MS));
    curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)ANSWER_S);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_USE_SSL,
                     strcmp(s->tls, "none") == 0 ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);
    if (s->ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, s->ca_file);
    if (s->username) {
        curl_easy_setopt(c, CURLOPT_USERNAME, s->username);
        curl_easy_setopt(c, CURLOPT_PASSWORD, s->password);
    }
    return c;
}

/* What the session's end means: the server's last word decides, if there was one. */
static fwp_rc judge(const fwp_host *host, fwp_call *call, CURLcode rc, long code, fwp_reply *reply)
{
    char *why = host->alloc(call, 160);

    if (rc == CURLE_OK)
        return FWP_OK;
    snprintf(why, 160, "SMTP %ld: %s", code, curl_easy_strerror(rc));
    reply->retry_after_ms = RETRY_MS;
    if (rc == CURLE_LOGIN_DENIED && code >= 500)
        return refuse(reply, FWP_MISCONFIGURED, why);
    if (code >= 500 && rc != CURLE_USE_SSL_FAILED && rc != CURLE_OPERATION_TIMEDOUT)
        return refuse(reply, FWP_PERMFAIL, why);
    return refuse(reply, FWP_TEMPFAIL, why);
}

static fwp_rc deliver(fwp_instance *self, fwp_call *call, const mail_parts *m, fwp_reply *reply)
{
    fwp_str left = mail_compose(self->host, call, m);
    int ms = self->host->remaining_ms(call);
    struct curl_slist *to;
    CURLcode rc;
    long code = 0;
    CURL *c;

    if (ms < 2)
        return refuse(reply, FWP_CANCELLED, "no time left");
    c = open_session(&self->s, ms);
    if (!c)
        return refuse(reply, FWP_TEMPFAIL, "libcurl does not start");
    to = curl_slist_append(NULL, m->to);
    curl_easy_setopt(c, CURLOPT_MAIL_FROM, m->from);
    curl_easy_setopt(c, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(c, CURLOPT_READDATA, &left);
    rc = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_cleanup(c);
    curl_slist_free_all(to);
    return judge(self->host, call, rc, code, reply);
}

/* ---- send ---- */

static const char *text_of(const json_t *r, const char *name)
{
    return json_string_value(json_object_get(r, name));
}

static bool is_lang(const char *v)
{
    return strlen(v) >= 2 && strlen(v) <= 35 &&
           strspn(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
               strlen(v);
}

/* Fills the parts out of the request. NULL, or what is wrong with it. */
static const char *read_parts(fwp_instance *self, fwp_call *call, const json_t *r, mail_parts *m)
{
    const char *id = text_of(r, "message_id");

    *m = (mail_parts){.from = self->s.from,
                      .from_name = self->s.from_name,
                      .reply_to = self->s.reply_to,
                      .to = text_of(r, "to"),
                      .subject = text_of(r, "subject"),
                      .text = text_of(r, "text"),
                      .lang = text_of(r, "lang"),
                      .date = self->host->now(call)};
    if (!m->to || !mail_address_good(m->to))
        return "to is not a mail address";
    if (!m->subject || !*m->subject || strlen(m->subject) > MAIL_SUBJECT_BYTES ||
        !mail_text_good(m->subject, true))
        return "subject is one line of 1 to 300 bytes";
    if (!m->text || strlen(m->text) > MAIL_TEXT_BYTES || !mail_text_good(m->text, false))
        return "text is missing, too long, or has control characters";
    if (m->lang && !is_lang(m->lang))
        return "lang is not a language tag";
    if (!id)
        id = self->host->idempotency_key(call);
    if (!*id || strlen(id) > ID_BYTES)
        return "neither an idempotency key nor a message_id of 1 to 200 bytes";
    m->message_id = mail_message_id(self->host, call, id, self->s.from);
    return NULL;
}

static fwp_rc send_mail(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = json_loadb(request.p, request.n, JSON_REJECT_DUPLICATES, NULL);
    mail_parts m;
    const char *why = read_parts(self, call, r, &m);
    fwp_rc rc = why ? refuse(reply, FWP_PERMFAIL, why) : deliver(self, call, &m, reply);

    if (rc == FWP_OK) {
        size_t n = strlen(m.message_id) + 24;
        char *body = self->host->alloc(call, n);
        snprintf(body, n, "{\"message_id\":\"%s\"}", m.message_id);
        reply->body = (fwp_str){body, strlen(body)};
    }
    json_decref(r);
    return rc;
}

/* ---- probe ---- */

/* Greets the server, goes into TLS and logs in as the settings say, and leaves without a mail. */
static fwp_rc probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    int ms = self->host->remaining_ms(call);
    fwp_reply found = {.size = sizeof(found)};
    CURL *c = ms < 2 ? NULL : open_session(&self->s, ms);
    json_t *o;
    long code = 0;
    CURLcode rc;
    char *body;
    size_t n;

    (void)request;
    if (!c)
        return refuse(reply, FWP_CANCELLED, "no time left");
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "NOOP");
    rc = curl_easy_perform(c);
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_cleanup(c);
    judge(self->host, call, rc, code, &found);
    o = json_pack("{s:[{s:s, s:b, s:s}]}", "steps", "name", "greeting and log-in", "ok",
                  rc == CURLE_OK, "detail",
                  found.reason ? found.reason : "it greets us and takes our log-in");
    n = json_dumpb(o, NULL, 0, JSON_COMPACT);
    body = self->host->alloc(call, n);
    json_dumpb(o, body, n, JSON_COMPACT);
    json_decref(o);
    reply->body = (fwp_str){body, n};
    return FWP_OK;
}

const fwp_plugin *fwpermit_plugin(uint32_t host_abi)
{
    static const fwp_notify_ops ops = {.size = sizeof(ops), .send = send_mail};
    static const fwp_plugin plugin = {.size = sizeof(plugin),
                                      .abi = FWP_ABI,
                                      .port = FWP_PORT_NOTIFY,
                                      .name = "notify_mail",
                                      .version = VERSION,
                                      .create = create,
                                      .destroy = destroy,
                                      .ops = &ops,
                                      .check_config = check_config,
                                      .probe = probe};

    return host_abi >> 16 == FWP_ABI_MAJOR ? &plugin : NULL;
}
