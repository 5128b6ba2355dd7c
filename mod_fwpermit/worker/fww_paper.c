#include "fw_config.h"
#include "fww_press.h"
#include "fww_statement.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_show.h"

#define ZH        "zh-Hant"
#define EN        "en"
#define VERIFIER  "/public/verify.html"
#define TAIPEI_US (INT64_C(8) * 3600 * APR_USEC_PER_SEC)

/* ---- texts in both languages ---- */

static json_t *pair(const char *zh, const char *en)
{
    json_t *o = json_object();

    if (zh && *zh)
        json_object_set_new(o, "zh", json_string(zh));
    if (en && *en && (!zh || strcmp(zh, en) != 0))
        json_object_set_new(o, "en", json_string(en));
    return o;
}

static json_t *pair_of_label(const fw_label *l)
{
    return pair(l->zh, l->en);
}

static json_t *pair_of_key(const fww_turn *t, const char *key)
{
    const fw_locale *locale = t->pump->desk->locale;

    return pair(fw_locale_text(locale, ZH, key), fw_locale_text(locale, EN, key));
}

/* "製造業 Manufacturing": both on one line, one where they are the same. */
static const char *both(const fww_turn *t, const char *zh, const char *en)
{
    if (!zh || !*zh)
        return en ? en : "";
    if (!en || !*en || strcmp(zh, en) == 0)
        return zh;
    return apr_pstrcat(t->pool, zh, " ", en, NULL);
}

static const char *both_of_key(const fww_turn *t, const char *key)
{
    const fw_locale *locale = t->pump->desk->locale;

    return both(t, fw_locale_text(locale, ZH, key), fw_locale_text(locale, EN, key));
}

/* A value of the form as it is printed. */
static const char *value_of(const fww_subject *s, const fw_field *f, const char *value)
{
    const fw_desk *desk = s->t->pump->desk;
    fw_show show = {.desk = desk, .actor = fww_system(), .lang = ZH, .pool = s->t->pool};
    const fw_country *c = NULL;
    const char *zh;

    if (f->type == FW_FIELD_COUNTRY)
        c = fw_codes_country(desk->codes, value);
    if (c)
        return apr_psprintf(s->t->pool, "%s (%s)", both(s->t, c->zh, c->en), c->code);
    zh = fw_show_value(&show, f, value);
    show.lang = EN;
    return both(s->t, zh, fw_show_value(&show, f, value));
}

/* ---- rows ---- */

/* `label` is taken over; no row for an empty value. */
static void add(json_t *rows, json_t *label, const char *value, bool wide, bool big)
{
    if (value && *value)
        json_array_append_new(rows, json_pack("{s:O, s:s, s:b, s:b}", "label", label, "value",
                                              value, "wide", wide, "big", big));
    json_decref(label);
}

static void add_key(const fww_turn *t, json_t *rows, const char *key, const char *value)
{
    add(rows, pair_of_key(t, key), value, false, false);
}

static const char *employer_of(const fww_subject *s)
{
    return both(s->t, s->employer->name_zh, s->employer->name_en);
}

static const char *station_of(const fww_subject *s)
{
    const fw_station *st =
        s->kase->station ? fw_codes_station_of(s->t->pump->desk->codes, s->kase->station) : NULL;

    return st ? both(s->t, st->zh, st->en) : "";
}

static const char *name_of(const fww_subject *s)
{
    return both(s->t, s->kase->name_latin, s->kase->name_native);
}

/* ---- the paper itself ---- */

static const char *date_of(const fww_turn *t, apr_time_t at)
{
    apr_time_t local = at + TAIPEI_US;
    const char *iso = fw_time_iso(local, t->pool);

    return apr_psprintf(t->pool, "%.19s+08:00", iso);
}

/* A model without rows yet; "rows" and "sections" are empty lists in it. */
static json_t *begin(const fww_subject *s, const char *kind, const char *number, apr_time_t at)
{
    const fw_settings *site = s->t->pump->env->site;
    json_t *o = json_pack("{s:s, s:o, s:s, s:s, s:[], s:[], s:o}", "kind", kind, "agency",
                          pair(site->agency_zh, site->agency_en), "number", number, "date",
                          date_of(s->t, at), "rows", "sections", "footer",
                          pair_of_key(s->t, apr_pstrcat(s->t->pool, "paper.footer.", kind, NULL)));

    if (site->demo)
        json_object_set_new(
            o, "watermark",
            json_string(fw_locale_text(s->t->pump->desk->locale, EN, "paper.watermark")));
    return o;
}

static json_t *add_section(json_t *paper, json_t *title)
{
    json_t *rows = json_array();

    json_array_append_new(json_object_get(paper, "sections"),
                          json_pack("{s:o, s:O}", "title", title, "rows", rows));
    json_decref(rows); /* the paper has it */
    return rows;
}

/* ---- filing ---- */

static bool is_printed(const fw_field *f)
{
    return !fw_field_is_file(f) && f->type != FW_FIELD_MRZ && f->type != FW_FIELD_CONFIRM;
}

static bool is_wide(const fw_field *f)
{
    return f->type == FW_FIELD_ADDRESS;
}

static void add_form(const fww_subject *s, json_t *paper)
{
    for (int i = 0; i < s->service->n_sections; i++) {
        const fw_section *section = &s->service->sections[i];
        json_t *rows = NULL;

        for (int k = section->first; k < section->first + section->n; k++) {
            const fw_field *f = &s->service->fields[k];
            const char *value = json_string_value(json_object_get(s->data, f->name));

            if (!is_printed(f) || !value || !*value)
                continue;
            if (!rows)
                rows = add_section(paper, pair_of_label(&section->title));
            add(rows, pair_of_label(&f->label), value_of(s, f, value), is_wide(f), false);
        }
    }
}

static void add_files(const fww_subject *s, json_t *paper)
{
    json_t *rows = s->n_files ? add_section(paper, pair_of_key(s->t, "paper.files")) : NULL;

    for (int i = 0; i < s->n_files; i++) {
        const fw_file *file = &s->files[i];
        const fw_field *f = fw_service_field(s->service, file->slot);
        const char *value = apr_psprintf(s->t->pool, "%s (%" APR_INT64_T_FMT " B)\nSHA-256 %s",
                                         file->name, file->size, file->sha256);

        if (f)
            add(rows, pair_of_label(&f->label), value, true, false);
    }
}

/* What the receipt vouches for, with the files' own. */
static void add_hash(const fww_subject *s, json_t *paper)
{
    json_t *rows = add_section(paper, pair_of_key(s->t, "paper.proof"));
    const char *hash = fww_data_hash(s);

    add(rows, pair_of_key(s->t, "paper.data_hash"), hash ? hash : "", true, false);
}

json_t *fww_paper_filing(const fww_subject *s)
{
    const fw_case *c = s->kase;
    fww_turn *t = s->t;
    json_t *paper = begin(s, "filing", c->case_no, c->submitted);
    json_t *rows = json_object_get(paper, "rows");

    json_object_set_new(paper, "title", pair_of_key(t, "paper.title.filing"));
    add(rows, pair_of_key(t, "paper.service"), both(t, s->service->title.zh, s->service->title.en),
        true, false);
    add(rows, pair_of_key(t, "paper.case_no"), c->case_no, false, true);
    add_key(t, rows, "paper.filed", fw_time_taipei(c->submitted, t->pool));
    add_key(t, rows, "paper.due", c->due ? fw_time_taipei(c->due, t->pool) : "");
    add_key(t, rows, "paper.station", station_of(s));
    add(rows, pair_of_key(t, "paper.employer"), employer_of(s), true, false);
    add_form(s, paper);
    add_files(s, paper);
    add_hash(s, paper);
    return paper;
}

/* ---- permit ---- */

/* What a row of the layout prints that is no field of the form; NULL: it is one. */
static const char *own_value(const fww_subject *s, const fw_permit *p, const char *name,
                             apr_time_t now)
{
    const struct {
        const char *name, *value;
    } own[] = {{"permit_no", p->permit_no},  {"valid_from", p->valid_from},
               {"valid_to", p->valid_to},    {"issued", fw_date_text(fw_date_of(now), s->t->pool)},
               {"employer", employer_of(s)}, {"station", station_of(s)},
               {"case_no", s->kase->case_no}};

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (strcmp(own[i].name, name) == 0)
            return own[i].value ? own[i].value : "";
    }
    return NULL;
}

static void add_layout(const fww_subject *s, const fw_permit *p, apr_time_t now, json_t *rows)
{
    for (int i = 0; i < s->service->n_doc_rows; i++) {
        const fw_doc_row *row = &s->service->doc_rows[i];
        const fw_field *f = fw_service_field(s->service, row->field);
        const char *value = own_value(s, p, row->field, now), *typed;
        const fw_label *label = f && !row->label.zh && !row->label.en ? &f->label : &row->label;

        if (!value && f) {
            typed = json_string_value(json_object_get(s->data, f->name));
            value = typed && *typed ? value_of(s, f, typed) : "";
        }
        add(rows, pair_of_label(label), value, row->wide, row->big);
    }
}

json_t *fww_paper_permit(const fww_subject *s, const fw_permit *p, const char *seal, apr_time_t now)
{
    json_t *paper = begin(s, "permit", p->permit_no, now);
    const char *base = s->t->pump->desk->base_url;

    json_object_set_new(paper, "title", pair_of_label(&s->service->doc_title));
    json_object_set_new(
        paper, "qr",
        json_string(apr_psprintf(s->t->pool, "%s/verify/%s/%s", base, p->permit_no, p->code)));
    json_object_set_new(paper, "qr_note", pair_of_key(s->t, "paper.qr_note"));
    json_object_set_new(paper, "seal", json_string(seal));
    json_object_set_new(paper, "seal_url",
                        json_string(apr_pstrcat(s->t->pool, base, VERIFIER, NULL)));
    json_object_set_new(paper, "seal_note", pair_of_key(s->t, "paper.seal_note"));
    add_layout(s, p, now, json_object_get(paper, "rows"));
    return paper;
}

/* ---- receipt ---- */

static void add_paid_case(const fww_subject *s, json_t *paper)
{
    fww_turn *t = s->t;
    json_t *rows = add_section(paper, pair_of_label(&s->service->title));

    add_key(t, rows, "paper.case_no", s->kase->case_no);
    add_key(t, rows, "paper.amount", apr_psprintf(t->pool, "NT$ %" APR_INT64_T_FMT, s->kase->fee));
    add_key(t, rows, "paper.worker", name_of(s));
    add_key(t, rows, "paper.passport_no", s->kase->passport_no);
}

json_t *fww_paper_receipt(const fww_subject *subjects, int n, const fw_payment *p, int64_t replaces,
                          const fw_org *payer)
{
    fww_turn *t = subjects[0].t;
    const char *number = apr_psprintf(t->pool, "%" APR_INT64_T_FMT, p->receipt_no);
    json_t *paper = begin(&subjects[0], "receipt", number, p->paid);
    json_t *rows = json_object_get(paper, "rows");

    json_object_set_new(paper, "title", pair_of_key(t, "paper.title.receipt"));
    add(rows, pair_of_key(t, "paper.receipt_no"), number, false, true);
    if (replaces)
        add_key(t, rows, "paper.receipt_replaces",
                apr_psprintf(t->pool, "%" APR_INT64_T_FMT, replaces));
    add(rows, pair_of_key(t, "paper.amount"),
        apr_psprintf(t->pool, "NT$ %" APR_INT64_T_FMT, p->amount), false, true);
    add(rows, pair_of_key(t, "paper.payer"), both(t, payer->name_zh, payer->name_en), true, false);
    add_key(t, rows, "paper.paid", fw_time_taipei(p->paid, t->pool));
    add_key(t, rows, "paper.method",
            both_of_key(t, apr_pstrcat(t->pool, "paper.method.", p->method, NULL)));
    add_key(t, rows, "paper.order_no", p->order_no);
    add_key(t, rows, "paper.gateway_no", p->gateway_no);
    for (int i = 0; i < n; i++)
        add_paid_case(&subjects[i], paper);
    return paper;
}
