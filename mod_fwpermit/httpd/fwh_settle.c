#include "fw_config.h"
#include "fwh.h"

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_json.h"
#include "fw_store_settlement.h"

/* The cashier's pages of settlements. */

#define DAYS_SHOWN 60

static fw_value line_of(const fwh_req *q, const fw_settlement *s)
{
    fw_show show = fwh_show(q);
    fw_value o =
        fw_pack(q->pool, "{s:s, s:o, s:i, s:I, s:I, s:I, s:i, s:s?, s:o, s:o}", "day", s->day,
                "state", fw_show_state(&show, "settlement", s->state), "lines", s->lines, "taken",
                (int64_t)s->taken, "paid_back", (int64_t)s->paid_back, "fees", (int64_t)s->fees,
                "n_differences", s->n_differences, "reason", s->reason, "asked", fw_time(s->asked),
                "closed", s->closed ? fw_time(s->closed) : fw_null());

    fw_show_set(o, &show, "href", "/settlements/%s", s->day);
    return o;
}

const fw_err *fwh_do_settlements(fwh_req *q)
{
    long today = fw_date_days(fw_date_of(q->desk->now()));
    fw_value days = fw_list(q->pool);
    apr_array_header_t *list = NULL;

    FW_TRY(fw_settlement_list(q->db, DAYS_SHOWN, &list, q->pool));
    for (int i = 0; i < list->nelts; i++)
        fw_add(days, line_of(q, &APR_ARRAY_IDX(list, i, fw_settlement)));
    return fwh_page(q, "settlements",
                    fw_pack(q->pool, "{s:o, s:{s:s, s:s}}", "days", days, "ask", "action",
                            "/settlements", "day",
                            fw_date_text(fw_date_from_days(today - 1), q->pool)));
}

static fw_value differences_of(const fwh_req *q, const fw_settlement *s)
{
    fw_value from = fw_of_json(fw_json_parse(s->differences, q->pool), q->pool), d,
             list = fw_list(q->pool);
    fw_show show = fwh_show(q);

    fw_each(from, i, d)
    {
        const char *what = fw_chars(fw_get(d, "what")), *kind = fw_chars(fw_get(d, "kind"));
        const char *payment = fw_chars(fw_get(d, "payment"));

        fw_set(d, "label",
               fw_text(fw_show_text(&show, apr_pstrcat(q->pool, "settlement.", what, NULL))));
        fw_set(d, "kind_label",
               fw_text(fw_show_text(&show, apr_pstrcat(q->pool, "settlement.kind.", kind, NULL))));
        fw_set(d, "href", fw_null());
        if (payment)
            fw_show_set(d, &show, "href", "/refunds/payments/%s", payment);
        fw_add(list, d);
    }
    return list;
}

static const fw_err *show_day(fwh_req *q, const char *day)
{
    fw_settlement *s = NULL;
    fw_value o;

    FW_TRY(fw_settlement_load(q->db, day, &s, q->pool));
    o = line_of(q, s);
    fw_set(o, "differences", differences_of(q, s));
    fw_set(o, "again", fw_pack(q->pool, "{s:s, s:s}", "action", "/settlements", "day", s->day));
    return fwh_page(q, "settlement", o);
}

const fw_err *fwh_do_settlement(fwh_req *q)
{
    return show_day(q, apr_pstrdup(q->pool, q->arg[0]));
}

const fw_err *fwh_do_settlement_ask(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_SETTLEMENT_ASK, 0);
    fw_result result = {0};
    fw_date date;

    cmd.day = fwh_take(q, "day");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict == FW_REFUSED && !q->json) {
        fwh_form_errors(q, &result);
        return fwh_do_settlements(q);
    }
    return fwh_result(q, &result,
                      fw_date_parse(cmd.day, &date)
                          ? apr_pstrcat(q->pool, "/settlements/", cmd.day, NULL)
                          : "/settlements",
                      "settlement_asked");
}
