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
    X(PAYMENT_BEGIN, "payment.begin")         \
    X(PAYMENT_BEGUN, "payment.begun")         \
    X(PAYMENT_CODE, "payment.code")           \
    X(PAYMENT_SETTLE, "payment.settle")       \
    X(PAYMENT_FAIL, "payment.fail")           \
    X(PAYMENT_EXPIRE, "payment.expire")       \
    X(PAYMENT_CHECK, "payment.check")         \
    X(PERMIT_ISSUE, "permit.issue")           \
    X(PERMIT_REVOKE, "permit.revoke")         \
    X(DOCUMENT_ADD, "document.add")           \
    X(WORKER_REGISTER, "worker.register")     \
    X(WORKER_UPDATE, "worker.update")         \
    X(ORG_CREATE, "org.create")               \
    X(ACCOUNT_CREATE, "account.create")       \
    X(ACCOUNT_UPDATE, "account.update")       \
    X(ACCOUNT_PASSWORD, "account.password")   \
    X(ACCOUNT_UNLOCK, "account.unlock")       \
    X(DELEGATION_GRANT, "delegation.grant")   \
    X(DELEGATION_REVOKE, "delegation.revoke") \
    X(OUTBOX_REPLAY, "outbox.replay")

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
    fw_id target;           /* the case, payment, permit, worker, account or outbox row */
    int version;            /* that the actor saw: another one is a conflict; 0: not asked */
    const char *request_id; /* idempotency key, or NULL */
    const char *body_hash;  /* of what came with that key: hex SHA-256 */

    const char *service; /* case.open */
    fw_id worker_id;     /* case.open */
    fw_id employer_id;   /* case.open, worker.register, delegations */
    fw_id officer_id;    /* case.assign */
    const char *fields;  /* JSON object, name to text: case.save, case.correct, worker.* */
    const char *marks;   /* JSON array of {item, reason}: case.return */
    bool abroad;         /* case.return: papers from abroad, the longer deadline */
    const char *reason;  /* reject, send_back, revoke, payment.fail */
    const fw_file *file; /* case.attach (id 0); case.detach: slot and id */
    const fw_id *cases;  /* payment.begin */
    int n_cases;
    const char *method;          /* payment.begin */
    const char *redirect;        /* payment.begun: JSON */
    const char *code;            /* payment.code: JSON */
    const char *gateway_no;      /* payment.* */
    int64_t amount;              /* payment.settle: what the gateway says it took */
    apr_time_t at;               /* when it happened out there: paid, code's expiry */
    const fw_document *document; /* document.add, permit.issue */
    const fw_permit *permit;     /* permit.issue: what the document says */
    const fw_org *org;           /* org.create */
    const fw_account *account;   /* account.create, account.update, account.password */
} fw_command;

#endif
