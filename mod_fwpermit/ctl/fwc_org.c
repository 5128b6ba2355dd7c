#include "fw_config.h"
#include "fwc.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_date.h"
#include "fw_idnum.h"
#include "fw_store_party.h"

#define LIST_MAX 100000

static const char *or_dash(const char *text)
{
    return text && *text ? text : "-";
}

static void say_org(fwc *c, const fw_org *o)
{
    fwc_say(c, "%" APR_INT64_T_FMT "\t%s\t%s\t%s\t%s", o->id, o->kind, or_dash(o->ban),
            or_dash(o->name_zh), or_dash(o->name_en));
}

static const fw_err *check_org(fwc *c, const fw_org *o)
{
    bool agency = strcmp(o->kind, "agency") == 0;

    if (!agency && strcmp(o->kind, "employer") != 0)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "an organisation is an employer or an agency");
    if (!fw_idnum_ban_valid(o->ban) && (agency || !fw_idnum_national_valid(o->ban)))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s is no %s", o->ban,
                      agency ? "business number" : "business or national identity number");
    if (agency && !o->licence)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "an agency has a --licence");
    if (o->email && !fw_idnum_mail_valid(o->email))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s is no mail address", o->email);
    if (o->phone && !fw_idnum_phone_valid(o->phone))
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s is no telephone number", o->phone);
    return NULL;
}

const fw_err *fwc_org_create(fwc *c)
{
    fw_org o = {.kind = c->words[0],
                .ban = c->words[1],
                .licence = fwc_option(c, "licence"),
                .name_zh = fwc_option(c, "name-zh"),
                .name_en = fwc_option(c, "name-en"),
                .address = fwc_option(c, "address"),
                .phone = fwc_option(c, "phone"),
                .email = fwc_option(c, "email")};
    fw_command cmd = {.kind = FW_CMD_ORG_CREATE, .actor = &c->actor, .org = &o};
    fw_result result;

    if (o.address)
        o.county = fw_codes_address_county(c->desk->codes, o.address);
    FW_TRY(check_org(c, &o));
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "organisation %s: %" APR_INT64_T_FMT, o.ban, result.answer);
    return NULL;
}

const fw_err *fwc_org_list(fwc *c)
{
    apr_array_header_t *list = NULL;
    int limit = 0;

    FW_TRY(fwc_option_number(c, "limit", LIST_MAX, LIST_MAX, &limit));
    FW_TRY(fw_org_list(c->db, limit, &list, c->pool));
    for (int i = 0; i < list->nelts; i++)
        say_org(c, &APR_ARRAY_IDX(list, i, fw_org));
    return NULL;
}

/* ---- delegations ---- */

static const fw_err *load_two(fwc *c, fw_org **employer, fw_org **agency)
{
    FW_TRY(fwc_org(c, c->words[0], employer));
    FW_TRY(fwc_org(c, c->words[1], agency));
    if (strcmp((*employer)->kind, "employer") != 0)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s is no employer", c->words[0]);
    if (strcmp((*agency)->kind, "agency") != 0)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "%s is no agency", c->words[1]);
    return NULL;
}

const fw_err *fwc_delegation_grant(fwc *c)
{
    fw_command cmd = {.kind = FW_CMD_DELEGATION_GRANT, .actor = &c->actor};
    fw_org *employer = NULL, *agency = NULL;
    fw_result result;

    FW_TRY(load_two(c, &employer, &agency));
    cmd.employer_id = employer->id;
    cmd.target = agency->id;
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "delegation %" APR_INT64_T_FMT, result.answer);
    return NULL;
}

const fw_err *fwc_delegation_revoke(fwc *c)
{
    fw_command cmd = {.kind = FW_CMD_DELEGATION_REVOKE, .actor = &c->actor};
    fw_org *employer = NULL, *agency = NULL;
    fw_delegation *live = NULL;
    fw_result result;

    FW_TRY(load_two(c, &employer, &agency));
    FW_TRY(fw_delegation_live(c->db, employer->id, agency->id, &live, c->pool));
    if (!live)
        return FW_ERR(c->pool, FW_E_NOTFOUND, 0, "%s has not delegated to %s", c->words[0],
                      c->words[1]);
    cmd.target = live->id;
    FW_TRY(fwc_perform(c, &cmd, &result));
    fwc_say(c, "delegation %" APR_INT64_T_FMT " is revoked", live->id);
    return NULL;
}

static const fw_err *list_agencies(fwc *c, fw_id employer)
{
    apr_array_header_t *list = NULL;

    FW_TRY(fw_delegation_of_employer(c->db, employer, &list, c->pool));
    for (int i = 0; i < list->nelts; i++) {
        const fw_delegation_line *d = &APR_ARRAY_IDX(list, i, fw_delegation_line);

        fwc_say(c, "%" APR_INT64_T_FMT "\t%s\t%s\t%s\t%s", d->id, fw_time_iso(d->granted, c->pool),
                or_dash(d->licence), or_dash(d->name_zh), or_dash(d->name_en));
    }
    return NULL;
}

const fw_err *fwc_delegation_list(fwc *c)
{
    apr_array_header_t *list = NULL;
    fw_org *org = NULL;

    FW_TRY(fwc_org(c, c->words[0], &org));
    if (strcmp(org->kind, "employer") == 0)
        return list_agencies(c, org->id);
    FW_TRY(fw_org_employers(c->db, org->id, &list, c->pool));
    for (int i = 0; i < list->nelts; i++)
        say_org(c, &APR_ARRAY_IDX(list, i, fw_org));
    return NULL;
}
