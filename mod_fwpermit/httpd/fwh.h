#ifndef FWH_H
#define FWH_H

#include "fw_config.h"

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <jansson.h>

#include "fw_desk.h"
#include "fw_intake.h"
#include "fw_journal.h"
#include "fw_login.h"
#include "fw_perform.h"
#include "fw_show.h"
#include "fw_template.h"

/* What the files of the module share. */

extern module fwpermit_module __attribute__((visibility("default")));

/* What a serving process has: made in child_init, read-only afterwards, shared by its threads. */
typedef struct fwh_child {
    fw_desk *desk;
    fw_templates *templates;
    fw_journal *journal;
    fw_lane *lane;
    fw_sniffer *sniffer;
    const char *assets_v; /* changes when an asset does */
} fwh_child;

typedef struct fwh_req fwh_req;
typedef const fw_err *(*fwh_handler)(fwh_req *q);

/* What a route's first number names; loaded, and its relation to the actor checked, before the handler runs. */
typedef enum fwh_load_e {
    FWH_NONE,
    FWH_CASE,
    FWH_WORKER,
    FWH_PAYMENT,
    FWH_ACCOUNT,
    FWH_SELF /* the actor's own account */
} fwh_load_e;

enum {
    FWH_RAW = 1 << 0,    /* the handler reads the body */
    FWH_OPEN = 1 << 1,   /* no session and no CSRF token: log-in, verification, messages */
    FWH_RESUME = 1 << 2, /* what was typed survives a session that ended meanwhile */
    FWH_READS = 1 << 3,  /* shows personal data: noted in the journal of reads */
    FWH_CHANGE = 1 << 4  /* also for an account whose password must be changed first */
};

typedef struct fwh_route {
    int method;         /* M_GET or M_POST */
    const char *path;   /* # stands for a number, * for any one segment */
    const char *access; /* in the permissions table */
    fwh_load_e load;
    unsigned flags;
    fwh_handler run;
    const char *lists; /* names of fields that may come several times, ",case,": they are arrays */
} fwh_route;

#define FWH_ARGS 4

/* One request on its way. */
struct fwh_req {
    request_rec *r;
    apr_pool_t *pool;
    const fwh_child *child;
    const fw_desk *desk;
    fw_db *db; /* NULL while nothing is asked of the database */
    const fwh_route *route;
    const char *path; /* without .json */
    const char *arg[FWH_ARGS];
    bool json;
    const char *lang;
    const char *ip;
    const fw_who *who; /* NULL: nobody is logged in */
    fw_actor actor;
    json_t *
        fields; /* of the query (GET) or the body (POST): name → text, or an array where the route says so */
    const char *request_id;
    const char *body_hash;
    fw_case *kase;
    fw_worker *worker;
    fw_payment *payment;
    fw_account *account;
    bool noted;          /* in the journal of reads */
    uint64_t statements; /* of the database, for the note "fwpermit-statements" */
    fw_value errors;     /* [{href, text}] for the page's summary */
    const char
        *form_action; /* an address beside our own that a form of this page may go to, or NULL */
    int status;       /* of the answer; 0: 200 */
};

/* ---- routes (fwh_route.c, fwh_routes.c) ---- */

const fwh_route *fwh_routes(size_t *n);
/* The route; *others is a list of methods that the path has otherwise ("GET, HEAD"), or NULL. */
const fwh_route *fwh_route_find(int method, const char *path, const char **arg, const char **others,
                                apr_pool_t *pool);
/* NULL, or which route has no row in the permissions table. */
const char *fwh_routes_check(apr_pool_t *pool);
/* Authorises, loads, decodes, runs, answers: an httpd status. */
int fwh_serve(request_rec *r, const fwh_child *child);
/* Whoever waits for something else (a sender, a reader, a lane, a worker) gives the connection back meanwhile: those who are slow
 * starve nobody. */
const fw_err *fwh_db_take(fwh_req *q);
void fwh_db_give(fwh_req *q);
/* A place in the lane where passwords are hashed; without a connection of the database while one is in it. */
const fw_err *fwh_lane_enter(fwh_req *q);
const fw_err *fwh_lane_leave(fwh_req *q);
/* Notes once that what was loaded is read. */
const fw_err *fwh_note_read(fwh_req *q);

/* ---- bodies (fwh_body.c) ---- */

/* Decodes the query into q->fields. */
const fw_err *fwh_query_read(fwh_req *q);
/* Reads a form or JSON body into q->fields, with request_id and body_hash. FW_E_LIMIT beyond FwPermitFormMax. */
const fw_err *fwh_body_read(fwh_req *q);
/* What makes a request the same as an earlier one with its key: the address and what came. */
const char *fwh_body_hash(fwh_req *q, const char *bytes, apr_size_t n);
/* Takes the request's identity from its header, or else `typed` (of a form; or NULL). */
const fw_err *fwh_request_id(fwh_req *q, const char *typed);
/* Reads the whole body of at most `most` bytes. */
const fw_err *fwh_body_bytes(fwh_req *q, apr_size_t most, const char **bytes, apr_size_t *n);
/* Calls `each` with pieces until the body's end. */
typedef const fw_err *(*fwh_piece_fn)(void *baton, const char *data, apr_size_t n);
const fw_err *fwh_body_stream(fwh_req *q, apr_off_t most, fwh_piece_fn each, void *baton);

/* Takes a field out; NULL where there is none. What nobody took is refused by fwh_fields_end(). */
const char *fwh_take(fwh_req *q, const char *name);
json_t *fwh_take_list(fwh_req *q, const char *name); /* a new array, perhaps empty */
fw_id fwh_take_id(fwh_req *q, const char *name);     /* 0: none, or no number */
/* The field "version": 0 where there is none; what is no version is refused. */
const fw_err *fwh_take_version(fwh_req *q, int *out);
/* The same, and none is refused: who decides says on what. */
const fw_err *fwh_need_version(fwh_req *q, int *out);
const fw_err *fwh_fields_end(fwh_req *q);
fw_id fwh_id(const char *text);
/* The query's or body's cookie, or NULL. */
const char *fwh_cookie(const fwh_req *q, const char *name);

/* ---- answers (fwh_answer.c, fwh_chrome.c) ---- */

fw_show fwh_show(const fwh_req *q);
/* Sends the model: as JSON, or filled into the template. Takes `model` over. */
const fw_err *fwh_page(fwh_req *q, const char *template, fw_value model);
/* 303; `notice` (a key, or NULL) is shown there. */
const fw_err *fwh_redirect(fwh_req *q, const char *href, const char *notice);
/* What came of a command: sends a browser on, tells a program; a refusal is a problem. */
const fw_err *fwh_result(fwh_req *q, const fw_result *result, const char *href, const char *notice);
const fw_err *fwh_refused(fwh_req *q, const fw_result *result);
/* A problem of our own. `key` is in the catalogue ("problem.not_found"); `errors` (taken over) or NULL. */
const fw_err *fwh_problem(fwh_req *q, int status, const char *key, fw_value errors);
/* [{field, key, reason}] */
fw_value fwh_errors(const fwh_req *q, const fw_refusal *refusals, int n);
/* Sets q->errors and q->status for a form that is shown again. */
void fwh_form_errors(fwh_req *q, const fw_result *result);
int fwh_status_of(fw_code_e code);
/* Sends bytes as they are. */
const fw_err *fwh_bytes(fwh_req *q, const char *type, const char *bytes, apr_size_t n);
/* Sends a file of the vault as an attachment. */
const fw_err *fwh_vault_file(fwh_req *q, const char *vault, const char *mime, const char *name);
void fwh_cookie_set(fwh_req *q, const char *name, const char *value, int max_age_s);
/* The session's cookie: its name depends on FwPermitCookieSecure. */
const char *fwh_session_cookie(const fwh_req *q);
/* What every page has around its model. */
void fwh_chrome(fwh_req *q, fw_value model, const char *template);

/* ---- commands ---- */

/* A command of this request: actor, target, request id and body hash are set. */
fw_command fwh_command(fwh_req *q, fw_cmd_e kind, fw_id target);
const fw_err *fwh_perform(fwh_req *q, const fw_command *cmd, fw_result *result);

/* Whether the session's CSRF token is `given`, or in the header. */
bool fwh_token_right(fwh_req *q, const char *given);
/* The text of the fields that are left, as one JSON object. */
const char *fwh_fields_text(fwh_req *q);
/* Where the actor begins: "/cases", "/desk", … */
const char *fwh_home(const fwh_req *q);
/* Lays what the passport's lines in field "mrz" say over the fields that follow from them; *filled (new) has them. Problems of the
 * lines, or NULL. */
const fw_refusal *fwh_mrz_fill(fwh_req *q, const char *mrz, json_t **filled, unsigned *failed);

/* ---- handlers: one file for each area ---- */

const fw_err *fwh_do_start(fwh_req *q);
const fw_err *fwh_do_login(fwh_req *q);
const fw_err *fwh_do_login_post(fwh_req *q);
const fw_err *fwh_do_logout(fwh_req *q);
const fw_err *fwh_do_session(fwh_req *q);
const fw_err *fwh_do_language(fwh_req *q);
const fw_err *fwh_do_verify(fwh_req *q);
const fw_err *fwh_do_openapi(fwh_req *q);
const fw_err *fwh_do_metrics(fwh_req *q);
const fw_err *fwh_do_workers(fwh_req *q);
const fw_err *fwh_do_worker_new(fwh_req *q);
const fw_err *fwh_do_worker(fwh_req *q);
const fw_err *fwh_do_worker_register(fwh_req *q);
const fw_err *fwh_do_worker_update(fwh_req *q);
const fw_err *fwh_do_mrz(fwh_req *q);
const fw_err *fwh_do_cases(fwh_req *q);
const fw_err *fwh_do_case_open(fwh_req *q);
const fw_err *fwh_do_case_page(fwh_req *q);
const fw_err *fwh_do_case_edit(fwh_req *q);
const fw_err *fwh_do_case_save(fwh_req *q);
const fw_err *fwh_do_case_check(fwh_req *q);
const fw_err *fwh_do_case_submit(fwh_req *q);
const fw_err *fwh_do_case_withdraw(fwh_req *q);
const fw_err *fwh_do_file_upload(fwh_req *q);
const fw_err *fwh_do_file_remove(fwh_req *q);
const fw_err *fwh_do_file(fwh_req *q);
const fw_err *fwh_do_document(fwh_req *q);
const fw_err *fwh_do_pay(fwh_req *q);
const fw_err *fwh_do_payment_begin(fwh_req *q);
const fw_err *fwh_do_payment(fwh_req *q);
const fw_err *fwh_do_account(fwh_req *q);
const fw_err *fwh_do_account_password(fwh_req *q);
const fw_err *fwh_do_delegation_grant(fwh_req *q);
const fw_err *fwh_do_delegation_revoke(fwh_req *q);
const fw_err *fwh_do_desk(fwh_req *q);
const fw_err *fwh_do_review(fwh_req *q);
const fw_err *fwh_do_review_correct(fwh_req *q);
const fw_err *fwh_do_review_return(fwh_req *q);
const fw_err *fwh_do_review_approve(fwh_req *q);
const fw_err *fwh_do_review_confirm(fwh_req *q);
const fw_err *fwh_do_review_send_back(fwh_req *q);
const fw_err *fwh_do_review_reject(fwh_req *q);
const fw_err *fwh_do_review_ask_fines(fwh_req *q);
const fw_err *fwh_do_review_letter(fwh_req *q);
const fw_err *fwh_do_worker_letter(fwh_req *q);
const fw_err *fwh_do_case_letter(fwh_req *q);
const fw_err *fwh_do_case_letter_ask(fwh_req *q);
const fw_err *fwh_do_review_view(fwh_req *q);
const fw_err *fwh_do_handout(fwh_req *q);
const fw_err *fwh_do_handout_case(fwh_req *q);
const fw_err *fwh_do_handout_collect(fwh_req *q);
const fw_err *fwh_do_card_again(fwh_req *q);
const fw_err *fwh_do_cards(fwh_req *q);
const fw_err *fwh_do_card(fwh_req *q);
const fw_err *fwh_do_card_lost(fwh_req *q);
const fw_err *fwh_do_card_cancel(fwh_req *q);
const fw_err *fwh_do_dispatch(fwh_req *q);
const fw_err *fwh_do_dispatch_assign(fwh_req *q);
const fw_err *fwh_do_arrivals(fwh_req *q);
const fw_err *fwh_do_arrival_link(fwh_req *q);
const fw_err *fwh_do_search(fwh_req *q);
const fw_err *fwh_do_receipts(fwh_req *q);
const fw_err *fwh_do_receipt_renew(fwh_req *q);
const fw_err *fwh_do_settlements(fwh_req *q);
const fw_err *fwh_do_settlement(fwh_req *q);
const fw_err *fwh_do_settlement_ask(fwh_req *q);
const fw_err *fwh_do_refunds(fwh_req *q);
const fw_err *fwh_do_refund(fwh_req *q);
const fw_err *fwh_do_refund_ask(fwh_req *q);
const fw_err *fwh_do_refund_again(fwh_req *q);
const fw_err *fwh_do_refund_pay_out(fwh_req *q);
const fw_err *fwh_do_audit(fwh_req *q);
const fw_err *fwh_do_admin(fwh_req *q);
const fw_err *fwh_do_admin_account(fwh_req *q);
const fw_err *fwh_do_admin_account_create(fwh_req *q);
const fw_err *fwh_do_admin_account_update(fwh_req *q);
const fw_err *fwh_do_admin_account_password(fwh_req *q);
const fw_err *fwh_do_admin_org(fwh_req *q);
const fw_err *fwh_do_admin_delegation(fwh_req *q);
const fw_err *fwh_do_system(fwh_req *q);
const fw_err *fwh_do_plugin_pause(fwh_req *q);
const fw_err *fwh_do_plugin_resume(fwh_req *q);
const fw_err *fwh_do_letter(fwh_req *q);
const fw_err *fwh_do_letter_mend(fwh_req *q);
const fw_err *fwh_do_letter_drop(fwh_req *q);
const fw_err *fwh_do_letter_replay(fwh_req *q);
const fw_err *fwh_do_message_replay(fwh_req *q);
const fw_err *fwh_do_admin_revoke(fwh_req *q);
const fw_err *fwh_do_inbox(fwh_req *q);

/* ---- the server (fwh_config.c, fwh_start.c, fwh_workers.c) ---- */

void *fwh_config_create(apr_pool_t *pool, server_rec *s);
void *fwh_config_merge(apr_pool_t *pool, void *base, void *over);
extern const command_rec fwh_directives[];
fw_settings *fwh_settings(server_rec *s);
/* The settings of the server that has FwPermit On; NULL: none. Two that differ: an error. */
const char *fwh_site(server_rec *main_server, fw_settings **out, apr_pool_t *pool);

/* Checks everything in a process that ends again; logs what is wrong. */
bool fwh_probe(fw_settings *s, apr_pool_t *pool, server_rec *server);
const fw_err *fwh_child_make(fwh_child **out, fw_settings *s, apr_pool_t *pool);
void fwh_workers_start(fw_settings *s, server_rec *server, apr_pool_t *pconf);

/* ---- log ---- */

/* One line with its stable number (docs/sysadmins/log.md), without personal data. */
#define fwh_log(level, r, number, ...) \
    ap_log_rerror(APLOG_MARK, APLOG_##level, 0, (r), "FWP" number ": " __VA_ARGS__)

#endif
