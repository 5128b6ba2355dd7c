#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_base64.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "fw_audit_verify.h"
#include "fw_desk.h"
#include "fw_journal.h"
#include "fw_migrate.h"
#include "fw_perform.h"
#include "fw_pictures.h"
#include "fw_random.h"
#include "fw_store_account.h"
#include "fw_store_outbox.h"
#include "fw_store_party.h"
#include "fw_wake.h"

/* What the tests of the running worker do to its database, as the doors would: one JSON line for each answer.
 *
 *   live_driver SETTINGS migrate
 *   live_driver SETTINGS perform          commands, one JSON object a line, from standard input
 *   live_driver SETTINGS keep FILE        puts a file into the vault
 *   live_driver SETTINGS fetch NAME FILE  and takes one out
 *   live_driver SETTINGS message PLUGIN CHANNEL HASH   the bytes from standard input go into the inbox
 *   live_driver SETTINGS read N LOGIN PAGE ABOUT       N lines into a journal, which stays open until standard input ends
 *   live_driver SETTINGS page FILE N SIZE OUT          a page of a PDF by the pictures role
 *   live_driver SETTINGS verify CERT */

static apr_pool_t *pool;
static fw_settings *settings;
static fw_desk *desk;
static fw_db *db;

static void must(const fw_err *err)
{
    if (!err)
        return;
    fprintf(stderr, "%d %s\n", (int)err->code, fw_err_text(err, pool));
    exit(3);
}

static void say(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(o);
}

static char *read_stream(FILE *f, size_t *n)
{
    char *bytes = apr_palloc(pool, 1 << 24);

    *n = fread(bytes, 1, (1 << 24) - 1, f);
    bytes[*n] = '\0';
    return bytes;
}

static char *read_file(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *bytes;

    if (!f) {
        perror(path);
        exit(2);
    }
    bytes = read_stream(f, n);
    fclose(f);
    return bytes;
}

static void write_file(const char *path, const void *bytes, size_t n, const char *mode)
{
    FILE *f = fopen(path, mode);

    if (!f || fwrite(bytes, 1, n, f) != n || fclose(f) != 0)
        exit(2);
}

/* ---- commands ---- */

static const char *text(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    if (json_is_object(v) || json_is_array(v))
        return apr_pstrdup(pool, json_dumps(v, JSON_COMPACT));
    return json_string_value(v);
}

static fw_id id(const json_t *o, const char *name)
{
    const char *v = text(o, name);

    return v ? apr_strtoi64(v, NULL, 10) : 0;
}

static const fw_actor *actor_of(const char *login)
{
    fw_actor *a = apr_pcalloc(pool, sizeof(*a));
    apr_array_header_t *orgs = NULL;
    fw_account *account = NULL;
    fw_id *ids;

    if (strcmp(login, "system") == 0) {
        *a = (fw_actor){.login = "system", .name = "system", .roles = FW_ROLE_SYSTEM};
        return a;
    }
    must(fw_account_by_login(db, login, &account, pool));
    must(fw_org_employers(db, account->org_id, &orgs, pool));
    ids = apr_palloc(pool, sizeof(*ids) * (apr_size_t)(orgs->nelts + 1));
    for (int i = 0; i < orgs->nelts; i++)
        ids[i] = APR_ARRAY_IDX(orgs, i, fw_org).id;
    *a = (fw_actor){.account_id = account->id,
                    .org_id = account->org_id,
                    .login = account->login,
                    .name = account->name,
                    .roles = account->roles,
                    .station = account->station,
                    .lang = account->lang,
                    .employers = ids,
                    .n_employers = orgs->nelts};
    return a;
}

static const fw_file *file_of(const json_t *o)
{
    fw_file *f = apr_pcalloc(pool, sizeof(*f));

    if (!o)
        return NULL;
    *f = (fw_file){.slot = text(o, "slot"),
                   .vault = text(o, "vault"),
                   .name = text(o, "name"),
                   .mime = text(o, "mime"),
                   .size = json_integer_value(json_object_get(o, "size")),
                   .sha256 = text(o, "sha256"),
                   .measures = "{}"};
    return f;
}

static const fw_org *org_of(const json_t *o)
{
    fw_org *org = apr_pcalloc(pool, sizeof(*org));

    if (!o)
        return NULL;
    *org = (fw_org){.kind = text(o, "kind"),
                    .ban = text(o, "ban"),
                    .name_zh = text(o, "name_zh"),
                    .name_en = text(o, "name_en"),
                    .county = "TAO"};
    return org;
}

static const fw_account *account_of(const json_t *o)
{
    fw_account *a = apr_pcalloc(pool, sizeof(*a));

    if (!o)
        return NULL;
    *a = (fw_account){.login = text(o, "login"),
                      .name = text(o, "login"),
                      .email = text(o, "email"),
                      .lang = text(o, "lang"),
                      .org_id = id(o, "org"),
                      .station = text(o, "station"),
                      .pw_hash = "$argon2id$none",
                      .active = true};
    fw_roles_parse(text(o, "roles"), &a->roles);
    return a;
}

static fw_command command_of(const json_t *o)
{
    static fw_id cases[16];
    const json_t *list = json_object_get(o, "cases");
    fw_command cmd = {.actor = actor_of(text(o, "actor")),
                      .target = id(o, "target"),
                      .service = text(o, "service"),
                      .worker_id = id(o, "worker"),
                      .employer_id = id(o, "employer"),
                      .fields = text(o, "fields"),
                      .marks = text(o, "marks"),
                      .reason = text(o, "reason"),
                      .file = file_of(json_object_get(o, "file")),
                      .method = text(o, "method"),
                      .org = org_of(json_object_get(o, "org")),
                      .account = account_of(json_object_get(o, "account"))};

    if (!fw_cmd_parse(text(o, "kind"), &cmd.kind))
        exit(2);
    for (size_t i = 0; i < json_array_size(list) && i < 16; i++)
        cases[cmd.n_cases++] = apr_strtoi64(json_string_value(json_array_get(list, i)), NULL, 10);
    cmd.cases = cases;
    return cmd;
}

static void perform(void)
{
    char line[65536];

    while (fgets(line, sizeof(line), stdin)) {
        json_t *o = json_loads(line, 0, NULL);
        fw_command cmd = command_of(o);
        fw_result r;

        must(fw_perform(desk, db, &cmd, &r, pool));
        say(json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "verdict",
                      r.verdict == FW_REFUSED ? "refused" : "done", "answer",
                      apr_psprintf(pool, "%" APR_INT64_T_FMT, r.answer), "case_no", r.case_no,
                      "state", r.state, "reason",
                      r.verdict == FW_REFUSED && r.n_refusals ? r.refusals[0].key : NULL));
    }
}

/* ---- the rest ---- */

static void keep(const char *path)
{
    fw_vault_writer *w = NULL;
    const char *name = NULL, *sha = NULL;
    int64_t size = 0;
    size_t n = 0;
    const char *bytes = read_file(path, &n);

    must(fw_vault_create(&w, desk->vault, pool));
    must(fw_vault_write(w, bytes, n));
    must(fw_vault_finish(w, &name, &size, &sha, pool));
    say(json_pack("{s:s, s:I, s:s}", "vault", name, "size", (json_int_t)size, "sha256", sha));
}

static void fetch(const char *name, const char *to)
{
    fw_vault_reader *r = NULL;
    const unsigned char *part = NULL;
    size_t n = 0;

    must(fw_vault_read_open(&r, desk->vault, name, pool));
    write_file(to, "", 0, "wb");
    do {
        must(fw_vault_read(r, &part, &n));
        write_file(to, part, n, "ab");
    } while (n > 0);
    say(json_object());
}

static void message(const char *plugin, const char *channel, const char *hash)
{
    fw_message m = {.plugin = plugin, .channel = channel, .received = apr_time_now()};
    size_t n = 0;
    const char *bytes = read_stream(stdin, &n);
    char *body = apr_palloc(pool, (size_t)apr_base64_encode_len((int)n) + 1);
    bool fresh = false;

    apr_base64_encode(body, bytes, (int)n);
    m.body = body;
    must(fw_id_draw(&m.id, m.received, pool));
    must(fw_db_begin(db));
    must(fw_inbox_put(db, &m, hash, &fresh, pool));
    must(fw_db_commit(db));
    fw_wake_pump(settings->run_dir, "");
    say(json_pack("{s:b}", "fresh", fresh));
}

static void read_pages(const char *login, const char *page, const char *about, int n)
{
    fw_journal *journal = NULL;

    must(fw_journal_open(&journal, settings->journal_dir, settings->journal_ms, pool));
    for (int i = 0; i < n; i++)
        must(fw_journal_note(journal, actor_of(login), page, about, apr_time_now(), pool));
    say(json_object());
    while (getchar() != EOF) /* it lives on, as a child of httpd does */
        ;
}

static void leaf(const char *path, int page, int size, const char *to)
{
    const char *jpeg = NULL;
    apr_size_t n = 0, n_jpeg = 0;
    const char *bytes = read_file(path, &n);
    json_t *answer = NULL;

    must(fw_pictures_page(settings->run_dir, bytes, n, page, size, &answer, &jpeg, &n_jpeg, pool));
    write_file(to, jpeg ? jpeg : "", n_jpeg, "wb");
    say(answer);
}

static void verify(const char *cert)
{
    fw_audit_key *key = NULL;
    fw_audit_report report;
    fw_audit_check check = {fw_audit_key_signed, NULL, settings->anchor};

    must(fw_audit_key_load(&key, cert, pool));
    check.baton = key;
    must(fw_audit_verify(db, &check, &report, pool));
    say(json_pack("{s:s, s:s?, s:I, s:I, s:I, s:I}", "fault", fw_audit_fault_name(report.fault),
                  "text", report.text, "records", (json_int_t)report.records, "seals",
                  (json_int_t)report.seals, "waiting", (json_int_t)report.waiting, "anchored",
                  (json_int_t)report.anchored));
}

static void migrate(void)
{
    int done = 0;

    must(fw_migrate_run(db, apr_pstrcat(pool, settings->sql_dir, "/schema", NULL), &done, pool));
    must(fw_desk_check(desk, pool));
    say(json_pack("{s:i}", "done", done));
}

int main(int argc, char **argv)
{
    json_t *o = argc > 2 ? json_load_file(argv[1], 0, NULL) : NULL;
    const char *what = argc > 2 ? argv[2] : "";

    if (!o)
        return 2;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    settings = fw_settings_from_json(o, pool);
    must(fw_desk_open(&desk, settings, true, pool));
    must(fw_db_acquire(&db, desk->dbs, pool));
    if (strcmp(what, "migrate") == 0)
        migrate();
    else if (strcmp(what, "perform") == 0)
        perform();
    else if (strcmp(what, "keep") == 0 && argc == 4)
        keep(argv[3]);
    else if (strcmp(what, "fetch") == 0 && argc == 5)
        fetch(argv[3], argv[4]);
    else if (strcmp(what, "message") == 0 && argc == 6)
        message(argv[3], argv[4], argv[5]);
    else if (strcmp(what, "read") == 0 && argc == 7)
        read_pages(argv[4], argv[5], argv[6], (int)apr_strtoi64(argv[3], NULL, 10));
    else if (strcmp(what, "page") == 0 && argc == 7)
        leaf(argv[3], (int)apr_strtoi64(argv[4], NULL, 10), (int)apr_strtoi64(argv[5], NULL, 10),
             argv[6]);
    else if (strcmp(what, "verify") == 0 && argc == 4)
        verify(argv[3]);
    else
        return 2;
    return 0;
}
