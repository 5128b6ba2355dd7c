#include "fw_config.h"
#include "fwh.h"

#include <string.h>

#include <apr_encode.h>
#include <apr_strings.h>

#include "fw_frame.h"
#include "fw_random.h"
#include "fw_sha256.h"
#include "fw_store_outbox.h"
#include "fw_wait.h"
#include "fw_wake.h"

APLOG_USE_MODULE(fwpermit);

/* Messages from other systems. What their plugin says is a lie is refused; anything else is kept raw before it is acknowledged,
 * also while the plugin is away, and what it means becomes a command by the pump. */

#define MESSAGE_MAX   65536u
#define PER_MINUTE    600 /* from one address */
#define JUDGE_MS      2000
#define CHANNEL_CHARS 32

static const fw_plugin_conf *find_plugin(const fwh_req *q, const char *name)
{
    const apr_array_header_t *all = q->desk->settings->plugins;

    for (int i = 0; i < all->nelts; i++) {
        const fw_plugin_conf *p = &APR_ARRAY_IDX(all, i, fw_plugin_conf);

        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

/* "poll" is what the pump fetched itself: nobody may push by that name. */
static bool channel_is_good(const char *c)
{
    size_t n = strlen(c);

    return strcmp(c, "poll") != 0 && n > 0 && n <= CHANNEL_CHARS &&
           strspn(c, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* Whether the plugin says that the message lies. What it cannot say now it says to the pump later. */
static bool is_a_lie(fwh_req *q, const fw_plugin_conf *p, const char *bytes, apr_size_t n)
{
    apr_time_t due = fw_monotonic() + apr_time_from_msec(JUDGE_MS);
    const char *role = apr_pstrcat(q->pool, "plugin-", p->name, NULL), *blob = NULL, *rc;
    json_t *ask, *answer = NULL;
    apr_size_t n_blob = 0;
    const fw_err *err;
    bool lie = false;
    int fd;

    if (fw_frame_connect(q->desk->run_dir, role, due, &fd, q->pool))
        return false;
    ask = json_pack("{s:s+, s:s, s:i, s:i, s:{s:s}}", "op", p->port, ".message", "key", "",
                    "attempt", 0, "deadline_ms", JUDGE_MS, "request", "channel", q->arg[1]);
    err = fw_frame_write(fd, due, ask, bytes, n, q->pool);
    json_decref(ask);
    if (!err)
        err = fw_frame_read(fd, due, MESSAGE_MAX, &answer, &blob, &n_blob, q->pool);
    fw_frame_close(fd, q->pool);
    if (err)
        return false;
    rc = json_string_value(json_object_get(answer, "rc"));
    lie = rc && strcmp(rc, "rejected") == 0;
    if (lie)
        fwh_log(WARNING, q->r, "0301", "a message to %s/%s was refused: %s", p->name, q->arg[1],
                json_string_value(json_object_get(answer, "reason")));
    json_decref(answer);
    return lie;
}

static const fw_err *keep(fwh_req *q, const fw_plugin_conf *p, const char *bytes, apr_size_t n)
{
    const char *all = apr_pstrcat(q->pool, q->arg[1], "\n", NULL);
    apr_size_t n_all = strlen(all);
    char *both = apr_palloc(q->pool, n_all + n);
    fw_message m = {.plugin = q->arg[0],
                    .channel = q->arg[1],
                    .body = apr_pencode_base64_binary(q->pool, (const unsigned char *)bytes,
                                                      (apr_ssize_t)n, APR_ENCODE_NONE, NULL),
                    .received = q->desk->now()};
    bool fresh = false;

    memcpy(both, all, n_all);
    memcpy(both + n_all, bytes, n);
    FW_TRY(fw_id_draw(&m.id, m.received, q->pool));
    FW_TRY(fw_inbox_put(q->db, &m, fw_sha256_hex(both, n_all + n, q->pool), &fresh, q->pool));
    if (fresh)
        fw_wake_pump(q->desk->run_dir, p->port);
    return NULL;
}

static const fw_err *answer(fwh_req *q, const fw_plugin_conf *p, const char *key)
{
    const char *text = json_string_value(json_object_get(p->options, key));

    text = text ? text : "";
    return fwh_bytes(q, "text/plain; charset=utf-8", text, strlen(text));
}

const fw_err *fwh_do_inbox(fwh_req *q)
{
    const fw_plugin_conf *p = find_plugin(q, q->arg[0]);
    const char *bytes = "";
    apr_size_t n = 0;
    int hits = 0;

    if (!p || !channel_is_good(q->arg[1]))
        return fwh_problem(q, HTTP_NOT_FOUND, "problem.not_found", fw_null());
    FW_TRY(fw_rate_hit(q->db, apr_pstrcat(q->pool, "inbox:", q->ip, NULL), q->desk->now(),
                       apr_time_from_sec(60), &hits, q->pool));
    if (hits > PER_MINUTE)
        return fwh_problem(q, 429, "problem.often", fw_null());
    fwh_db_give(q);
    FW_TRY(fwh_body_bytes(q, MESSAGE_MAX, &bytes, &n));
    if (n == 0)
        return answer(q, p, "inbox.refused");
    if (is_a_lie(q, p, bytes, n))
        return answer(q, p, "inbox.refused");
    FW_TRY(fwh_db_take(q));
    FW_TRY(keep(q, p, bytes, n));
    return answer(q, p, "inbox.ok");
}
