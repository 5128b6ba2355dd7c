#include "fw_config.h"
#include "fw_decide_card_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"

/* A card: ordered at the bureau, made, sent, lying at the station. */

/* Nothing heard of a job for so long: the bureau is asked. */
#define QUIET apr_time_from_sec(86400)

bool fw_card_is(const fw_job *job, const char *state)
{
    return strcmp(job->state, state) == 0;
}

int fw_card_rank(const char *state)
{
    static const char *const way[] = {"accepted", "made", "sent", "arrived", "collected"};

    for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
        if (strcmp(way[i], state) == 0)
            return (int)i + 1;
    }
    return 0;
}

static int at_station(void)
{
    return fw_card_rank("arrived");
}

static fw_blanks blanks_of(const fw_job *job)
{
    bool lost = fw_card_is(job, "lost"), live = !lost && !fw_card_is(job, "cancelled");

    return (fw_blanks){.reserved = live && fw_card_rank(job->state) < fw_card_rank("made"),
                       .made = fw_card_is(job, "made"),
                       .delivered = lost || fw_card_rank(job->state) >= fw_card_rank("sent"),
                       .spoiled = job->spoiled};
}

/* What became of the blanks by a step. */
static void count_on(fw_deciding *d, fw_blanks was, fw_blanks now)
{
    d->out->blanks = (fw_blanks){.reserved = now.reserved - was.reserved,
                                 .made = now.made - was.made,
                                 .delivered = now.delivered - was.delivered,
                                 .spoiled = now.spoiled - was.spoiled};
}

const char *fw_card_payload(const fw_deciding *d, const fw_job *job)
{
    return apr_psprintf(d->pool, "{\"job\":\"%" APR_INT64_T_FMT "\"}", job->id);
}

bool fw_card_refuse(fw_deciding *d, fw_code_e code, const char *field, const char *key)
{
    fw_decide_refuse(d, code, field, key);
    return true;
}

bool fw_card_refuse_state(fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    if (kase && fw_lifecycle_find(kase->state, d->cmd->kind))
        return false;
    return fw_card_refuse(d, FW_E_CONFLICT, NULL, "case.state");
}

bool fw_card_refuse_stale(fw_deciding *d)
{
    const fw_case *kase = d->view->kase;

    if (!d->cmd->version || (kase && d->cmd->version == kase->version))
        return false;
    return fw_card_refuse(d, FW_E_CONFLICT, NULL, "case.stale");
}

bool fw_card_refuse_no_reason(fw_deciding *d)
{
    if (d->cmd->reason && *d->cmd->reason)
        return false;
    return fw_card_refuse(d, FW_E_INPUT, "reason", "case.reason_missing");
}

/* ---- the order ---- */

static const char *number_of(const fw_deciding *d, int round)
{
    const char *no = d->view->kase->case_no;

    return round == 1 ? apr_pstrcat(d->pool, "J", no, NULL)
                      : apr_psprintf(d->pool, "J%s-%d", no, round);
}

/* What is printed. In place of a lost one: until the same day, and under a number of its own, for the other is void. */
static void fill_print(fw_deciding *d, fw_job *job, const fw_job *was)
{
    const fw_permit *drawn = d->cmd->permit;

    job->permit_no = was ? was->permit_no : drawn->permit_no;
    job->valid_from = drawn->valid_from;
    job->valid_to = drawn->valid_to;
    if (!was || !fw_card_is(was, "lost"))
        return;
    job->permit_no = apr_psprintf(d->pool, "%sR%d", drawn->permit_no, job->round);
    job->valid_from = was->valid_from;
    job->valid_to = was->valid_to;
}

static void fill_order(fw_deciding *d, fw_job *job)
{
    const fw_case *kase = d->view->kase;
    const fw_job *was = d->view->job_was;

    *job = (fw_job){.id = fw_decide_id(d),
                    .case_id = kase->id,
                    .round = was ? was->round + 1 : 1,
                    .state = "ordered",
                    .station = kase->station,
                    .ordered = d->now,
                    .ask_at = d->now + QUIET};
    job->job_no = number_of(d, job->round);
    fill_print(d, job, was);
}

static void order(fw_deciding *d)
{
    const fw_job *was = d->view->job_was;
    fw_job *job = d->view->job;

    if (was && !fw_card_is(was, "cancelled") && !fw_card_is(was, "lost")) {
        d->out->answer = was->id; /* ordered already */
        return;
    }
    if (fw_card_refuse_state(d))
        return;
    if (fw_decide_no_term(d->cmd->permit->valid_from, d->cmd->permit->valid_to)) {
        fw_card_refuse(d, FW_E_CONFLICT, NULL, "case.no_term");
        return;
    }
    fill_order(d, job);
    count_on(d, (fw_blanks){0}, blanks_of(job));
    d->out->changed |= FW_CH_JOB;
    d->out->answer = job->id;
    fw_decide_event(d, d->view->kase, "card.order", d->view->kase->state, NULL);
    fw_decide_send(d, "card", "card.order", d->view->kase->id, job->id, fw_card_payload(d, job),
                   true);
}

/* ---- what the bureau says ---- */

/* A card that was made is another one only where the one before was spoiled. */
static bool other_card(const fw_job *job, const fw_job *told)
{
    return job->card_no && told->card_no && fw_card_rank(told->state) > fw_card_rank("accepted") &&
           told->spoiled <= job->spoiled && fw_card_rank(job->state) > fw_card_rank("accepted") &&
           strcmp(job->card_no, told->card_no) != 0;
}

static bool goes_back(const fw_job *job, const fw_job *told)
{
    int from = fw_card_rank(job->state), to = fw_card_rank(told->state);

    if (fw_card_is(job, "cancelled") || from >= at_station())
        return true;
    if (fw_card_is(told, "spoiled") ||
        (fw_card_is(told, "cancelled") && from < fw_card_rank("sent")))
        return false;
    return to < from && told->spoiled <= job->spoiled;
}

static bool refuse_told(fw_deciding *d, const fw_job *job, const fw_job *told)
{
    const char *key = NULL;

    if (fw_card_is(job, "lost"))
        key = "card.is_lost";
    else if (goes_back(job, told))
        key = "card.goes_back";
    else if (told->spoiled < job->spoiled)
        key = "card.spoiled_less";
    else if (fw_card_rank(told->state) >= fw_card_rank("made") && !told->card_no)
        key = "card.no_number";
    else if (other_card(job, told))
        key = "card.other_number";
    else if (d->view->taken)
        key = "card.number_taken";
    else if (fw_card_is(told, "arrived") && !d->view->station)
        key = "card.no_station";
    return key && fw_card_refuse(d, FW_E_CONFLICT, NULL, key);
}

static void note_time(fw_deciding *d, fw_job *job)
{
    apr_time_t at = d->cmd->at ? d->cmd->at : d->now;

    if (fw_card_is(job, "made"))
        job->made = at;
    if (fw_card_is(job, "sent"))
        job->sent = at;
    if (fw_card_is(job, "arrived"))
        job->arrived = at;
    if (fw_card_rank(job->state) < fw_card_rank("made"))
        job->made = job->sent = 0;
}

/* The other side's word, laid over what is known. */
static void take_word(fw_deciding *d, fw_job *job, const fw_job *told)
{
    bool over = fw_card_is(told, "arrived") || fw_card_is(told, "cancelled");

    job->seq = told->seq;
    job->state = told->state;
    job->spoiled = told->spoiled;
    job->card_no = fw_card_rank(told->state) >= fw_card_rank("made") ? told->card_no : NULL;
    job->tracking = told->tracking ? told->tracking : job->tracking;
    job->bureau_no = told->bureau_no ? told->bureau_no : job->bureau_no;
    job->reason = told->reason;
    job->ask_at = over ? 0 : d->now + QUIET;
    note_time(d, job);
    d->out->changed |= FW_CH_JOB;
}

/* The card has a permit from now on, which nobody holds yet: it waits for who asked for it. */
static void wait_at_station(fw_deciding *d, fw_job *job)
{
    fw_case *kase = d->view->kase;
    fw_permit *permit = d->view->permit;

    job->station = kase->station = d->view->station;
    job->code = d->cmd->job->code;
    *permit = (fw_permit){.id = fw_decide_id(d),
                          .permit_no = job->permit_no,
                          .code = d->cmd->permit->code,
                          .case_id = kase->id,
                          .worker_id = kase->worker_id,
                          .kind = d->terms->kind,
                          .state = "waiting",
                          .valid_from = job->valid_from,
                          .valid_to = job->valid_to,
                          .issued = d->now};
    kase->permit_id = permit->id;
    d->out->changed |= FW_CH_PERMIT;
    fw_decide_move(d, kase, FW_CMD_CARD_ARRIVE, NULL);
}

static void tell_step(fw_deciding *d, const fw_job *job)
{
    const fw_case *kase = d->view->kase;

    fw_decide_event(d, kase, apr_pstrcat(d->pool, "card.", job->state, NULL), kase->state, NULL);
}

/* What came before, or came already, changes nothing. */
static bool is_old(const fw_job *job, const fw_job *told)
{
    bool again = fw_card_rank(job->state) >= at_station() && fw_card_is(told, "arrived");

    return told->seq <= job->seq || again;
}

static void go_on(fw_deciding *d, fw_job *job)
{
    if (fw_card_is(job, "arrived"))
        wait_at_station(d, job);
    else if (fw_card_is(job, "cancelled") && fw_card_is_unwanted(d))
        fw_card_end_unwanted(d);
    else
        tell_step(d, job);
}

/* Another one was ordered since. */
static bool is_former(const fw_deciding *d, const fw_job *job)
{
    return d->view->job_was && d->view->job_was->id != job->id;
}

static void step(fw_deciding *d)
{
    fw_job *job = d->view->job, told;
    fw_blanks was;

    if (!job) {
        fw_card_refuse(d, FW_E_NOTFOUND, NULL, "card.unknown");
        return;
    }
    d->out->answer = job->id;
    told = *d->cmd->job;
    if (told.spoiled < 0)
        told.spoiled = job->spoiled + fw_card_is(&told, "spoiled");
    if (fw_card_is_unwanted(d) && fw_card_is(job, "cancelled") && !is_former(d, job)) {
        fw_card_end_unwanted(d);
        return;
    }
    if (is_old(job, &told) || (!fw_card_is_unwanted(d) && fw_card_refuse_state(d)) ||
        refuse_told(d, job, &told))
        return;
    if (fw_card_is_unwanted(d) && !fw_job_unmade(&told))
        fw_card_come_late(d);
    was = blanks_of(job);
    take_word(d, job, &told);
    count_on(d, was, blanks_of(job));
    go_on(d, job);
}

/* ---- nothing is heard ---- */

static void check(fw_deciding *d)
{
    fw_job *job = d->view->job;

    if (!job || !job->ask_at || job->ask_at > d->now) {
        fw_card_refuse(d, FW_E_CONFLICT, NULL, "card.nothing_due");
        return;
    }
    job->ask_at = d->now + QUIET;
    d->out->changed |= FW_CH_JOB;
    fw_decide_send(d, "card", "card.find", job->case_id, fw_decide_id(d), fw_card_payload(d, job),
                   true);
}

void fw_card_make_another(fw_deciding *d, const fw_case *kase)
{
    fw_decide_send(d, "press", "press.permit", kase->id, fw_decide_id(d),
                   apr_psprintf(d->pool, "{\"case\":\"%" APR_INT64_T_FMT "\"}", kase->id), false);
}

/* The bureau cancelled it of its own accord: an administrator has it made after all. */
static void order_again(fw_deciding *d)
{
    const fw_job *job = d->view->job;
    fw_case *kase = d->view->kase;

    if (fw_card_refuse_state(d))
        return;
    if (!job || !fw_card_is(job, "cancelled")) {
        fw_card_refuse(d, FW_E_CONFLICT, NULL, "card.not_cancelled");
        return;
    }
    fw_decide_event(d, kase, "card.again", kase->state, NULL);
    fw_card_make_another(d, kase);
}

/* ---- the stock ---- */

static void take_shelf(fw_deciding *d)
{
    const fw_shelf *was = d->view->shelf_was;

    if (!was || was->at < d->cmd->shelf->at)
        d->out->changed |= FW_CH_SHELF;
}

void fw_decide_card(fw_deciding *d)
{
    switch ((int)d->cmd->kind) {
    case FW_CMD_CARD_ORDER:
        order(d);
        break;
    case FW_CMD_CARD_CHECK:
        check(d);
        break;
    case FW_CMD_CARD_AGAIN:
        order_again(d);
        break;
    case FW_CMD_CARD_CANCEL:
        fw_card_cancel(d);
        break;
    case FW_CMD_CARD_LOST:
        fw_card_lose(d);
        break;
    case FW_CMD_CARD_LATE:
        fw_card_late(d);
        break;
    case FW_CMD_CARD_COLLECT:
        fw_card_collect(d);
        break;
    case FW_CMD_CARD_STOCK:
        take_shelf(d);
        break;
    default:
        step(d);
        break;
    }
}
