#include "fw_config.h"
#include "fwc_doctor.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_frame.h"
#include "fw_migrate.h"
#include "fw_store_account.h"
#include "fw_store_audit.h"
#include "fw_store_outbox.h"
#include "fw_wait.h"

#define ANSWER_WAIT apr_time_from_sec(2)
#define DESCRIBE_WAIT \
    apr_time_from_msec(300) /* it may be in the middle of a call, and then does serve */
#define STUCK_AFTER  apr_time_from_sec(15 * 60)
#define SEALED_AFTER apr_time_from_sec(60)
#define AHEAD        apr_time_from_sec(60)
#define ACCOUNTS_MAX 100000

/* ---- the database ---- */

static bool check_schema(fwc_doctor *d)
{
    const char *dir = apr_pstrcat(d->pool, d->s->sql_dir, "/schema", NULL);
    int has = 0, wants = 0;
    const fw_err *err = fw_migrate_current(&has, d->c->db, d->pool);

    if (!err)
        err = fw_migrate_newest(&wants, dir, d->pool);
    if (err)
        fwc_fault(d, "fwpermitctl migrate", "the schema cannot be told: %s",
                  fw_err_text(err, d->pool));
    else if (has < wants)
        fwc_fault(d, "fwpermitctl migrate", "the database has schema %d, this program wants %d",
                  has, wants);
    else if (has > wants)
        fwc_fault(d, "make -f Makefile.apxs install, of the newer version",
                  "the database has schema %d, of a newer version than this (%d)", has, wants);
    else
        fwc_good(d, "the database answers and has schema %d", has);
    return !err && has == wants;
}

void fwc_check_database(fwc_doctor *d)
{
    const char *mend = strcmp(d->s->db_driver, "pgsql") == 0
                           ? "systemctl status postgresql; psql with FwPermitDatabase's words; "
                             "docs/sysadmins/postgresql.md"
                           : "the folder of FwPermitDatabase must be the server's to write";
    const fw_err *err = fw_db_acquire(&d->c->db, d->c->desk->dbs, d->pool);

    if (!err)
        err = fw_db_ping(d->c->db, d->pool);
    if (err) {
        fwc_fault(d, mend, "the database does not answer: %s", fw_err_text(err, d->pool));
        return;
    }
    if (!check_schema(d))
        return;
    fwc_check_queues(d);
    fwc_check_sealer(d);
    fwc_check_accounts(d);
}

void fwc_check_queues(fwc_doctor *d)
{
    apr_array_header_t *list = NULL;
    apr_time_t now = apr_time_now();
    int before = d->faults;

    if (fw_outbox_counts(d->c->db, &list, d->pool)) {
        fwc_fault(d, "fwpermitctl migrate", "the queues cannot be read");
        return;
    }
    for (int i = 0; i < list->nelts; i++) {
        const fw_outbox_count *q = &APR_ARRAY_IDX(list, i, fw_outbox_count);

        if (strcmp(q->state, "dead") == 0)
            fwc_fault(d, "fwpermitctl deadletter list; show ID; mend its reason; replay ID",
                      "%s: %d deliveries failed for good", q->port, q->n);
        else if (now - q->oldest > STUCK_AFTER)
            fwc_fault(d, "is the other system up? the server's error log tells what the pump meets",
                      "%s: %d deliveries wait, the oldest for %d minutes", q->port, q->n,
                      (int)(apr_time_sec(now - q->oldest) / 60));
    }
    if (d->faults == before)
        fwc_good(d, "no delivery is stuck or dead");
}

/* The newest record with an identity up to `id`. */
static const fw_audit *record_at(fwc_doctor *d, fw_id id)
{
    apr_array_header_t *list = NULL;

    if (fw_audit_recent(d->c->db, id, 1, &list, d->pool) || list->nelts == 0)
        return NULL;
    return &APR_ARRAY_IDX(list, 0, fw_audit);
}

void fwc_check_sealer(fwc_doctor *d)
{
    apr_time_t now = apr_time_now();
    apr_array_header_t *ids = NULL;
    const fw_audit *record;
    fw_seal seal = {0};

    record = record_at(d, 0);
    if (record && record->at > now + AHEAD)
        fwc_fault(d, "timedatectl set-ntp true",
                  "the clock is wrong, or was: the newest audit record is %d minutes ahead of it",
                  (int)(apr_time_sec(record->at - now) / 60));
    if (fw_seal_make(d->c->db, now, 1, &seal, &ids, d->pool)) {
        fwc_fault(d, "fwpermitctl audit verify", "the audit trail cannot be read");
        return;
    }
    record = seal.records ? record_at(d, APR_ARRAY_IDX(ids, 0, fw_id) + 1) : NULL;
    if (record && now - record->at > SEALED_AFTER)
        fwc_fault(d, "start the server: its sealer seals each second; its error log tells why not",
                  "audit records wait for their seal, the oldest for %d minutes",
                  (int)(apr_time_sec(now - record->at) / 60));
    else
        fwc_good(d, "the audit trail is sealed");
}

void fwc_check_accounts(fwc_doctor *d)
{
    apr_array_header_t *list = NULL;
    int admins = 0, demo = 0;

    if (fw_account_list(d->c->db, ACCOUNTS_MAX, &list, d->pool))
        return;
    for (int i = 0; i < list->nelts; i++) {
        const fw_account *a = &APR_ARRAY_IDX(list, i, fw_account);

        admins += a->active && (a->roles & FW_ROLE_ADMIN);
        demo += a->active && a->email && strstr(a->email, "@demo.example");
    }
    if (admins == 0)
        fwc_fault(d, "fwpermitctl account create LOGIN --roles admin --generate",
                  "there is no administrator who may log in");
    if (demo && !d->s->demo)
        fwc_fault(d, "fwpermitctl account disable LOGIN, for each of them",
                  "%d demo accounts may log in, though FwPermitDemo is Off", demo);
}

/* ---- the running processes ---- */

static bool answers(fwc_doctor *d, const char *role)
{
    int fd = -1;

    if (fw_frame_connect(d->s->run_dir, role, fw_monotonic() + ANSWER_WAIT, &fd, d->pool))
        return false;
    fw_frame_close(fd, d->pool);
    return true;
}

/* The pump has a socket of datagrams. */
static bool pump_listens(fwc_doctor *d)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/pump.wake", d->s->run_dir);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = n > 0 && (size_t)n < sizeof(to.sun_path) && fd >= 0 &&
              connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

/* A plugin whose process runs, and serves nothing: its own reason. */
static void check_serves(fwc_doctor *d, const char *role)
{
    json_t *frame = json_pack("{s:s}", "op", "describe"), *answer = NULL;
    apr_time_t due = fw_monotonic() + DESCRIBE_WAIT;
    const char *blob, *rc, *reason;
    apr_size_t n;
    int fd = -1;

    if (!fw_frame_connect(d->s->run_dir, role, due, &fd, d->pool) &&
        !fw_frame_write(fd, due, frame, NULL, 0, d->pool) &&
        !fw_frame_read(fd, due, 0, &answer, &blob, &n, d->pool)) {
        rc = json_string_value(json_object_get(answer, "rc"));
        reason = json_string_value(json_object_get(answer, "reason"));
        if (rc && strcmp(rc, "misconfigured") == 0)
            fwc_fault(d, "mend the setting, then reload the server", "%s serves nothing: %s", role,
                      reason ? reason : "");
    }
    if (fd >= 0)
        fw_frame_close(fd, d->pool);
    json_decref(answer);
    json_decref(frame);
}

static void check_role(fwc_doctor *d, const char *role, bool ok)
{
    if (ok)
        fwc_good(d, "%s answers", role);
    else
        fwc_fault(d, "the server's error log tells why it ends; then reload the server",
                  "%s does not answer", role);
}

void fwc_check_roles(fwc_doctor *d)
{
    const char *signer = apr_pstrcat(d->pool, d->s->run_dir, "/signer.sock", NULL);

    if (access(signer, F_OK) != 0) {
        fwc_note(d, "the server does not run: its processes are not looked at");
        return;
    }
    check_role(d, "signer", answers(d, "signer"));
    check_role(d, "pictures", answers(d, "pictures"));
    check_role(d, "pump", pump_listens(d));
    for (int i = 0; i < d->s->plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(d->s->plugins, i, fw_plugin_conf);
        const char *role = apr_pstrcat(d->pool, "plugin-", p->name, NULL);

        check_role(d, role, answers(d, role));
        if (answers(d, role))
            check_serves(d, role);
    }
}
