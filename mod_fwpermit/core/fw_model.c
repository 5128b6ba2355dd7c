#include "fw_config.h"
#include "fw_model.h"

#include <string.h>

#include <apr_strings.h>

static const char *const state_names[FW_STATES] = {"draft",
                                                   "submitted",
                                                   "initial_review",
                                                   "second_review",
                                                   "approved",
                                                   "awaiting_payment",
                                                   "paid",
                                                   "producing",
                                                   "issued",
                                                   "collected",
                                                   "returned",
                                                   "rejected",
                                                   "withdrawal_asked",
                                                   "withdrawn",
                                                   "expired",
                                                   "held"};

static const char *const pay_state_names[FW_PAY_STATES] = {"wanted", "begun",  "code",
                                                           "paid",   "failed", "expired"};
static const char *const refund_state_names[FW_REFUND_STATES] = {"due", "asked", "unknown",
                                                                 "manual", "done"};

static const char *const scan_names[FW_SCANS] = {"none", "pending", "clean", "infected"};

static const char *const role_names[] = {"employer", "agent", "initial", "second", "dispatcher",
                                         "cashier",  "admin", "auditor", "system", "anyone"};
#define ROLES (sizeof(role_names) / sizeof(role_names[0]))

static bool find_name(const char *const *names, size_t n, const char *name, size_t len, size_t *out)
{
    for (size_t i = 0; i < n; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *fw_state_name(fw_state_e state)
{
    return (unsigned)state < FW_STATES ? state_names[state] : "?";
}

bool fw_state_parse(const char *name, fw_state_e *out)
{
    size_t i;

    if (!name || !find_name(state_names, FW_STATES, name, strlen(name), &i))
        return false;
    *out = (fw_state_e)i;
    return true;
}

const char *fw_pay_state_name(fw_pay_state_e state)
{
    return (unsigned)state < FW_PAY_STATES ? pay_state_names[state] : "?";
}

bool fw_pay_state_parse(const char *name, fw_pay_state_e *out)
{
    size_t i;

    if (!name || !find_name(pay_state_names, FW_PAY_STATES, name, strlen(name), &i))
        return false;
    *out = (fw_pay_state_e)i;
    return true;
}

const char *fw_scan_name(fw_scan_e scan)
{
    return (unsigned)scan < FW_SCANS ? scan_names[scan] : "?";
}

bool fw_scan_parse(const char *name, fw_scan_e *out)
{
    size_t i;

    if (!name || !find_name(scan_names, FW_SCANS, name, strlen(name), &i))
        return false;
    *out = (fw_scan_e)i;
    return true;
}

const char *fw_refund_state_name(fw_refund_state_e state)
{
    return (unsigned)state < FW_REFUND_STATES ? refund_state_names[state] : "?";
}

bool fw_refund_state_parse(const char *name, fw_refund_state_e *out)
{
    size_t i;

    if (!name || !find_name(refund_state_names, FW_REFUND_STATES, name, strlen(name), &i))
        return false;
    *out = (fw_refund_state_e)i;
    return true;
}

const char *fw_role_name(fw_role_e role)
{
    for (size_t i = 0; i < ROLES; i++) {
        if ((unsigned)role == 1u << i)
            return role_names[i];
    }
    return "?";
}

bool fw_roles_parse(const char *text, unsigned *out)
{
    *out = 0;
    while (text && *text) {
        size_t len = strcspn(text, ",");
        size_t i;

        if (!find_name(role_names, ROLES, text, len, &i))
            return false;
        *out |= 1u << i;
        text += len + (text[len] == ',');
    }
    return true;
}

const char *fw_roles_text(unsigned roles, apr_pool_t *pool)
{
    const char *text = "";

    for (size_t i = 0; i < ROLES; i++) {
        if (roles & (1u << i))
            text = apr_pstrcat(pool, text, *text ? "," : "", role_names[i], NULL);
    }
    return text;
}
