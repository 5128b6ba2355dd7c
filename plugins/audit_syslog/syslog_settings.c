#include "syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#define HOST_BYTES     255
#define APP_NAME_BYTES 48
#define FACILITY_MOST  23
#define SILENCE_MOST   60 /* seconds */
#define DIGITS         "0123456789"

/* ---- single values ---- */

static bool is_host(const char *v)
{
    return syslog_name_good(v, HOST_BYTES) && !strpbrk(v, "/[]@");
}

/* A number without leading zeros, 1 (or 0) to `most`. */
static bool is_number(const char *v, long least, long most)
{
    size_t n = strlen(v);
    long number;

    if (n == 0 || n > 10 || strspn(v, DIGITS) != n || (v[0] == '0' && n > 1))
        return false;
    number = strtol(v, NULL, 10);
    return number >= least && number <= most;
}

static bool is_port(const char *v)
{
    return is_number(v, 1, 65535);
}

static bool is_facility(const char *v)
{
    return is_number(v, 0, FACILITY_MOST);
}

static bool is_enterprise(const char *v)
{
    return is_number(v, 1, 4294967295);
}

static bool is_silence(const char *v)
{
    return is_number(v, 1, SILENCE_MOST);
}

static bool is_app_name(const char *v)
{
    return syslog_name_good(v, APP_NAME_BYTES);
}

static bool is_path(const char *v)
{
    return v[0] == '/';
}

static bool is_yes_no(const char *v)
{
    return strcmp(v, "yes") == 0 || strcmp(v, "no") == 0;
}

static bool is_close(const char *v)
{
    return strcmp(v, "notify") == 0 || strcmp(v, "bare") == 0;
}

static bool is_some(const char *v)
{
    return *v != '\0';
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    bool secret;
    bool (*good)(const char *);
    size_t at;
} options[] = {
#define OPTION(n, secret, good)                        \
    {                                                  \
#n, secret, good, offsetof(syslog_settings, n) \
    }
    OPTION(host, false, is_host),         OPTION(port, false, is_port),
    OPTION(tls, false, is_yes_no),        OPTION(allow_plain, false, is_yes_no),
    OPTION(ca_file, false, is_path),      OPTION(cert_file, false, is_path),
    OPTION(key, true, is_some),           OPTION(server_name, false, is_host),
    OPTION(facility, false, is_facility), OPTION(app_name, false, is_app_name),
    OPTION(hostname, false, is_host),     OPTION(enterprise, false, is_enterprise),
    OPTION(silence, false, is_silence),   OPTION(close, false, is_close),
#undef OPTION
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static const char **slot(syslog_settings *s, size_t option)
{
    return (const char **)(void *)((char *)s + options[option].at);
}

static const char *complain(fwp_instance *self, fwp_call *call, const char *what, const char *name)
{
    char *why = self->host->alloc(call, 240);

    snprintf(why, 240, "%s %.120s", what, name);
    return why;
}

static const char *take(fwp_instance *self, fwp_call *call, const fwp_kv *kv)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        const char **at = slot(&self->s, o);

        if (strcmp(options[o].name, kv->key.p) != 0)
            continue;
        if (options[o].secret != !!(kv->flags & FWP_KV_SECRET))
            return complain(self, call, "secret and option mixed up:", options[o].name);
        if (*at || strlen(kv->value.p) != kv->value.n || !options[o].good(kv->value.p))
            return complain(self, call, "not a good value of", options[o].name);
        *at = strdup(kv->value.p);
        return *at ? NULL : "no memory";
    }
    return complain(self, call, "no such option:", kv->key.p);
}

static const char *or_else(const char *value, const char *otherwise)
{
    return value ? value : otherwise;
}

/* What goes together, and the defaults. */
static const char *put_together(fwp_instance *self)
{
    const syslog_settings *s = &self->s;
    bool plain = strcmp(or_else(s->tls, "yes"), "no") == 0;

    if (!s->host || !s->enterprise)
        return s->host ? "missing option enterprise" : "missing option host";
    if (plain && strcmp(or_else(s->allow_plain, "no"), "yes") != 0)
        return "tls no sends in the clear, for trials: only with allow_plain yes";
    if (plain && (s->ca_file || s->cert_file || s->key))
        return "tls no goes without ca_file, cert_file and key";
    if (!plain && (!s->ca_file || !s->cert_file || !s->key))
        return "TLS needs ca_file, cert_file and the secret key";
    if (!s->hostname && gethostname(self->own_name, sizeof(self->own_name) - 1) != 0)
        return "missing option hostname";
    self->origin = (syslog_origin){.facility = (int)strtol(or_else(s->facility, "13"), NULL, 10),
                                   .hostname = or_else(s->hostname, self->own_name),
                                   .app_name = or_else(s->app_name, "fwpermit"),
                                   .enterprise = s->enterprise};
    self->peer =
        (syslog_peer){.host = s->host,
                      .port = or_else(s->port, "6514"),
                      .name = or_else(s->server_name, s->host),
                      .silence_ms = 1000 * (int)strtol(or_else(s->silence, "15"), NULL, 10),
                      .bare_close = strcmp(or_else(s->close, "notify"), "bare") == 0};
    return is_host(self->origin.hostname) ? NULL : "missing option hostname";
}

/* ---- TLS ---- */

/* Nobody is asked for a passphrase. */
static int no_passphrase(char *buffer, int size, int writing, void *baton)
{
    (void)buffer, (void)size, (void)writing, (void)baton;
    return -1;
}

/* False also where it is not the certificate's. */
static bool take_key(SSL_CTX *tls, const char *text)
{
    BIO *in = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    bool good = key && SSL_CTX_use_PrivateKey(tls, key) == 1;

    EVP_PKEY_free(key);
    BIO_free(in);
    return good;
}

static const char *set_up_tls(fwp_instance *self, fwp_call *call)
{
    const syslog_settings *s = &self->s;
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    self->peer.tls = tls;
    if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1)
        return "TLS does not start";
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls, SSL_MODE_AUTO_RETRY);
    if (SSL_CTX_load_verify_file(tls, s->ca_file) != 1)
        return complain(self, call, "ca_file holds no certificates:", s->ca_file);
    if (SSL_CTX_use_certificate_chain_file(tls, s->cert_file) != 1)
        return complain(self, call, "cert_file holds no certificate:", s->cert_file);
    if (!take_key(tls, s->key))
        return "key is not the private key of cert_file, or has a passphrase";
    return NULL;
}

const char *syslog_configure(fwp_instance *self, const fwp_kv *config, size_t n, fwp_call *call)
{
    const char *why = NULL;

    for (size_t i = 0; i < n && !why; i++)
        why = take(self, call, &config[i]);
    if (!why)
        why = put_together(self);
    if (!why && strcmp(or_else(self->s.tls, "yes"), "yes") == 0)
        why = set_up_tls(self, call);
    ERR_clear_error();
    return why;
}

void syslog_forget(fwp_instance *self)
{
    SSL_CTX_free(self->peer.tls);
    for (size_t o = 0; o < OPTIONS; o++) {
        char *value = (char *)(uintptr_t)*slot(&self->s, o);

        if (value && options[o].secret)
            OPENSSL_cleanse(value, strlen(value));
        free(value);
    }
}
