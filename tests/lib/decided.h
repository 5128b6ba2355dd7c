#ifndef DECIDED_H
#define DECIDED_H

#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <check.h>

#include "fw_decide.h"

/* One case before decide(), over a virtual clock: setup() and teardown() are the checked fixture of its TCase. */

#define HOUR (apr_time_from_sec(3600))
#define NOW  (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */

static apr_pool_t *pool;
static fw_case kase;
static fw_view view;
static fw_payment payment, prior;
static fw_payment *priors[1];
static fw_case *cases[1];
static fw_permit permit;
static fw_ids ids;
static fw_outcome out;
static fw_terms terms;
static const fw_officer officers[] = {
    {11, "A", "TYC", 3}, {12, "B", "TYC", 1}, {13, "C", "TYC", 1}};
static const fw_actor agent = {
    .account_id = 1, .org_id = 5, .roles = FW_ROLE_AGENT, .name = "agent"};
static const fw_actor first = {.account_id = 12, .roles = FW_ROLE_INITIAL | FW_ROLE_SECOND};
static const fw_actor second = {.account_id = 13, .roles = FW_ROLE_SECOND};
static const fw_actor machine = {.roles = FW_ROLE_SYSTEM, .name = "system"};

static inline void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    memset(&kase, 0, sizeof(kase));
    memset(&view, 0, sizeof(view));
    memset(&payment, 0, sizeof(payment));
    memset(&prior, 0, sizeof(prior));
    memset(&ids, 0, sizeof(ids));
    memcpy(ids.order, "ORDER000000000000001", 21);
    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    kase.id = 7;
    kase.version = 4;
    kase.state = FW_STATE_DRAFT;
    kase.data = "{}";
    view.kase = &kase;
    cases[0] = &kase;
    view.cases = cases;
    view.n_cases = 1;
    view.payment = &payment;
    priors[0] = NULL;
    view.priors = priors;
    view.permit = &permit;
    view.data = "{\"a\":\"b\"}";
    terms = (fw_terms){.draft_until = NOW + 720 * HOUR,
                       .supplement_until = NOW + 360 * HOUR,
                       .supplement_abroad_until = NOW + 2000 * HOUR,
                       .payment_until = NOW + 120 * HOUR,
                       .due = NOW + 48 * HOUR,
                       .fee = 1000,
                       .valid_from = "2026-01-02",
                       .valid_to = "2026-07-01",
                       .kind = "epermit"};
}

static inline void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static inline void give(const fw_actor *actor, fw_command cmd, apr_time_t at)
{
    cmd.actor = actor;
    if (!cmd.target)
        cmd.target = kase.id;
    fw_decide(&view, &cmd, at, &ids, &terms, &out, pool);
}

static inline void expect_refused(const char *key)
{
    ck_assert_int_eq(out.verdict, FW_REFUSED);
    ck_assert_str_eq(out.refusals[0].key, key);
    ck_assert_int_eq(out.n_events, 0);
    ck_assert_int_eq(out.n_sends, 0);
    ck_assert_uint_eq(out.changed, 0);
}

static inline bool sends(const char *op)
{
    for (int i = 0; i < out.n_sends; i++) {
        if (strcmp(out.sends[i].op, op) == 0)
            return true;
    }
    return false;
}

#endif
