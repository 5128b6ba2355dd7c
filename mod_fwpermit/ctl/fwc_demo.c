#include "fw_config.h"
#include "fwc.h"

#include <apr_strings.h>

#include "fw_password.h"
#include "fw_store_account.h"
#include "fw_store_party.h"

/* The demo world; the log-in page of a demo names the same accounts. */

#define PASSWORD "demo-permit-2026"

static const fw_org orgs[] = {{.kind = "agency",
                               .ban = "22099131",
                               .licence = "1234",
                               .name_zh = "遠帆人力仲介有限公司",
                               .name_en = "Far Sail Manpower Agency Ltd.",
                               .address = "桃園市桃園區縣府路1號",
                               .county = "TAO",
                               .phone = "03-3322101",
                               .email = "office@agency.demo.example"},
                              {.kind = "employer",
                               .ban = "04595257",
                               .name_zh = "宏遠精密工業股份有限公司",
                               .name_en = "Hong Yuan Precision Industry Co., Ltd.",
                               .address = "桃園市龜山區文化一路10號",
                               .county = "TAO",
                               .phone = "03-3971234",
                               .email = "hr@hongyuan.demo.example"},
                              {.kind = "employer",
                               .ban = "10458575",
                               .name_zh = "長青老人長期照顧中心",
                               .name_en = "Evergreen Care Centre",
                               .address = "桃園市中壢區環北路400號",
                               .county = "TAO",
                               .phone = "03-4221234",
                               .email = "office@evergreen.demo.example"},
                              {.kind = "employer",
                               .ban = "12345675",
                               .name_zh = "海天漁業行",
                               .name_en = "Hai Tian Fishery",
                               .address = "桃園市大園區漁港路20號",
                               .county = "TAO",
                               .phone = "03-3861234",
                               .email = "office@haitian.demo.example"}};
#define ORGS    ((int)(sizeof(orgs) / sizeof(orgs[0])))
#define AGENCY  0
#define DIRECT  3 /* files for itself */
#define NOWHERE (-1)

static const struct {
    const char *login, *name, *lang;
    unsigned roles;
    int org;
    const char *station;
} people[] = {
    {"broker", "林怡君", "zh-Hant", FW_ROLE_AGENT, AGENCY, NULL},
    {"employer", "陳海明", "zh-Hant", FW_ROLE_EMPLOYER, DIRECT, NULL},
    {"reviewer1", "王淑芬", "zh-Hant", FW_ROLE_INITIAL | FW_ROLE_SECOND, NOWHERE, "TAO"},
    {"reviewer2", "張志豪", "zh-Hant", FW_ROLE_INITIAL | FW_ROLE_SECOND, NOWHERE, "TAO"},
    {"dispatcher", "李美玲", "zh-Hant", FW_ROLE_DISPATCHER, NOWHERE, "TAO"},
    {"cashier", "黃國華", "zh-Hant", FW_ROLE_CASHIER, NOWHERE, "TAO"},
    {"admin", "吳建宏", "zh-Hant", FW_ROLE_ADMIN, NOWHERE, NULL},
    {"auditor", "劉雅婷", "zh-Hant", FW_ROLE_AUDITOR, NOWHERE, NULL},
};
#define PEOPLE ((int)(sizeof(people) / sizeof(people[0])))

static const fw_err *have_org(fwc *c, const fw_org *wanted, fw_id *id)
{
    fw_command cmd = {.kind = FW_CMD_ORG_CREATE, .actor = &c->actor, .org = wanted};
    fw_org *there = NULL;
    fw_result result;
    const fw_err *err = fw_org_by_ban(c->db, wanted->ban, &there, c->pool);

    if (!err) {
        *id = there->id;
        return NULL;
    }
    if (err->code != FW_E_NOTFOUND)
        return err;
    FW_TRY(fwc_perform(c, &cmd, &result));
    *id = result.answer;
    return NULL;
}

static const fw_err *have_delegation(fwc *c, fw_id employer, fw_id agency)
{
    fw_command cmd = {.kind = FW_CMD_DELEGATION_GRANT,
                      .actor = &c->actor,
                      .target = agency,
                      .employer_id = employer};
    fw_delegation *live = NULL;
    fw_result result;

    FW_TRY(fw_delegation_live(c->db, employer, agency, &live, c->pool));
    return live ? NULL : fwc_perform(c, &cmd, &result);
}

/* `*hash` is made for the first who needs it: all have the one password that everybody knows. */
static const fw_err *have_person(fwc *c, int i, const fw_id *org_ids, const char **hash)
{
    fw_account a = {.login = people[i].login,
                    .name = people[i].name,
                    .lang = people[i].lang,
                    .roles = people[i].roles,
                    .station = people[i].station};
    fw_command cmd = {.kind = FW_CMD_ACCOUNT_CREATE, .actor = &c->actor, .account = &a};
    fw_account *there = NULL;
    fw_result result;
    const fw_err *err = fw_account_by_login(c->db, a.login, &there, c->pool);

    if (!err || err->code != FW_E_NOTFOUND)
        return err;
    a.email = apr_pstrcat(c->pool, a.login, "@demo.example", NULL);
    a.org_id = people[i].org == NOWHERE ? 0 : org_ids[people[i].org];
    if (!*hash)
        FW_TRY(fw_password_hash(PASSWORD, hash, c->pool));
    a.pw_hash = *hash;
    return fwc_perform(c, &cmd, &result);
}

const fw_err *fwc_demo(fwc *c)
{
    const char *hash = NULL;
    fw_id ids[ORGS];

    if (!c->settings->demo)
        return FW_ERR(c->pool, FW_E_CONFLICT, 0,
                      "FwPermitDemo is Off: accounts with a known password are for trials alone");
    for (int i = 0; i < ORGS; i++)
        FW_TRY(have_org(c, &orgs[i], &ids[i]));
    for (int i = AGENCY + 1; i < DIRECT; i++)
        FW_TRY(have_delegation(c, ids[i], ids[AGENCY]));
    for (int i = 0; i < PEOPLE; i++)
        FW_TRY(have_person(c, i, ids, &hash));
    for (int i = 0; i < PEOPLE; i++)
        fwc_say(c, "%-11s %-20s %s", people[i].login, fw_roles_text(people[i].roles, c->pool),
                people[i].org == NOWHERE ? "" : orgs[people[i].org].name_en);
    fwc_say(c, "password    %s", PASSWORD);
    return NULL;
}
