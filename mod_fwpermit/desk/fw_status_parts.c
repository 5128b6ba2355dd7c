#include "fw_config.h"
#include "fw_status_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "fw_signing.h"

#define SEAL_LATE   30 /* seconds that a record waits for its seal before the sealer is called down */
#define SPACE_TIGHT 20 /* free: less than a part in so many of the whole is too little */

/* ---- processes ---- */

/* Whether somebody listens, without waking him: a socket of the other type is turned away by the kernel where one does. */
static bool listens(const char *run_dir, const char *file)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int n = snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", run_dir, file);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool there =
        fd >= 0 && n > 0 && (size_t)n < sizeof(to.sun_path) &&
        (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno == EPROTOTYPE);

    if (fd >= 0)
        close(fd);
    return there;
}

static void look_at_process(fw_collecting *c, const char *name, const char *advice)
{
    if (listens(c->ask->desk->run_dir, apr_pstrcat(c->pool, name, ".sock", NULL)))
        fw_status_part(c, name, "up", NULL, NULL);
    else
        fw_status_part(c, name, "down", "the process does not listen", advice);
}

static void look_at_plugins(fw_collecting *c)
{
    const apr_array_header_t *plugins = c->ask->desk->settings->plugins;

    for (int i = 0; i < plugins->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(plugins, i, fw_plugin_conf);

        const char *name = apr_pstrcat(c->pool, "plugin-", p->name, NULL);
        const char *fault = fw_status_fault(c, p->name);

        if (fault)
            fw_status_part(c, name, "down", fault, "plugin.broken");
        else
            look_at_process(c, name, "plugin.down");
    }
}

/* It writes a snapshot every few seconds: one that stopped to is down, though its socket may still be there. */
static void look_at_pump(fw_collecting *c)
{
    apr_time_t at = fw_status_time(c->ask->before, "at");

    if (c->ask->of_pump || (at && c->now - at < FW_STATUS_OLD))
        fw_status_part(c, "pump", "up", NULL, NULL);
    else if (at)
        fw_status_part(c, "pump", "down",
                       apr_psprintf(c->pool, "it has reported nothing since %s",
                                    json_string_value(json_object_get(c->ask->before, "at"))),
                       "pump.down");
    else
        fw_status_part(c, "pump", "down", "it has not reported yet", "pump.down");
}

/* Known by its work alone: what waits for a seal. */
static void look_at_sealer(fw_collecting *c)
{
    json_t *oldest = json_object_get(json_object_get(c->out, "audit"), "oldest_unsealed_s");

    if (json_integer_value(oldest) > SEAL_LATE)
        fw_status_part(c, "sealer", "down",
                       apr_psprintf(c->pool, "a record of the audit trail waits for %d s",
                                    (int)json_integer_value(oldest)),
                       "sealer.down");
    else if (oldest)
        fw_status_part(c, "sealer", "up", NULL, NULL);
}

/* ---- disks ---- */

/* 0: it is as it should be; else errno; *tight: there is little room. */
static int add_disk(fw_collecting *c, const char *name, const char *path, bool *tight)
{
    json_t *list = json_object_get(c->out, "disk");
    struct statvfs v;

    if (statvfs(path, &v) != 0)
        return errno;
    *tight = v.f_bavail < v.f_blocks / SPACE_TIGHT;
    json_array_append_new(list,
                          json_pack("{s:s, s:I, s:I}", "name", name, "free_bytes",
                                    (json_int_t)v.f_bavail * (json_int_t)v.f_frsize, "total_bytes",
                                    (json_int_t)v.f_blocks * (json_int_t)v.f_frsize));
    return 0;
}

static void look_at_disks(fw_collecting *c)
{
    const fw_settings *s = c->ask->desk->settings;
    bool tight = false, other = false;
    int why;

    json_object_set_new(c->out, "disk", json_array());
    why = add_disk(c, "vault", s->vault_dir, &tight);
    if (!why && access(s->vault_dir, W_OK | X_OK) != 0)
        why = errno;
    if (why)
        fw_status_part(c, "vault", "down", strerror(why), "vault.down");
    else if (tight)
        fw_status_part(c, "vault", "degraded", "the disk is nearly full", "vault.full");
    else
        fw_status_part(c, "vault", "up", NULL, NULL);
    add_disk(c, "journal", s->journal_dir, &other);
    if (strcmp(s->db_driver, "sqlite3") == 0)
        add_disk(c, "database", s->db_params, &other);
}

/* ---- certificates ---- */

/* Takes `in` over; 0: there is no certificate. */
static apr_time_t end_of(BIO *in)
{
    X509 *cert = in ? PEM_read_bio_X509(in, NULL, NULL, NULL) : NULL;
    struct tm end = {0};
    apr_time_exp_t e = {0};
    apr_time_t out = 0;

    if (cert && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) == 1) {
        e = (apr_time_exp_t){.tm_year = end.tm_year,
                             .tm_mon = end.tm_mon,
                             .tm_mday = end.tm_mday,
                             .tm_hour = end.tm_hour,
                             .tm_min = end.tm_min,
                             .tm_sec = end.tm_sec};
        if (apr_time_exp_gmt_get(&out, &e) != APR_SUCCESS)
            out = 0;
    }
    X509_free(cert);
    BIO_free(in);
    ERR_clear_error();
    return out;
}

/* Of the trust list that anyone may read. */
static apr_time_t end_in_trust(const json_t *trust, const char *name)
{
    json_t *one;
    size_t i;

    json_array_foreach(json_object_get(trust, "signers"), i, one)
    {
        const char *use = json_string_value(json_object_get(one, "use"));
        const char *cert = json_string_value(json_object_get(one, "cert"));

        if (use && cert && strcmp(use, name) == 0 && json_is_true(json_object_get(one, "current")))
            return end_of(BIO_new_mem_buf(cert, -1));
    }
    return 0;
}

/* The keys' folder may be for root's eyes alone; then the trust list tells of those that it has. */
static void add_certificates(fw_collecting *c)
{
    const fw_settings *s = c->ask->desk->settings;
    json_t *trust = json_load_file(apr_pstrcat(c->pool, s->public_dir, "/trust.json", NULL),
                                   JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_array();

    for (size_t i = 0; i < FW_SIGNING_KEYS; i++) {
        const char *name = fw_signing_names[i];
        const char *file = apr_psprintf(c->pool, "%s/%s.crt", s->keys_dir, name);
        apr_time_t end = end_of(BIO_new_file(file, "re"));

        if (!end)
            end = end_in_trust(trust, name);
        if (end)
            json_array_append_new(list, json_pack("{s:s, s:o}", "name", name, "expires",
                                                  fw_status_iso(end, c->pool)));
    }
    json_object_set_new(c->out, "certificates", list);
    json_decref(trust);
}

void fw_status_parts(fw_collecting *c)
{
    look_at_pump(c);
    look_at_process(c, "signer", "signer.down");
    look_at_process(c, "pictures", "pictures.down");
    look_at_sealer(c);
    look_at_plugins(c);
    look_at_disks(c);
    add_certificates(c);
}
