#include "fw_config.h"
#include "fwh.h"

/* Every address of the platform. docs/integrators/pages.md tells what each shows and takes. */

#define GET(path, access, load, flags, run)                  \
    {                                                        \
        M_GET, path, access, load, flags, fwh_do_##run, NULL \
    }
#define POST(path, access, load, flags, run)                  \
    {                                                         \
        M_POST, path, access, load, flags, fwh_do_##run, NULL \
    }

static const fwh_route routes[] = {
    GET("/", "page.public", FWH_NONE, FWH_OPEN, start),
    GET("/login", "page.public", FWH_NONE, FWH_OPEN, login),
    POST("/login", "page.public", FWH_NONE, FWH_OPEN, login_post),
    POST("/logout", "page.home", FWH_NONE, FWH_CHANGE, logout),
    GET("/session", "page.public", FWH_NONE, FWH_OPEN, session),
    GET("/language/*", "page.public", FWH_NONE, FWH_OPEN, language),
    GET("/verify", "page.public", FWH_NONE, FWH_OPEN, verify),
    GET("/verify/*/*", "page.public", FWH_NONE, FWH_OPEN, verify),
    GET("/api/openapi.json", "page.public", FWH_NONE, FWH_OPEN, openapi),
    GET("/metrics", "page.metrics", FWH_NONE, FWH_OPEN, metrics),
    POST("/inbox/*/*", "page.inbox", FWH_NONE, FWH_OPEN | FWH_RAW, inbox),

    GET("/workers", "page.workers", FWH_NONE, FWH_READS, workers),
    GET("/workers/new", "page.workers", FWH_NONE, 0, worker_new),
    POST("/workers", "worker.register", FWH_NONE, FWH_RESUME, worker_register),
    GET("/workers/#", "page.worker", FWH_WORKER, FWH_READS, worker),
    POST("/workers/#", "worker.update", FWH_WORKER, FWH_RESUME, worker_update),
    POST("/workers/#/letter", "letter.ask", FWH_WORKER, FWH_RESUME, worker_letter),
    POST("/mrz", "page.workers", FWH_NONE, 0, mrz),

    GET("/cases", "page.cases", FWH_NONE, FWH_READS, cases),
    POST("/cases", "case.open", FWH_NONE, 0, case_open),
    GET("/cases/#", "page.case", FWH_CASE, FWH_READS, case_page),
    GET("/cases/#/edit", "page.case_edit", FWH_CASE, FWH_READS, case_edit),
    POST("/cases/#/edit", "case.save", FWH_CASE, FWH_RESUME, case_save),
    GET("/cases/#/letter", "page.case_edit", FWH_CASE, 0, case_letter),
    POST("/cases/#/letter", "page.case_edit", FWH_CASE, 0, case_letter_ask),
    GET("/cases/#/check", "page.case_edit", FWH_CASE, FWH_READS, case_check),
    POST("/cases/#/submit", "case.submit", FWH_CASE, FWH_RESUME, case_submit),
    POST("/cases/#/withdraw", "case.withdraw", FWH_CASE, 0, case_withdraw),
    POST("/cases/#/files/*", "case.attach", FWH_CASE, FWH_RAW, file_upload),
    POST("/cases/#/files/#/remove", "case.detach", FWH_CASE, 0, file_remove),
    GET("/cases/#/files/#", "page.case_file", FWH_CASE, FWH_READS, file),
    GET("/cases/#/documents/#", "page.document", FWH_CASE, FWH_READS, document),

    {M_GET, "/pay", "page.pay", FWH_NONE, FWH_READS, fwh_do_pay, ",case,"},
    {M_POST, "/payments", "payment.begin", FWH_NONE, FWH_RESUME, fwh_do_payment_begin, ",case,"},
    GET("/payments/#", "page.payment", FWH_PAYMENT, FWH_READS, payment),

    GET("/account", "page.account", FWH_SELF, FWH_CHANGE, account),
    POST("/account/password", "account.password", FWH_SELF, FWH_CHANGE, account_password),
    POST("/account/delegations", "delegation.grant", FWH_NONE, 0, delegation_grant),
    POST("/account/delegations/#/revoke", "delegation.revoke", FWH_NONE, 0, delegation_revoke),

    GET("/desk", "page.desk", FWH_NONE, FWH_READS, desk),
    GET("/review/#", "page.review", FWH_CASE, FWH_READS, review),
    POST("/review/#/correct", "case.correct", FWH_CASE, FWH_RESUME, review_correct),
    {M_POST, "/review/#/return", "case.return", FWH_CASE, FWH_RESUME, fwh_do_review_return, NULL},
    POST("/review/#/approve", "case.approve", FWH_CASE, 0, review_approve),
    POST("/review/#/confirm", "case.confirm", FWH_CASE, 0, review_confirm),
    POST("/review/#/send-back", "case.send_back", FWH_CASE, FWH_RESUME, review_send_back),
    POST("/review/#/reject", "case.reject", FWH_CASE, FWH_RESUME, review_reject),
    POST("/review/#/ask-fines", "fine.ask", FWH_CASE, 0, review_ask_fines),
    POST("/review/#/letter", "page.review_letter", FWH_CASE, 0, review_letter),
    GET("/review/#/files/#", "page.review_file", FWH_CASE, FWH_READS, file),
    GET("/review/#/files/#/view/#", "page.review_file", FWH_CASE, FWH_READS, review_view),
    GET("/review/#/documents/#", "page.review_document", FWH_CASE, FWH_READS, document),

    POST("/review/#/card-again", "card.again", FWH_CASE, 0, card_again),
    POST("/review/#/card-cancel", "card.cancel", FWH_CASE, FWH_RESUME, card_cancel),

    GET("/handout", "page.handout", FWH_NONE, FWH_READS, handout),
    GET("/handout/#", "page.handout_case", FWH_CASE, FWH_READS, handout_case),
    POST("/handout/#", "card.collect", FWH_CASE, FWH_RESUME, handout_collect),

    GET("/cards", "page.cards", FWH_NONE, FWH_READS, cards),
    GET("/cards/#", "page.card", FWH_CASE, FWH_READS, card),
    POST("/cards/#/lost", "card.lost", FWH_CASE, FWH_RESUME, card_lost),

    GET("/dispatch", "page.dispatch", FWH_NONE, FWH_READS, dispatch),
    POST("/dispatch/#/assign", "case.assign", FWH_CASE, 0, dispatch_assign),
    GET("/arrivals", "page.arrivals", FWH_NONE, FWH_READS, arrivals),
    POST("/arrivals/#/link", "movement.link", FWH_NONE, 0, arrival_link),
    GET("/search", "page.search", FWH_NONE, FWH_READS, search),
    POST("/search", "page.search", FWH_NONE, FWH_READS, search),
    GET("/receipts", "page.receipts", FWH_NONE, FWH_READS, receipts),
    POST("/receipts/payments/#/renew", "receipt.renew", FWH_PAYMENT, FWH_RESUME, receipt_renew),
    GET("/refunds", "page.refunds", FWH_NONE, FWH_READS, refunds),
    GET("/refunds/payments/#", "page.refunds", FWH_PAYMENT, FWH_READS, refund),
    POST("/refunds/payments/#", "refund.ask", FWH_PAYMENT, FWH_RESUME, refund_ask),
    POST("/refunds/#/again", "refund.again", FWH_NONE, 0, refund_again),
    POST("/refunds/#/pay-out", "refund.pay_out", FWH_NONE, 0, refund_pay_out),
    GET("/settlements", "page.settlements", FWH_NONE, FWH_READS, settlements),
    GET("/settlements/*", "page.settlements", FWH_NONE, FWH_READS, settlement),
    POST("/settlements", "settlement.ask", FWH_NONE, FWH_RESUME, settlement_ask),
    GET("/audit", "page.audit", FWH_NONE, FWH_READS, audit),

    GET("/admin", "page.admin", FWH_NONE, FWH_READS, admin),
    {M_POST, "/admin/accounts", "account.create", FWH_NONE, 0, fwh_do_admin_account_create,
     ",role,"},
    GET("/admin/accounts/#", "page.admin", FWH_ACCOUNT, FWH_READS, admin_account),
    {M_POST, "/admin/accounts/#", "account.update", FWH_ACCOUNT, 0, fwh_do_admin_account_update,
     ",role,"},
    POST("/admin/accounts/#/password", "account.update", FWH_ACCOUNT, 0, admin_account_password),
    POST("/admin/orgs", "org.create", FWH_NONE, 0, admin_org),
    POST("/admin/delegations", "page.admin", FWH_NONE, 0, admin_delegation),
    GET("/admin/system", "page.admin", FWH_NONE, 0, system),
    POST("/admin/plugins/*/pause", "plugin.pause", FWH_NONE, 0, plugin_pause),
    POST("/admin/plugins/*/resume", "plugin.resume", FWH_NONE, 0, plugin_resume),
    GET("/admin/deadletters/#", "page.admin", FWH_NONE, FWH_READS, letter),
    POST("/admin/deadletters/#/mend", "outbox.mend", FWH_NONE, 0, letter_mend),
    POST("/admin/deadletters/#/replay", "outbox.replay", FWH_NONE, 0, letter_replay),
    POST("/admin/deadletters/#/drop", "outbox.drop", FWH_NONE, 0, letter_drop),
    POST("/admin/messages/#/replay", "inbox.replay", FWH_NONE, 0, message_replay),
    POST("/admin/permits/*/revoke", "permit.revoke", FWH_NONE, 0, admin_revoke),
};

const fwh_route *fwh_routes(size_t *n)
{
    *n = sizeof(routes) / sizeof(routes[0]);
    return routes;
}
