#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_show_system.h"

/* The status of the system, its links, dead letters. */

#define MEMBER "payload." /* before the name of a payload's member, in a form */

const fw_err *fwh_do_system(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value model = {0};

    FW_TRY(fw_show_system(&s, &model));
    return fwh_page(q, "admin_system", model);
}

/* ---- links ---- */

static const fw_err *hold(fwh_req *q, fw_cmd_e kind, const char *notice)
{
    fw_command cmd = fwh_command(q, kind, 0);
    fw_result result = {0};

    cmd.plugin = q->arg[0];
    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict != FW_REFUSED || q->json || result.code == FW_E_NOTFOUND)
        return fwh_result(q, &result, "/admin/system", notice);
    fwh_form_errors(q, &result);
    return fwh_do_system(q);
}

const fw_err *fwh_do_plugin_pause(fwh_req *q)
{
    return hold(q, FW_CMD_PLUGIN_PAUSE, "link_paused");
}

const fw_err *fwh_do_plugin_resume(fwh_req *q)
{
    return hold(q, FW_CMD_PLUGIN_RESUME, "link_resumed");
}

/* ---- dead letters ---- */

const fw_err *fwh_do_letter(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_value model = {0};

    FW_TRY(fw_show_letter(&s, fwh_id(q->arg[0]), &model));
    return fwh_page(q, "admin_letter", model);
}

/* A refusal is told on the letter's own page. */
static const fw_err *answer(fwh_req *q, const fw_result *result, const char *href,
                            const char *notice)
{
    if (result->verdict != FW_REFUSED || q->json || result->code == FW_E_NOTFOUND)
        return fwh_result(q, result, href, notice);
    fwh_form_errors(q, result);
    return fwh_do_letter(q);
}

/* "payload.case=12" of a form, or {"payload.case": "12"}: {"case": "12"}. */
static const char *take_members(fwh_req *q)
{
    json_t *members = json_object(), *value;
    const char *name, *text;
    void *next;

    json_object_foreach_safe(q->fields, next, name, value)
    {
        if (strncmp(name, MEMBER, strlen(MEMBER)) != 0)
            continue;
        json_object_set(members, name + strlen(MEMBER), value);
        json_object_del(q->fields, name);
    }
    text = fw_json_text(members, JSON_COMPACT, q->pool);
    json_decref(members);
    return text ? text : "{}";
}

const fw_err *fwh_do_letter_mend(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_OUTBOX_MEND, fwh_id(q->arg[0]));
    fw_result result = {0};

    cmd.request_id = NULL; /* the hash of a body that may hold a secret is kept nowhere */
    cmd.fields = take_members(q);
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result,
                  apr_psprintf(q->pool, "/admin/deadletters/%" APR_INT64_T_FMT, cmd.target),
                  "letter_mended");
}

const fw_err *fwh_do_letter_drop(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_OUTBOX_DROP, fwh_id(q->arg[0]));
    fw_result result = {0};

    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return answer(q, &result, "/admin#dead", "letter_dropped");
}

static const fw_err *replay(fwh_req *q, fw_cmd_e kind)
{
    fw_command cmd = fwh_command(q, kind, fwh_id(q->arg[0]));
    fw_result result = {0};

    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    return fwh_result(q, &result, "/admin", "replayed");
}

const fw_err *fwh_do_letter_replay(fwh_req *q)
{
    return replay(q, FW_CMD_OUTBOX_REPLAY);
}

const fw_err *fwh_do_message_replay(fwh_req *q)
{
    return replay(q, FW_CMD_INBOX_REPLAY);
}
