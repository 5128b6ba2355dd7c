#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_show_refund.h"
#include "fw_store_payment.h"
#include "fw_store_refund.h"

/* The cashier's pages of money that goes back. */

#define REASON_BYTES 500
#define AMOUNT_CHARS 9 /* 199,999,999 TWD is the most that one order may be */

const fw_err *fwh_do_refunds(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value model = {0};

    FW_TRY(fw_show_refunds(&s, &model));
    return fwh_page(q, "refunds", model);
}

const fw_err *fwh_do_refund(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value model = {0};

    FW_TRY(fw_show_payment_refunds(&s, q->payment, &model));
    return fwh_page(q, "refund", model);
}

static const char *page_of(fwh_req *q, fw_id payment)
{
    return apr_psprintf(q->pool, "/refunds/payments/%" APR_INT64_T_FMT, payment);
}

/* A refusal is shown where it can be mended. */
static const fw_err *answer(fwh_req *q, const fw_result *result, const char *href,
                            const char *notice)
{
    if (result->verdict != FW_REFUSED || q->json || !q->payment || result->code == FW_E_NOTFOUND ||
        result->code == FW_E_FORBIDDEN)
        return fwh_result(q, result, href, notice);
    fwh_form_errors(q, result);
    return fwh_do_refund(q);
}

/* Whole TWD, digits alone; 0: it is none. */
static int64_t amount_of(const char *text)
{
    if (!text || !*text || strlen(text) > AMOUNT_CHARS || text[strspn(text, "0123456789")])
        return 0;
    return apr_atoi64(text);
}

static bool is_long(const char *text)
{
    return text && strlen(text) > REASON_BYTES;
}

static const fw_err *too_long(fwh_req *q, const char *field)
{
    const fw_refusal refusal = {field, "refund.too_long", NULL};
    const fw_result result = {
        .verdict = FW_REFUSED, .code = FW_E_INPUT, .refusals = &refusal, .n_refusals = 1};

    return answer(q, &result, NULL, NULL);
}

const fw_err *fwh_do_refund_ask(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_REFUND_ASK, q->payment->id);
    fw_result result = {0};

    cmd.amount = amount_of(fwh_take(q, "amount"));
    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    if (is_long(cmd.reason))
        return too_long(q, "reason");
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, page_of(q, q->payment->id), "refund_asked");
}

/* By a refund's number: its payment's page is where it leads back to. */
static const fw_err *by_hand(fwh_req *q, fw_cmd_e kind, const char *notice)
{
    fw_command cmd = fwh_command(q, kind, fwh_id(q->arg[0]));
    fw_result result = {0};
    fw_refund *refund = NULL;
    fw_id payment = 0;

    cmd.reference = kind == FW_CMD_REFUND_PAY_OUT ? fwh_take(q, "reference") : NULL;
    FW_TRY(fwh_take_version(q, &cmd.version));
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fw_refund_load(q->db, cmd.target, &refund, q->pool));
    payment = refund->payment_id;
    FW_TRY(fw_payment_load(q->db, payment, &q->payment, q->pool));
    if (is_long(cmd.reference))
        return too_long(q, "reference");
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, page_of(q, payment), notice);
}

const fw_err *fwh_do_refund_again(fwh_req *q)
{
    return by_hand(q, FW_CMD_REFUND_AGAIN, "refund_asked");
}

const fw_err *fwh_do_refund_pay_out(fwh_req *q)
{
    return by_hand(q, FW_CMD_REFUND_PAY_OUT, "refund_paid_out");
}

const fw_err *fwh_do_receipt_renew(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_RECEIPT_RENEW, q->payment->id);
    fw_result result = {0};

    FW_TRY(fwh_take_version(q, &cmd.version));
    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    if (is_long(cmd.reason))
        return too_long(q, "reason");
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, "/receipts", "receipt_renewed");
}
