#include "fw_config.h"
#include "fwh.h"

#include <apr_strings.h>

#include "fw_show_card.h"
#include "fw_store_account.h"

/* The counter of a station: cards that lie there are handed out against their codes. */

#define LIST_ROWS  50
#define TRIES_MOST 5 /* codes for one card within a quarter of an hour */
#define TRIES_IN   apr_time_from_sec(900)

const fw_err *fwh_do_handout(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_handout_ask ask = {.case_no = fwh_take(q, "q"),
                          .arrived = fwh_take_id(q, "arrived"),
                          .after = fwh_take_id(q, "after"),
                          .limit = LIST_ROWS};
    fw_value model = {0};

    FW_TRY(fw_show_handout(&s, &ask, &model));
    return fwh_page(q, "handout", model);
}

const fw_err *fwh_do_handout_case(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_dossier d;
    fw_value model = {0};

    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    FW_TRY(fw_show_handout_case(&s, &d, &model));
    return fwh_page(q, "handout_case", model);
}

/* A refusal is shown where it can be mended. */
static const fw_err *answer(fwh_req *q, const fw_result *result)
{
    if (result->verdict != FW_REFUSED || q->json || result->code == FW_E_NOTFOUND ||
        result->code == FW_E_FORBIDDEN)
        return fwh_result(q, result, "/handout", "handed_out");
    fwh_form_errors(q, result);
    return fwh_do_handout_case(q);
}

/* Whoever has the card's case before them may guess a few times only. */
static const fw_err *count_try(fwh_req *q, bool *often)
{
    int hits = 0;

    FW_TRY(fw_rate_hit(q->db, apr_psprintf(q->pool, "collect:%" APR_INT64_T_FMT, q->kase->id),
                       q->desk->now(), TRIES_IN, &hits, q->pool));
    *often = hits > TRIES_MOST;
    return NULL;
}

static const fw_err *too_often(fwh_req *q)
{
    fw_refusal r = {"code", "card.often", NULL};
    fw_result result = {.verdict = FW_REFUSED, .code = FW_E_LIMIT, .refusals = &r, .n_refusals = 1};

    if (q->json)
        return fwh_problem(q, 429, "card.often", fwh_errors(q, &r, 1));
    fwh_form_errors(q, &result);
    q->status = 429;
    return fwh_do_handout_case(q);
}

const fw_err *fwh_do_handout_collect(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CARD_COLLECT, q->kase->id);
    const char *typed = fwh_take(q, "code");
    fw_result result = {0};
    bool often = false;

    FW_TRY(fwh_take_version(q, &cmd.version));
    FW_TRY(fwh_fields_end(q));
    cmd.code = fw_show_clean_code(typed ? typed : "", q->pool);
    if (*cmd.code)
        FW_TRY(count_try(q, &often));
    if (often)
        return too_often(q);
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result);
}

/* Of a card as it stands on the page of its review. */
static const fw_err *of_review(fwh_req *q, fw_command *cmd, const char *notice)
{
    fw_result result = {0};

    FW_TRY(fwh_take_version(q, &cmd->version));
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, cmd, &result));
    return fwh_result(q, &result, apr_psprintf(q->pool, "/review/%" APR_INT64_T_FMT, q->kase->id),
                      notice);
}

const fw_err *fwh_do_card_again(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CARD_AGAIN, q->kase->id);

    return of_review(q, &cmd, "card_again");
}

const fw_err *fwh_do_card_cancel(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CARD_CANCEL, q->kase->id);

    cmd.reason = fwh_take(q, "reason");
    return of_review(q, &cmd, "card_cancel");
}
