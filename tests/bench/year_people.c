#include "year.h"

#include <stdlib.h>

#include "fw_migrate.h"

/* Who files, who reviews, and the house that they meet in. */

#define NOW apr_time_from_sec(1772414400) /* 2026-03-02T01:20:00Z, a Monday morning in Taipei */

static const char *const stations[YEAR_STATIONS] = {"TAO", "TPE", "HSQ", "KEE"};

static fw_id give(fw_command cmd)
{
    fw_result result;

    cmd.actor = &year.system;
    year_perform(&cmd, 1, &result);
    return result.answer;
}

static fw_id found(const char *kind, int n)
{
    const fw_org org = {.kind = kind,
                        .ban = apr_psprintf(year.act, "4%07d", n),
                        .name_zh = apr_psprintf(year.act, "公司%d", n),
                        .name_en = apr_psprintf(year.act, "Company %d", n),
                        .county = "桃園市",
                        .email = "office@example.com"};

    return give((fw_command){.kind = FW_CMD_ORG_CREATE, .org = &org});
}

static void hire(fw_actor *who, unsigned roles, fw_id org, const char *station)
{
    static int hired;
    const char *login = apr_psprintf(year.pool, "login%d", ++hired);
    const fw_account account = {.login = login,
                                .name = login,
                                .email = "person@example.com",
                                .lang = "en",
                                .roles = roles,
                                .org_id = org,
                                .station = station,
                                .pw_hash = "$argon2id$none"};

    *who = (fw_actor){.login = login,
                      .name = login,
                      .roles = roles,
                      .org_id = org,
                      .station = station,
                      .lang = "en",
                      .ip = "192.0.2.1"};
    who->account_id = give((fw_command){.kind = FW_CMD_ACCOUNT_CREATE, .account = &account});
}

static void make_people(void)
{
    year.system = (fw_actor){.login = "system", .name = "system", .roles = FW_ROLE_SYSTEM};
    for (int a = 0; a < YEAR_AGENCIES; a++) {
        fw_id agency = found("agency", a);

        hire(&year.agents[a], FW_ROLE_AGENT, agency, NULL);
        for (int e = 0; e < YEAR_EMPLOYERS; e++) {
            year.employers[a][e] = found("employer", YEAR_AGENCIES + a * YEAR_EMPLOYERS + e);
            give((fw_command){.kind = FW_CMD_DELEGATION_GRANT,
                              .employer_id = year.employers[a][e],
                              .target = agency});
        }
        year.agents[a].employers = year.employers[a];
        year.agents[a].n_employers = YEAR_EMPLOYERS;
    }
    for (int i = 0; i < YEAR_STATIONS * YEAR_OFFICERS; i++) {
        hire(&year.first[i], FW_ROLE_INITIAL, 0, stations[i / YEAR_OFFICERS]);
        hire(&year.second[i], FW_ROLE_SECOND, 0, stations[i / YEAR_OFFICERS]);
    }
    apr_pool_clear(year.act);
}

static fw_settings *settings(const char *dir)
{
    fw_settings *s = fw_settings_make(year.pool);
    const char *built = getenv("B");

    s->base_url = "http://127.0.0.1:8080";
    s->conf_dir = "conf";
    s->services_dir = "conf/services";
    s->locale_dir = apr_pstrcat(year.pool, built ? built : "build", "/locale", NULL);
    s->sql_dir = "sql";
    s->run_dir = dir;
    s->db_driver = "sqlite3";
    s->db_params = year.file;
    fw_settings_plugin(s, "gateway", "payment", "/plugins/payment_gateway.so", year.pool);
    fw_settings_plugin(s, "mail", "notify", "/plugins/notify_mail.so", year.pool);
    return s;
}

/* A step with each look: identities carry their millisecond, and no house takes thousands of commands in one. */
static apr_time_t clock_now(void)
{
    return year.now += apr_time_from_msec(1);
}

void year_open(const char *dir)
{
    int done = 0;

    apr_pool_create(&year.pool, NULL);
    apr_pool_create(&year.act, year.pool);
    year.file = apr_pstrcat(year.pool, dir, "/year.db", NULL);
    year.now = NOW;
    YEAR_MUST(fw_desk_open(&year.desk, settings(dir), false, year.pool));
    year.desk->now = clock_now;
    YEAR_MUST(fw_db_acquire(&year.db, year.desk->dbs, year.pool));
    YEAR_MUST(fw_migrate_run(year.db, "sql/schema", &done, year.act));
    YEAR_MUST(fw_desk_check(year.desk, year.act));
    make_people();
    year.commands = 0;
}
