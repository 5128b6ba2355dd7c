#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_letter.h"
#include "fw_store_link.h"
#include "fw_store_outbox.h"

/* Commands about links and dead letters. */

bool fw_perform_is_link(fw_cmd_e cmd)
{
    return cmd == FW_CMD_PLUGIN_PAUSE || cmd == FW_CMD_PLUGIN_RESUME || cmd == FW_CMD_OUTBOX_MEND ||
           cmd == FW_CMD_OUTBOX_DROP || cmd == FW_CMD_OUTBOX_REPLAY || cmd == FW_CMD_INBOX_REPLAY;
}

/* ---- loading ---- */

static const fw_err *found(const fw_err *err)
{
    return err && err->code == FW_E_NOTFOUND ? NULL : err;
}

const fw_err *fw_perform_link_load(fw_performing *p)
{
    switch ((int)p->cmd->kind) {
    case FW_CMD_PLUGIN_PAUSE:
    case FW_CMD_PLUGIN_RESUME:
        p->is_there = fw_settings_plugin_named(p->desk->settings, p->cmd->plugin) != NULL;
        return p->is_there ? fw_link_is_paused(p->db, p->cmd->plugin, &p->view.taken, p->pool)
                           : NULL;
    case FW_CMD_INBOX_REPLAY: {
        fw_dead_message *message = NULL;

        FW_TRY(found(fw_message_load(p->db, p->cmd->target, &message, p->pool)));
        p->is_there = message != NULL;
        return NULL;
    }
    default:
        FW_TRY(found(fw_letter_load(p->db, p->cmd->target, &p->letter, p->pool)));
        p->is_there = p->letter != NULL;
        return NULL;
    }
}

/* ---- what changes ---- */

static void set_detail(fw_performing *p, json_t *detail)
{
    p->view.detail = fw_json_text(detail, JSON_COMPACT | JSON_SORT_KEYS, p->pool);
    json_decref(detail);
}

/* The audit trail gets the members' names; their values are nobody's business there. */
static void take_mend(fw_performing *p)
{
    json_t *fields = p->cmd->fields ? json_loads(p->cmd->fields, 0, NULL) : NULL;
    apr_array_header_t *names, *problems;
    json_t *members = json_array();

    fw_letter_mended(p->letter->payload, fields, &p->view.data, &names, &problems, p->pool);
    p->view.problems = (const fw_refusal *)problems->elts;
    p->view.n_problems = problems->nelts;
    p->view.touched = (const char *const *)names->elts;
    p->view.n_touched = names->nelts;
    for (int i = 0; i < names->nelts; i++)
        json_array_append_new(members, json_string(APR_ARRAY_IDX(names, i, const char *)));
    set_detail(p, json_pack("{s:s, s:o}", "key", p->letter->key, "members", members));
    json_decref(fields);
}

void fw_perform_link_form(fw_performing *p)
{
    const char *reason = p->cmd->reason;

    if (p->cmd->kind == FW_CMD_OUTBOX_MEND)
        take_mend(p);
    else if (p->letter && reason)
        set_detail(p, json_pack("{s:s, s:s}", "key", p->letter->key, "reason", reason));
    else if (p->letter)
        set_detail(p, json_pack("{s:s}", "key", p->letter->key));
    else if (reason && *reason)
        set_detail(p, json_pack("{s:s}", "reason", reason));
}

/* ---- keeping ---- */

const fw_err *fw_perform_link_keep(fw_performing *p)
{
    const fw_command *cmd = p->cmd;

    switch ((int)cmd->kind) {
    case FW_CMD_PLUGIN_PAUSE:
        return fw_link_pause(p->db, cmd->plugin, cmd->actor, p->now, cmd->reason, p->pool);
    case FW_CMD_PLUGIN_RESUME:
        return fw_link_resume(p->db, cmd->plugin, p->pool);
    case FW_CMD_OUTBOX_MEND:
        return fw_letter_mend(p->db, p->letter, p->view.data, p->pool);
    case FW_CMD_OUTBOX_DROP:
        return fw_letter_drop(p->db, cmd->target, p->now, cmd->reason, p->pool);
    case FW_CMD_INBOX_REPLAY:
        return fw_message_replay(p->db, cmd->target, p->now, p->pool);
    default:
        return fw_outbox_replay(p->db, cmd->target, p->now, p->pool);
    }
}
