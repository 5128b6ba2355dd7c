#include "fw_config.h"
#include "fw_decide_int.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_idnum.h"
#include "fw_json.h"

/* Letters 函 that the labour agency is asked about: one question at a time for each letter and worker. */

static const char *payload_of(fw_deciding *d, const fw_question *q)
{
    json_t *o =
        json_pack("{s:s, s:s*}", "question", apr_psprintf(d->pool, "%" APR_INT64_T_FMT, q->id),
                  "user", d->cmd->actor->login);

    return fw_json_text(fw_json_keep(o, d->pool), JSON_COMPACT | JSON_SORT_KEYS, d->pool);
}

static void open_question(fw_deciding *d)
{
    const fw_view *v = d->view;
    fw_question *q = apr_pcalloc(d->pool, sizeof(*q));

    q->id = fw_decide_id(d);
    q->state = "asked";
    q->worker_id = v->worker->id;
    q->letter_no = v->asking.letter_no;
    q->case_id = v->kase ? v->kase->id : 0;
    q->asked_by = d->cmd->actor->account_id;
    q->asked = d->now;
    d->view->question = q;
    d->out->changed |= FW_CH_QUESTION;
    fw_decide_send(d, "labour", "labour.find", q->worker_id, q->id, payload_of(d, q), false);
}

static bool is_valid(const fw_asking *a)
{
    return a->letter_no && fw_idnum_letter_valid(a->letter_no);
}

void fw_decide_letter_given(fw_deciding *d)
{
    const fw_asking *a = &d->view->asking;

    if (is_valid(a) && a->is_possible && !a->is_known && !a->waiting && a->n_recent < a->most)
        open_question(d);
}

/* ---- letter.ask ---- */

static bool refuse_ask(fw_deciding *d)
{
    const fw_asking *a = &d->view->asking;

    if (!a->is_possible)
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "letter.no_system");
    else if (!a->letter_no || !*a->letter_no)
        fw_decide_refuse(d, FW_E_INPUT, "letter_no", "field.required");
    else if (!is_valid(a))
        fw_decide_refuse(d, FW_E_INPUT, "letter_no", "field.permit_letter");
    return d->out->verdict == FW_REFUSED;
}

static void ask(fw_deciding *d)
{
    const fw_asking *a = &d->view->asking;

    if (refuse_ask(d) || a->is_known)
        return;
    if (!a->waiting && a->n_recent >= a->most) {
        fw_decide_refuse(d, FW_E_CONFLICT, NULL, "letter.too_often");
        d->out->refusals[0].args = apr_psprintf(d->pool, "{\"most\":\"%d\"}", a->most);
        return;
    }
    if (!a->waiting)
        open_question(d);
    d->out->answer = a->waiting ? a->waiting->id : d->view->question->id;
    d->out->verdict = FW_ACCEPTED;
}

/* ---- letter.answer ---- */

static const char *state_of(const fw_deciding *d)
{
    const fw_record *r = d->view->record;
    const fw_asking *a = &d->view->asking;

    if (r && r->worker_id == d->view->question->worker_id)
        return "found";
    if (d->cmd->is_given_up)
        return "failed";
    if (!r)
        return "none";
    return !r->passport_no && a->letter_ban && a->employer_ban &&
                   strcmp(a->letter_ban, a->employer_ban) == 0
               ? "employer"
               : "other";
}

/* What was given up and is delivered after all may still be answered; what is answered stays so. */
static void answer(fw_deciding *d)
{
    fw_question *q = d->view->question;

    if (strcmp(q->state, "asked") != 0 && strcmp(q->state, "failed") != 0)
        return;
    q->state = state_of(d);
    q->ended = d->now;
    d->out->changed |= FW_CH_QUESTION;
}

void fw_decide_letter(fw_deciding *d)
{
    if (d->cmd->kind == FW_CMD_LETTER_ASK)
        ask(d);
    else
        answer(d);
}
