/* Links, what waits behind them, dead letters: on both back ends; and the commands about them. */
#include "fixture.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_letter.h"
#include "fw_store_link.h"
#include "fw_store_outbox.h"

#define SECOND apr_time_from_sec(1)

static void put(fw_id id, const char *port, fw_id aggregate, apr_time_t at)
{
    fw_send s = {.port = port,
                 .op = "op",
                 .key = apr_psprintf(fx.pool, "key:%d", (int)id),
                 .payload = "{\"case\":\"1\",\"token\":\"t\"}",
                 .aggregate_id = aggregate};

    ck_ok(fw_outbox_put(fx.db, id, &s, at, fx.pool));
}

static fw_delivery *claim(const char *port, apr_time_t at)
{
    fw_delivery *d = NULL;

    ck_ok(fw_outbox_claim(fx.db, port, "me", at, at + 60 * SECOND, &d, fx.pool));
    return d;
}

static void kill_letter(fw_id id)
{
    fx_run(apr_psprintf(fx.pool,
                        "UPDATE outbox SET state = 'dead', ended = 5, reason = 'no' WHERE id = %d",
                        (int)id));
}

static fw_link link_of(const char *plugin, const char *node, const char *state, apr_time_t since)
{
    return (fw_link){.plugin = plugin,
                     .node = node,
                     .port = "payment",
                     .state = state,
                     .since = since,
                     .failures = 7,
                     .last_ok = 3,
                     .error = "connection refused",
                     .next_probe = 9};
}

START_TEST(a_link_is_kept_for_each_node)
{
    fw_link a = link_of("pay", "one", "down", 5), b = link_of("pay", "two", "up", 6);
    apr_array_header_t *list = NULL;
    const fw_link *got;

    fx_open(_i);
    ck_ok(fw_link_put(fx.db, &a, fx.pool));
    ck_ok(fw_link_put(fx.db, &b, fx.pool));
    a.failures = 8;
    ck_ok(fw_link_put(fx.db, &a, fx.pool));
    ck_ok(fw_link_list(fx.db, "one", &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    got = &APR_ARRAY_IDX(list, 0, fw_link);
    ck_assert_str_eq(got->plugin, "pay");
    ck_assert_str_eq(got->state, "down");
    ck_assert_str_eq(got->error, "connection refused");
    ck_assert_int_eq(got->since, 5);
    ck_assert_int_eq(got->failures, 8);
    ck_assert_int_eq(got->last_ok, 3);
    ck_assert_int_eq(got->next_probe, 9);
    fx_close();
}
END_TEST

static const char *outage(const char *plugin, apr_time_t *since)
{
    const char *state = NULL;

    ck_ok(fw_link_outage(fx.db, plugin, &state, since, fx.pool));
    return state;
}

START_TEST(down_is_what_no_node_reaches)
{
    fw_link a = link_of("pay", "one", "down", 50), b = link_of("pay", "two", "down", 40);
    fw_actor admin = {.account_id = 3, .login = "admin"};
    apr_time_t since = 0;

    fx_open(_i);
    ck_assert_ptr_null(outage("pay", &since)); /* nobody has used it */
    ck_ok(fw_link_put(fx.db, &a, fx.pool));
    ck_assert_str_eq(outage("pay", &since), "down");
    ck_assert_int_eq(since, 50);
    ck_ok(fw_link_put(fx.db, &b, fx.pool));
    ck_assert_str_eq(outage("pay", &since), "down");
    ck_assert_int_eq(since, 40);
    b.state = "up"; /* it worked before the other one fell: that tells nothing of now */
    b.last_ok = 49;
    ck_ok(fw_link_put(fx.db, &b, fx.pool));
    ck_assert_str_eq(outage("pay", &since), "down");
    ck_assert_int_eq(since, 50);
    b.last_ok = 50;
    ck_ok(fw_link_put(fx.db, &b, fx.pool));
    ck_assert_ptr_null(outage("pay", &since));
    ck_ok(fw_link_pause(fx.db, "pay", &admin, 70, "why", fx.pool));
    ck_assert_str_eq(outage("pay", &since), "paused");
    ck_assert_int_eq(since, 70);
    a.state = b.state = "down"; /* a pause counts before it */
    ck_ok(fw_link_put(fx.db, &b, fx.pool));
    ck_assert_str_eq(outage("pay", &since), "paused");
    ck_assert_ptr_null(outage("mail", &since));
    fx_close();
}
END_TEST

START_TEST(a_pause_is_once)
{
    fw_actor admin = {.account_id = 3, .login = "admin"};
    apr_array_header_t *list = NULL;
    bool paused = true;

    fx_open(_i);
    ck_ok(fw_link_is_paused(fx.db, "pay", &paused, fx.pool));
    ck_assert(!paused);
    ck_code(fw_link_resume(fx.db, "pay", fx.pool), FW_E_CONFLICT);
    ck_ok(fw_link_pause(fx.db, "pay", &admin, 70, "why", fx.pool));
    ck_code(fw_link_pause(fx.db, "pay", &admin, 71, "why", fx.pool), FW_E_CONFLICT);
    ck_ok(fw_link_is_paused(fx.db, "pay", &paused, fx.pool));
    ck_assert(paused);
    ck_ok(fw_link_pauses(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_pause).reason, "why");
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_pause).actor, "admin");
    ck_ok(fw_link_resume(fx.db, "pay", fx.pool));
    ck_ok(fw_link_is_paused(fx.db, "pay", &paused, fx.pool));
    ck_assert(!paused);
    fx_close();
}
END_TEST

static const fw_link_count *count_of(const apr_array_header_t *list, const char *name)
{
    for (int i = 0; i < list->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(list, i, fw_link_count).name, name) == 0)
            return &APR_ARRAY_IDX(list, i, fw_link_count);
    }
    ck_abort_msg("%s is not counted", name);
}

/* A payment of two cases is one delivery and two cases; two deliveries of one case are one case. */
START_TEST(what_waits_is_counted_with_its_cases)
{
    apr_array_header_t *list = NULL;
    const fw_link_count *c;

    fx_open(_i);
    fx_rows();
    fx_run("INSERT INTO cases (id, version, service, service_hash, state, state_since, worker_id, "
           "employer_id, filer_id, data,"
           " created) SELECT 1001, 1, service, service_hash, state, 0, worker_id, employer_id, "
           "filer_id, data, 0 FROM cases WHERE id = 1000");
    fx_run("INSERT INTO payment (id, version, state, payer_id, method, amount, order_no, created)"
           " VALUES (7, 1, 'wanted', 10, 'card', 5, 'O', 0)");
    fx_run("INSERT INTO payment_case (payment_id, position, case_id) VALUES (7, 0, 1000), (7, 1, "
           "1001)");
    put(1, "payment", 7, 300);
    put(2, "notify", 1000, 200);
    put(3, "notify", 1000, 100);
    put(4, "notify", 1001, 400);
    kill_letter(4);
    put(5, "audit", 99, 500); /* about no case */
    ck_ok(fw_link_waiting(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 3);
    c = count_of(list, "payment");
    ck_assert_int_eq(c->n, 1);
    ck_assert_int_eq(c->cases, 2);
    ck_assert_int_eq(c->oldest, 300);
    c = count_of(list, "notify");
    ck_assert_int_eq(c->n, 2);
    ck_assert_int_eq(c->cases, 1);
    ck_assert_int_eq(c->oldest, 100);
    ck_assert_int_eq(count_of(list, "audit")->cases, 0);
    ck_ok(fw_link_dead(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_assert_int_eq(count_of(list, "notify")->n, 1);
    ck_ok(fw_letter_cases(fx.db, 7, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    ck_ok(fw_letter_cases(fx.db, 1001, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 1);
    ck_ok(fw_letter_cases(fx.db, 99, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    fx_close();
}
END_TEST

/* What failed while a link was down goes out at once; what is not yet due, and what is another port's, does not. */
START_TEST(who_failed_need_not_wait_longer)
{
    fw_delivery *d;
    bool mine = false;

    fx_open(_i);
    put(1, "payment", 7, FX_NOW);
    put(2, "notify", 8, FX_NOW);
    for (int i = 0; i < 2; i++) {
        d = claim(i ? "notify" : "payment", FX_NOW);
        ck_ok(fw_outbox_again(fx.db, d, FX_NOW, 900 * SECOND, "away", &mine, fx.pool));
    }
    put(3, "payment", 9, FX_NOW);
    fx_run(apr_psprintf(fx.pool, "UPDATE outbox SET not_before = %" APR_INT64_T_FMT " WHERE id = 3",
                        FX_NOW + 900 * SECOND));
    ck_ok(fw_link_hurry(fx.db, "payment", FX_NOW + SECOND, fx.pool));
    ck_assert_ptr_null(claim("notify", FX_NOW + 2 * SECOND));
    d = claim("payment", FX_NOW + 2 * SECOND);
    ck_assert_ptr_nonnull(d);
    ck_assert_int_eq(d->id, 1);
    ck_assert_ptr_null(claim("payment", FX_NOW + 2 * SECOND));
    fx_close();
}
END_TEST

START_TEST(a_letter_is_mended_once_and_dropped_once)
{
    fw_letter *letter = NULL, *same = NULL;
    apr_array_header_t *list = NULL;

    fx_open(_i);
    put(1, "payment", 7, FX_NOW);
    ck_code(fw_letter_load(fx.db, 1, &letter, fx.pool), FW_E_NOTFOUND); /* it is no dead one */
    kill_letter(1);
    ck_ok(fw_letter_load(fx.db, 1, &letter, fx.pool));
    same = letter;
    ck_assert_str_eq(letter->key, "key:1");
    ck_assert_int_eq(letter->ended, 5);
    ck_ok(fw_letter_mend(fx.db, letter, "{\"case\":\"2\"}", fx.pool));
    ck_code(fw_letter_mend(fx.db, same, "{\"case\":\"3\"}", fx.pool),
            FW_E_CONFLICT); /* mended meanwhile */
    ck_assert_str_eq(fx_text("SELECT payload FROM outbox WHERE id = 1"), "{\"case\":\"2\"}");
    ck_ok(fw_letter_drop(fx.db, 1, FX_NOW, "gone", fx.pool));
    ck_code(fw_letter_drop(fx.db, 1, FX_NOW, "gone", fx.pool), FW_E_CONFLICT);
    ck_code(fw_outbox_replay(fx.db, 1, FX_NOW, fx.pool), FW_E_NOTFOUND);
    ck_ok(fw_letter_list(fx.db, 10, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_outbox_counts(fx.db, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 0);
    ck_ok(fw_outbox_purge(fx.db, 0, FX_NOW + 1,
                          fx.pool)); /* it is kept as long as a delivery that was done */
    ck_assert_int_eq(fx_count("outbox"), 0);
    fx_close();
}
END_TEST

START_TEST(a_message_counts_its_tries_anew)
{
    fw_message in = {.id = 5,
                     .plugin = "pay",
                     .channel = "paid",
                     .body = "YWJj",
                     .received = FX_NOW},
               *m = NULL;
    fw_dead_message *dead = NULL;
    bool fresh = false;

    fx_open(_i);
    ck_ok(fw_inbox_put(fx.db, &in, "hash", &fresh, fx.pool));
    for (int i = 1; i <= 2; i++) {
        ck_ok(fw_inbox_claim(fx.db, "pay", "me", FX_NOW + i, FX_NOW + 2 * i, &m, fx.pool));
        ck_assert_int_eq(m->attempt, i);
        ck_assert_int_eq(m->tries, i);
        ck_ok(fw_inbox_again(fx.db, m, 0, 0, "away", fx.pool));
    }
    ck_code(fw_message_replay(fx.db, 5, FX_NOW, fx.pool), FW_E_CONFLICT); /* it is no dead one */
    fx_run("UPDATE inbox SET state = 'dead'");
    ck_ok(fw_message_load(fx.db, 5, &dead, fx.pool));
    ck_assert_int_eq(dead->size, 3);
    ck_assert_str_eq(dead->hash, "hash");
    ck_ok(fw_message_replay(fx.db, 5, FX_NOW + 50, fx.pool));
    ck_ok(fw_inbox_claim(fx.db, "pay", "me", FX_NOW + 60, FX_NOW + 70, &m, fx.pool));
    ck_assert_int_eq(m->attempt, 3); /* its answers are fenced off from the earlier ones' */
    ck_assert_int_eq(m->tries, 1);
    ck_assert_int_eq(m->received, FX_NOW + 50);
    fx_close();
}
END_TEST

/* ---- payloads ---- */

static const char *masked(const char *payload)
{
    json_t *o = fw_letter_masked(payload, fx.pool);
    char *text = json_dumps(o, JSON_COMPACT);

    json_decref(o);
    return text;
}

START_TEST(what_is_masked)
{
    static const struct {
        const char *raw, *shown;
    } cases[] = {
        {"{\"case\":\"12\",\"n\":3,\"ok\":true,\"none\":null}",
         "{\"case\":\"12\",\"n\":3,\"ok\":true,\"none\":null}"},
        {"{\"Password\":\"a\",\"card_pin\":1234,\"HashKey\":\"k\",\"hash_iv\":\"v\",\"shipping\":"
         "\"x\"}",
         "{\"Password\":\"***\",\"card_pin\":\"***\",\"HashKey\":\"***\",\"hash_iv\":\"***\","
         "\"shipping\":\"x\"}"},
        {"{\"pin\":\"1\",\"pin2\":\"2\",\"spin\":\"s\"}",
         "{\"pin\":\"***\",\"pin2\":\"***\",\"spin\":\"s\"}"},
        {"{\"email\":\"lin@example.tw\",\"name\":\"林小明\",\"phone\":912345678}",
         "{\"email\":\"l***@e***\",\"name\":\"林***\",\"phone\":\"***\"}"},
        {"{\"email\":\"\",\"name\":\"@\",\"mail\":\"a@\"}",
         "{\"email\":\"\",\"name\":\"@***\",\"mail\":\"a***\"}"},
        {"{\"token\":{\"deep\":[\"a\",{\"b\":1}]},\"list\":[{\"secret\":\"s\"},\"t\"]}",
         "{\"token\":{\"deep\":[\"***\",{\"b\":\"***\"}]},\"list\":[{\"secret\":\"***\"},\"t\"]}"},
        {"[1]", "null"},
        {"not JSON", "null"},
        {"{\"a\":1,\"a\":2}", "null"}};

    fx_open(0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *wanted = json_loads(cases[i].shown, JSON_DECODE_ANY, NULL);
        char *text = json_dumps(wanted, JSON_COMPACT | JSON_ENCODE_ANY);
        const char *got = masked(cases[i].raw);

        ck_assert_str_eq(got ? got : "null", text);
        json_decref(wanted);
    }
    fx_close();
}
END_TEST

static const char *mended(const char *payload, const char *fields, int *names, const char **problem)
{
    json_t *o = json_loads(fields, 0, NULL);
    apr_array_header_t *n, *problems;
    const char *out = NULL;

    fw_letter_mended(payload, o, &out, &n, &problems, fx.pool);
    *names = n->nelts;
    *problem = problems->nelts ? APR_ARRAY_IDX(problems, 0, fw_refusal).key : NULL;
    json_decref(o);
    return out;
}

START_TEST(what_can_be_mended)
{
    static const char payload[] =
        "{\"i\":1,\"r\":1.5,\"b\":true,\"s\":\"a\",\"z\":null,\"o\":{\"x\":[1]},\"token\":\"t\"}";
    static const struct {
        const char *fields, *problem;
        int names;
    } cases[] = {{"{\"i\":\"2\"}", NULL, 1},
                 {"{\"i\":\"2.5\"}", "letter.other_type", 0},
                 {"{\"i\":\"\"}", "letter.other_type", 0},
                 {"{\"i\":\"9223372036854775808\"}", "letter.other_type", 0},
                 {"{\"r\":\"2\"}", NULL, 1},
                 {"{\"r\":\"x\"}", "letter.other_type", 0},
                 {"{\"b\":\"false\"}", NULL, 1},
                 {"{\"b\":\"0\"}", "letter.other_type", 0},
                 {"{\"s\":\"\"}", NULL, 1},
                 {"{\"s\":\"a\"}", NULL, 0},
                 {"{\"z\":\"\"}", NULL, 0},
                 {"{\"z\":\"text\"}", NULL, 1},
                 {"{\"o.x.0\":\"7\"}", NULL, 1},
                 {"{\"o.x.1\":\"7\"}", "letter.no_member", 0},
                 {"{\"o.x\":\"7\"}", "letter.no_member", 0},
                 {"{\"o\":\"7\"}", "letter.no_member", 0},
                 {"{\"\":\"7\"}", "letter.no_member", 0},
                 {"{\"new\":\"7\"}", "letter.no_member", 0},
                 {"{\"i\":7}", "letter.no_member", 0},
                 {"{\"token\":\"***\"}", NULL, 0},
                 {"{\"token\":\"new\"}", NULL, 1}};

    fx_open(0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *problem = NULL;
        int names = 0;
        const char *out = mended(payload, cases[i].fields, &names, &problem);

        ck_assert_msg(!out == !!cases[i].problem, "%s", cases[i].fields);
        ck_assert_msg(problem == cases[i].problem ||
                          (problem && cases[i].problem && strcmp(problem, cases[i].problem) == 0),
                      "%s: %s", cases[i].fields, problem ? problem : "no problem");
        ck_assert_msg(names == cases[i].names, "%s: %d", cases[i].fields, names);
    }
    fx_close();
}
END_TEST

/* ---- commands ---- */

START_TEST(who_may_and_what_is_refused)
{
    fw_command pause = {.kind = FW_CMD_PLUGIN_PAUSE, .plugin = "pay", .reason = "why"};
    fw_command resume = {.kind = FW_CMD_PLUGIN_RESUME, .plugin = "pay"};
    fw_command drop = {.kind = FW_CMD_OUTBOX_DROP, .target = 1, .reason = "why"};
    fw_command mend = {.kind = FW_CMD_OUTBOX_MEND, .target = 1, .fields = "{\"case\":\"2\"}"};

    fx_open(_i);
    fx_desk();
    fw_settings_plugin(fx.settings, "pay", "payment", "/plugins/pay.so", fx.pool);
    put(1, "payment", 7, FX_NOW);
    fx_refused(&people.agent, pause, FW_E_NOTFOUND, "problem.not_found");
    fx_refused(&people.first, pause, FW_E_NOTFOUND, "problem.not_found");
    pause.plugin = "other";
    fx_refused(&people.admin, pause, FW_E_NOTFOUND, "problem.not_found");
    pause.plugin = "pay";
    pause.reason = "";
    fx_refused(&people.admin, pause, FW_E_INPUT, "case.reason_missing");
    pause.reason = "why";
    fx_refused(&people.admin, resume, FW_E_CONFLICT, "link.not_paused");
    fx_perform(&people.admin, pause);
    fx_refused(&people.system, pause, FW_E_CONFLICT, "link.paused_already");
    fx_perform(&people.system, resume);
    ck_assert_int_eq(fx_count("audit WHERE aggregate = 'plugin:pay'"), 2);
    fx_refused(&people.admin, drop, FW_E_NOTFOUND, "problem.not_found"); /* it is no dead one */
    kill_letter(1);
    fx_refused(&people.agent, drop, FW_E_NOTFOUND, "problem.not_found");
    fx_refused(&people.second, mend, FW_E_NOTFOUND, "problem.not_found");
    mend.fields = "{\"case\":\"1\"}";
    fx_refused(&people.admin, mend, FW_E_INPUT, "letter.nothing_changed");
    mend.fields = "{\"case\":\"2\",\"token\":\"secret\"}";
    fx_perform(&people.admin, mend);
    ck_assert_int_eq(fx_count("outbox WHERE payload LIKE '%secret%'"), 1);
    ck_assert_int_eq(fx_count("audit WHERE command = 'outbox.mend' AND data LIKE '%token%'"), 1);
    ck_assert_int_eq(fx_count("audit WHERE data LIKE '%secret%'"), 0);
    drop.reason = NULL;
    fx_refused(&people.admin, drop, FW_E_INPUT, "case.reason_missing");
    drop.reason = "why";
    fx_perform(&people.admin, drop);
    fx_refused(&people.admin, drop, FW_E_NOTFOUND, "problem.not_found");
    fx_close();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("links");
    TCase *t = tcase_create("links");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_link_is_kept_for_each_node, 0, FX_BACKENDS);
    tcase_add_loop_test(t, down_is_what_no_node_reaches, 0, FX_BACKENDS);
    tcase_add_loop_test(t, a_pause_is_once, 0, FX_BACKENDS);
    tcase_add_loop_test(t, what_waits_is_counted_with_its_cases, 0, FX_BACKENDS);
    tcase_add_loop_test(t, who_failed_need_not_wait_longer, 0, FX_BACKENDS);
    tcase_add_loop_test(t, a_letter_is_mended_once_and_dropped_once, 0, FX_BACKENDS);
    tcase_add_loop_test(t, a_message_counts_its_tries_anew, 0, FX_BACKENDS);
    tcase_add_loop_test(t, who_may_and_what_is_refused, 0, FX_BACKENDS);
    tcase_add_test(t, what_is_masked);
    tcase_add_test(t, what_can_be_mended);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
