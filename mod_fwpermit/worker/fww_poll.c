#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_base64.h>
#include <apr_strings.h>

#include "fw_random.h"
#include "fw_sha256.h"
#include "fw_wake.h"
#include "fww_plugin_run.h"
#include "fwpermit_plugin.h"

/* What the other side has for us: fetched, kept raw, and only then acknowledged (decision 10). A crash between two of these steps
 * repeats the one before; a message that comes twice is one row of the inbox. */

#define AT_ONCE       20
#define CHANNEL       "poll"
#define ASK_MS        20000
#define MESSAGES_MOST 100

bool fww_port_polls(const char *port)
{
    static const char *const ports[] = {"border", "labour", "penalty", "card", "payment"};

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        if (strcmp(ports[i], port) == 0)
            return true;
    }
    return false;
}

static const char *hash_of(const fww_turn *t, const char *base64)
{
    apr_size_t n_head = sizeof(CHANNEL "\n") - 1;
    char *all = apr_palloc(t->pool, n_head + (apr_size_t)apr_base64_decode_len(base64) + 1);
    int n;

    memcpy(all, CHANNEL "\n", n_head);
    n = apr_base64_decode(all + n_head, base64);
    return fw_sha256_hex(all, n_head + (apr_size_t)n, t->pool);
}

static const fw_err *keep_one(fww_turn *t, const char *plugin, fw_id id, const json_t *message)
{
    fw_message m = {.id = id,
                    .plugin = plugin,
                    .channel = CHANNEL,
                    .body = json_string_value(json_object_get(message, "body_base64")),
                    .received = t->pump->desk->now()};
    bool fresh = false;

    return fw_inbox_put(t->db, &m, hash_of(t, m.body), &fresh, t->pool);
}

static const fw_err *keep_all(fww_turn *t, const char *plugin, const json_t *messages)
{
    const fw_err *err = NULL;
    const json_t *m;
    fw_id id = 0;
    size_t i;

    /* One draw for all, counted up: what was said first is heard first. */
    FW_TRY(fw_id_draw(&id, t->pump->desk->now(), t->pool));
    FW_TRY(fw_db_begin(t->db));
    json_array_foreach(messages, i, m)
    {
        err = keep_one(t, plugin, id + (fw_id)i, m);
        if (err)
            break;
    }
    if (!err)
        return fw_db_commit(t->db);
    fw_db_rollback(t->db);
    return err;
}

/* Another key each time: the other side may give the same answer to the same key for ever. */
static const char *key_of(const fww_turn *t, const char *what, const char *plugin)
{
    return apr_psprintf(t->pool, "%s:%s:%" APR_TIME_T_FMT, what, plugin, apr_time_now());
}

static void add_once(json_t *ids, json_t *id)
{
    const json_t *known;
    size_t i;

    json_array_foreach(ids, i, known)
    {
        if (json_equal(known, id))
            return;
    }
    json_array_append(ids, id);
}

static void ack(fww_turn *t, const char *port, const char *plugin, const json_t *messages)
{
    fww_ask ask = {.op = apr_pstrcat(t->pool, port, ".ack", NULL), .deadline_ms = ASK_MS};
    json_t *ids = json_array();
    const json_t *m;
    fww_answer answer;
    size_t i;

    json_array_foreach(messages, i, m) add_once(ids, json_object_get(m, "id"));
    ask.key = key_of(t, "ack", plugin);
    ask.request = json_pack("{s:o}", "ids", ids);
    fww_port_ask(t, plugin, &ask, &answer);
    if (answer.rc != FWP_OK)
        t->pump->env->log(FWW_INFO, "%s: what was fetched is acknowledged later: %s", plugin,
                          answer.reason ? answer.reason : "");
}

const fw_err *fww_pump_poll(fww_turn *t, const char *port, const char *plugin, bool *any,
                            bool *never)
{
    fww_ask ask = {.op = apr_pstrcat(t->pool, port, ".poll", NULL),
                   .key = key_of(t, "poll", plugin),
                   .deadline_ms = ASK_MS,
                   .request = json_pack("{s:i}", "max", AT_ONCE),
                   .may_be_away = true};
    const json_t *messages;
    fww_answer answer;

    *any = false;
    if (strcmp(port, "card") == 0)
        FW_TRY(fww_stock_round(t, plugin));
    fww_port_ask(t, plugin, &ask, &answer);
    *never = answer.rc == FWP_PERMFAIL && strcmp(answer.reason, FWW_UNSUPPORTED) == 0;
    if (answer.rc != FWP_OK)
        return NULL;
    messages = json_object_get(answer.reply, "messages");
    if (json_array_size(messages) == 0 || json_array_size(messages) > MESSAGES_MOST)
        return NULL;
    FW_TRY(keep_all(t, plugin, messages));
    fw_wake_pump(t->pump->env->run_dir, port);
    ack(t, port, plugin, messages);
    *any = json_array_size(messages) == AT_ONCE;
    return NULL;
}
