#include "fw_config.h"
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include "fw_migrate.h"
#include "fw_store_account.h"
#include "fw_store_case.h"
#include "fw_store_party.h"
#include "fw_store_payment.h"

fixture fx;
fx_people people;
static apr_time_t virtual_now;

/* ---- past fw_db ---- */

static char *run_sqlite(const char *text)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    const char *rest = text;
    char *out = NULL;
    int rc;

    ck_assert_int_eq(sqlite3_open(fx.config.params, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    while (*rest) {
        ck_assert_msg(sqlite3_prepare_v2(db, rest, -1, &st, &rest) == SQLITE_OK, "%s: %s", text,
                      sqlite3_errmsg(db));
        if (!st)
            break;
        rc = sqlite3_step(st);
        ck_assert_msg(rc == SQLITE_ROW || rc == SQLITE_DONE, "%s: %s", text, sqlite3_errmsg(db));
        if (rc == SQLITE_ROW && sqlite3_column_text(st, 0))
            out = apr_pstrdup(fx.pool, (const char *)sqlite3_column_text(st, 0));
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
    return out;
}

static char *run_pgsql(const char *params, const char *text)
{
    PGconn *db = PQconnectdb(params);
    PGresult *res = PQexec(db, text);
    char *out = NULL;

    ck_assert_msg(PQresultStatus(res) == PGRES_TUPLES_OK || PQresultStatus(res) == PGRES_COMMAND_OK,
                  "%s: %s", text, PQerrorMessage(db));
    if (PQntuples(res) > 0 && !PQgetisnull(res, 0, 0))
        out = apr_pstrdup(fx.pool, PQgetvalue(res, 0, 0));
    PQclear(res);
    PQfinish(db);
    return out;
}

const char *fx_text(const char *select)
{
    return strcmp(fx.config.driver, "pgsql") == 0 ? run_pgsql(fx.config.params, select)
                                                  : run_sqlite(select);
}

void fx_run(const char *statement)
{
    fx_text(statement);
}

int64_t fx_count(const char *from)
{
    return apr_atoi64(fx_text(apr_psprintf(fx.pool, "SELECT count(*) FROM %s", from)));
}

/* ---- databases ---- */

static const char *schema_name(void)
{
    return apr_psprintf(fx.pool, "t_%d", (int)getpid());
}

static const char *fresh_schema(void)
{
    const char *server = getenv("FW_TEST_PGSQL");

    ck_assert_msg(server != NULL, "FW_TEST_PGSQL is not set: run tests/store/run");
    run_pgsql(server, apr_psprintf(fx.pool, "CREATE SCHEMA %s", schema_name()));
    return apr_psprintf(fx.pool, "%s options='-c search_path=%s'", server, schema_name());
}

static void make_dir(void)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = apr_psprintf(fx.pool,
                             "%s/fw-XX"
                             "XX"
                             "XX",
                             tmp ? tmp : "/tmp");

    ck_assert_ptr_nonnull(mkdtemp(dir));
    fx.dir = dir;
}

fw_db *fx_connect_as(const fw_db_config *config, const fw_sql *sql, apr_pool_t *pool)
{
    fw_db_pool *dbs = NULL;
    fw_db *db = NULL;

    ck_ok(fw_db_pool_open(&dbs, config, sql, pool));
    ck_ok(fw_db_acquire(&db, dbs, pool));
    return db;
}

fw_db *fx_connect(apr_pool_t *pool)
{
    return fx_connect_as(&fx.config, fx.sql, pool);
}

void fx_open_bare(int backend)
{
    apr_initialize();
    memset(&fx, 0, sizeof(fx));
    apr_pool_create(&fx.pool, NULL);
    make_dir();
    fx.config = (fw_db_config){.driver = backend ? "pgsql" : "sqlite3",
                               .params = backend ? fresh_schema()
                                                 : apr_pstrcat(fx.pool, fx.dir, "/fw.db", NULL),
                               .max = 4,
                               .acquire_ms = 2000,
                               .statement_ms = 20000};
    ck_ok(fw_sql_load(&fx.sql, "sql/queries", fx.pool));
    ck_ok(fw_db_pool_open(&fx.dbs, &fx.config, fx.sql, fx.pool));
    ck_ok(fw_db_acquire(&fx.db, fx.dbs, fx.pool));
}

void fx_open(int backend)
{
    int done = 0;

    fx_open_bare(backend);
    ck_ok(fw_migrate_run(fx.db, "sql/schema", &done, fx.pool));
}

static void remove_dir(const char *dir)
{
    apr_dir_t *d;
    apr_finfo_t info;

    if (apr_dir_open(&d, dir, fx.pool))
        return;
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        const char *path = apr_pstrcat(fx.pool, dir, "/", info.name, NULL);
        struct stat st;

        if (strcmp(info.name, ".") == 0 || strcmp(info.name, "..") == 0 || lstat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            remove_dir(path);
        else
            unlink(path);
    }
    apr_dir_close(d);
    rmdir(dir);
}

void fx_close(void)
{
    apr_pool_t *pool = fx.pool;

    if (fx.db)
        fw_db_release(fx.db);
    if (strcmp(fx.config.driver, "pgsql") == 0) {

        run_pgsql(getenv("FW_TEST_PGSQL"),
                  apr_psprintf(pool, "SET client_min_messages = error; DROP SCHEMA %s CASCADE",
                               schema_name()));
    }
    remove_dir(fx.dir);
    fx.pool = NULL;
    apr_pool_destroy(pool);
}

fw_sql *fx_statements(const char *text)
{
    static int n;
    const char *dir = apr_psprintf(fx.pool, "%s/statements%d", fx.dir, n++);
    fw_sql *sql = NULL;
    apr_file_t *f;

    ck_assert_int_eq(mkdir(dir, 0700), 0);
    ck_assert_int_eq(apr_file_open(&f, apr_pstrcat(fx.pool, dir, "/test.sql", NULL),
                                   APR_FOPEN_WRITE | APR_FOPEN_CREATE, APR_FPROT_OS_DEFAULT,
                                   fx.pool),
                     APR_SUCCESS);
    apr_file_puts(text, f);
    apr_file_close(f);
    ck_ok(fw_sql_load(&sql, dir, fx.pool));
    return sql;
}

static void run_child(int i, int (*child)(int i, fw_db *db, apr_pool_t *pool))
{
    apr_pool_t *pool;
    int bad;

    apr_pool_create(&pool, NULL);
    fx.pool = pool;
    fx.db = NULL;
    bad = child(i, fx_connect(pool), pool);
    apr_pool_destroy(pool);
    _exit(bad ? 1 : 0);
}

int fx_processes(int n, int (*child)(int i, fw_db *db, apr_pool_t *pool))
{
    int failed = 0;
    pid_t pids[64];

    ck_assert_int_le(n, 64);
    for (int i = 0; i < n; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] == 0)
            run_child(i, child);
    }
    for (int i = 0; i < n; i++) {
        int status = 1;

        waitpid(pids[i], &status, 0);
        failed += status != 0;
    }
    return failed;
}

/* ---- rows by the stores ---- */

static void put_org(fw_id id, const char *kind, const char *ban)
{
    fw_org org = {.id = id,
                  .kind = kind,
                  .ban = ban,
                  .name_zh = apr_psprintf(fx.pool, "公司%d", (int)id),
                  .name_en = apr_psprintf(fx.pool, "Company %d", (int)id),
                  .created = FX_NOW};

    ck_ok(fw_org_put(fx.db, &org, fx.pool));
}

static void put_account(fw_id id, unsigned roles, fw_id org, const char *station)
{
    fw_account a = {.id = id,
                    .login = apr_psprintf(fx.pool, "login%d", (int)id),
                    .name = "A Name",
                    .lang = "en",
                    .roles = roles,
                    .org_id = org,
                    .station = station,
                    .pw_hash = "$argon2id$",
                    .active = true,
                    .created = FX_NOW};

    ck_ok(fw_account_put(fx.db, &a, fx.pool));
}

void fx_rows(void)
{
    fw_worker worker = {.id = 100,
                        .employer_id = 1,
                        .passport_no = "P100",
                        .nationality = "IDN",
                        .data = "{}",
                        .created = FX_NOW};
    fw_case kase = {.id = 1000,
                    .service = "epermit",
                    .service_hash = "00",
                    .state = FW_STATE_DRAFT,
                    .worker_id = 100,
                    .employer_id = 1,
                    .filer_id = 10,
                    .data = "{}",
                    .created = FX_NOW};

    put_org(1, "employer", "11111111");
    put_org(2, "agency", "22222222");
    put_account(10, FW_ROLE_EMPLOYER, 1, NULL);
    put_account(20, FW_ROLE_INITIAL, 0, "TYC");
    put_account(21, FW_ROLE_INITIAL | FW_ROLE_SECOND, 0, "TYC");
    ck_ok(fw_worker_put(fx.db, &worker, fx.pool));
    ck_ok(fw_case_put(fx.db, &kase, fx.pool));
}

/* ---- the desk ---- */

apr_time_t fx_now(void)
{
    return virtual_now;
}

void fx_set_now(apr_time_t now)
{
    virtual_now = now;
}

static const char *sub_dir(const char *name)
{
    const char *dir = apr_pstrcat(fx.pool, fx.dir, "/", name, NULL);

    ck_assert_int_eq(mkdir(dir, 0700), 0);
    return dir;
}

static const char *key_file(void)
{
    const char *path = apr_pstrcat(fx.pool, fx.dir, "/vault.keys", NULL);
    static const char key[] =
        "k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, key, sizeof(key) - 1), sizeof(key) - 1);
    close(fd);
    return path;
}

fw_desk *fx_desk_again(apr_pool_t *pool)
{
    fw_desk *desk = NULL;

    ck_ok(fw_desk_open(&desk, fx.settings, true, pool));
    desk->now = fx_now;
    return desk;
}

static void open_desk(void)
{
    fw_settings *s = fw_settings_make(fx.pool);
    const char *built = getenv("B");

    s->base_url = "http://127.0.0.1:8080";
    s->conf_dir = "conf";
    s->services_dir = "conf/services";
    s->locale_dir = apr_pstrcat(fx.pool, built ? built : "build", "/locale", NULL);
    s->sql_dir = "sql";
    s->vault_dir = sub_dir("vault");
    s->vault_keys = key_file();
    s->run_dir = sub_dir("run");
    s->db_driver = fx.config.driver;
    s->db_params = fx.config.params;
    s->db_max = 4;
    s->db_acquire_ms = 5000;
    s->db_statement_ms = 20000;
    fx.settings = s;
    fx.desk = fx_desk_again(fx.pool);
    ck_ok(fw_desk_check(fx.desk, fx.pool));
}

fw_result fx_perform(const fw_actor *actor, fw_command cmd)
{
    fw_result result = {0};

    cmd.actor = actor;
    ck_ok(fw_perform(fx.desk, fx.db, &cmd, &result, fx.pool));
    ck_assert_msg(result.verdict != FW_REFUSED, "%s is refused: %s %s", fw_cmd_name(cmd.kind),
                  result.n_refusals && result.refusals[0].field ? result.refusals[0].field : "",
                  result.n_refusals ? result.refusals[0].key : "");
    return result;
}

void fx_refused(const fw_actor *actor, fw_command cmd, fw_code_e code, const char *key)
{
    fw_result result = {0};

    cmd.actor = actor;
    ck_ok(fw_perform(fx.desk, fx.db, &cmd, &result, fx.pool));
    ck_assert_msg(result.verdict == FW_REFUSED, "%s is not refused", fw_cmd_name(cmd.kind));
    ck_assert_int_eq(result.code, code);
    if (key)
        ck_assert_str_eq(result.refusals[0].key, key);
}

static fw_id make_org(const char *kind, const char *ban, const char *zh, const char *en)
{
    const fw_org org = {.kind = kind,
                        .ban = ban,
                        .name_zh = zh,
                        .name_en = en,
                        .county = "桃園市",
                        .email = "office@example.com"};

    return fx_perform(&people.system, (fw_command){.kind = FW_CMD_ORG_CREATE, .org = &org}).answer;
}

static fw_actor make_actor(const char *login, unsigned roles, fw_id org, const char *station)
{
    const fw_account account = {.login = login,
                                .name = login,
                                .email = "person@example.com",
                                .lang = "en",
                                .roles = roles,
                                .org_id = org,
                                .station = station,
                                .pw_hash = "$argon2id$none"};
    fw_command cmd = {.kind = FW_CMD_ACCOUNT_CREATE, .account = &account};
    fw_actor actor = {.login = login,
                      .name = login,
                      .roles = roles,
                      .org_id = org,
                      .station = station,
                      .lang = "en",
                      .ip = "192.0.2.1"};

    actor.account_id = fx_perform(&people.system, cmd).answer;
    return actor;
}

static void delegate(fw_id employer)
{
    fx_perform(&people.system, (fw_command){.kind = FW_CMD_DELEGATION_GRANT,
                                            .employer_id = employer,
                                            .target = people.agency});
}

static void make_people(void)
{
    static fw_id employers[2];

    people.system = (fw_actor){.login = "system", .name = "system", .roles = FW_ROLE_SYSTEM};
    people.agency = make_org("agency", "04595257", "好幫手人力", "Good Help Agency");
    people.employer_a = make_org("employer", "22099131", "甲工廠", "Factory A");
    people.employer_b = make_org("employer", "12345675", "乙工廠", "Factory B");
    delegate(people.employer_a);
    delegate(people.employer_b);
    employers[0] = people.employer_a;
    employers[1] = people.employer_b;
    people.agent = make_actor("agent", FW_ROLE_AGENT, people.agency, NULL);
    people.agent.employers = employers;
    people.agent.n_employers = 2;
    people.employer = make_actor("employer", FW_ROLE_EMPLOYER, people.employer_a, NULL);
    people.admin = make_actor("admin", FW_ROLE_ADMIN, 0, NULL);
    people.dispatcher = make_actor("dispatcher", FW_ROLE_DISPATCHER, 0, NULL);
    people.first = make_actor("first", FW_ROLE_INITIAL, 0, "TAO");
    people.second = make_actor("second", FW_ROLE_SECOND, 0, "TAO");
}

void fx_desk(void)
{
    virtual_now = FX_NOW;
    open_desk();
    make_people();
    people.worker = fx_worker(1);
}

fw_id fx_worker(int n)
{
    const char *fields = apr_psprintf(
        fx.pool,
        "{\"name_latin\":\"SANTOSO BUDI %c%c\",\"name_native\":\"Budi\",\"sex\":\"M\","
        "\"birth\":\"1990-05-04\",\"nationality\":\"IDN\",\"passport_no\":\"C12345%02d\","
        "\"passport_expiry\":\"2031-01-31\",\"permit_letter\":\"勞動發事字第1150012345號\"}",
        'A' + n / 26, 'A' + n % 26, n);

    return fx_perform(&people.agent, (fw_command){.kind = FW_CMD_WORKER_REGISTER,
                                                  .employer_id = people.employer_a,
                                                  .fields = fields})
        .answer;
}

static void attach(fw_id kase, const char *slot, const char *mime)
{
    const fw_file file = {.slot = slot,
                          .vault = "0123456789abcdef0123456789abcdef",
                          .name = "scan",
                          .mime = mime,
                          .size = 12345,
                          .sha256 = "00",
                          .measures = "{}"};

    fx_perform(&people.agent,
               (fw_command){.kind = FW_CMD_CASE_ATTACH, .target = kase, .file = &file});
}

fw_id fx_draft(fw_id worker)
{
    static const char fields[] =
        "{\"has_ui_no\":\"no\",\"arrived\":\"yes\",\"entry_date\":\"2026-02-20\",\"visa_no\":"
        "\"VN123456\","
        "\"address\":\"桃園市桃園區縣府路106號\",\"category\":\"manufacturing\","
        "\"employer_ban\":\"22099131\",\"contract_from\":\"2026-02-20\","
        "\"contract_to\":\"2029-02-19\",\"work_address\":\"桃園市龜山區文化一路5號\","
        "\"declare\":\"yes\"}";
    fw_id kase = fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_OPEN,
                                                        .service = "epermit",
                                                        .worker_id = worker})
                     .answer;

    fx_perform(&people.agent,
               (fw_command){.kind = FW_CMD_CASE_SAVE, .target = kase, .fields = fields});
    attach(kase, "photo", "image/jpeg");
    attach(kase, "passport_page", "application/pdf");
    attach(kase, "employment_proof", "application/pdf");
    return kase;
}

fw_id fx_case_in(fw_id worker, fw_state_e state)
{
    fw_id kase = fx_draft(worker);

    fx_perform(&people.agent, (fw_command){.kind = FW_CMD_CASE_SUBMIT, .target = kase});
    if (state == FW_STATE_SUBMITTED || state == FW_STATE_INITIAL_REVIEW)
        return kase;
    fx_perform(&people.first, (fw_command){.kind = FW_CMD_CASE_APPROVE, .target = kase});
    if (state == FW_STATE_SECOND_REVIEW)
        return kase;
    fx_perform(&people.second, (fw_command){.kind = FW_CMD_CASE_CONFIRM, .target = kase});
    if (state == FW_STATE_PRODUCING)
        fx_settle(fx_pay(kase));
    return kase;
}

fw_id fx_pay(fw_id kase)
{
    const fw_id cases[] = {kase};
    fw_id payment = fx_perform(&people.agent, (fw_command){.kind = FW_CMD_PAYMENT_BEGIN,
                                                           .cases = cases,
                                                           .n_cases = 1,
                                                           .method = "card"})
                        .answer;

    fx_perform(&people.system, (fw_command){.kind = FW_CMD_PAYMENT_BEGUN,
                                            .target = payment,
                                            .redirect = "{\"action\":\"https://pay.example\"}"});
    return payment;
}

fw_result fx_settle(fw_id payment)
{
    fw_payment *p = NULL;

    ck_ok(fw_payment_load(fx.db, payment, &p, fx.pool));
    return fx_perform(&people.system, (fw_command){.kind = FW_CMD_PAYMENT_SETTLE,
                                                   .target = payment,
                                                   .amount = p->amount,
                                                   .gateway_no = "G1",
                                                   .at = fx_now()});
}

fw_state_e fx_state(fw_id kase)
{
    fw_case *c = NULL;

    ck_ok(fw_case_load(fx.db, kase, &c, fx.pool));
    return c->state;
}
