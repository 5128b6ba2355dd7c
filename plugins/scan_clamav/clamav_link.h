#ifndef CLAMAV_LINK_H
#define CLAMAV_LINK_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

/* One session with clamd (IDSESSION): commands and their numbered answers, over a Unix socket or TCP. All waiting ends with the
 * call's time. */

#define CLAMAV_LINE 1024 /* bytes of an answer that are kept; clamd's are shorter */

typedef struct clamav_peer {
    const char *socket;      /* path, or NULL: TCP */
    const char *host, *port; /* of TCP */
} clamav_peer;

typedef struct clamav_link {
    const fwp_host *host;
    fwp_call *call;
    const clamav_peer *peer;
    const char *why; /* what went wrong last, for an operator */
    int fd;
    int asked;   /* commands of this session: the number of the next answer */
    bool broken; /* clamd hung up while it was sent something: its last word may lie there unread */
    char held[CLAMAV_LINE]; /* what came and is not read yet */
    size_t n_held;
} clamav_link;

/* Each is true when it was done; otherwise `why` tells. clamav_link_close() follows in any case. */
bool clamav_link_open(clamav_link *l, const fwp_host *host, fwp_call *call,
                      const clamav_peer *peer);
/* A command without arguments: "PING". */
bool clamav_link_ask(clamav_link *l, const char *command);
/* The bytes of INSTREAM, after it was asked: a chunk of 1 to 2^32 - 1 bytes, or (n is 0) the end. True also where clamd has hung up:
 * then its answer tells why. */
bool clamav_link_chunk(clamav_link *l, const char *bytes, size_t n);
/* The answer to the last command, without its number: printable ASCII, all else as '?'. */
bool clamav_link_hear(clamav_link *l, const char **answer);
void clamav_link_close(clamav_link *l);

#endif
