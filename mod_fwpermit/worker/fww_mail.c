#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_show.h"
#include "fw_show_card.h"
#include "fw_store_account.h"
#include "fw_store_case.h"
#include "fw_store_fine.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"
#include "fw_store_refund.h"

#define SUBJECT_BYTES 300

/* A notice that is being written: what happened, to whom it is told. */
typedef struct notice {
    fww_turn *t;
    const fw_delivery *d;
    const char *what;  /* "case.return" */
    fw_case *kase;     /* or NULL: it is about a worker */
    fw_worker *worker; /* or NULL */
    const fw_service *service;
    fw_account *to;
    fw_refund *refund; /* that it is about, or NULL */
    const char *lang;
    json_t *event; /* what the history says of it, or NULL */
} notice;

/* The event of that instant: the case may have moved on since. */
static const fw_err *find_event(notice *n)
{
    apr_array_header_t *events = NULL;

    FW_TRY(fw_event_list(n->t->db, n->kase->id, &events, n->t->pool));
    for (int i = 0; i < events->nelts; i++) {
        const fw_event *e = &APR_ARRAY_IDX(events, i, fw_event);

        if (e->at == n->d->created && e->data && strcmp(e->kind, n->what) == 0)
            n->event = fw_json_parse(e->data, n->t->pool);
    }
    return NULL;
}

static void choose_lang(notice *n)
{
    const fw_locale *locale = n->t->pump->desk->locale;

    n->lang = n->to->lang && fw_locale_has(locale, n->to->lang) ? n->to->lang : FW_LOCALE_DEFAULT;
}

static const fw_err *load_worker(notice *n, fw_id id)
{
    FW_TRY(fw_worker_load(n->t->db, id, &n->worker, n->t->pool));
    FW_TRY(fw_account_of_worker(n->t->db, id, &n->to, n->t->pool));
    choose_lang(n);
    return NULL;
}

/* Whoever paid has the money back. */
static const fw_err *load_refund(notice *n)
{
    fw_id id = fww_payload_id(n->t, n->d, "refund");
    fw_payment *p = NULL;

    if (!id)
        return NULL;
    FW_TRY(fw_refund_load(n->t->db, id, &n->refund, n->t->pool));
    FW_TRY(fw_payment_load(n->t->db, n->refund->payment_id, &p, n->t->pool));
    return fw_account_load(n->t->db, p->payer_id, &n->to, n->t->pool);
}

static const fw_err *load(notice *n)
{
    const fw_desk *desk = n->t->pump->desk;
    apr_pool_t *pool = n->t->pool;
    fw_id worker = fww_payload_id(n->t, n->d, "worker");

    if (worker)
        return load_worker(n, worker);
    FW_TRY(fw_case_load(n->t->db, fww_payload_id(n->t, n->d, "case"), &n->kase, pool));
    FW_TRY(fw_desk_service(desk, n->t->db, n->kase->service, n->kase->service_hash, &n->service,
                           pool));
    FW_TRY(load_refund(n));
    if (!n->to)
        FW_TRY(fw_account_load(n->t->db, n->kase->filer_id, &n->to, pool));
    choose_lang(n);
    return find_event(n);
}

/* ---- what the texts name ---- */

static void set(json_t *args, const char *name, const char *text)
{
    json_object_set_new(args, name, json_string(text ? text : ""));
}

static const char *both_names(const char *latin, const char *native, apr_pool_t *pool)
{
    if (!latin)
        return native ? native : "";
    return native ? apr_psprintf(pool, "%s (%s)", latin, native) : latin;
}

/* A day for the reader; the last instant of a day is that day. */
static const char *day_of(const notice *n, apr_time_t at)
{
    return at ? fw_date_text(fw_date_of(at), n->t->pool) : "-";
}

static const char *label_of(const notice *n, const char *item)
{
    const fw_field *f = item ? fw_service_field(n->service, item) : NULL;

    return f ? fw_label_text(&f->label, n->lang) : item;
}

/* One line for each item that is to be mended, with its reason. */
static const char *items_of(const notice *n)
{
    const fw_show show = {.desk = n->t->pump->desk, .lang = n->lang, .pool = n->t->pool};
    const json_t *marks = json_object_get(n->event, "marks"), *m;
    const char *text = "";
    size_t i;

    json_array_foreach(marks, i, m)
    {
        const char *reason = fw_show_mark_reason(&show, m);

        text = apr_psprintf(n->t->pool, "%s%s- %s: %s", text, *text ? "\n" : "",
                            label_of(n, json_string_value(json_object_get(m, "item"))),
                            reason ? reason : "");
    }
    return text;
}

/* The file that was judged: its place in the form, and what its sender called it. */
static const char *file_of(const notice *n)
{
    const char *slot = json_string_value(json_object_get(n->event, "slot"));
    const char *name = json_string_value(json_object_get(n->event, "name"));

    return slot && name ? apr_psprintf(n->t->pool, "%s: %s", label_of(n, slot), name) : "";
}

static const char *reason_of(const notice *n)
{
    const char *reason = json_string_value(json_object_get(n->event, "reason"));

    if (n->refund)
        return n->refund->reason;
    return reason ? reason : n->kase->reason;
}

static const char *code_text(const notice *n, const char *json)
{
    json_t *code = json_loads(json, 0, NULL);
    const char *key = json_object_get(code, "account") ? "mail.code.atm" : "mail.code.cvs";
    const char *text;

    if (json_is_object(code)) {
        apr_time_t until = fw_time_parse(json_string_value(json_object_get(code, "expires")));

        set(code, "expires", until ? fw_time_taipei(until, n->t->pool) : "-");
    }
    text = fw_locale_format(n->t->pump->desk->locale, n->lang, key, fw_of_json(code, n->t->pool),
                            n->t->pool);
    json_decref(code);
    return text;
}

static const fw_err *set_code(const notice *n, json_t *args)
{
    fw_payment *p = NULL;

    if (strcmp(n->what, "payment.code") != 0)
        return NULL;
    FW_TRY(fw_payment_load(n->t->db, n->kase->payment_id, &p, n->t->pool));
    set(args, "code", p->code ? code_text(n, p->code) : "");
    return NULL;
}

/* What is owed now, a line for each fine; where nothing is, that an answer is awaited. */
static const fw_err *set_fines(const notice *n, json_t *args)
{
    apr_pool_t *pool = n->t->pool;
    const char *text = "";
    apr_array_header_t *list = NULL;

    if (strcmp(n->what, "fine.open") != 0 && strcmp(n->what, "case.held") != 0)
        return NULL;
    FW_TRY(fw_fine_list(n->t->db, n->kase->id, &list, pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_fine *f = &APR_ARRAY_IDX(list, i, fw_fine);

        if (strcmp(f->state, "open") != 0)
            continue;
        text = apr_psprintf(pool, "%s%s- %s: NT$ %" APR_INT64_T_FMT "%s%s%s%s", text,
                            *text ? "\n" : "", f->fine_no, f->amount, f->pay_by ? ", " : "",
                            f->pay_by ? f->pay_by : "", f->pay_how ? "\n  " : "",
                            f->pay_how ? f->pay_how : "");
    }
    set(args, "fines",
        *text ? text : fw_locale_text(n->t->pump->desk->locale, n->lang, "mail.fines.awaited"));
    return NULL;
}

/* Where a card lies, when it is fetched, and against what. */
static const fw_err *set_card(const notice *n, json_t *args)
{
    const fw_desk *desk = n->t->pump->desk;
    const fw_station *station;
    fw_job *job = NULL;

    if (strcmp(n->what, "card.arrive") != 0 && strcmp(n->what, "card.collect") != 0)
        return NULL;
    FW_TRY(fw_job_of_case(n->t->db, n->kase->id, &job, n->t->pool));
    station = job ? fw_codes_station_of(desk->codes, job->station) : NULL;
    set(args, "pickup", job && job->code ? fw_show_spaced_code(job->code, n->t->pool) : NULL);
    set(args, "station",
        station ? (strncmp(n->lang, "en", 2) == 0 ? station->en : station->zh) : NULL);
    set(args, "address", station ? station->address : NULL);
    set(args, "hours", fw_locale_text(desk->locale, n->lang, "card.hours"));
    return NULL;
}

static const fw_err *make_args(const notice *n, json_t **out)
{
    apr_pool_t *pool = n->t->pool;
    json_t *args = fw_json_keep(json_object(), pool);

    set(args, "case_no", n->kase->case_no);
    set(args, "service", fw_label_text(&n->service->title, n->lang));
    set(args, "worker", both_names(n->kase->name_latin, n->kase->name_native, pool));
    set(args, "when", fw_time_taipei(n->d->created, pool));
    set(args, "due", n->kase->due ? fw_time_taipei(n->kase->due, pool) : "-");
    set(args, "deadline", day_of(n, n->kase->deadline));
    set(args, "items", items_of(n));
    set(args, "file", file_of(n));
    set(args, "reason", reason_of(n));
    set(args, "amount",
        apr_psprintf(pool, "%" APR_INT64_T_FMT, n->refund ? n->refund->amount : n->kase->fee));
    set(args, "link",
        apr_psprintf(pool, "%s/cases/%" APR_INT64_T_FMT, n->t->pump->desk->base_url, n->kase->id));
    *out = args;
    FW_TRY(set_fines(n, args));
    FW_TRY(set_card(n, args));
    return set_code(n, args);
}

static json_t *worker_args(const notice *n)
{
    const fw_worker *w = n->worker;
    apr_pool_t *pool = n->t->pool;
    json_t *args = fw_json_keep(json_object(), pool);

    set(args, "worker", both_names(w->name_latin, w->name_native, pool));
    set(args, "entered", w->entered);
    set(args, "deadline", day_of(n, w->file_by));
    set(args, "link",
        apr_psprintf(pool, "%s/workers/%" APR_INT64_T_FMT, n->t->pump->desk->base_url, w->id));
    return args;
}

/* ---- the mail ---- */

static const char *write_text(const notice *n, const char *part, const json_t *args)
{
    const char *key = apr_pstrcat(n->t->pool, "mail.", n->what, part, NULL);

    return fw_locale_format(n->t->pump->desk->locale, n->lang, key, fw_of_json(args, n->t->pool),
                            n->t->pool);
}

/* One line, as long as a subject may be, cut at a letter's border. */
static const char *subject_of(const notice *n, const json_t *args)
{
    char *text = apr_pstrdup(n->t->pool, write_text(n, ".subject", args));
    apr_size_t length = strlen(text);

    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    }
    if (length > SUBJECT_BYTES)
        length = SUBJECT_BYTES;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    text[length] = '\0';
    return text;
}

static const fw_err *write_mail(const notice *n, json_t **request)
{
    const fw_desk *desk = n->t->pump->desk;
    const char *agency =
        strncmp(n->lang, "en", 2) == 0 ? desk->settings->agency_en : desk->settings->agency_zh;
    json_t *args = NULL;
    const char *text;

    if (n->worker)
        args = worker_args(n);
    else
        FW_TRY(make_args(n, &args));
    text = apr_psprintf(n->t->pool, "%s\n\n-- \n%s\n%s\n", write_text(n, ".text", args), agency,
                        fw_locale_text(desk->locale, n->lang, "mail.sender_note"));
    *request = json_pack("{s:s, s:s, s:s, s:s}", "to", n->to->email, "subject", subject_of(n, args),
                         "text", text, "lang", n->lang);
    return *request ? NULL : FW_ERR(n->t->pool, FW_E_INPUT, 0, "a mail that is not UTF-8");
}

const fw_err *fww_mail_send(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    notice n = {.t = t, .d = d, .what = fww_payload_text(t, d, "what")};
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    fww_answer answer;

    if (!n.what)
        return FW_ERR(t->pool, FW_E_INPUT, 0, "a notice of nothing");
    FW_TRY(load(&n));
    if (!t->pump->desk->notify_plugin || !n.to->email || !*n.to->email) {
        t->pump->env->log(FWW_NOTICE, FWW_N_ADDRESS " %s: %s", d->key,
                          n.to->email ? "no notify plugin" : "the account has no mail address");
        fww_end_set(end, FWW_END_DONE, "nobody to write to");
        return NULL;
    }
    FW_TRY(write_mail(&n, &ask.request));
    fww_port_ask(t, t->pump->desk->notify_plugin, &ask, &answer);
    fww_port_end(&answer, end);
    return NULL;
}
