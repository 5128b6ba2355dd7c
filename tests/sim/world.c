#include "sim.h"

#include <string.h>
#include <sys/stat.h>

#include <apr_strings.h>

#include "fw_migrate.h"
#include "fw_store_party.h"

#define NOW     apr_time_from_sec(1772414400) /* 2026-03-02T01:20:00Z, a Monday morning in Taipei */
#define LOCK_MS 1                             /* nobody else writes but where a fault wants it */
/* By sim.names: what is there from the start, and is asked for once more. */
#define FIRST_LOGIN 1
#define FIRST_ORG   2

#define BIG       5 /* one world in so many has a big house */
#define SCANS     3 /* one in so many has no scanner */
#define EMPLOYERS 4
#define AGENCIES  2

sim_world sim;

static const char *const stations[SIM_STATIONS] = {"TAO", "TPE", "HSQ", "KEE"};

apr_time_t sim_now(void)
{
    return sim.now;
}

void sim_hit(sim_fault_e fault)
{
    sim.hits[fault]++;
}

const char *sim_station(int i)
{
    return stations[i];
}

/* ---- finding ---- */

sim_person *sim_somebody(unsigned roles, const char *station)
{
    int n = sim.people->nelts, from = sim_below(n);

    for (int i = 0; i < n; i++) {
        sim_person *p = APR_ARRAY_IDX(sim.people, (from + i) % n, sim_person *);

        if (p->gone || !(p->actor.roles & roles))
            continue;
        if (!station || (p->actor.station && strcmp(p->actor.station, station) == 0))
            return p;
    }
    return NULL;
}

sim_person *sim_person_of(fw_id account)
{
    for (int i = 0; i < sim.people->nelts; i++) {
        sim_person *p = APR_ARRAY_IDX(sim.people, i, sim_person *);

        if (p->actor.account_id == account)
            return p;
    }
    return NULL;
}

static bool files_for(const sim_person *p, fw_id employer, fw_id agency)
{
    if (p->gone)
        return false;
    if (p->actor.org_id == employer)
        return true;
    for (int i = 0; i < p->actor.n_employers; i++) {
        if (p->actor.employers[i] == employer && (!agency || p->actor.org_id == agency))
            return true;
    }
    return false;
}

sim_person *sim_filer(fw_id employer, fw_id agency)
{
    int n = sim.people->nelts, from = sim_below(n);

    for (int i = 0; i < n; i++) {
        sim_person *p = APR_ARRAY_IDX(sim.people, (from + i) % n, sim_person *);

        if (files_for(p, employer, agency))
            return p;
    }
    return NULL;
}

sim_case *sim_find(fw_id id)
{
    return apr_hash_get(sim.by_id, &id, sizeof(id));
}

sim_case *sim_pick(fw_state_e state)
{
    int n = sim.cases->nelts, from = sim_below(n);

    for (int i = 0; i < n; i++) {
        sim_case *c = APR_ARRAY_IDX(sim.cases, (from + i) % n, sim_case *);

        if (state == FW_STATES || c->state == state)
            return c;
    }
    return NULL;
}

/* ---- people ---- */

static void learn_employers(fw_actor *agent)
{
    apr_array_header_t *orgs = NULL;
    fw_id *ids;

    SIM_OK(fw_org_employers(sim.db, agent->org_id, &orgs, sim.pool));
    ids = apr_palloc(sim.pool, sizeof(*ids) * (apr_size_t)(orgs->nelts + 1));
    for (int i = 0; i < orgs->nelts; i++)
        ids[i] = APR_ARRAY_IDX(orgs, i, fw_org).id;
    agent->employers = ids;
    agent->n_employers = orgs->nelts;
}

void sim_delegations(void)
{
    for (int i = 0; i < sim.people->nelts; i++) {
        sim_person *p = APR_ARRAY_IDX(sim.people, i, sim_person *);

        if (p->actor.roles & FW_ROLE_AGENT)
            learn_employers(&p->actor);
    }
}

sim_person *sim_hire(unsigned roles, fw_id org, const char *station)
{
    bool twin = !sim.calm && sim_chance(100);
    const char *login = apr_psprintf(sim.pool, "login%d", twin ? FIRST_LOGIN : ++sim.names);
    const fw_account account = {.login = login,
                                .name = login,
                                .email = "person@example.com",
                                .lang = "en",
                                .roles = roles,
                                .org_id = org,
                                .station = station,
                                .pw_hash = "$argon2id$none"};
    const sim_person *admin = sim.people->nelts ? sim_somebody(FW_ROLE_ADMIN, NULL) : NULL;
    sim_answer a = sim_give(admin ? admin : &sim.system,
                            (fw_command){.kind = FW_CMD_ACCOUNT_CREATE, .account = &account});
    sim_person *p;

    if (!sim_well(&a))
        return NULL;
    p = apr_pcalloc(sim.pool, sizeof(*p));
    p->actor = (fw_actor){.account_id = a.result.answer,
                          .login = login,
                          .name = login,
                          .roles = roles,
                          .org_id = org,
                          .station = station,
                          .lang = "en",
                          .ip = "192.0.2.1"};
    APR_ARRAY_PUSH(sim.people, sim_person *) = p;
    return p;
}

fw_id sim_found(const char *kind)
{
    bool twin = !sim.calm && sim_chance(100);
    int n = twin ? FIRST_ORG : ++sim.names;
    const fw_org org = {.kind = kind,
                        .ban = apr_psprintf(sim.act, "4%07d", n),
                        .name_zh = apr_psprintf(sim.act, "公司%d", n),
                        .name_en = apr_psprintf(sim.act, "Company %d", n),
                        .county = "桃園市",
                        .email = "office@example.com"};
    sim_answer a = sim_give(&sim.system, (fw_command){.kind = FW_CMD_ORG_CREATE, .org = &org});

    if (!sim_well(&a))
        return 0;
    APR_ARRAY_PUSH(strcmp(kind, "agency") == 0 ? sim.agencies : sim.employers, fw_id) =
        a.result.answer;
    return a.result.answer;
}

/* ---- opening ---- */

static fw_settings *settings(void)
{
    fw_settings *s = fw_settings_make(sim.pool);
    const char *built = getenv("B");

    s->base_url = "http://127.0.0.1:8080";
    s->conf_dir = "conf";
    s->services_dir = "conf/services";
    s->locale_dir = apr_pstrcat(sim.pool, built ? built : "build", "/locale", NULL);
    s->sql_dir = "sql";
    s->run_dir = sim.dir;
    s->db_driver = "sqlite3";
    s->db_params = sim.file;
    fw_settings_plugin(s, "gateway", "payment", "/plugins/payment_gateway.so", sim.pool);
    fw_settings_plugin(s, "mail", "notify", "/plugins/notify_mail.so", sim.pool);
    fw_settings_plugin(s, "bureau", "card", "/plugins/card_bureau.so", sim.pool);
    return s;
}

/* Connections of its own beside the desk's: they wait no longer than LOCK_MS for the write lock. */
static void open_database(fw_sql *sql)
{
    const fw_db_config config = {
        .driver = "sqlite3", .params = sim.file, .max = 2, .acquire_ms = 1000, .lock_ms = LOCK_MS};
    fw_db_pool *dbs = NULL;
    int done = 0;

    SIM_OK(fw_db_pool_open(&dbs, &config, sql, sim.pool));
    SIM_OK(fw_db_acquire(&sim.db, dbs, sim.pool));
    SIM_OK(fw_db_acquire(&sim.other, dbs, sim.pool));
    SIM_OK(fw_migrate_run(sim.db, "sql/schema", &done, sim.pool));
}

static void make_houses(void)
{
    for (int i = 0; i < EMPLOYERS; i++)
        sim_hire(FW_ROLE_EMPLOYER, sim_found("employer"), NULL);
    for (int i = 0; i < AGENCIES; i++) {
        fw_id agency = sim_found("agency");

        sim_hire(FW_ROLE_AGENT, agency, NULL);
        sim_hire(FW_ROLE_AGENT, agency, NULL);
    }
}

/* The last station begins without anybody: what comes there waits for a dispatcher. */
static void make_office(void)
{
    for (int i = 0; i < SIM_STATIONS - 1; i++) {
        sim_hire(FW_ROLE_INITIAL, 0, stations[i]);
        sim_hire(FW_ROLE_INITIAL | FW_ROLE_SECOND, 0, stations[i]);
        sim_hire(FW_ROLE_SECOND, 0, stations[i]);
        sim_hire(FW_ROLE_SECOND, 0, stations[i]);
    }
    sim_hire(FW_ROLE_DISPATCHER, 0, NULL);
    sim_hire(FW_ROLE_CASHIER, 0, NULL);
    sim_hire(FW_ROLE_AUDITOR, 0, NULL);
}

static void empty_world(uint64_t seed, int commands, const char *dir)
{
    memset(&sim, 0, sizeof(sim));
    apr_pool_create(&sim.pool, NULL);
    apr_pool_create(&sim.act, sim.pool);
    sim.seed = seed;
    sim.commands = commands;
    sim.dir = apr_pstrdup(sim.pool, dir);
    sim.file = apr_pstrcat(sim.pool, dir, "/fw.db", NULL);
    sim.now = NOW + apr_time_from_sec(sim_below(300 * 86400));
    sim.people = apr_array_make(sim.pool, 64, sizeof(sim_person *));
    sim.employers = apr_array_make(sim.pool, 16, sizeof(fw_id));
    sim.agencies = apr_array_make(sim.pool, 8, sizeof(fw_id));
    sim.workers = apr_array_make(sim.pool, 256, sizeof(sim_worker));
    sim.cases = apr_array_make(sim.pool, 512, sizeof(sim_case *));
    sim.by_id = apr_hash_make(sim.pool);
    sim.orders = apr_array_make(sim.pool, 256, sizeof(sim_order *));
    sim.messages = apr_array_make(sim.pool, 256, sizeof(sim_message));
    sim.refusals = apr_hash_make(sim.pool);
    sim.system.actor = (fw_actor){.login = "system", .name = "system", .roles = FW_ROLE_SYSTEM};
    sim.anyone.actor = (fw_actor){.roles = FW_ROLE_ANYONE, .lang = "en"};
}

void sim_open(uint64_t seed, int commands, const char *dir)
{
    sim_seed(seed);
    empty_world(seed, commands, dir);
    SIM_OK(fw_desk_open(&sim.desk, settings(), false, sim.pool));
    sim.desk->now = sim_now;
    sim.desk->penalty_plugin = "fines";
    sim.desk->labour_plugin = "labour";
    sim.desk->scan_plugin = seed % SCANS ? "scanner" : NULL;
    open_database(sim.desk->sql);
    SIM_OK(fw_desk_check(sim.desk, sim.pool));
    check_open();
    sim.calm = true;
    sim_hire(FW_ROLE_ADMIN, 0, NULL);
    make_houses();
    make_office();
    if (seed % BIG == 0)
        sim_big_house();
    sim.calm = false;
}

void sim_close(void)
{
    check_close();
    fw_db_release(sim.other);
    fw_db_release(sim.db);
    apr_pool_destroy(sim.pool);
}
