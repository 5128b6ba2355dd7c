#include "syslog.h"

#include <stdio.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/x509.h>

#define DETAIL_BYTES 300

typedef struct probing {
    fwp_instance *self;
    fwp_call *call;
    syslog_link link;
    json_t *steps;
} probing;

static bool step(probing *p, const char *name, bool ok, const char *detail)
{
    json_array_append_new(p->steps, json_pack("{s:s, s:b, s:s}", "name", name, "ok", ok, "detail",
                                              ok ? detail : p->link.why));
    return ok;
}

/* "CN=logs.example, ends 2027-01-31T00:00:00Z". */
static void describe(const X509 *cert, char *out, size_t n)
{
    BIO *text = BIO_new(BIO_s_mem());
    struct tm end = {0};
    char *p = NULL;
    long length;

    X509_NAME_print_ex(text, X509_get_subject_name(cert), 0,
                       XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    length = BIO_get_mem_data(text, &p);
    ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end);
    snprintf(out, n, "%.*s, ends %04d-%02d-%02d", (int)(length < 200 ? length : 200), p,
             end.tm_year + 1900, end.tm_mon + 1, end.tm_mday);
    BIO_free(text);
}

bool syslog_own_in_force(const fwp_instance *self, const fwp_call *call)
{
    const X509 *own = self->peer.tls ? SSL_CTX_get0_certificate(self->peer.tls) : NULL;
    time_t now = (time_t)self->host->now(call);

    return !own || (X509_cmp_time(X509_get0_notBefore(own), &now) < 0 &&
                    X509_cmp_time(X509_get0_notAfter(own), &now) > 0);
}

/* Ours may have ended meanwhile: then the receiver will not have it. */
static void tell_own(probing *p)
{
    char detail[DETAIL_BYTES];

    describe(SSL_CTX_get0_certificate(p->self->peer.tls), detail, sizeof(detail));
    p->link.why = detail;
    step(p, "own certificate", syslog_own_in_force(p->self, p->call), detail);
    p->link.why = "";
}

static bool tell_tls(probing *p)
{
    char detail[DETAIL_BYTES] = "";
    X509 *cert;

    if (!syslog_link_secure(&p->link))
        return step(p, "tls", false, NULL);
    snprintf(detail, sizeof(detail), "%s, %s", SSL_get_version(p->link.ssl),
             SSL_get_cipher_name(p->link.ssl));
    step(p, "tls", true, detail);
    cert = SSL_get1_peer_certificate(p->link.ssl);
    describe(cert, detail, sizeof(detail));
    X509_free(cert);
    return step(p, "receiver certificate", true, detail);
}

static void look(probing *p)
{
    const syslog_peer *peer = &p->self->peer;
    char detail[DETAIL_BYTES];

    if (peer->tls)
        tell_own(p);
    snprintf(detail, sizeof(detail), "%s port %s", peer->host, peer->port);
    if (!step(p, "connect", syslog_link_open(&p->link, p->self->host, p->call, peer), detail))
        return;
    if (peer->tls && !tell_tls(p))
        return;
    step(p, "accepted", syslog_link_finish(&p->link), "nothing was sent");
}

fwp_rc syslog_probe(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    probing p = {.self = self, .call = call, .link = {.fd = -1}, .steps = json_array()};

    (void)request;
    look(&p);
    syslog_link_close(&p.link);
    syslog_answer(self, call, json_pack("{s:o}", "steps", p.steps), reply);
    return FWP_OK;
}
