#include "fw_config.h"
#include "fww_statement.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_sha256.h"

#define SLASH       "\\u002f"
#define SLASH_BYTES 6

/* Compact, sorted; takes `o` over. */
static const char *write_sorted(json_t *o, apr_pool_t *pool)
{
    const char *text = fw_json_text(o, JSON_COMPACT | JSON_SORT_KEYS, pool);

    json_decref(o);
    return text;
}

const char *fww_data_hash(const fww_subject *s)
{
    const char *text = write_sorted(json_incref(s->data), s->t->pool);

    return text ? fw_sha256_hex(text, strlen(text), s->t->pool) : NULL;
}

static json_t *files_of(const fww_subject *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->n_files; i++) {
        const fw_file *f = &s->files[i];

        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:I, s:s}", "field", f->slot, "name", f->name,
                                        "size", (json_int_t)f->size, "sha256", f->sha256));
    }
    return list;
}

/* It stands in a PDF as it is: no words of an applicant's may be taken for the PDF's own ("/ByteRange"). */
static const char *without_slashes(const char *text, apr_pool_t *pool)
{
    char *out = text ? apr_palloc(pool, SLASH_BYTES * strlen(text) + 1) : NULL, *to = out;

    if (!text)
        return NULL;
    for (const char *p = text; *p; p++) {
        if (*p == '/')
            to = apr_cpystrn(to, SLASH, SLASH_BYTES + 1);
        else
            *to++ = *p;
    }
    *to = '\0';
    return out;
}

const char *fww_statement_filing(const fww_subject *s)
{
    const fw_case *c = s->kase;
    apr_pool_t *pool = s->t->pool;

    return without_slashes(
        write_sorted(json_pack("{s:s, s:s, s:s, s:s, s:O, s:s, s:o}", "format", "fwpermit-filing/1",
                               "case_no", c->case_no, "filed", fw_time_iso(c->submitted, pool),
                               "service", c->service, "data", s->data, "data_sha256",
                               fww_data_hash(s), "files", files_of(s)),
                     pool),
        pool);
}

const char *fww_statement_permit(const fww_subject *s, const fw_permit *p, const char *seal)
{
    const fw_case *c = s->kase;

    return write_sorted(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s}",
                                  "format", "fwpermit-permit/1", "no", p->permit_no, "valid_from",
                                  p->valid_from, "valid_to", p->valid_to, "case_no", c->case_no,
                                  "name", c->name_latin, "passport_no", c->passport_no,
                                  "nationality", c->nationality, "birth", c->birth, "sex",
                                  fww_subject_value(s, FW_FIELD_SEX), "seal", seal),
                        s->t->pool);
}

const char *fww_statement_receipt(const fww_subject *subjects, int n, const fw_payment *p)
{
    apr_pool_t *pool = subjects[0].t->pool;
    const char *no = apr_psprintf(pool, "%" APR_INT64_T_FMT, p->receipt_no);
    json_t *cases = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(cases, json_string(subjects[i].kase->case_no));
    return write_sorted(json_pack("{s:s, s:s, s:I, s:s, s:s, s:o}", "format", "fwpermit-receipt/1",
                                  "no", no, "amount", (json_int_t)p->amount, "paid",
                                  fw_time_iso(p->paid, pool), "order_no", p->order_no, "cases",
                                  cases),
                        pool);
}
