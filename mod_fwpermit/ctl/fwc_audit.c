#include "fw_config.h"
#include "fwc.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "fw_audit_verify.h"
#include "fw_date.h"
#include "fw_store_outbox.h"

#define LIST_MAX 100000
#define LIST     100

/* ---- the trail ---- */

const fw_err *fwc_audit_verify(fwc *c)
{
    const char *path = fwc_option(c, "key");
    fw_audit_report report = {0};
    fw_audit_key *key = NULL;
    fw_audit_check check = {.is_signed = fw_audit_key_signed, .anchor = c->settings->anchor};

    /* Before root's rights are given up. */
    if (!path)
        path = apr_pstrcat(c->pool, c->settings->keys_dir, "/audit.crt", NULL);
    FW_TRY(fw_audit_key_load(&key, path, c->pool));
    FW_TRY(fwc_open(c, FWC_DESK));
    check.baton = key;
    FW_TRY(fw_audit_verify(c->db, &check, &report, c->pool));
    fwc_say(c, "%s", fw_audit_fault_name(report.fault));
    if (report.fault != FW_AUDIT_WHOLE) {
        fwc_say(c, "%s", report.text);
        c->rc = FWC_REFUSED;
    }
    fwc_say(c,
            "records %" APR_INT64_T_FMT ", not sealed yet %" APR_INT64_T_FMT
            ", seals %" APR_INT64_T_FMT ", anchored %" APR_INT64_T_FMT,
            report.records, report.waiting, report.seals, report.anchored);
    return NULL;
}

const fw_err *fwc_audit_list(fwc *c)
{
    apr_array_header_t *list = NULL;
    fw_id before = 0;
    int limit = 0;

    FW_TRY(fwc_option_number(c, "limit", LIST, LIST_MAX, &limit));
    if (fwc_option(c, "before"))
        FW_TRY(fwc_id(fwc_option(c, "before"), "a record's identity", &before, c->pool));
    FW_TRY(fw_audit_recent(c->db, before, limit, &list, c->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_audit *a = &APR_ARRAY_IDX(list, i, fw_audit);

        fwc_say(c, "%" APR_INT64_T_FMT "\t%s\t%s\t%s\t%s\t%s\t%s", a->id,
                fw_time_iso(a->at, c->pool), a->actor ? a->actor : "-", a->command, a->aggregate,
                a->seal ? "sealed" : "waiting", a->data ? a->data : "");
    }
    return NULL;
}

/* ---- dead letters ---- */

const fw_err *fwc_deadletter_list(fwc *c)
{
    apr_array_header_t *list = NULL;
    int limit = 0;

    FW_TRY(fwc_option_number(c, "limit", LIST, LIST_MAX, &limit));
    FW_TRY(fw_outbox_list_dead(c->db, limit, &list, c->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_delivery *d = &APR_ARRAY_IDX(list, i, fw_delivery);

        fwc_say(c, "%" APR_INT64_T_FMT "\t%s\t%s\t%d\t%s", d->id, d->op,
                fw_time_iso(d->created, c->pool), d->attempt, d->reason ? d->reason : "-");
    }
    return NULL;
}

static bool is_secret(const char *name)
{
    static const char *const secrets[] = {"password", "secret",   "token", "hash_key", "hash_iv",
                                          "checkmac", "passport", "code",  "card"};

    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (strcasestr(name, secrets[i]))
            return true;
    }
    return false;
}

/* Depth is bounded by jansson's own limit. */
static void mask(json_t *v)
{
    const char *name;
    json_t *member;
    size_t i;

    json_object_foreach(v, name, member)
    {
        if (is_secret(name))
            json_object_set_new(v, name, json_string("***"));
        else
            mask(member);
    }
    json_array_foreach(v, i, member) mask(member);
}

static const char *masked(const char *payload, apr_pool_t *pool)
{
    json_t *v = json_loads(payload, JSON_REJECT_DUPLICATES, NULL);
    char *text;
    const char *out = "not JSON";

    if (!v)
        return out;
    mask(v);
    text = json_dumps(v, JSON_INDENT(2));
    out = apr_pstrdup(pool, text);
    free(text);
    json_decref(v);
    return out;
}

static const fw_err *load_dead(fwc *c, fw_delivery **out)
{
    fw_id id = 0;

    FW_TRY(fwc_id(c->words[0], "a dead letter's identity", &id, c->pool));
    FW_TRY(fw_outbox_load(c->db, id, out, c->pool));
    if (strcmp((*out)->state, "dead") != 0)
        return FW_ERR(c->pool, FW_E_NOTFOUND, 0, "%s is no dead letter, it is %s", c->words[0],
                      (*out)->state);
    return NULL;
}

const fw_err *fwc_deadletter_show(fwc *c)
{
    fw_delivery *d = NULL;

    FW_TRY(load_dead(c, &d));
    fwc_say(c, "id        %" APR_INT64_T_FMT "\noperation %s\nkey       %s", d->id, d->op, d->key);
    fwc_say(c, "about     %" APR_INT64_T_FMT "\nattempts  %d\ncreated   %s", d->aggregate_id,
            d->attempt, fw_time_iso(d->created, c->pool));
    fwc_say(c, "reason    %s\n%s", d->reason ? d->reason : "-", masked(d->payload, c->pool));
    return NULL;
}

const fw_err *fwc_deadletter_replay(fwc *c)
{
    fw_command cmd = {.kind = FW_CMD_OUTBOX_REPLAY, .actor = &c->actor};
    fw_delivery *d = NULL;
    fw_result result;

    FW_TRY(load_dead(c, &d));
    cmd.target = d->id;
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "%s goes out once more", d->op);
    return NULL;
}
