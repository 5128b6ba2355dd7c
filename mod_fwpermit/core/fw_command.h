#ifndef FW_COMMAND_H
#define FW_COMMAND_H

#include "fw_config.h"
#include "fw_model.h"

/* Everything that changes a thing that matters is one of these. The names are those of the
 * permissions table, the audit trail and the API. */
#define FW_COMMANDS(X)                        \
    X(CASE_OPEN, "case.open")                 \
    X(CASE_SAVE, "case.save")                 \
    X(CASE_ATTACH, "case.attach")             \
    X(CASE_DETACH, "case.detach")             \
    X(CASE_SUBMIT, "case.submit")             \
    X(CASE_ASSIGN, "case.assign")             \
    X(CASE_CORRECT, "case.correct")           \
    X(CASE_RETURN, "case.return")             \
    X(CASE_APPROVE, "case.approve")           \
    X(CASE_CONFIRM, "case.confirm")           \
    X(CASE_SEND_BACK, "case.send_back")       \
    X(CASE_REJECT, "case.reject")             \
    X(CASE_WITHDRAW, "case.withdraw")         \
    X(CASE_EXPIRE, "case.expire")             \
    X(FILE_JUDGE, "file.judge")               \
    X(PAYMENT_BEGIN, "payment.begin")         \
    X(PAYMENT_BEGUN, "payment.begun")         \
    X(PAYMENT_CODE, "payment.code")           \
    X(PAYMENT_SETTLE, "payment.settle")       \
    X(PAYMENT_FAIL, "payment.fail")           \
    X(PAYMENT_EXPIRE, "payment.expire")       \
    X(PAYMENT_CHECK, "payment.check")         \
    X(RECEIPT_RENEW, "receipt.renew")         \
    X(REFUND_ASK, "refund.ask")               \
    X(REFUND_AGAIN, "refund.again")           \
    X(REFUND_SENT, "refund.sent")             \
    X(REFUND_BACK, "refund.back")             \
    X(REFUND_DONE, "refund.done")             \
    X(REFUND_FAIL, "refund.fail")             \
    X(REFUND_PAY_OUT, "refund.pay_out")       \
    X(SETTLEMENT_ASK, "settlement.ask")       \
    X(SETTLEMENT_CLOSE, "settlement.close")   \
    X(SETTLEMENT_FAIL, "settlement.fail")     \
    X(PERMIT_ISSUE, "permit.issue")           \
    X(PERMIT_REVOKE, "permit.revoke")         \
    X(PERMIT_TELL, "permit.tell")             \
    X(CARD_ORDER, "card.order")               \
    X(CARD_STEP, "card.step")                 \
    X(CARD_ARRIVE, "card.arrive")             \
    X(CARD_COLLECT, "card.collect")           \
    X(CARD_CHECK, "card.check")               \
    X(CARD_CANCEL, "card.cancel")             \
    X(CARD_CANCELLED, "card.cancelled")       \
    X(CARD_LATE, "card.late")                 \
    X(CARD_LOST, "card.lost")                 \
    X(CARD_AGAIN, "card.again")               \
    X(CARD_STOCK, "card.stock")               \
    X(DOCUMENT_ADD, "document.add")           \
    X(WORKER_REGISTER, "worker.register")     \
    X(WORKER_UPDATE, "worker.update")         \
    X(WORKER_REMIND, "worker.remind")         \
    X(MOVEMENT_TAKE, "movement.take")         \
    X(MOVEMENT_LINK, "movement.link")         \
    X(LETTER_TAKE, "letter.take")             \
    X(LETTER_ASK, "letter.ask")               \
    X(LETTER_ANSWER, "letter.answer")         \
    X(FINE_TAKE, "fine.take")                 \
    X(FINE_ASK, "fine.ask")                   \
    X(ORG_CREATE, "org.create")               \
    X(ACCOUNT_CREATE, "account.create")       \
    X(ACCOUNT_UPDATE, "account.update")       \
    X(ACCOUNT_PASSWORD, "account.password")   \
    X(ACCOUNT_UNLOCK, "account.unlock")       \
    X(DELEGATION_GRANT, "delegation.grant")   \
    X(DELEGATION_REVOKE, "delegation.revoke") \
    X(OUTBOX_REPLAY, "outbox.replay")         \
    X(OUTBOX_MEND, "outbox.mend")             \
    X(OUTBOX_DROP, "outbox.drop")             \
    X(INBOX_REPLAY, "inbox.replay")           \
    X(PLUGIN_PAUSE, "plugin.pause")           \
    X(PLUGIN_RESUME, "plugin.resume")

typedef enum fw_cmd_e {
#define X(id, name) FW_CMD_##id,
    FW_COMMANDS(X)
#undef X
        FW_CMDS
} fw_cmd_e;

const char *fw_cmd_name(fw_cmd_e cmd);
bool fw_cmd_parse(const char *name, fw_cmd_e *out);

/* A command as a door hands it in. What a kind does not use stays zero. Strings need to live as
 * long as the command; nothing here is owned. */
typedef struct fw_command {
    fw_cmd_e kind;
    const fw_actor *actor;
    fw_id
        target; /* the case, payment, refund, permit, job, worker, record, question, account, outbox or inbox row */
    int version;            /* that the actor saw: another one is a conflict; 0: not asked */
    const char *request_id; /* idempotency key, or NULL */
    const char *body_hash;  /* of what came with that key: hex SHA-256 */

    const char *plugin;  /* plugin.pause, plugin.resume */
    const char *service; /* case.open */
    fw_id worker_id;     /* case.open, movement.link; letter.ask, where it is for no case */
    fw_id employer_id;   /* case.open, worker.register, delegations */
    fw_id officer_id;    /* case.assign */
    const char
        *fields; /* JSON object, name to text: case.save, case.correct, worker.*, outbox.mend */
    const char *marks; /* JSON array of {item, reason}: case.return */
    bool abroad;       /* case.return: papers from abroad, the longer deadline */
    const char *
        reason; /* reject, send_back, revoke, payment.fail, refund.ask, refund.fail, outbox.drop, plugin.* */
    const fw_file
        *file; /* case.attach (id 0); case.detach: slot and id; file.judge: id and verdict */
    const char *found;  /* file.judge: what an infected file has, as the scanner calls it */
    const char *engine; /* file.judge: scanner and signatures, or NULL */
    const fw_id *cases; /* payment.begin */
    int n_cases;
    const char *method;     /* payment.begin */
    const char *redirect;   /* payment.begun: JSON */
    const char *code;       /* payment.code: JSON; card.collect: as it was typed */
    const char *gateway_no; /* payment.*, refund.done */
    const char *reference;  /* refund.pay_out: of the transfer, the cheque */
    int64_t amount; /* payment.settle: what the gateway says it took; refund.ask: what goes back;
                     * refund.sent: what the gateway paid back before, or FW_REFUND_UNTOLD */
    apr_time_t at;  /* when it happened out there: paid, code's expiry */
    const fw_document *document; /* document.add, permit.issue */
    const fw_permit
        *permit;       /* permit.issue, card.order: what the document says; card.arrive: its code */
    const fw_job *job; /* card.step, card.arrive, card.cancelled: what the bureau says of its job */
    const fw_shelf *shelf;    /* card.stock */
    const fw_record *record;  /* movement.take, letter.take: what was told */
    const char *direction;    /* movement.take: "arrival" or "departure" */
    const char *employer_ban; /* letter.take: whose letter it is, or NULL */
    const char *letter_no;    /* letter.ask: as typed; NULL: the one in the case's form */
    bool is_given_up;         /* letter.answer: the agency could not be asked */
    const fw_fine *fines;     /* fine.take: of the target, or none: it was asked and has none */
    int n_fines;
    const char *day;                 /* settlement.*: YYYY-MM-DD in Taipei */
    const fw_settlement *settlement; /* settlement.close: what the comparison found */
    const fw_org *org;               /* org.create */
    const fw_account *account;       /* account.create, account.update, account.password */
} fw_command;

#endif
