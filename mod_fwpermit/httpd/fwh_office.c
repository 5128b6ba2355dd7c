#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

/* The reviewers' pages. */

#define LIST_ROWS   50
#define MARK_PREFIX "mark."

/* ---- the desk ---- */

typedef struct tab {
    const char *name;
    fw_case_list_e list;
    const char *state;
    unsigned role;
} tab;

static const tab tabs[] = {{"mine", FW_LIST_REVIEWER, "initial_review", FW_ROLE_INITIAL},
                           {"second", FW_LIST_STATION, "second_review", FW_ROLE_SECOND},
                           {"returned", FW_LIST_REVIEWER, "returned", FW_ROLE_INITIAL}};
#define TABS (sizeof(tabs) / sizeof(tabs[0]))

static const tab *find_tab(const fwh_req *q, const char *name)
{
    const tab *first = NULL;

    for (size_t i = 0; i < TABS; i++) {
        if (!(q->actor.roles & tabs[i].role))
            continue;
        if (!first)
            first = &tabs[i];
        if (name && strcmp(tabs[i].name, name) == 0)
            return &tabs[i];
    }
    return first ? first : &tabs[0];
}

static fw_value tab_list(const fwh_req *q, const tab *current)
{
    fw_value list = fw_list(q->pool);

    for (size_t i = 0; i < TABS; i++) {
        if (q->actor.roles & tabs[i].role)
            fw_add(list, fw_pack(q->pool, "{s:s, s:s, s:n, s:b}", "href",
                                 apr_pstrcat(q->pool, "/desk?list=", tabs[i].name, NULL), "label",
                                 fw_locale_text(q->desk->locale, q->lang,
                                                apr_pstrcat(q->pool, "desk.", tabs[i].name, NULL)),
                                 "n", "current", current == &tabs[i]));
    }
    return list;
}

const fw_err *fwh_do_desk(fwh_req *q)
{
    const tab *t = find_tab(q, fwh_take(q, "list"));
    fw_show s = fwh_show(q);
    fw_case_ask ask = {.list = t->list,
                       .id = q->actor.account_id,
                       .text = q->actor.station ? q->actor.station : "",
                       .state = t->state,
                       .after_due = fwh_take_id(q, "after_due"),
                       .after = fwh_take_id(q, "after"),
                       .limit = LIST_ROWS};
    fw_value lines = {0}, next = {0};

    FW_TRY(fw_show_case_page(&s, &ask, apr_psprintf(q->pool, "/desk?list=%s&", t->name), &lines,
                             &next));
    return fwh_page(
        q, "desk",
        fw_pack(q->pool, "{s:o, s:o, s:o}", "tabs", tab_list(q, t), "cases", lines, "next", next));
}

/* ---- the review screen ---- */

const fw_err *fwh_do_review(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_dossier d;
    fw_value model = {0};

    FW_TRY(fw_dossier_load(&s, q->kase, true, &d));
    FW_TRY(fw_show_review(&s, &d, &model));
    return fwh_page(q, "review", model);
}

static const char *review_href(fwh_req *q)
{
    return apr_psprintf(q->pool, "/review/%" APR_INT64_T_FMT, q->kase->id);
}

/* A refusal is shown on the screen where it can be mended. */
static const fw_err *answer(fwh_req *q, const fw_result *result, const char *href,
                            const char *notice)
{
    if (result->verdict != FW_REFUSED || q->json || result->code == FW_E_NOTFOUND ||
        result->code == FW_E_FORBIDDEN)
        return fwh_result(q, result, href, notice);
    fwh_form_errors(q, result);
    return fwh_do_review(q);
}

const fw_err *fwh_do_review_correct(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_CORRECT, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_need_version(q, &cmd.version));
    cmd.fields = fwh_fields_text(q);
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, review_href(q), "corrected");
}

/* "mark.photo=too dark" of a form, or {"mark.photo": "too dark"}. */
static const fw_err *take_marks(fwh_req *q, const char **out)
{
    json_t *marks = json_array(), *v;
    const char *name;
    void *next;

    json_object_foreach_safe(q->fields, next, name, v)
    {
        if (strncmp(name, MARK_PREFIX, strlen(MARK_PREFIX)) != 0)
            continue;
        if (json_string_length(v) > 0)
            json_array_append_new(
                marks, json_pack("{s:s, s:O}", "item", name + strlen(MARK_PREFIX), "reason", v));
        json_object_del(q->fields, name);
    }
    *out = fw_json_text(marks, JSON_COMPACT, q->pool);
    json_decref(marks);
    return fwh_fields_end(q);
}

const fw_err *fwh_do_review_return(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CASE_RETURN, q->kase->id);
    const char *abroad = fwh_take(q, "abroad");
    fw_result result = {0};

    FW_TRY(fwh_need_version(q, &cmd.version));
    cmd.abroad = abroad && *abroad;
    FW_TRY(take_marks(q, &cmd.marks));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, "/desk", "returned");
}

/* approve, confirm, send back, reject: a version and perhaps a reason. */
static const fw_err *decide(fwh_req *q, fw_cmd_e kind, const char *notice)
{
    fw_command cmd = fwh_command(q, kind, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_need_version(q, &cmd.version));
    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (kind == FW_CMD_CASE_REJECT && result.state && strcmp(result.state, "second_review") == 0)
        notice = "reject_proposed";
    return answer(q, &result, kind == FW_CMD_CASE_CONFIRM ? "/desk?list=second" : "/desk", notice);
}

const fw_err *fwh_do_review_approve(fwh_req *q)
{
    return decide(q, FW_CMD_CASE_APPROVE, "approved");
}

const fw_err *fwh_do_review_confirm(fwh_req *q)
{
    return decide(q, FW_CMD_CASE_CONFIRM, "confirmed");
}

const fw_err *fwh_do_review_send_back(fwh_req *q)
{
    return decide(q, FW_CMD_CASE_SEND_BACK, "sent_back");
}

const fw_err *fwh_do_review_reject(fwh_req *q)
{
    return decide(q, FW_CMD_CASE_REJECT, "rejected");
}

const fw_err *fwh_do_review_ask_fines(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_FINE_ASK, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, review_href(q), "fines_asked");
}

const fw_err *fwh_do_review_letter(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_LETTER_ASK, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, review_href(q), "letter_asked");
}

/* ---- search ---- */

static const char *upper(const char *text, apr_pool_t *pool)
{
    char *copy = apr_pstrdup(pool, text);

    for (char *p = copy; *p; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
    }
    return copy;
}

const fw_err *fwh_do_search(fwh_req *q)
{
    const char *asked = fwh_take(q, "q");
    fw_show s = fwh_show(q);
    fw_case_ask ask = {.list = FW_LIST_SEARCH, .state = "", .limit = LIST_ROWS};
    fw_value lines = fw_null();

    if (asked && *asked) {
        ask.text = upper(asked, q->pool);
        FW_TRY(fw_show_case_lines(&s, &ask, true, &lines, NULL));
    }
    return fwh_page(q, "search",
                    fw_pack(q->pool, "{s:s, s:o}", "q", asked ? asked : "", "cases", lines));
}
