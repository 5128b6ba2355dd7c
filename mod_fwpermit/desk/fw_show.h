#ifndef FW_SHOW_H
#define FW_SHOW_H

#include <jansson.h>

#include "fw_desk.h"
#include "fw_store_case.h"
#include "fw_store_party.h"

/* What pages show: models as docs/integrators/pages.md tells them, in the reader's language. Every function that returns
 * json_t * gives a new reference; nothing here writes. */

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
/* {"iso","text"}, or null for 0. */
json_t *fw_show_time(const fw_show *s, apr_time_t t);
/* {"code","label","tone"}; `kind` is "state", "pay" or "permit": where its label stands in the catalogue. */
json_t *fw_show_state(const fw_show *s, const char *kind, const char *code);
json_t *fw_show_string(const char *text); /* null for NULL */
json_t *fw_show_id(fw_id id);
const char *fw_show_id_text(const fw_show *s, fw_id id);
/* Sets `name` to a text made by apr_psprintf. */
void fw_show_set(json_t *o, const fw_show *s, const char *name, const char *fmt, ...)
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
} fw_show_form;
json_t *fw_show_form_model(const fw_show *s, const fw_show_form *form);
/* One field of a form, as in its model. */
json_t *fw_show_field(const fw_show *s, const fw_show_form *form, const fw_field *f);
/* [{title, href, rows: [{label, value, changed}]}] of what is filled in; `edit` is the form's address or NULL. */
json_t *fw_show_sections(const fw_show *s, const fw_service *service, const json_t *data,
                         const char *edit);
/* [{label, reason, href}] */
json_t *fw_show_problems(const fw_show *s, const fw_service *service, const fw_refusal *problems,
                         int n, const char *edit);
json_t *fw_show_files(const fw_show *s, const fw_service *service, const fw_file *files, int n,
                      const char *files_at);

/* ---- lists ---- */

/* A line of a list: of the applicant's pages, or (office) of the officers'. */
json_t *fw_show_case_line(const fw_show *s, const fw_case_line *line, bool office);
/* The same of a whole case. */
const fw_err *fw_show_case_head(const fw_show *s, const fw_case *kase, bool office, json_t **out);
const fw_err *fw_show_case_lines(const fw_show *s, const fw_case_ask *ask, bool office,
                                 json_t **out, fw_case_line *last);
/* A page of an officers' list by due time, and the address of the next one or null: `href` and its place. */
const fw_err *fw_show_case_page(const fw_show *s, const fw_case_ask *ask, const char *href,
                                json_t **out, json_t **next);
const fw_err *fw_show_lines_of(const fw_show *s, const fw_id *cases, int n, json_t **out);

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

const fw_err *fw_show_case(const fw_show *s, const fw_dossier *d, json_t **model);
const fw_err *fw_show_case_edit(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                const fw_refusal *problems, int n, json_t **model);
const fw_err *fw_show_case_check(const fw_show *s, const fw_dossier *d, json_t **model);
/* What changed between what somebody typed and what is there now. */
const fw_err *fw_show_case_stale(const fw_show *s, const fw_dossier *d, const json_t *typed,
                                 json_t **model);
const fw_err *fw_show_review(const fw_show *s, const fw_dossier *d, json_t **model);
json_t *fw_show_history(const fw_show *s, const fw_dossier *d);
/* A receipt names every case of its payment: where these are many it is for the payer and the office alone. What is no receipt is
 * for the case's people, not for the cashier. */
const fw_err *fw_show_may_read(const fw_show *s, const fw_case *kase, const fw_document *doc,
                               bool *may);
const fw_err *fw_show_documents(const fw_show *s, const fw_case *kase, const char *at,
                                json_t **out);
/* How many problems keep it from being filed. */
int fw_dossier_missing(const fw_show *s, const fw_dossier *d, apr_array_header_t **problems);

/* ---- payments, permits ---- */

const fw_err *fw_show_pay(const fw_show *s, const fw_id *cases, int n, json_t **model);
const fw_err *fw_show_payment(const fw_show *s, const fw_payment *p, json_t **model);
/* The public page; `no` and `code` as asked, or NULL. */
/* A permit as its holder sees it; null for 0. */
const fw_err *fw_show_permit(const fw_show *s, fw_id id, json_t **out);
const fw_err *fw_show_verify(const fw_show *s, const char *no, const char *code, json_t **model);

#endif
