#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_lifecycle.h"
#include "fw_show_system.h"
#include "fw_store_fine.h"

/* Lateness and fines of a case, for applicants and officers. */

static fw_value one_fine(const fw_show *s, const fw_fine *f)
{
    fw_value o =
        fw_pack(s->pool, "{s:s, s:o, s:s, s:I, s:s, s:s?, s:o, s:s?, s:s?, s:b}", "fine_no",
                f->fine_no, "state", fw_show_state(s, "fine", f->state), "reason",
                fw_show_text(s, apr_pstrcat(s->pool, "fine.reason.", f->reason, NULL)), "amount",
                (int64_t)f->amount, "set", f->set_on, "pay_by", f->pay_by, "paid", fw_time(f->paid),
                "rule", f->rule, "pay_how", f->pay_how, "is_open", strcmp(f->state, "open") == 0);

    return o;
}

static fw_value fines_of(const fw_show *s, const apr_array_header_t *fines, int64_t *owed)
{
    fw_value list = fw_list(s->pool);

    *owed = 0;
    for (int i = 0; i < fines->nelts; i++) {
        const fw_fine *f = &APR_ARRAY_IDX(fines, i, fw_fine);

        fw_add(list, one_fine(s, f));
        if (strcmp(f->state, "open") == 0)
            *owed += f->amount;
    }
    return list;
}

/* What the law lets one expect of the lateness, until the fines system has said it. */
static fw_value late_of(const fw_show *s, const fw_penalty *p)
{
    const fw_rule_set *rules = fw_rules_at(s->desk->rules, fw_date_of(p->file_by));
    fw_value args;

    if (!p->days_late)
        return fw_null();
    args = fw_pack(s->pool, "{s:i, s:i, s:i, s:s?, s:s}", "days", p->days_late, "least",
                   rules->late_fine_least, "most", rules->late_fine_most, "entered", p->entered,
                   "deadline", fw_date_text(fw_date_of(p->file_by), s->pool));
    fw_set(args, "text",
           fw_text(fw_locale_format(s->desk->locale, s->lang, "fine.late", args, s->pool)));
    fw_set(args, "band",
           fw_text(fw_locale_format(s->desk->locale, s->lang, "fine.band", args, s->pool)));
    return args;
}

/* What happens now: a key. */
static const char *outlook(const fw_case *c, bool waits, int64_t owed)
{
    bool held = c->state == FW_STATE_HELD;

    if (waits)
        return held ? "fine.held_unanswered" : "fine.unanswered";
    if (owed)
        return held ? "fine.held_owed" : "fine.owed";
    return "fine.nothing_owed";
}

static const fw_err *describe(const fw_show *s, const fw_case *c, const fw_penalty *p, fw_value o)
{
    bool waits = s->desk->penalty_plugin && p->days_late && !p->answered;
    apr_array_header_t *fines = NULL;
    int64_t owed = 0;
    fw_value list, args;

    FW_TRY(fw_fine_list(s->db, c->id, &fines, s->pool));
    list = fines_of(s, fines, &owed);
    args = fw_pack(s->pool, "{s:I}", "owed", owed);
    fw_set(o, "late", late_of(s, p));
    fw_set(o, "waits", fw_bool(waits));
    fw_set(o, "holds", fw_bool(c->state == FW_STATE_HELD));
    fw_set(o, "owed", fw_number(owed));
    fw_set(o, "text",
           fw_text(
               fw_locale_format(s->desk->locale, s->lang, outlook(c, waits, owed), args, s->pool)));
    fw_set(o, "fines", list);
    return fw_show_link(s, o, "penalty", waits || owed > 0);
}

const fw_err *fw_show_penalty(const fw_show *s, const fw_case *c, fw_value *out)
{
    fw_penalty *p = NULL;

    *out = fw_null();
    if (c->state == FW_STATE_DRAFT)
        return NULL;
    FW_TRY(fw_penalty_load(s->db, c->id, &p, s->pool));
    if (!p || (!p->days_late && !p->has_fines))
        return NULL;
    *out = fw_object(s->pool);
    return describe(s, c, p, *out);
}
