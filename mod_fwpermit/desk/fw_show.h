#ifndef FW_SHOW_H
#define FW_SHOW_H

#include "fw_desk.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_value.h"

/* What pages show: models as docs/integrators/pages.md tells them, in the reader's language. Every function that returns
 * fw_value  gives a new reference; nothing here writes. */

typedef struct fw_show {
    const fw_desk *desk;
    fw_db *db;
    const fw_actor *actor; /* who reads */
    const char *lang;
    apr_time_t now;
    apr_pool_t *pool;
} fw_show;

/* ---- small things ---- */

const char *fw_show_text(const fw_show *s, const char *key);
/* A refusal's reason as a sentence. */
const char *fw_show_reason(const fw_show *s, const fw_refusal *r);
/* {"code","label","tone"}; `kind` is "state", "pay" or "permit": where its label stands in the catalogue. */
fw_value fw_show_state(const fw_show *s, const char *kind, const char *code);
/* The reason of a mark, {item, reason}, or of one that the system set, {item, key, name}. NULL: it has none. */
const char *fw_show_mark_reason(const fw_show *s, const json_t *mark);
fw_value fw_show_id(const fw_show *s, fw_id id);
const char *fw_show_id_text(const fw_show *s, fw_id id);
/* Sets `name` to a text made by apr_psprintf. */
void fw_show_set(fw_value o, const fw_show *s, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
const char *fw_show_org(const fw_show *s, const char *zh, const char *en);
/* "312 KB" */
const char *fw_show_size(const fw_show *s, int64_t bytes);

/* ---- forms ---- */

/* A value as people read it: a country's name, a choice's label. "" for none. */
const char *fw_show_value(const fw_show *s, const fw_field *f, const char *value);

typedef struct fw_show_form {
    const fw_service *service;
    const json_t *data;         /* name → text */
    const fw_refusal *problems; /* shown beside their fields; n = 0: none */
    int n_problems;
    const fw_file *files;
    int n_files;
    const json_t *marks;  /* [{item, reason}] or NULL */
    bool only_marked;     /* a returned case: all else is locked */
    const char *files_at; /* "/cases/12/files": where files are sent to and fetched */
    int version;
    fw_value letter; /* fw_show_case_letter(); none: absent */
} fw_show_form;
fw_value fw_show_form_model(const fw_show *s, const fw_show_form *form);
/* One field of a form, as in its model. */
fw_value fw_show_field(const fw_show *s, const fw_show_form *form, const fw_field *f);
/* [{title, href, rows: [{label, value, changed}]}] of what is filled in; `edit` is the form's address or NULL. */
fw_value fw_show_sections(const fw_show *s, const fw_service *service, const json_t *data,
                          const char *edit);
/* [{label, reason, href}] */
fw_value fw_show_problems(const fw_show *s, const fw_service *service, const fw_refusal *problems,
                          int n, const char *edit);
fw_value fw_show_files(const fw_show *s, const fw_service *service, const fw_file *files, int n,
                       const char *files_at);

/* ---- lists ---- */

/* A line of a list: of the applicant's pages, or (office) of the officers'. */
fw_value fw_show_case_line(const fw_show *s, const fw_case_line *line, bool office);
/* The same of a whole case. */
fw_value fw_show_case_head(const fw_show *s, const fw_case *kase, bool office);
const fw_err *fw_show_case_lines(const fw_show *s, const fw_case_ask *ask, bool office,
                                 fw_value *out, fw_case_line *last);
/* A page of an officers' list by due time, and the address of the next one or null: `href` and its place. */
const fw_err *fw_show_case_page(const fw_show *s, const fw_case_ask *ask, const char *href,
                                fw_value *out, fw_value *next);
fw_value fw_show_lines_of(const fw_show *s, const fw_case *const *cases, int n);

/* Adds to each of an officers' list its identity check, "identity": [{check, text, href}]. */
const fw_err *fw_show_identities(const fw_show *s, fw_value lines);

/* ---- a worker ---- */

/* {entered, clock: {tone, until, text, late, soon} or null, movements, letters, is_here, asked}: three statements. */
const fw_err *fw_show_stay(const fw_show *s, const fw_worker *worker, fw_value *out);
/* Arrivals and departures of nobody here: [{id, label, day, port, name_latin, passport_no, …, near, action}]: two statements. */
const fw_err *fw_show_arrivals(const fw_show *s, int limit, fw_value *out);

/* ---- a case ---- */

/* A case with what belongs to it, loaded once. */
typedef struct fw_dossier {
    const fw_case *kase;
    const fw_service *service;
    json_t *data;  /* freed with the pool */
    json_t *marks; /* or NULL */
    const fw_file *files;
    int n_files;
    const fw_event *events;
    int n_events;
} fw_dossier;
/* `history`: the events too. */
const fw_err *fw_dossier_load(const fw_show *s, const fw_case *kase, bool history, fw_dossier *out);

const fw_err *fw_show_case(const fw_show *s, const fw_dossier *d, fw_value *model);
const fw_err *fw_show_case_edit(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                const fw_refusal *problems, int n, fw_value *model);
const fw_err *fw_show_case_check(const fw_show *s, const fw_dossier *d, fw_value *model);
/* What changed between what somebody typed and what is there now. */
const fw_err *fw_show_case_stale(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                 fw_value *model);
/* The letter that its form names, as its applicant sees it: {letter_no, state, text, waits, can_ask, fills, href, link}, or null. */
const fw_err *fw_show_case_letter(const fw_show *s, const fw_dossier *d, fw_value *out);
/* Adds to `typed` what is empty in the form and said of the letter that it names; *filled is what was added. */
const fw_err *fw_case_fill(const fw_show *s, const fw_dossier *d, json_t *typed, json_t **filled);
const fw_err *fw_show_review(const fw_show *s, const fw_dossier *d, fw_value *model);
fw_value fw_show_history(const fw_show *s, const fw_dossier *d);
/* A receipt names every case of its payment: where these are many it is for the payer and the office alone. What is no receipt is
 * for the case's people, not for the cashier. */
const fw_err *fw_show_may_read(const fw_show *s, const fw_case *kase, const fw_document *doc,
                               bool *may);
/* `known`: a payment that is loaded already, or NULL; afterwards the last that was looked at. */
const fw_err *fw_show_documents(const fw_show *s, const fw_case *kase, const char *at,
                                fw_payment **known, fw_value *out);
/* How many of its current files wait for the scanner. */
int fw_dossier_unchecked(const fw_dossier *d);
/* How many problems keep it from being filed. */
int fw_dossier_missing(const fw_show *s, const fw_dossier *d, apr_array_header_t **problems);

/* ---- payments, permits ---- */

const fw_err *fw_show_pay(const fw_show *s, const fw_case *const *cases, int n, fw_value *model);
const fw_err *fw_show_payment(const fw_show *s, const fw_payment *p, fw_value *model);
/* The public page; `no` and `code` as asked, or NULL. */
/* A permit as its holder sees it; null for 0. */
const fw_err *fw_show_permit(const fw_show *s, fw_id id, fw_value *out);
/* A code as people type it: without spaces and dashes, upper case, O for 0 and I or L for 1 (Crockford). */
const char *fw_show_clean_code(const char *text, apr_pool_t *pool);
const fw_err *fw_show_verify(const fw_show *s, const char *no, const char *code, fw_value *model);

#endif
