#include "fw_config.h"
#include "fw_access.h"

#include <string.h>

#include <apr_strings.h>

#define OWN       FW_REL_OWN
#define DELEGATED FW_REL_DELEGATED
#define ASSIGNED  FW_REL_ASSIGNED
#define STATION   (FW_REL_STATION | FW_REL_ASSIGNED)
#define ANY       FW_REL_ANY

#define EMPLOYER   FW_ROLE_EMPLOYER
#define AGENT      FW_ROLE_AGENT
#define INITIAL    FW_ROLE_INITIAL
#define SECOND     FW_ROLE_SECOND
#define DISPATCHER FW_ROLE_DISPATCHER
#define CASHIER    FW_ROLE_CASHIER
#define ADMIN      FW_ROLE_ADMIN
#define AUDITOR    FW_ROLE_AUDITOR
#define SYSTEM     FW_ROLE_SYSTEM
#define EVERYBODY  (FW_ROLE_ANYONE | FW_ROLES_APPLICANT | FW_ROLES_OFFICER)
#define LOGGED_IN  (FW_ROLES_APPLICANT | FW_ROLES_OFFICER)

/* An applicant's thing: the employer's own, or through an agency that it delegated to. */
#define APPLICANTS(what)       \
    {what, EMPLOYER, OWN},     \
    {                          \
        what, AGENT, DELEGATED \
    }

static const fw_access table[] = {
    APPLICANTS("worker.register"),
    APPLICANTS("worker.update"),
    APPLICANTS("case.open"),
    APPLICANTS("case.save"),
    APPLICANTS("case.attach"),
    APPLICANTS("case.detach"),
    {"file.judge", SYSTEM, ANY},
    APPLICANTS("case.submit"),
    APPLICANTS("case.withdraw"),
    APPLICANTS("payment.begin"),
    {"case.assign", DISPATCHER, ANY},
    {"case.assign", SYSTEM, ANY},
    {"case.correct", INITIAL, ASSIGNED},
    {"case.correct", SECOND, STATION},
    {"case.return", INITIAL, ASSIGNED},
    {"case.return", SECOND, STATION},
    {"case.approve", INITIAL, ASSIGNED},
    {"case.confirm", SECOND, STATION},
    {"case.send_back", SECOND, STATION},
    {"case.reject", INITIAL, ASSIGNED},
    {"case.reject", SECOND, STATION},
    {"case.expire", SYSTEM, ANY},
    {"payment.begun", SYSTEM, ANY},
    {"payment.code", SYSTEM, ANY},
    {"payment.settle", SYSTEM, ANY},
    {"payment.fail", SYSTEM, ANY},
    {"payment.expire", SYSTEM, ANY},
    {"payment.check", SYSTEM, ANY},
    {"receipt.renew", CASHIER, ANY},
    {"refund.ask", CASHIER, ANY},
    {"refund.again", CASHIER, ANY},
    {"refund.pay_out", CASHIER, ANY},
    {"refund.sent", SYSTEM, ANY},
    {"refund.back", SYSTEM, ANY},
    {"refund.done", SYSTEM, ANY},
    {"refund.fail", SYSTEM, ANY},
    {"settlement.ask", CASHIER | SYSTEM, ANY},
    {"settlement.close", SYSTEM, ANY},
    {"settlement.fail", SYSTEM, ANY},
    {"permit.issue", SYSTEM, ANY},
    {"permit.tell", SYSTEM, ANY},
    {"card.order", SYSTEM, ANY},
    {"card.step", SYSTEM, ANY},
    {"card.arrive", SYSTEM, ANY},
    {"card.check", SYSTEM, ANY},
    {"card.stock", SYSTEM, ANY},
    {"card.again", ADMIN, ANY},
    {"card.cancel", ADMIN, ANY},
    {"card.cancelled", SYSTEM, ANY},
    {"card.late", SYSTEM, ANY},
    {"card.lost", INITIAL | SECOND, STATION},
    {"card.lost", DISPATCHER, ANY},
    {"card.collect", INITIAL | SECOND, STATION},
    {"worker.remind", SYSTEM, ANY},
    {"movement.take", SYSTEM, ANY},
    {"movement.link", DISPATCHER, ANY},
    {"letter.take", SYSTEM, ANY},
    APPLICANTS("letter.ask"),
    {"letter.ask", INITIAL | SECOND, STATION},
    {"letter.answer", SYSTEM, ANY},
    {"fine.take", SYSTEM, ANY},
    {"fine.ask", INITIAL | SECOND, STATION},
    {"fine.ask", ADMIN | SYSTEM, ANY},
    {"permit.revoke", ADMIN, ANY},
    {"document.add", SYSTEM, ANY},
    {"org.create", ADMIN | SYSTEM, ANY},
    {"account.create", ADMIN | SYSTEM, ANY},
    {"account.update", ADMIN | SYSTEM, ANY},
    {"account.password", LOGGED_IN, OWN},
    {"account.password", ADMIN | SYSTEM, ANY},
    {"account.unlock", ADMIN | SYSTEM, ANY},
    {"delegation.grant", EMPLOYER, OWN},
    {"delegation.grant", ADMIN | SYSTEM, ANY},
    {"delegation.revoke", EMPLOYER, OWN},
    {"delegation.revoke", ADMIN | SYSTEM, ANY},
    {"outbox.replay", ADMIN | SYSTEM, ANY},
    {"outbox.mend", ADMIN | SYSTEM, ANY},
    {"outbox.drop", ADMIN | SYSTEM, ANY},
    {"inbox.replay", ADMIN | SYSTEM, ANY},
    {"plugin.pause", ADMIN | SYSTEM, ANY},
    {"plugin.resume", ADMIN | SYSTEM, ANY},

    {"page.public", EVERYBODY, ANY},
    {"page.inbox", FW_ROLE_ANYONE, ANY},
    {"page.metrics", EVERYBODY, ANY}, /* httpd says which addresses may */
    {"page.home", LOGGED_IN, ANY},
    {"page.account", LOGGED_IN, OWN},
    {"page.workers", FW_ROLES_APPLICANT, ANY},
    APPLICANTS("page.worker"),
    {"page.cases", FW_ROLES_APPLICANT, ANY},
    APPLICANTS("page.case"),
    APPLICANTS("page.case_edit"),
    APPLICANTS("page.case_file"),
    APPLICANTS("page.document"),
    {"page.pay", FW_ROLES_APPLICANT, ANY},
    APPLICANTS("page.payment"),
    {"page.desk", INITIAL | SECOND, ANY},
    {"page.review", INITIAL, STATION},
    {"page.review", SECOND, STATION},
    {"page.review", AUDITOR | ADMIN, ANY},
    {"page.review_file", INITIAL | SECOND, STATION},
    {"page.review_letter", INITIAL | SECOND, STATION},
    {"page.review_document", INITIAL | SECOND, STATION},
    {"page.review_document", CASHIER, ANY},
    {"page.handout", INITIAL | SECOND, ANY},
    {"page.handout_case", INITIAL | SECOND, STATION},
    {"page.cards", INITIAL | SECOND | DISPATCHER, ANY},
    {"page.card", INITIAL | SECOND, STATION},
    {"page.card", DISPATCHER, ANY},
    {"page.dispatch", DISPATCHER, ANY},
    {"page.arrivals", DISPATCHER, ANY},
    {"page.search", FW_ROLES_OFFICER, ANY},
    {"page.receipts", CASHIER, ANY},
    {"page.refunds", CASHIER, ANY},
    {"page.settlements", CASHIER, ANY},
    {"page.admin", ADMIN, ANY},
    {"page.audit", AUDITOR, ANY},
};
#define ROWS (sizeof(table) / sizeof(table[0]))

bool fw_access_allowed(const char *what, unsigned roles, unsigned relations)
{
    for (size_t i = 0; i < ROWS; i++) {
        if ((table[i].roles & roles) && (table[i].relations & relations) &&
            strcmp(table[i].what, what) == 0)
            return true;
    }
    return false;
}

bool fw_access_known(const char *what)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(table[i].what, what) == 0)
            return true;
    }
    return false;
}

const fw_access *fw_access_table(size_t *n)
{
    *n = ROWS;
    return table;
}

static const char *relations_text(unsigned relations, apr_pool_t *pool)
{
    static const char *const names[] = {"own", "delegated", "assigned", "station"};
    const char *text = "";

    if (relations == ANY)
        return "";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (relations & (1u << i))
            text = apr_pstrcat(pool, text, *text ? " or " : "", names[i], NULL);
    }
    return apr_pstrcat(pool, " (", text, ")", NULL);
}

const char *fw_access_who(const char *what, apr_pool_t *pool)
{
    const char *text = "";

    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(table[i].what, what) == 0)
            text = apr_pstrcat(pool, text, *text ? ", " : "", fw_roles_text(table[i].roles, pool),
                               relations_text(table[i].relations, pool), NULL);
    }
    return text;
}

bool fw_access_file(const fw_actor *actor, const fw_file *file)
{
    if (file->scan == FW_SCAN_PENDING)
        return actor->org_id && actor->org_id == file->by_org;
    return file->scan != FW_SCAN_INFECTED;
}

bool fw_access_delegated(const fw_actor *actor, fw_id employer_id)
{
    for (int i = 0; i < actor->n_employers; i++) {
        if (actor->employers[i] == employer_id)
            return true;
    }
    return false;
}

unsigned fw_access_relations(const fw_actor *actor, fw_id employer_id, fw_id agency_id,
                             const char *station, fw_id first_reviewer, fw_id second_reviewer)
{
    unsigned rel = 0;

    if (employer_id && actor->org_id == employer_id)
        rel |= FW_REL_OWN;
    /* A case that an agency filed stays its business only while the employer's delegation stands; a
     * case of another agency for the same employer is not its business. */
    if (employer_id && fw_access_delegated(actor, employer_id) &&
        (!agency_id || agency_id == actor->org_id))
        rel |= FW_REL_DELEGATED;
    if (actor->account_id &&
        (actor->account_id == first_reviewer || actor->account_id == second_reviewer))
        rel |= FW_REL_ASSIGNED;
    if (actor->station && station && strcmp(actor->station, station) == 0)
        rel |= FW_REL_STATION;
    return rel ? rel : FW_REL_OTHER;
}
