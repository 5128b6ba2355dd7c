/* How many commands fw_decide() takes in a second of one core: a case is submitted, approved and confirmed, again and again. Prints
 * the number of each of ROUNDS rounds. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <apr_general.h>

#include "fw_decide.h"

#define NOW    (apr_time_from_sec(1767225600)) /* 2026-01-01T00:00:00Z */
#define CASES  200000
#define ROUNDS 5
#define STEPS  3

static const fw_actor agent = {
    .account_id = 1, .org_id = 5, .roles = FW_ROLE_AGENT, .name = "agent"};
static const fw_actor first = {.account_id = 12, .roles = FW_ROLE_INITIAL, .name = "first"};
static const fw_actor second = {.account_id = 13, .roles = FW_ROLE_SECOND, .name = "second"};
static const fw_officer officers[] = {{12, "A", "TYC", 1}, {14, "B", "TYC", 2}};
static const fw_terms terms = {.supplement_until = NOW + 1,
                               .payment_until = NOW + 1,
                               .due = NOW + 1,
                               .fee = 1000,
                               .valid_from = "2026-01-02",
                               .valid_to = "2026-07-01",
                               .kind = "epermit"};

static void take(fw_view *view, const fw_actor *who, fw_cmd_e kind, fw_outcome *out,
                 apr_pool_t *pool)
{
    fw_ids ids = {.order = "ORDER000000000000001"};
    fw_command cmd = {
        .kind = kind, .actor = who, .target = view->kase->id, .version = view->kase->version};

    for (int i = 0; i < FW_IDS; i++)
        ids.id[i] = 1000 + i;
    fw_decide(view, &cmd, NOW, &ids, &terms, out, pool);
    if (out->verdict != FW_DONE) {
        fprintf(stderr, "refused: %s\n", out->refusals[0].key);
        exit(1);
    }
}

static void live(fw_outcome *out, apr_pool_t *pool)
{
    fw_case kase = {.id = 7, .version = 1, .state = FW_STATE_DRAFT, .data = "{}"},
            *cases[] = {&kase};
    fw_payment *priors[] = {NULL};
    fw_view view = {.kase = &kase,
                    .cases = cases,
                    .n_cases = 1,
                    .priors = priors,
                    .data = "{}",
                    .station = "TYC",
                    .officers = officers,
                    .n_officers = 2};

    take(&view, &agent, FW_CMD_CASE_SUBMIT, out, pool);
    take(&view, &first, FW_CMD_CASE_APPROVE, out, pool);
    take(&view, &second, FW_CMD_CASE_CONFIRM, out, pool);
}

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    fw_outcome *out = malloc(sizeof(*out));
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (int r = 0; r < ROUNDS; r++) {
        double begun = cpu();

        for (int i = 0; i < CASES; i++) {
            live(out, pool);
            apr_pool_clear(pool);
        }
        printf("%.0f\n", CASES * STEPS / (cpu() - begun));
    }
    free(out);
    return 0;
}
