#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <sqlite3.h>

#include "fw_access.h"
#include "fw_lifecycle.h"
#include "fw_sha256.h"
#include "fw_store_audit.h"
#include "sim_check.h"

/* What became of one command, as another connection sees it: only what was committed. */

#define DUMPED 8 /* of a thousand commands: all tables before are compared with all tables after */

enum { Q_VERSION, Q_AUDIT, Q_AUDIT_PREV, Q_EVENTS, Q_CASE, Q_DELEGATED, Q_UNCLEAN, QS };

static const char *const texts[QS] = {
    [Q_VERSION] = "PRAGMA data_version",
    [Q_AUDIT] = "SELECT rowid, id, aggregate, seq, at, actor_id, actor, command, data, prev, hash "
                "FROM audit WHERE rowid > ? ORDER BY rowid",
    [Q_AUDIT_PREV] = "SELECT hash FROM audit WHERE aggregate = ? AND seq = ?",
    [Q_EVENTS] = "SELECT rowid, case_id, seq, at, actor_id, kind, state_from, state_to "
                 "FROM case_event WHERE rowid > ? ORDER BY rowid",
    [Q_CASE] = "SELECT version, state, worker_id, employer_id, agency_id, payment_id, permit_id, "
               "first_reviewer, second_reviewer, station, case_no, fee, submitted, due, office_us, "
               "applicant_us, deadline, service = 'card' FROM cases WHERE id = ?",
    [Q_DELEGATED] =
        "SELECT 1 FROM delegation WHERE employer_id = ? AND agency_id = ? AND revoked = 0",
    [Q_UNCLEAN] = "SELECT 1 FROM case_file WHERE case_id = ? AND current = 1 AND scan IN "
                  "('pending', 'infected')",
};

static sqlite3 *db;
static sqlite3_stmt *ready[QS];
static int64_t version, last_audit, last_event;
static const char *dump; /* of before, or NULL */

sqlite3 *check_database(void)
{
    return db;
}

void check_open(void)
{
    if (sqlite3_open_v2(sim.file, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        sim_fail("%s: %s", sim.file, sqlite3_errmsg(db));
    for (int i = 0; i < QS; i++) {
        if (sqlite3_prepare_v2(db, texts[i], -1, &ready[i], NULL) != SQLITE_OK)
            sim_fail("%s: %s", texts[i], sqlite3_errmsg(db));
    }
    version = last_audit = last_event = 0;
    dump = NULL;
}

void check_close(void)
{
    for (int i = 0; i < QS; i++)
        sqlite3_finalize(ready[i]);
    sqlite3_close(db);
}

static sqlite3_stmt *fresh(int q)
{
    sqlite3_reset(ready[q]);
    return ready[q];
}

static bool next(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        sim_fail("check: %s", sqlite3_errmsg(db));
    sqlite3_reset(st);
    return false;
}

static const char *text_at(sqlite3_stmt *st, int column)
{
    const char *v = (const char *)sqlite3_column_text(st, column);

    return v ? apr_pstrdup(sim.act, v) : NULL;
}

/* Counts the commits of other connections. */
static int64_t data_version(void)
{
    sqlite3_stmt *st = fresh(Q_VERSION);
    int64_t v = next(st) ? sqlite3_column_int64(st, 0) : 0;

    sqlite3_reset(st);
    return v;
}

void check_before(void)
{
    dump = !sim.calm && sim_chance(DUMPED) ? check_digest(sim.act) : NULL;
    version = data_version();
}

/* ---- the audit record of a command ---- */

static void read_audit(sqlite3_stmt *st, fw_audit *r)
{
    last_audit = sqlite3_column_int64(st, 0);
    *r = (fw_audit){.id = sqlite3_column_int64(st, 1),
                    .aggregate = text_at(st, 2),
                    .seq = sqlite3_column_int64(st, 3),
                    .at = sqlite3_column_int64(st, 4),
                    .actor_id = sqlite3_column_int64(st, 5),
                    .actor = text_at(st, 6),
                    .command = text_at(st, 7),
                    .data = text_at(st, 8),
                    .prev = text_at(st, 9),
                    .hash = text_at(st, 10)};
}

static const char *hash_before(const fw_audit *r)
{
    sqlite3_stmt *st = fresh(Q_AUDIT_PREV);
    const char *hash = "";

    sqlite3_bind_text(st, 1, r->aggregate, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(st, 2, r->seq - 1);
    if (next(st))
        hash = text_at(st, 0);
    else if (r->seq > 1)
        sim_fail("the chain of %s has a gap before %d", r->aggregate, (int)r->seq);
    sqlite3_reset(st);
    return hash;
}

static void judge_audit(const fw_audit *r, const fw_command *cmd)
{
    if (strcmp(r->command, fw_cmd_name(cmd->kind)) != 0 || r->actor_id != cmd->actor->account_id)
        sim_fail("the audit record tells of %s", r->command);
    if (strcmp(r->prev, hash_before(r)) != 0 || strcmp(r->hash, fw_audit_hash(r, sim.act)) != 0)
        sim_fail("the chain of %s does not verify", r->aggregate);
}

/* Exactly one for each command, at the end of its chain. Gives the last. */
static fw_audit look_at_audit(const fw_command *cmds, int n)
{
    sqlite3_stmt *st = fresh(Q_AUDIT);
    fw_audit r = {0};
    int i = 0;

    sqlite3_bind_int64(st, 1, last_audit);
    for (; next(st); i++) {
        read_audit(st, &r);
        if (i < n)
            judge_audit(&r, &cmds[i]);
    }
    if (i != n)
        sim_fail("%d audit records of %d commands", i, n);
    return r;
}

/* ---- the events of a command ---- */

/* What happens to a case and leaves it in its state. */
static bool stays(const char *kind)
{
    static const char *const kinds[] = {"file.",        "card.",         "payment.",
                                        "fine.",        "refund.",       "receipt.renew",
                                        "document.add", "permit.revoke", "case.open"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i]);

        if (strncmp(kind, kinds[i], kinds[i][n - 1] == '.' ? n : n + 1) == 0)
            return true;
    }
    return false;
}

static bool step_allowed(const char *kind, fw_state_e from, fw_state_e to)
{
    const fw_transition *t = NULL;
    fw_cmd_e cmd;

    if (fw_cmd_parse(kind, &cmd))
        t = fw_lifecycle_find(from, cmd);
    if (t && t->to == FW_TO_REVIEWER)
        return to == FW_STATE_INITIAL_REVIEW || to == FW_STATE_SECOND_REVIEW ||
               to == FW_STATE_SUBMITTED; /* sent back by the scanner before anybody had it */
    if (t)
        return t->to == to;
    if (strcmp(kind, "case.fee_asked") == 0)
        return from == FW_STATE_APPROVED && to == FW_STATE_AWAITING_PAYMENT;
    if (strcmp(kind, "case.producing") == 0)
        return (from == FW_STATE_APPROVED || from == FW_STATE_PAID || from == FW_STATE_PRODUCING) &&
               to == FW_STATE_PRODUCING;
    if (strcmp(kind, "case.held") == 0)
        return (from == FW_STATE_APPROVED || from == FW_STATE_PAID) && to == FW_STATE_HELD;
    if (strcmp(kind, "case.return") == 0) /* by the scanner's verdict */
        return fw_lifecycle_find(from, FW_CMD_FILE_JUDGE) && to == FW_STATE_RETURNED;
    return from == to && stays(kind);
}

static sim_case *known(fw_id id)
{
    sim_case *c = sim_find(id);

    if (c)
        return c;
    c = apr_pcalloc(sim.pool, sizeof(*c));
    c->id = id;
    APR_ARRAY_PUSH(sim.cases, sim_case *) = c;
    apr_hash_set(sim.by_id, &c->id, sizeof(c->id), c);
    return c;
}

/* Nobody gets a case one of whose files is not known to be clean. */
static void look_at_files(fw_id kase)
{
    sqlite3_stmt *st = fresh(Q_UNCLEAN);

    sqlite3_bind_int64(st, 1, kase);
    if (next(st))
        sim_fail("a case is assigned with a file that is not clean");
    sqlite3_reset(st);
}

static void look_at_event(sqlite3_stmt *st, const fw_audit *r, apr_array_header_t *touched)
{
    sim_case *c = known(sqlite3_column_int64(st, 1));
    const char *kind = text_at(st, 5), *from = text_at(st, 6), *to = text_at(st, 7);
    fw_state_e a, b;

    last_event = sqlite3_column_int64(st, 0);
    if (!fw_state_parse(from, &a) || !fw_state_parse(to, &b) || a != c->state ||
        !step_allowed(kind, a, b))
        sim_fail("%s leads from %s to %s, and it was %s", kind, from, to, fw_state_name(c->state));
    if (sqlite3_column_int(st, 2) != c->seq + 1)
        sim_fail("the history of a case has a gap before %d", sqlite3_column_int(st, 2));
    if (sqlite3_column_int64(st, 3) != r->at || sqlite3_column_int64(st, 4) != r->actor_id)
        sim_fail("the event %s has no audit record", kind);
    if (a == FW_STATE_SUBMITTED && b == FW_STATE_INITIAL_REVIEW)
        look_at_files(c->id);
    if (strcmp(kind, "payment.refund_due") == 0)
        sim_hit(SIM_PAID_TWICE);
    c->seq++;
    c->state = b;
    APR_ARRAY_PUSH(touched, sim_case *) = c;
}

/* ---- the cases of a command ---- */

static void take(char *to, size_t room, const char *text)
{
    apr_cpystrn(to, text ? text : "", room);
}

static sim_case read_case(sqlite3_stmt *st, const sim_case *before)
{
    sim_case c = *before;
    const char *state = text_at(st, 1);

    c.version = sqlite3_column_int(st, 0);
    if (!fw_state_parse(state, &c.state))
        sim_fail("a case is %s", state);
    c.worker_id = sqlite3_column_int64(st, 2);
    c.employer_id = sqlite3_column_int64(st, 3);
    c.agency_id = sqlite3_column_int64(st, 4);
    c.payment_id = sqlite3_column_int64(st, 5);
    c.permit_id = sqlite3_column_int64(st, 6);
    c.first_reviewer = sqlite3_column_int64(st, 7);
    c.second_reviewer = sqlite3_column_int64(st, 8);
    take(c.station, sizeof(c.station), text_at(st, 9));
    take(c.case_no, sizeof(c.case_no), text_at(st, 10));
    c.fee = sqlite3_column_int64(st, 11);
    c.submitted = sqlite3_column_int64(st, 12);
    c.due = sqlite3_column_int64(st, 13);
    c.office_us = sqlite3_column_int64(st, 14);
    c.applicant_us = sqlite3_column_int64(st, 15);
    c.deadline = sqlite3_column_int64(st, 16);
    c.is_card = sqlite3_column_int(st, 17);
    return c;
}

/* What never changes, and what only grows. */
static void compare_case(const sim_case *was, const sim_case *is)
{
    if (is->state != was->state)
        sim_fail("a case is %s, and its history ends in %s", fw_state_name(is->state),
                 fw_state_name(was->state));
    if (is->version < was->version)
        sim_fail("a version goes back from %d to %d", was->version, is->version);
    if (is->due < was->due || is->office_us < was->office_us ||
        is->applicant_us < was->applicant_us)
        sim_fail("the legal clock of %s runs backwards", is->case_no);
    if ((was->case_no[0] && strcmp(was->case_no, is->case_no) != 0) ||
        (was->submitted && was->submitted != is->submitted) || (was->fee && was->fee != is->fee))
        sim_fail("number, time of filing or fee of %s change", was->case_no);
    if (was->version && (was->worker_id != is->worker_id || was->employer_id != is->employer_id ||
                         was->agency_id != is->agency_id))
        sim_fail("a case changes hands");
}

static void reload(sim_case *c)
{
    sqlite3_stmt *st = fresh(Q_CASE);
    sim_case is;

    sqlite3_bind_int64(st, 1, c->id);
    if (!next(st))
        sim_fail("a case is gone");
    is = read_case(st, c);
    sqlite3_reset(st);
    compare_case(c, &is);
    *c = is;
}

/* ---- who may, reckoned here once more ---- */

static bool is_delegated(fw_id employer, fw_id agency)
{
    sqlite3_stmt *st = fresh(Q_DELEGATED);
    bool is;

    sqlite3_bind_int64(st, 1, employer);
    sqlite3_bind_int64(st, 2, agency);
    is = next(st);
    sqlite3_reset(st);
    return is;
}

static bool may(const fw_actor *a, const sim_case *c)
{
    if (a->roles & (FW_ROLE_SYSTEM | FW_ROLE_ADMIN | FW_ROLE_DISPATCHER))
        return true;
    if (a->org_id)
        return a->org_id == c->employer_id || ((!c->agency_id || c->agency_id == a->org_id) &&
                                               is_delegated(c->employer_id, a->org_id));
    return a->account_id == c->first_reviewer || a->account_id == c->second_reviewer ||
           (a->station && strcmp(a->station, c->station) == 0);
}

/* Money that goes back, and receipts, are every cashier's business. */
static bool is_cashiers(const fw_command *cmd)
{
    bool money = cmd->kind == FW_CMD_RECEIPT_RENEW ||
                 (cmd->kind >= FW_CMD_REFUND_ASK && cmd->kind <= FW_CMD_REFUND_PAY_OUT);

    return money && cmd->actor->roles & FW_ROLE_CASHIER;
}

static void look_at_actor(const fw_command *cmd, const sim_case *c)
{
    if (is_cashiers(cmd))
        return;
    if (!fw_access_allowed(fw_cmd_name(cmd->kind), cmd->actor->roles, FW_REL_ANY) ||
        !may(cmd->actor, c))
        sim_fail("%s may not", cmd->actor->login ? cmd->actor->login : "who is not logged in");
    if (cmd->kind == FW_CMD_CASE_CONFIRM && cmd->actor->account_id == c->first_reviewer)
        sim_fail("who reviewed first confirms");
}

/* ---- commands ---- */

static void look(const fw_command *cmds, int n)
{
    apr_array_header_t *touched = apr_array_make(sim.act, 8, sizeof(sim_case *));
    fw_audit r = look_at_audit(cmds, n);
    sqlite3_stmt *st = fresh(Q_EVENTS);

    sqlite3_bind_int64(st, 1, last_event);
    while (next(st))
        look_at_event(st, &r, touched);
    for (int i = 0; i < n; i++) {
        sim_case *target = sim_find(cmds[i].target);

        if (target)
            APR_ARRAY_PUSH(touched, sim_case *) = target;
    }
    for (int i = 0; i < touched->nelts; i++) {
        reload(APR_ARRAY_IDX(touched, i, sim_case *));
        look_at_actor(&cmds[0], APR_ARRAY_IDX(touched, i, sim_case *));
    }
}

void check_after(const fw_command *cmds, int n, bool should)
{
    bool did = data_version() != version;

    sim.checks++;
    if (fw_db_in_transaction(sim.db))
        sim_fail("a transaction is left open");
    if (should != did)
        sim_fail("%s", should ? "nothing was written" : "something was written by what failed");
    if (!did && dump && strcmp(dump, check_digest(sim.act)) != 0)
        sim_fail("the tables are not as before");
    if (did)
        look(cmds, n);
}

/* ---- all tables ---- */

/* Those that the crowd changes: not the ones written by the machine's clock. */
static const char *const tables[] = {
    "org",     "delegation",   "account",  "worker",     "cases",      "case_file", "case_event",
    "payment", "payment_case", "refund",   "settlement", "permit",     "document",  "outbox",
    "inbox",   "idem",         "counter",  "audit",      "link_pause", "fine",      "penalty",
    "record",  "question",     "card_job", "card_stock"};

static void take_rows(EVP_MD_CTX *ctx, const char *table, apr_pool_t *pool)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(db, apr_pstrcat(pool, "SELECT * FROM ", table, " ORDER BY rowid", NULL),
                           -1, &st, NULL) != SQLITE_OK)
        sim_fail("%s: %s", table, sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(st); i++) {
            const void *text = sqlite3_column_text(st, i);

            EVP_DigestUpdate(ctx, text ? text : "\1",
                             text ? (size_t)sqlite3_column_bytes(st, i) : 1);
            EVP_DigestUpdate(ctx, "", 1);
        }
    }
    sqlite3_finalize(st);
}

const char *check_digest(apr_pool_t *pool)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const char *hex;

    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        take_rows(ctx, tables[i], pool);
    hex = fw_sha256_end(ctx, pool);
    EVP_MD_CTX_free(ctx);
    return hex;
}
