#ifndef TRANSFER_H
#define TRANSFER_H

#include "fwpermit_plugin.h"

#include <jansson.h>
#include <stdbool.h>

/* The plugin's instance, the scheme of its accounts, the bank's files. */

#define TRANSFER_ACCOUNT   16 /* digits of a virtual account */
#define TRANSFER_PREFIX    5  /* of them the bank's, for this holder */
#define TRANSFER_HOLDER    14
#define TRANSFER_LINE      60 /* bytes of each line, its end left out */
#define TRANSFER_FILE_MAX  1048576
#define TRANSFER_LINES_MAX 10000 /* payments of one file */
#define TRANSFER_NAME_MAX  64    /* bytes of a file's name */

struct fwp_instance {
    const fwp_host *host;
    const char *bank, *prefix, *holder; /* 3, 5 and 14 digits */
    const char *folder, *done;          /* the bank's files; those that were taken */
    int days;                           /* that an account can be paid */
    char current[TRANSFER_NAME_MAX +
                 1]; /* the file whose lines are handed over, and which of them are acknowledged */
    unsigned char *acked;
    int n_acked;
};

/* One payment of a file, as the bank wrote it. */
typedef struct transfer_line {
    char account[TRANSFER_ACCOUNT + 1];
    int64_t amount;
    int64_t at;      /* seconds since 1970 */
    char serial[13]; /* the bank's own number */
} transfer_line;

typedef struct transfer_file {
    char key[14]; /* day and number of the header: "20261125-0001" */
    char header[TRANSFER_LINE + 1];
    const char *lines; /* the first payment's; each TRANSFER_LINE bytes, `step` apart */
    int step, n;
} transfer_file;

/* The account of an order: the prefix, ten digits of its number's SHA-256, a check digit. */
bool transfer_account_make(const char *prefix, const char *order, char out[TRANSFER_ACCOUNT + 1]);
/* Whether it is 16 digits with the prefix and a right check digit. */
bool transfer_account_good(const char *prefix, const char *account);

/* Takes a file apart, whole or not at all. NULL, or why not; the text is from the call. */
const char *transfer_file_read(fwp_instance *self, fwp_call *call, const char *bytes, size_t n,
                               transfer_file *out);
/* One payment's line; the header is proved too. NULL, or why not. */
const char *transfer_line_read(const fwp_instance *self, const char *header, const char *line,
                               transfer_line *out);

/* Reads a file of a folder into the call's memory. NULL, or why not. */
const char *transfer_load(fwp_instance *self, fwp_call *call, const char *folder, const char *name,
                          const char **bytes, size_t *n);
/* The names of the bank's files in a folder, sorted; *names is NULL at its end. Why not, or NULL. */
const char *transfer_list(fwp_instance *self, fwp_call *call, const char *folder, char ***names);
/* Moves a file that was taken whole to the others. */
const char *transfer_put_away(fwp_instance *self, fwp_call *call, const char *name,
                              const char *key);
bool transfer_is_done(fwp_instance *self, fwp_call *call, const char *key);

const char *transfer_say(fwp_instance *self, fwp_call *call, const char *fmt, ...) FWP_PRINTF(3, 4);
fwp_rc transfer_refuse(fwp_reply *reply, fwp_rc rc, const char *reason);
fwp_rc transfer_answer(fwp_instance *self, fwp_call *call, fwp_reply *reply, json_t *o);

/* The port's operations (docs/contracts/payment.json). */
fwp_rc transfer_begin(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc transfer_message(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc transfer_query(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc transfer_poll(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc transfer_ack(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);
fwp_rc transfer_health(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply);

#endif
