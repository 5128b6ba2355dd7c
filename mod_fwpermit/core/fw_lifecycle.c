#include "fw_config.h"
#include "fw_lifecycle.h"

#include <apr_strings.h>

#include "fw_access.h"

#define ROW(from, cmd, guard, to, fx)                                        \
    {                                                                        \
        FW_STATE_##from, FW_CMD_##cmd, FW_GUARD_##guard, FW_STATE_##to, (fx) \
    }
#define BACK(from, cmd, guard, fx)                                            \
    {                                                                         \
        FW_STATE_##from, FW_CMD_##cmd, FW_GUARD_##guard, FW_TO_REVIEWER, (fx) \
    }

static const fw_transition table[] = {
    ROW(DRAFT, CASE_SAVE, NONE, DRAFT, 0),
    ROW(DRAFT, CASE_ATTACH, NONE, DRAFT, 0),
    ROW(DRAFT, CASE_DETACH, NONE, DRAFT, 0),
    ROW(DRAFT, CASE_SUBMIT, COMPLETE, SUBMITTED,
        FW_FX_START_CLOCK | FW_FX_PRESS_FILING | FW_FX_ASSIGN | FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(DRAFT, CASE_WITHDRAW, NONE, WITHDRAWN, 0),
    ROW(DRAFT, CASE_EXPIRE, DEADLINE, EXPIRED, 0),
    ROW(SUBMITTED, CASE_ASSIGN, CLEAN, INITIAL_REVIEW, 0),
    ROW(SUBMITTED, FILE_JUDGE, INFECTED, RETURNED, FW_FX_SUPPLEMENT | FW_FX_NOTIFY),
    ROW(SUBMITTED, CASE_WITHDRAW, NONE, WITHDRAWN, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(INITIAL_REVIEW, CASE_ASSIGN, NONE, INITIAL_REVIEW, 0),
    ROW(INITIAL_REVIEW, CASE_CORRECT, NONE, INITIAL_REVIEW, 0),
    ROW(INITIAL_REVIEW, CASE_RETURN, MARKS, RETURNED, FW_FX_SUPPLEMENT | FW_FX_NOTIFY),
    ROW(INITIAL_REVIEW, FILE_JUDGE, INFECTED, RETURNED, FW_FX_SUPPLEMENT | FW_FX_NOTIFY),
    ROW(INITIAL_REVIEW, CASE_APPROVE, SOUND, SECOND_REVIEW, 0),
    ROW(INITIAL_REVIEW, CASE_REJECT, REASON, SECOND_REVIEW, 0), /* a proposal */
    ROW(SECOND_REVIEW, CASE_CORRECT, NONE, SECOND_REVIEW, 0),
    ROW(SECOND_REVIEW, CASE_RETURN, MARKS, RETURNED, FW_FX_SUPPLEMENT | FW_FX_NOTIFY),
    ROW(SECOND_REVIEW, FILE_JUDGE, INFECTED, RETURNED, FW_FX_SUPPLEMENT | FW_FX_NOTIFY),
    ROW(SECOND_REVIEW, CASE_CONFIRM, FOUR_EYES, APPROVED, FW_FX_ASK_FEE | FW_FX_TELL_FEE),
    ROW(SECOND_REVIEW, CASE_SEND_BACK, REASON, INITIAL_REVIEW, 0),
    ROW(SECOND_REVIEW, CASE_REJECT, REASON, REJECTED, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(RETURNED, CASE_SAVE, NONE, RETURNED, 0),
    ROW(RETURNED, CASE_ATTACH, NONE, RETURNED, 0),
    ROW(RETURNED, CASE_DETACH, NONE, RETURNED, 0),
    BACK(RETURNED, CASE_SUBMIT, COMPLETE, FW_FX_CLEAR_MARKS | FW_FX_ASSIGN | FW_FX_NOTIFY),
    ROW(RETURNED, CASE_WITHDRAW, NONE, WITHDRAWN, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(RETURNED, CASE_EXPIRE, DEADLINE, REJECTED, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(AWAITING_PAYMENT, PAYMENT_BEGIN, UNPAID, AWAITING_PAYMENT, 0),
    ROW(AWAITING_PAYMENT, PAYMENT_SETTLE, NONE, PAID,
        FW_FX_PRODUCE | FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(AWAITING_PAYMENT, CASE_WITHDRAW, UNPAID, WITHDRAWN, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(AWAITING_PAYMENT, CASE_EXPIRE, DEADLINE, EXPIRED, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(HELD, FINE_TAKE, CLEAR, PRODUCING, FW_FX_PRODUCE | FW_FX_NOTIFY),
    ROW(PRODUCING, PERMIT_ISSUE, NONE, ISSUED, FW_FX_NOTIFY),
    ROW(PRODUCING, CARD_ORDER, NONE, PRODUCING, 0),
    ROW(PRODUCING, CARD_STEP, NONE, PRODUCING, 0),
    ROW(PRODUCING, CARD_AGAIN, NONE, PRODUCING, 0),
    ROW(PRODUCING, CARD_ARRIVE, NONE, ISSUED, FW_FX_NOTIFY),
    ROW(PRODUCING, CASE_WITHDRAW, UNMADE, WITHDRAWAL_ASKED, 0),
    ROW(PRODUCING, CARD_CANCEL, UNMADE, WITHDRAWAL_ASKED, 0),
    ROW(PRODUCING, CARD_CANCELLED, NONE, PRODUCING, 0),
    ROW(PRODUCING, CARD_LOST, OUT, PRODUCING, FW_FX_NOTIFY),
    ROW(WITHDRAWAL_ASKED, CARD_STEP, NONE, WITHDRAWAL_ASKED, 0),
    ROW(WITHDRAWAL_ASKED, CARD_CANCELLED, NONE, WITHDRAWN, FW_FX_NOTIFY | FW_FX_TELL_FEE),
    ROW(WITHDRAWAL_ASKED, CARD_LATE, NONE, PRODUCING, FW_FX_NOTIFY),
    ROW(ISSUED, CARD_LOST, OUT, PRODUCING, FW_FX_NOTIFY),
    ROW(ISSUED, CARD_COLLECT, CARD, COLLECTED, FW_FX_NOTIFY),
};
#define ROWS (sizeof(table) / sizeof(table[0]))

const fw_transition *fw_lifecycle_find(fw_state_e from, fw_cmd_e cmd)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].from == from && table[i].cmd == cmd)
            return &table[i];
    }
    return NULL;
}

const fw_transition *fw_lifecycle_table(size_t *n)
{
    *n = ROWS;
    return table;
}

const char *fw_guard_name(fw_guard_e guard)
{
    switch (guard) {
    case FW_GUARD_NONE:
        return "";
    case FW_GUARD_COMPLETE:
        return "form complete";
    case FW_GUARD_CLEAN:
        return "all files clean";
    case FW_GUARD_SOUND:
        return "form complete, all files clean";
    case FW_GUARD_INFECTED:
        return "file infected";
    case FW_GUARD_MARKS:
        return "items marked";
    case FW_GUARD_FOUR_EYES:
        return "four eyes, all files clean";
    case FW_GUARD_REASON:
        return "reason given";
    case FW_GUARD_DEADLINE:
        return "deadline passed, no live payment";
    case FW_GUARD_UNPAID:
        return "no live payment";
    case FW_GUARD_CLEAR:
        return "no open fine, lateness answered";
    case FW_GUARD_OUT:
        return "card sent or at the station, reason given";
    case FW_GUARD_UNMADE:
        return "card not made yet";
    case FW_GUARD_CARD:
        return "card at the station, right code";
    }
    return "";
}

const char *fw_effects_text(unsigned effects, apr_pool_t *pool)
{
    static const char *const names[] = {
        "notify",         "start clock",         "assign",      "receipt of filing", "ask fee",
        "produce permit", "supplement deadline", "clear marks", "tell fines system"};
    const char *text = "";

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (effects & (1u << i))
            text = apr_pstrcat(pool, text, *text ? ", " : "", names[i], NULL);
    }
    return text;
}

fw_turn_e fw_lifecycle_turn(fw_state_e state)
{
    switch (state) {
    case FW_STATE_SUBMITTED:
    case FW_STATE_INITIAL_REVIEW:
    case FW_STATE_SECOND_REVIEW:
    case FW_STATE_APPROVED:
    case FW_STATE_PAID:
    case FW_STATE_PRODUCING:
    case FW_STATE_WITHDRAWAL_ASKED:
        return FW_TURN_OFFICE;
    case FW_STATE_RETURNED:
    case FW_STATE_AWAITING_PAYMENT:
    case FW_STATE_HELD:
        return FW_TURN_APPLICANT;
    case FW_STATE_DRAFT:
    case FW_STATE_ISSUED:
    case FW_STATE_COLLECTED:
    case FW_STATE_REJECTED:
    case FW_STATE_WITHDRAWN:
    case FW_STATE_EXPIRED:
    case FW_STATES:
        return FW_TURN_NONE;
    }
    return FW_TURN_NONE;
}

bool fw_lifecycle_final(fw_state_e state)
{
    return state == FW_STATE_ISSUED || state == FW_STATE_COLLECTED || state == FW_STATE_REJECTED ||
           state == FW_STATE_WITHDRAWN || state == FW_STATE_EXPIRED;
}

const char *fw_lifecycle_diagram(apr_pool_t *pool)
{
    const char *text = "stateDiagram-v2\n    [*] --> draft : case.open\n";

    for (size_t i = 0; i < ROWS; i++) {
        const fw_transition *t = &table[i];
        const char *guard = fw_guard_name(t->guard);

        if (t->from == t->to)
            continue;
        if (t->to == FW_TO_REVIEWER) {
            text = apr_pstrcat(pool, text,
                               "    returned --> submitted : case.submit [not assigned yet]\n"
                               "    returned --> initial_review : case.submit [sent by it]\n",
                               "    returned --> second_review : case.submit [sent by it]\n", NULL);
            continue;
        }
        text = apr_psprintf(pool, "%s    %s --> %s : %s%s%s%s\n", text, fw_state_name(t->from),
                            fw_state_name(t->to), fw_cmd_name(t->cmd), *guard ? " [" : "", guard,
                            *guard ? "]" : "");
    }
    text = apr_pstrcat(pool, text,
                       "    submitted --> initial_review : all files clean\n"
                       "    approved --> awaiting_payment : fee due\n"
                       "    approved --> producing : no fee\n"
                       "    approved --> held : no fee, fine open or lateness not answered\n"
                       "    paid --> producing : at once\n"
                       "    paid --> held : fine open or lateness not answered\n",
                       NULL);
    for (int i = 0; i < FW_STATES; i++) {
        if (fw_lifecycle_final((fw_state_e)i))
            text =
                apr_pstrcat(pool, text, "    ", fw_state_name((fw_state_e)i), " --> [*]\n", NULL);
    }
    return text;
}

static const char *turn_name(fw_turn_e turn)
{
    switch (turn) {
    case FW_TURN_OFFICE:
        return "office";
    case FW_TURN_APPLICANT:
        return "applicant";
    case FW_TURN_NONE:
        break;
    }
    return "";
}

const char *fw_lifecycle_page(apr_pool_t *pool)
{
    const char *text =
        apr_pstrcat(pool,
                    "# The life of a case\n\n"
                    "Printed by `fwpermitctl lifecycle` from the table in "
                    "`mod_fwpermit/core/fw_lifecycle.c`; who may give a\ncommand is from the "
                    "permissions table in `fw_access.c`. A test compares this page with both.\n\n"
                    "```mermaid\n",
                    fw_lifecycle_diagram(pool), "```\n\n",
                    "| from | turn | command | who | guard | to | effects |\n"
                    "|---|---|---|---|---|---|---|\n",
                    NULL);

    for (size_t i = 0; i < ROWS; i++) {
        const fw_transition *t = &table[i];
        bool back = t->to == FW_TO_REVIEWER;

        text = apr_psprintf(pool, "%s| %s | %s | `%s` | %s | %s | %s | %s |\n", text,
                            fw_state_name(t->from), turn_name(fw_lifecycle_turn(t->from)),
                            fw_cmd_name(t->cmd), fw_access_who(fw_cmd_name(t->cmd), pool),
                            fw_guard_name(t->guard),
                            back ? "where it was returned from" : fw_state_name(t->to),
                            fw_effects_text(t->effects, pool));
    }
    return text;
}
