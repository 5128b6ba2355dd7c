#ifndef CARD_LINK_H
#define CARD_LINK_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

#include <libssh2.h>
#include <libssh2_sftp.h>

/* SFTP with the bureau, by libssh2. One connection is kept from call to call and asked before it is used again; what broke is
 * closed. All waiting ends with the call's time. */

typedef struct card_peer {
    const char *host, *port, *user;
    const char *key;      /* the private key's text */
    const char *host_key; /* one or two fingerprints, SHA256:…, with a space between */
} card_peer;

typedef struct card_link {
    const fwp_host *host;
    fwp_call *call;
    const card_peer *peer;
    int fd; /* -1: there is no connection */
    bool broken;
    LIBSSH2_SESSION *session;
    LIBSSH2_SFTP *sftp;
    const char *why;  /* what went wrong last, for an operator; of the call */
    fwp_rc rc;        /* what that means, where no connection came to be */
    const char *seen; /* the fingerprint of the bureau's key; of the call */
} card_link;

/* How something at the bureau ended. */
typedef enum card_end {
    CARD_DONE,
    CARD_NO_FILE, /* there is no such file or folder */
    CARD_DENIED,
    CARD_REFUSED, /* it said no otherwise: it is there already, the disk is full, … */
    CARD_TOO_LONG,
    CARD_UNSENT, /* nothing was asked: the connection had broken, or the time was over */
    CARD_BROKEN  /* asked, and no answer came: it may be done or not */
} card_end;

/* The link for this call. False: `why` and `rc` tell. */
bool card_link_begin(card_link *l, fwp_call *call);
void card_link_close(card_link *l);

/* The steps of a new connection, in this order, for a probe. Each is true when it was done. */
bool card_link_reach(card_link *l);
bool card_link_know(card_link *l); /* the bureau's key is the one that the settings name */
bool card_link_log_in(card_link *l);

card_end card_link_stat(card_link *l, const char *path, LIBSSH2_SFTP_ATTRIBUTES *found);
/* A whole file, from the call's memory; more than `most` bytes are CARD_TOO_LONG. */
typedef struct card_file {
    fwp_str bytes;
    int64_t changed; /* seconds since 1970, by the bureau's clock */
} card_file;
card_end card_link_get(card_link *l, const char *path, size_t most, card_file *got);
/* Each name of a folder, in no order; no more than CARD_NAMES_MOST of them, so that a folder that nobody tidies takes no call's
 * whole time. */
#define CARD_NAMES_MOST 20000
typedef void (*card_name_fn)(void *baton, const char *name);
card_end card_link_list(card_link *l, const char *path, card_name_fn take, void *baton);

/* A file that is not there yet. It is the bureau's, on its disk where its server can tell, when card_link_finish() says so. */
card_end card_link_create(card_link *l, const char *path, LIBSSH2_SFTP_HANDLE **file);
card_end card_link_write(card_link *l, LIBSSH2_SFTP_HANDLE *file, const char *p, size_t n);
card_end card_link_finish(card_link *l, LIBSSH2_SFTP_HANDLE *file);

card_end card_link_make_folder(card_link *l, const char *path);
/* Never onto something that is there. */
card_end card_link_rename(card_link *l, const char *from, const char *to);
card_end card_link_remove(card_link *l, const char *path);
card_end card_link_remove_folder(card_link *l, const char *path);

#endif
