#include "syslog_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define WHY_BYTES 240

/* ---- what went wrong ---- */

static bool fail(syslog_link *l, const char *what, const char *detail)
{
    char *why = l->host->alloc(l->call, WHY_BYTES);

    snprintf(why, WHY_BYTES, "%s%s%s", what, *detail ? ": " : "", detail);
    l->why = why;
    return false;
}

/* OpenSSL's own words; a certificate that was not verified says why. Where a write met a closed connection, the receiver's
 * last word may lie there unread. */
static bool fail_tls(syslog_link *l, const char *what)
{
    unsigned long code = ERR_get_error();
    long verified = SSL_get_verify_result(l->ssl);
    const char *detail;
    char nothing;

    if (!code && SSL_read(l->ssl, &nothing, 1) <= 0)
        code = ERR_get_error();
    detail = code ? ERR_reason_error_string(code) : "the connection was lost";
    if (verified != X509_V_OK)
        detail = X509_verify_cert_error_string(verified);
    ERR_clear_error();
    return fail(l, what, detail ? detail : "");
}

/* ---- waiting ---- */

static bool wait_for(syslog_link *l, short events)
{
    int left = l->host->remaining_ms(l->call);
    struct pollfd p = {.fd = l->fd, .events = events};
    int n;

    if (left > l->peer->silence_ms)
        left = l->peer->silence_ms;
    do
        n = poll(&p, 1, left);
    while (n < 0 && errno == EINTR);
    return n > 0 ? true : fail(l, "the receiver is silent", n < 0 ? strerror(errno) : "time-out");
}

/* Whether an operation of TLS is to be tried again, once there is something to read or room to write. */
static bool wait_for_tls(syslog_link *l, int error)
{
    return wait_for(l, error == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN);
}

static bool is_wait(int error)
{
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* ---- TCP ---- */

static bool connect_to(syslog_link *l, const struct addrinfo *a)
{
    int error = 0;
    socklen_t n = sizeof(error);

    l->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    if (l->fd < 0)
        return fail(l, "no socket", strerror(errno));
    if (connect(l->fd, a->ai_addr, a->ai_addrlen) != 0) {
        if (errno != EINPROGRESS)
            error = errno;
        else if (!wait_for(l, POLLOUT))
            return false;
        else
            getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n);
    }
    return error == 0 ? true : fail(l, "cannot connect", strerror(error));
}

bool syslog_link_open(syslog_link *l, const fwp_host *host, fwp_call *call, const syslog_peer *peer)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    bool done = false;
    int rc;

    *l = (syslog_link){.host = host, .call = call, .peer = peer, .fd = -1};
    rc = getaddrinfo(peer->host, peer->port, &want, &all);
    if (rc != 0)
        return fail(l, "no address of the receiver", gai_strerror(rc));
    for (const struct addrinfo *a = all; a && !done; a = a->ai_next) {
        if (l->fd >= 0)
            close(l->fd);
        done = connect_to(l, a);
    }
    freeaddrinfo(all);
    return done;
}

/* ---- TLS ---- */

/* The name must be the certificate's, whatever the chain says. */
static bool set_name(syslog_link *l)
{
    X509_VERIFY_PARAM *want = SSL_get0_param(l->ssl);
    unsigned char address[sizeof(struct in6_addr)];
    const char *name = l->peer->name;

    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(want, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(want, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(want, name, 0) == 1 &&
           SSL_set_tlsext_host_name(l->ssl, name) == 1;
}

bool syslog_link_secure(syslog_link *l)
{
    int rc, error;

    if (!l->peer->tls)
        return true;
    ERR_clear_error();
    l->ssl = SSL_new(l->peer->tls);
    if (!l->ssl || !set_name(l) || SSL_set_fd(l->ssl, l->fd) != 1)
        return fail(l, "TLS does not start", "");
    for (;;) {
        rc = SSL_connect(l->ssl);
        if (rc == 1)
            return true;
        error = SSL_get_error(l->ssl, rc);
        if (!is_wait(error))
            return fail_tls(l, "TLS handshake");
        if (!wait_for_tls(l, error))
            return false;
    }
}

/* ---- sending ---- */

static bool send_plain(syslog_link *l, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(l->fd, p, n, MSG_NOSIGNAL);

        if (sent >= 0) {
            p += sent;
            n -= (size_t)sent;
        } else if (errno != EAGAIN && errno != EINTR) {
            return fail(l, "the connection was lost", strerror(errno));
        } else if (!wait_for(l, POLLOUT)) {
            return false;
        }
    }
    return true;
}

bool syslog_link_send(syslog_link *l, const char *p, size_t n)
{
    int rc, error;

    if (!l->ssl)
        return send_plain(l, p, n);
    for (;;) {
        ERR_clear_error();
        rc = SSL_write(l->ssl, p, (int)n);
        if (rc > 0)
            return true;
        error = SSL_get_error(l->ssl, rc);
        if (!is_wait(error))
            return fail_tls(l, "the receiver ended the connection");
        if (!wait_for_tls(l, error))
            return false;
    }
}

/* ---- the end ---- */

static bool end_plain(syslog_link *l)
{
    char nothing[1024];

    shutdown(l->fd, SHUT_WR);
    for (;;) {
        ssize_t n = recv(l->fd, nothing, sizeof(nothing), 0);

        if (n == 0)
            return true;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return fail(l, "the connection was lost", strerror(errno));
        if (n < 0 && !wait_for(l, POLLIN))
            return false;
    }
}

static bool say_goodbye(syslog_link *l)
{
    int rc, error;

    for (;;) {
        ERR_clear_error();
        rc = SSL_shutdown(l->ssl);
        if (rc >= 0)
            return true;
        error = SSL_get_error(l->ssl, rc);
        if (!is_wait(error))
            return fail_tls(l, "the receiver ended the connection");
        if (!wait_for_tls(l, error))
            return false;
    }
}

/* TCP came to its end, which nobody signed. */
static bool is_bare_end(int error)
{
    return error == SSL_ERROR_SSL &&
           ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

bool syslog_link_finish(syslog_link *l)
{
    char nothing[1024];
    int rc, error;

    if (!l->ssl)
        return end_plain(l);
    if (!say_goodbye(l))
        return false;
    for (;;) {
        ERR_clear_error();
        rc = SSL_read(l->ssl, nothing, sizeof(nothing));
        if (rc > 0)
            continue;
        error = SSL_get_error(l->ssl, rc);
        if (error == SSL_ERROR_ZERO_RETURN || (l->peer->bare_close && is_bare_end(error)))
            return true;
        if (!is_wait(error))
            return fail_tls(l, "the receiver did not take it to the end");
        if (!wait_for_tls(l, error))
            return false;
    }
}

void syslog_link_close(syslog_link *l)
{
    SSL_free(l->ssl);
    ERR_clear_error();
    if (l->fd >= 0)
        close(l->fd);
}
