#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"

static const char *dump(const json_t *o, apr_pool_t *pool)
{
    return fw_json_text(o, JSON_COMPACT | JSON_SORT_KEYS, pool);
}

static json_t *parse(const char *text)
{
    json_t *o = text ? json_loads(text, 0, NULL) : NULL;

    return o ? o : json_object();
}

static void set_problems(fw_performing *p, const apr_array_header_t *problems)
{
    p->view.problems = (const fw_refusal *)problems->elts;
    p->view.n_problems = problems->nelts;
}

static void set_touched(fw_performing *p, const apr_array_header_t *touched)
{
    p->view.touched = (const char *const *)touched->elts;
    p->view.n_touched = touched->nelts;
}

static void set_detail(fw_performing *p, json_t *detail)
{
    p->view.detail = dump(detail, p->pool);
    json_decref(detail);
}

/* Where the worker will live decides the county and the station. */
static void find_station(fw_performing *p, const json_t *data)
{
    for (int i = 0; i < p->service->n_fields; i++) {
        const fw_field *f = &p->service->fields[i];
        const char *address = json_string_value(json_object_get(data, f->name));

        if (f->type != FW_FIELD_ADDRESS || !f->index || !address)
            continue;
        p->view.county = fw_codes_address_county(p->desk->codes, address);
        if (p->view.county)
            p->view.station = fw_codes_station(p->desk->codes, p->view.county, address);
    }
}

/* A word of somebody else's that the form does not know. */
static bool is_no_choice(const fw_form_env *env, const fw_field *f, const char *value)
{
    return f->type == FW_FIELD_CHOICE && fw_form_check_value(env, f, value);
}

/* A new case begins with what is known of the worker. */
static const fw_err *begin_data(fw_performing *p)
{
    const fw_err *err;
    json_t *known = parse(p->view.worker->data), *data = json_object();
    fw_form_env env = fw_desk_form_env(p->desk, p->now, p->pool);

    for (int i = 0; i < p->service->n_fields; i++) {
        const fw_field *f = &p->service->fields[i];
        const char *value = fw_said_first(&p->said, known, f->from, p->pool);

        value = value && !fw_field_is_file(f) ? fw_form_normalise(&env, f, value) : NULL;
        if (value && !is_no_choice(&env, f, value))
            json_object_set_new(data, f->name, json_string(value));
    }
    p->view.kase->service = p->service->code;
    p->view.kase->service_hash = p->service->hash;
    p->view.data = dump(data, p->pool);
    err = fw_perform_take_over(p, data);
    json_decref(data);
    json_decref(known);
    return err;
}

/* Only what the officer touched is judged: what was filed stays as it was. */
static void keep_touched(apr_array_header_t *problems, const apr_array_header_t *touched)
{
    int n = 0;

    for (int i = 0; i < problems->nelts; i++) {
        const fw_refusal *r = &APR_ARRAY_IDX(problems, i, fw_refusal);

        for (int t = 0; t < touched->nelts; t++) {
            if (strcmp(APR_ARRAY_IDX(touched, t, const char *), r->field) == 0) {
                APR_ARRAY_IDX(problems, n++, fw_refusal) = *r;
                break;
            }
        }
    }
    problems->nelts = n;
}

static void take_edit(fw_performing *p)
{
    fw_form_env env = fw_desk_form_env(p->desk, p->now, p->pool);
    apr_array_header_t *problems = apr_array_make(p->pool, 4, sizeof(fw_refusal));
    apr_array_header_t *touched = apr_array_make(p->pool, 8, sizeof(const char *));
    json_t *data = parse(p->view.kase->data), *fields = parse(p->cmd->fields);
    json_t *before = json_object(), *after = json_object(), *detail;

    fw_form_take(&env, p->service, data, fields, problems, touched, before);
    for (int i = 0; i < touched->nelts; i++) {
        const char *name = APR_ARRAY_IDX(touched, i, const char *);
        json_t *v = json_object_get(data, name);

        json_object_set_new(after, name, v ? json_incref(v) : json_string(""));
    }
    if (problems->nelts == 0 && p->cmd->kind == FW_CMD_CASE_CORRECT) {
        problems = fw_form_problems(&env, p->service, data, p->files, p->n_files);
        keep_touched(problems, touched);
    }
    detail = json_pack("{s:o, s:o}", "before", before, "after", after);
    find_station(p, data);
    p->view.data = dump(data, p->pool);
    set_detail(p, detail);
    set_problems(p, problems);
    set_touched(p, touched);
    json_decref(fields);
    json_decref(data);
}

static void take_submit(fw_performing *p)
{
    fw_form_env env = fw_desk_form_env(p->desk, p->now, p->pool);
    json_t *data = parse(p->view.kase->data);
    apr_array_header_t *problems = fw_form_problems(&env, p->service, data, p->files, p->n_files);

    if (p->view.kase->state == FW_STATE_DRAFT)
        fw_form_check_taken(&env, p->service, data, p->files, p->n_files, problems);
    set_problems(p, problems);
    find_station(p, data);
    json_decref(data);
}

/* What is approved lacks nothing. How its dates lie to today was judged on the day of filing. */
static void take_approve(fw_performing *p)
{
    fw_refusal *list;
    int n = 0;

    take_submit(p);
    list = (fw_refusal *)(uintptr_t)p->view.problems;
    for (int i = 0; i < p->view.n_problems; i++) {
        if (strcmp(list[i].key, "field.required") == 0 ||
            strcmp(list[i].key, "field.file_missing") == 0 ||
            strcmp(list[i].key, "file.infected") == 0)
            list[n++] = list[i];
    }
    p->view.n_problems = n;
}

static void one_problem(fw_performing *p, const char *field, const char *key)
{
    apr_array_header_t *problems = apr_array_make(p->pool, 1, sizeof(fw_refusal));

    APR_ARRAY_PUSH(problems, fw_refusal) = (fw_refusal){field, key, NULL};
    set_problems(p, problems);
}

/* A file comes to a slot: one slot of one file is replaced, one of many has a limit. */
static void take_file(fw_performing *p)
{
    const fw_file *given = p->cmd->file;
    const fw_field *f = given && given->slot ? fw_service_field(p->service, given->slot) : NULL;
    apr_array_header_t *touched = apr_array_make(p->pool, 1, sizeof(const char *));
    const char *slot = NULL;
    int n = 0;

    for (int i = 0; i < p->n_files && given; i++) {
        bool mine = p->cmd->kind == FW_CMD_CASE_DETACH
                        ? p->files[i].id == given->id
                        : given->slot && strcmp(p->files[i].slot, given->slot) == 0;

        if (mine) {
            p->view.file = &p->files[i];
            slot = p->files[i].slot;
            n++;
        }
    }
    if (p->cmd->kind == FW_CMD_CASE_ATTACH) {
        slot = given ? given->slot : NULL;
        if (!f || !fw_field_is_file(f))
            one_problem(p, slot, "file.no_slot");
        else if (f->max_files > 1 && n >= f->max_files)
            one_problem(p, slot, "file.too_many");
        if (f && f->max_files > 1)
            p->view.file = NULL;
    }
    if (slot)
        APR_ARRAY_PUSH(touched, const char *) = slot;
    set_touched(p, touched);
    set_detail(p, json_pack("{s:s?, s:s?}", "slot", slot, "name", given ? given->name : NULL));
}

/* [{"item","reason"}]: each a field of the form, each with a reason. */
static void take_marks(fw_performing *p, const char *text, bool judge)
{
    json_t *marks = text ? json_loads(text, 0, NULL) : NULL, *m;
    apr_array_header_t *names = apr_array_make(p->pool, 4, sizeof(const char *));
    size_t i;

    json_array_foreach(marks, i, m)
    {
        const char *item = json_string_value(json_object_get(m, "item"));
        const char *reason = json_string_value(json_object_get(m, "reason"));

        if (!item || !fw_service_field(p->service, item)) {
            one_problem(p, "marks", "case.mark_unknown");
            continue;
        }
        if (judge && (!reason || !*reason))
            one_problem(p, apr_pstrdup(p->pool, item), "case.reason_missing");
        APR_ARRAY_PUSH(names, const char *) = apr_pstrdup(p->pool, item);
    }
    p->view.marked = (const char *const *)names->elts;
    p->view.n_marked = names->nelts;
    if (judge)
        set_detail(p, json_pack("{s:o, s:b}", "marks", marks ? json_incref(marks) : json_array(),
                                "abroad", p->cmd->abroad));
    json_decref(marks);
}

/* What is to be mended where the file is infected: that, beside what was marked already. The reason is a text of the catalogue, so
 * that each reads it in their language. */
static void take_judgement(fw_performing *p)
{
    const fw_command *cmd = p->cmd;
    const fw_file *file = p->view.file;
    json_t *marks;

    if (!file)
        return;
    marks = p->view.kase->marks ? json_loads(p->view.kase->marks, 0, NULL) : json_array();
    json_array_append_new(marks, json_pack("{s:s, s:s, s:s}", "item", file->slot, "key",
                                           "file.infected", "name", file->name));
    p->view.marks = dump(marks, p->pool);
    json_decref(marks);
    set_detail(p, json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "slot", file->slot, "name", file->name,
                            "verdict", fw_scan_name(cmd->file->scan), "found", cmd->found, "engine",
                            cmd->engine));
}

static const char *text_of(const json_t *data, const char *name, apr_pool_t *pool)
{
    const char *v = json_string_value(json_object_get(data, name));

    return v ? apr_pstrdup(pool, v) : NULL;
}

static const fw_err *take_worker(fw_performing *p)
{
    fw_form_env env = fw_desk_form_env(p->desk, p->now, p->pool);
    apr_array_header_t *problems = apr_array_make(p->pool, 4, sizeof(fw_refusal));
    apr_array_header_t *touched = apr_array_make(p->pool, 8, sizeof(const char *));
    fw_worker *w = p->view.worker;
    json_t *data = parse(w->data), *fields = parse(p->cmd->fields);

    fw_form_take(&env, p->desk->worker_form, data, fields, problems, touched, NULL);
    if (problems->nelts == 0)
        problems = fw_form_problems(&env, p->desk->worker_form, data, NULL, 0);
    set_problems(p, problems);
    p->view.data = dump(data, p->pool);
    w->passport_no = text_of(data, "passport_no", p->pool);
    w->nationality = text_of(data, "nationality", p->pool);
    w->name_latin = text_of(data, "name_latin", p->pool);
    w->name_native = text_of(data, "name_native", p->pool);
    w->birth = text_of(data, "birth", p->pool);
    w->sex = text_of(data, "sex", p->pool);
    w->permit_letter = text_of(data, "permit_letter", p->pool);
    json_decref(fields);
    json_decref(data);
    FW_TRY(fw_perform_record_find(p));
    return fw_perform_worker_taken(p);
}

/* By when one is to apply after the arrival at hand. */
static void reckon_arrival(fw_performing *p)
{
    const fw_record *m = p->view.movement;

    if (m)
        p->terms.arrival_until =
            fw_terms_arrival(p->desk->rules, p->desk->calendar, fw_date_of(m->at));
}

static void take_reason(fw_performing *p)
{
    if (p->cmd->reason)
        set_detail(p, json_pack("{s:s}", "reason", p->cmd->reason));
}

static json_t *rights_of(const fw_account *a, apr_pool_t *pool)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a command about an account has it loaded */
    return json_pack("{s:s, s:s?, s:b, s:s?, s:s?}", "roles", fw_roles_text(a->roles, pool),
                     "station", a->station, "active", a->active, "name", a->name, "email",
                     a->email);
}

static json_t *delegation_of(const fw_command *cmd, const fw_delegation *d)
{
    bool grant = cmd->kind == FW_CMD_DELEGATION_GRANT;

    return json_pack("{s:I, s:I}", "employer",
                     (json_int_t)(grant ? cmd->employer_id : d->employer_id), "agency",
                     (json_int_t)(grant ? cmd->target : d->agency_id));
}

/* Who gave whom which rights stands in the audit trail. */
static void take_rights(fw_performing *p)
{
    const fw_command *cmd = p->cmd;

    if (cmd->kind == FW_CMD_ACCOUNT_UPDATE)
        set_detail(p, json_pack("{s:o, s:o}", "before", rights_of(p->view.account, p->pool),
                                "after", rights_of(cmd->account, p->pool)));
    else if (cmd->kind == FW_CMD_ACCOUNT_CREATE)
        set_detail(p, json_pack("{s:s?, s:o}", "login", cmd->account->login, "after",
                                rights_of(cmd->account, p->pool)));
    else if (p->view.delegation)
        set_detail(p, delegation_of(cmd, p->view.delegation));
}

static bool is_refund(fw_cmd_e cmd)
{
    return cmd >= FW_CMD_REFUND_ASK && cmd <= FW_CMD_REFUND_PAY_OUT;
}

/* How much of whose money went where, and why, stands in the audit trail and in the cases' history. */
static void take_refund(fw_performing *p)
{
    const fw_command *cmd = p->cmd;
    const fw_refund *r = p->view.refund;
    bool hand = cmd->kind == FW_CMD_REFUND_ASK || cmd->kind == FW_CMD_REFUND_FAIL;

    set_detail(p,
               json_pack("{s:I, s:s*, s:s*}", "amount", (json_int_t)(r ? r->amount : cmd->amount),
                         "reason", hand ? cmd->reason : NULL, "reference", cmd->reference));
}

/* Which number is void, and why. */
static void take_receipt(fw_performing *p)
{
    const fw_payment *paid = p->view.payment;

    set_detail(p, json_pack("{s:I, s:s*}", "number", (json_int_t)(paid ? paid->receipt_no : 0),
                            "reason", p->cmd->reason));
}

static void take_case_command(fw_performing *p)
{
    switch ((int)p->cmd->kind) {
    case FW_CMD_CASE_SAVE:
    case FW_CMD_CASE_CORRECT:
        take_edit(p);
        break;
    case FW_CMD_CASE_SUBMIT:
        take_submit(p);
        break;
    case FW_CMD_CASE_APPROVE:
        take_approve(p);
        break;
    case FW_CMD_CASE_ATTACH:
    case FW_CMD_CASE_DETACH:
        take_file(p);
        break;
    case FW_CMD_FILE_JUDGE:
        take_judgement(p);
        break;
    case FW_CMD_CASE_RETURN:
        take_marks(p, p->cmd->marks, true);
        break;
    default:
        take_reason(p);
        break;
    }
    if (p->cmd->kind != FW_CMD_CASE_RETURN && p->view.kase->marks)
        take_marks(p, p->view.kase->marks, false);
}

const fw_err *fw_perform_form(fw_performing *p)
{
    fw_cmd_e cmd = p->cmd->kind;

    if (cmd == FW_CMD_WORKER_REGISTER || cmd == FW_CMD_WORKER_UPDATE)
        FW_TRY(take_worker(p));
    reckon_arrival(p);
    if (fw_perform_is_link(cmd))
        fw_perform_link_form(p);
    if (p->view.account || p->view.delegation)
        take_rights(p);
    if (is_refund(cmd) || cmd == FW_CMD_RECEIPT_RENEW) {
        (cmd == FW_CMD_RECEIPT_RENEW ? take_receipt : take_refund)(p);
        return NULL;
    }
    if (!p->view.kase || !p->service)
        return NULL;
    if (cmd == FW_CMD_CASE_OPEN)
        FW_TRY(begin_data(p));
    else
        take_case_command(p);
    if (cmd == FW_CMD_CASE_SAVE || cmd == FW_CMD_CASE_CORRECT)
        FW_TRY(fw_perform_letter_given(p));
    fw_terms_reckon(&p->terms, p->desk->rules, p->desk->calendar, p->service,
                    p->view.data ? p->view.data : p->view.kase->data, p->now, p->pool);
    if (!p->wants_officers)
        return NULL;
    return fw_perform_officers(p, p->view.station && p->view.kase->state == FW_STATE_DRAFT
                                      ? p->view.station
                                      : p->view.kase->station);
}
