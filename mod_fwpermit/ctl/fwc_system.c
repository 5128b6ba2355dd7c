#include "fw_config.h"
#include "fwc_system.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_json.h"
#include "fw_letter.h"
#include "fw_status.h"
#include "fw_store_link.h"

#define LIST     100
#define LIST_MAX 100000

static const char *text_of(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "-";
}

static int number_of(const json_t *o, const char *name)
{
    return (int)json_integer_value(json_object_get(o, name));
}

static void say_json(fwc *c, const json_t *o)
{
    const char *text = fw_json_text(o, JSON_INDENT(2), c->pool);

    fwc_say(c, "%s", text ? text : "");
}

/* ---- status ---- */

/* What to do stands under what is not as it should be. */
static void say_advice(fwc *c, const json_t *o)
{
    const char *key = json_string_value(json_object_get(o, "advice"));

    if (key)
        fwc_say(c, "          %s",
                fw_locale_text(c->desk->locale, "en", apr_pstrcat(c->pool, "advice.", key, NULL)));
}

static void say_parts(fwc *c, const json_t *snapshot)
{
    json_t *part;
    size_t i;

    json_array_foreach(json_object_get(snapshot, "parts"), i, part)
    {
        bool up = strcmp(text_of(part, "state"), "up") == 0;

        fwc_say(c, "%-9s %-18s since %s%s%s", text_of(part, "state"), text_of(part, "name"),
                text_of(part, "since"), up ? "" : "  ", up ? "" : text_of(part, "error"));
        say_advice(c, part);
        if (!up)
            c->rc = FWC_REFUSED;
    }
}

static void say_link(fwc *c, const json_t *link)
{
    const char *error = json_string_value(json_object_get(link, "error"));

    fwc_say(c, "%-9s %-18s %-9s since %s  waiting %d  cases %d  oldest %s  dead %d",
            text_of(link, "state"), text_of(link, "plugin"), text_of(link, "port"),
            text_of(link, "since"), number_of(link, "waiting"), number_of(link, "cases"),
            text_of(link, "oldest"), number_of(link, "dead"));
    if (error)
        fwc_say(c, "          %d failures in a row, last success %s: %s",
                number_of(link, "failures"), text_of(link, "last_ok"), error);
    say_advice(c, link);
    if (strcmp(text_of(link, "state"), "down") == 0)
        c->rc = FWC_REFUSED;
}

static void say_links(fwc *c, const json_t *snapshot)
{
    json_t *link;
    size_t i;

    json_array_foreach(json_object_get(snapshot, "links"), i, link) say_link(c, link);
}

static void say_rest(fwc *c, const json_t *snapshot)
{
    json_t *audit = json_object_get(snapshot, "audit"), *one;
    size_t i;

    fwc_say(c, "queues");
    json_array_foreach(json_object_get(snapshot, "queues"), i, one)
        fwc_say(c, "  %-10s waiting %d  oldest %d s  dead %d", text_of(one, "port"),
                number_of(one, "waiting"), number_of(one, "oldest_s"), number_of(one, "dead"));
    fwc_say(c, "audit       unsealed %d  oldest %d s  last seal %d", number_of(audit, "unsealed"),
            number_of(audit, "oldest_unsealed_s"), number_of(audit, "last_seal"));
    fwc_say(c, "late cases  %d", number_of(snapshot, "late"));
    json_array_foreach(json_object_get(snapshot, "certificates"), i, one)
        fwc_say(c, "certificate %-10s until %s", text_of(one, "name"), text_of(one, "expires"));
    json_array_foreach(json_object_get(snapshot, "disk"), i, one)
    {
        json_int_t free_bytes = json_integer_value(json_object_get(one, "free_bytes"));

        fwc_say(c, "disk        %-10s %d MB free", text_of(one, "name"),
                (int)(free_bytes / 1048576));
    }
}

static json_t *collect(fwc *c, const char *db_error)
{
    json_t *before = fw_status_last(c->desk, c->pool), *snapshot;
    fw_status_ask ask = {.desk = c->desk, .db = c->db, .db_error = db_error, .before = before};

    snapshot = fw_status_collect(&ask, c->pool);
    json_decref(before);
    return snapshot;
}

/* The database may be what is down. */
const fw_err *fwc_status(fwc *c)
{
    const fw_err *err = fwc_open(c, FWC_DESK);
    json_t *snapshot;

    if (err && !c->desk)
        return err;
    snapshot = collect(c, err ? err->msg : NULL);
    if (fwc_option(c, "json")) {
        say_json(c, snapshot);
    } else {
        fwc_say(c, "%s at %s", text_of(snapshot, "node"), text_of(snapshot, "at"));
        say_parts(c, snapshot);
        say_links(c, snapshot);
        say_rest(c, snapshot);
    }
    json_decref(snapshot);
    return NULL;
}

/* ---- links ---- */

const fw_err *fwc_plugin_list(fwc *c)
{
    json_t *snapshot = collect(c, NULL);

    say_links(c, snapshot);
    c->rc = FWC_DONE;
    json_decref(snapshot);
    return NULL;
}

static const fw_err *hold(fwc *c, fw_cmd_e kind, const char *said)
{
    fw_command cmd = {
        .kind = kind, .actor = &c->actor, .plugin = c->words[0], .reason = fwc_option(c, "why")};
    fw_result result;

    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "%s %s", c->words[0], said);
    return NULL;
}

const fw_err *fwc_plugin_pause(fwc *c)
{
    return hold(c, FW_CMD_PLUGIN_PAUSE, "is paused; what is for it waits");
}

const fw_err *fwc_plugin_resume(fwc *c)
{
    return hold(c, FW_CMD_PLUGIN_RESUME, "is open again");
}

/* ---- dead letters ---- */

static void say_letter(fwc *c, const fw_letter *l)
{
    fwc_say(c, "%" APR_INT64_T_FMT "\t%s\t%s\t%d\t%s", l->id, l->op,
            fw_time_iso(l->created, c->pool), l->attempts, l->reason ? l->reason : "-");
}

static void say_message(fwc *c, const fw_dead_message *m)
{
    fwc_say(c, "%" APR_INT64_T_FMT "\tmessage of %s\t%s\t%d\t%s", m->id, m->plugin,
            fw_time_iso(m->received, c->pool), m->attempts, m->reason ? m->reason : "-");
}

const fw_err *fwc_deadletter_list(fwc *c)
{
    apr_array_header_t *list = NULL;
    int limit = 0;

    FW_TRY(fwc_option_number(c, "limit", LIST, LIST_MAX, &limit));
    FW_TRY(fw_letter_list(c->db, limit, &list, c->pool));
    for (int i = 0; i < list->nelts; i++)
        say_letter(c, &APR_ARRAY_IDX(list, i, fw_letter));
    FW_TRY(fw_message_list(c->db, limit, &list, c->pool));
    for (int i = 0; i < list->nelts; i++)
        say_message(c, &APR_ARRAY_IDX(list, i, fw_dead_message));
    return NULL;
}

/* *letter is NULL where the identity is a message's. */
static const fw_err *load(fwc *c, fw_letter **letter, fw_dead_message **message)
{
    const fw_err *err;
    fw_id id = 0;

    *message = NULL;
    FW_TRY(fwc_id(c->words[0], "a dead letter's identity", &id, c->pool));
    err = fw_letter_load(c->db, id, letter, c->pool);
    if (err && err->code == FW_E_NOTFOUND) {
        *letter = NULL;
        err = fw_message_load(c->db, id, message, c->pool);
    }
    if (err && err->code == FW_E_NOTFOUND)
        return FW_ERR(c->pool, FW_E_NOTFOUND, 0, "%s is no dead letter", c->words[0]);
    return err;
}

static const fw_err *load_letter(fwc *c, fw_letter **out)
{
    fw_dead_message *message = NULL;

    FW_TRY(load(c, out, &message));
    return *out ? NULL
                : FW_ERR(c->pool, FW_E_NOTFOUND, 0, "%s is a message from outside", c->words[0]);
}

static const fw_err *show_cases(fwc *c, const fw_letter *l)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_letter_cases(c->db, l->aggregate_id, &list, c->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_letter_case *k = &APR_ARRAY_IDX(list, i, fw_letter_case);

        fwc_say(c, "case      %s", k->case_no ? k->case_no : "a draft");
    }
    return NULL;
}

static const fw_err *show_letter(fwc *c, const fw_letter *l)
{
    json_t *masked = fw_letter_masked(l->payload, c->pool);

    fwc_say(c, "id        %" APR_INT64_T_FMT "\noperation %s\nkey       %s", l->id, l->op, l->key);
    fwc_say(c, "about     %" APR_INT64_T_FMT "\nattempts  %d\ncreated   %s\nended     %s",
            l->aggregate_id, l->attempts, fw_time_iso(l->created, c->pool),
            fw_time_iso(l->ended, c->pool));
    FW_TRY(show_cases(c, l));
    fwc_say(c, "reason    %s", l->reason ? l->reason : "-");
    if (json_is_null(masked))
        fwc_say(c, "not JSON");
    else
        say_json(c, masked);
    json_decref(masked);
    return NULL;
}

const fw_err *fwc_deadletter_show(fwc *c)
{
    fw_letter *letter = NULL;
    fw_dead_message *m = NULL;

    FW_TRY(load(c, &letter, &m));
    if (letter)
        return show_letter(c, letter);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): load() gives a letter or a message */
    fwc_say(c, "id        %" APR_INT64_T_FMT "\nmessage   of %s/%s\nsha-256   %s", m->id, m->plugin,
            m->channel ? m->channel : "", m->hash);
    fwc_say(c, "bytes     %" APR_INT64_T_FMT "\nattempts  %d\nreceived  %s\nreason    %s", m->size,
            m->attempts, fw_time_iso(m->received, c->pool), m->reason ? m->reason : "-");
    return NULL;
}

const fw_err *fwc_deadletter_replay(fwc *c)
{
    fw_command cmd = {.actor = &c->actor};
    fw_letter *letter = NULL;
    fw_dead_message *message = NULL;
    fw_result result;

    FW_TRY(load(c, &letter, &message));
    cmd.kind = letter ? FW_CMD_OUTBOX_REPLAY : FW_CMD_INBOX_REPLAY;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): likewise */
    cmd.target = letter ? letter->id : message->id;
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "%s %s", letter ? letter->op : "the message",
            letter ? "goes out once more" : "is taken up once more");
    return NULL;
}

/* NAME=VALUE … */
static const fw_err *read_members(fwc *c, const char **out)
{
    json_t *members = json_object();
    const fw_err *err = NULL;
    const char *text;

    for (int i = 1; i < c->n_words && !err; i++) {
        const char *equals = strchr(c->words[i], '=');

        if (!equals ||
            json_object_set_new(
                members, apr_pstrmemdup(c->pool, c->words[i], (apr_size_t)(equals - c->words[i])),
                json_string(equals + 1)) != 0)
            err = FW_ERR(c->pool, FW_E_INPUT, 0, "%s is not NAME=VALUE in UTF-8", c->words[i]);
    }
    text = fw_json_text(members, JSON_COMPACT, c->pool);
    *out = text ? text : "{}";
    json_decref(members);
    return err;
}

const fw_err *fwc_deadletter_mend(fwc *c)
{
    fw_command cmd = {.kind = FW_CMD_OUTBOX_MEND, .actor = &c->actor};
    fw_letter *letter = NULL;
    fw_result result;

    FW_TRY(load_letter(c, &letter));
    FW_TRY(read_members(c, &cmd.fields));
    cmd.target = letter->id;
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "%s is mended; deadletter replay delivers it", letter->op);
    return NULL;
}

const fw_err *fwc_deadletter_drop(fwc *c)
{
    fw_command cmd = {
        .kind = FW_CMD_OUTBOX_DROP, .actor = &c->actor, .reason = fwc_option(c, "why")};
    fw_letter *letter = NULL;
    fw_result result;

    FW_TRY(load_letter(c, &letter));
    cmd.target = letter->id;
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "%s is dropped", letter->op);
    return NULL;
}
