#ifndef SYSLOG_LINK_H
#define SYSLOG_LINK_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

#include <openssl/ssl.h>

/* One connection to the receiver, over TLS or, for trials, plain TCP. All waiting ends with the call's time, and when nothing
 * moved for `silence_ms`. */

typedef struct syslog_peer {
    const char *host, *port;
    const char *name; /* that its certificate must bear: a host name or an address */
    SSL_CTX *tls;     /* NULL: plain TCP */
    int silence_ms;
    bool bare_close; /* the end of TCP will do where no close_notify came */
} syslog_peer;

typedef struct syslog_link {
    const fwp_host *host;
    fwp_call *call;
    const syslog_peer *peer;
    const char *why; /* what went wrong last, for an operator */
    int fd;
    SSL *ssl;
} syslog_link;

/* Each is true when it was done; otherwise `why` tells. syslog_link_close() follows in any case. */
bool syslog_link_open(syslog_link *l, const fwp_host *host, fwp_call *call,
                      const syslog_peer *peer);
/* TLS: the receiver's certificate has been verified, and ours was sent; whether it was accepted may be known only at the end. */
bool syslog_link_secure(syslog_link *l);
bool syslog_link_send(syslog_link *l, const char *bytes, size_t n);
/* Says that all was sent, and waits until the receiver, which reads in order, says that it came to that end. */
bool syslog_link_finish(syslog_link *l);
void syslog_link_close(syslog_link *l);

#endif
