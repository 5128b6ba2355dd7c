#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include "fw_idnum.h"
#include "fw_json.h"
#include "fw_store_party.h"
#include "fw_store_question.h"
#include "fw_store_record.h"

/* What the labour agency is asked about. */

#define AN_HOUR ((apr_time_t)3600 * APR_USEC_PER_SEC)

static void set_detail(fw_performing *p, const char *letter_no)
{
    json_t *o = json_pack("{s:s?}", "letter_no", letter_no);

    p->view.detail = fw_json_text(fw_json_keep(o, p->pool), JSON_COMPACT, p->pool);
}

/* Of the letter at hand: whether it is known, and how the asking stands. */
static const fw_err *load_asking(fw_performing *p, const char *letter_no)
{
    fw_asking *a = &p->view.asking;
    fw_record *known = NULL;
    fw_question *last = NULL;

    a->letter_no = letter_no;
    a->is_possible = p->desk->labour_plugin != NULL;
    a->most = p->desk->settings->letters_per_hour;
    if (!letter_no || !a->is_possible)
        return NULL;
    FW_TRY(fw_record_by_name(p->db, "letter", letter_no, &known, p->pool));
    a->is_known = known && known->worker_id == p->view.worker->id;
    FW_TRY(fw_question_newest(p->db, p->view.worker->id, letter_no, &last, p->pool));
    a->waiting = last && strcmp(last->state, "asked") == 0 ? last : NULL;
    return fw_question_count(p->db, p->cmd->actor->account_id, p->now - AN_HOUR, &a->n_recent,
                             p->pool);
}

/* ---- letter.ask ---- */

static const fw_err *load_ask(fw_performing *p)
{
    const fw_command *cmd = p->cmd;
    const fw_case *kase = p->view.kase;
    const char *letter_no = cmd->letter_no ? cmd->letter_no : kase ? kase->permit_letter : NULL;

    if (letter_no)
        letter_no = fw_idnum_letter_normalise(letter_no, p->pool);
    set_detail(p, letter_no);
    FW_TRY(
        fw_worker_load(p->db, kase ? kase->worker_id : cmd->worker_id, &p->view.worker, p->pool));
    return load_asking(p, letter_no);
}

/* ---- letter.answer ---- */

static const char *ban_of(const fw_record *r, apr_pool_t *pool)
{
    const json_t *letter = r ? fw_json_parse(r->data, pool) : NULL;

    return json_string_value(json_object_get(json_object_get(letter, "employer"), "id"));
}

static const fw_err *load_answer(fw_performing *p)
{
    fw_view *v = &p->view;
    fw_org *employer = NULL;

    FW_TRY(fw_question_load(p->db, p->cmd->target, &v->question, p->pool));
    set_detail(p, v->question->letter_no);
    FW_TRY(fw_record_by_name(p->db, "letter", v->question->letter_no, &v->record, p->pool));
    FW_TRY(fw_worker_load(p->db, v->question->worker_id, &v->worker, p->pool));
    FW_TRY(fw_org_load(p->db, v->worker->employer_id, &employer, p->pool));
    v->asking.letter_ban = ban_of(v->record, p->pool);
    v->asking.employer_ban = employer->ban;
    return NULL;
}

const fw_err *fw_perform_letter_load(fw_performing *p)
{
    return p->cmd->kind == FW_CMD_LETTER_ASK ? load_ask(p) : load_answer(p);
}

/* ---- a form that is saved ---- */

/* The number that the case would have, where this command changes it. */
static const char *given(const fw_performing *p)
{
    const json_t *data = fw_json_parse(p->view.data, p->pool);

    for (int i = 0; i < p->view.n_touched; i++) {
        const fw_field *f = fw_service_field(p->service, p->view.touched[i]);

        if (f && f->type == FW_FIELD_PERMIT_LETTER)
            return json_string_value(json_object_get(data, f->name));
    }
    return NULL;
}

const fw_err *fw_perform_letter_given(fw_performing *p)
{
    const char *letter_no = p->desk->labour_plugin ? given(p) : NULL;

    if (!letter_no)
        return NULL;
    FW_TRY(fw_worker_load(p->db, p->view.kase->worker_id, &p->view.worker, p->pool));
    return load_asking(p, letter_no);
}
