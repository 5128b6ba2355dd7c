#ifndef FWC_DOCTOR_H
#define FWC_DOCTOR_H

#include "fwc.h"

#include <sys/types.h>

/* Private to fwc_doctor*.c: each check looks at one thing and tells what is good, worth a note, or a fault with the
 * command that mends it. */
typedef struct fwc_doctor {
    fwc *c;
    apr_pool_t *pool;
    fw_settings *s;
    bool quiet;
    int faults;
    bool knows_user; /* the server's: who owns the vault */
    uid_t uid;
    gid_t gid;
    const char *user;
} fwc_doctor;

void fwc_good(fwc_doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fwc_note(fwc_doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fwc_fault(fwc_doctor *d, const char *mend, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* apr_psprintf in the doctor's pool. */
const char *fwc_text(fwc_doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* May the server's user do `want` (R_OK, W_OK, X_OK together) with it? False: `*where` is what stands against it, the
 * path or a folder above. By owner, group and mode alone. */
bool fwc_may(const fwc_doctor *d, const char *path, int want, const char **where);

void fwc_check_settings(fwc_doctor *d);
void fwc_check_data(fwc_doctor *d);
void fwc_check_programs(fwc_doctor *d);
void fwc_check_state(fwc_doctor *d);
void fwc_check_plugins(fwc_doctor *d);
void fwc_check_master_key(fwc_doctor *d);
void fwc_check_signing_keys(fwc_doctor *d);
void fwc_check_machine(fwc_doctor *d);
void fwc_check_httpd(fwc_doctor *d);

/* As the server's user, with a desk. */
void fwc_check_database(fwc_doctor *d);
void fwc_check_queues(fwc_doctor *d);
void fwc_check_sealer(fwc_doctor *d);
void fwc_check_accounts(fwc_doctor *d);
void fwc_check_roles(fwc_doctor *d);

#endif
