#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "fw_store_case.h"
#include "fw_store_question.h"
#include "fwpermit_plugin.h"

/* The labour agency is asked about a letter, and its answer becomes what a letter that it pushes becomes. */

#define USER_BYTES 64 /* the contract's */

/* As the contract takes names: what it knows no sign for is "_". */
static const char *user_of(const fww_turn *t, const fw_delivery *d)
{
    const char *login = fww_payload_text(t, d, "user");
    char *user = apr_pstrndup(t->pool, login && *login ? login : "pump", USER_BYTES);

    for (char *p = user; *p; p++) {
        if ((unsigned char)*p > 0x7f || !(apr_isalnum(*p) || strchr("_.@-", *p)))
            *p = '_';
    }
    return user;
}

static const fw_err *make_request(fww_turn *t, const fw_delivery *d, const fw_question *q,
                                  json_t **out)
{
    fw_case *kase = NULL;

    if (q->case_id)
        FW_TRY(fw_case_load(t->db, q->case_id, &kase, t->pool));
    *out = json_pack("{s:s, s:{s:s, s:s*}}", "letter_no", q->letter_no, "why", "user",
                     user_of(t, d), "case_no", kase ? kase->case_no : NULL);
    return *out ? NULL : FW_ERR(t->pool, FW_E_INPUT, 0, "a question that is not UTF-8");
}

/* The letter that was asked for; NULL: the agency does not know it. */
static const json_t *find(const json_t *reply, const char *letter_no)
{
    const json_t *permits = json_object_get(reply, "permits"), *p;
    size_t i;

    json_array_foreach(permits, i, p)
    {
        const char *no = json_string_value(json_object_get(p, "letter_no"));

        if (no && strcmp(no, letter_no) == 0)
            return p;
    }
    return NULL;
}

static const fw_err *answer(fww_turn *t, fw_id question, bool given_up, fww_end *end)
{
    fw_command cmd = {.kind = FW_CMD_LETTER_ANSWER, .target = question, .is_given_up = given_up};
    const char *refused = NULL;

    FW_TRY(fww_perform(t, &cmd, &refused));
    if (refused)
        fww_end_set(end, FWW_END_DEAD, refused);
    return NULL;
}

/* What is refused of an answer is for a person to see. */
static const fw_err *take(fww_turn *t, const json_t *letter, fww_end *end)
{
    FW_TRY(fww_letter_told(t, letter, end));
    if (end->what == FWW_END_REFUSED)
        end->what = FWW_END_DEAD;
    return NULL;
}

const fw_err *fww_letter_find(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    const json_t *letter;
    fw_question *q = NULL;
    fww_answer reply;

    FW_TRY(fw_question_load(t->db, fww_payload_id(t, d, "question"), &q, t->pool));
    FW_TRY(make_request(t, d, q, &ask.request));
    fww_port_ask(t, fww_port_plugin(t->pump, "labour"), &ask, &reply);
    fww_port_end(&reply, end);
    if (reply.rc != FWP_OK)
        return NULL;
    letter = find(reply.reply, q->letter_no);
    if (letter)
        FW_TRY(take(t, letter, end));
    return end->what == FWW_END_DONE ? answer(t, q->id, false, end) : NULL;
}

const fw_err *fww_letter_give_up(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    return answer(t, fww_payload_id(t, d, "question"), true, end);
}
