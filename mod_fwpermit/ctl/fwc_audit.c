#include "fw_config.h"
#include "fwc_audit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_signing.h"
#include "fw_store_outbox.h"

#define LIST_MAX 100000
#define LIST     100

/* ---- the trail ---- */

const fw_err *fwc_audit_keys(fwc *c, fw_audit_key **out)
{
    const char *path = fwc_option(c, "key"), *dir = c->settings->keys_dir;
    const apr_array_header_t *retired;

    if (path)
        return fw_audit_key_load(out, path, c->pool);
    FW_TRY(fw_audit_key_load(out, apr_pstrcat(c->pool, dir, "/audit.crt", NULL), c->pool));
    retired = fw_signing_retired(dir, "audit", c->pool);
    for (int i = 0; i < retired->nelts; i++)
        FW_TRY(fw_audit_key_add(*out, APR_ARRAY_IDX(retired, i, const char *), c->pool));
    return NULL;
}

const fw_err *fwc_audit_verify(fwc *c)
{
    fw_audit_key *key = NULL;
    fw_audit_check check = {.is_signed = fw_audit_key_signed, .anchor = c->settings->anchor};

    /* Before root's rights are given up. */
    FW_TRY(fwc_audit_keys(c, &key));
    FW_TRY(fwc_open(c, FWC_DESK));
    check.baton = key;
    return fwc_audit_tell(c, &check);
}

const fw_err *fwc_audit_tell(fwc *c, const fw_audit_check *check)
{
    fw_audit_report report = {0};

    FW_TRY(fw_audit_verify(c->db, check, &report, c->pool));
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
