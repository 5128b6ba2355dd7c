#include "fw_config.h"
#include "fwk.h"

#include <string.h>

#include <apr_strings.h>

#define GARBAGE "\x01\x02 no good value"

/* What create and check_config say of these settings: NULL as they should, or what is wrong. `key`: they are to be
 * refused by its name; NULL: they are good. `may`: they may be good as well. */
static const char *verdict(const fwk *k, const json_t *answer, const char *who, const char *key,
                           bool may)
{
    const char *rc = json_string_value(json_object_get(answer, "rc"));
    const char *reason = json_string_value(json_object_get(answer, "reason"));
    const char *fault = json_string_value(json_object_get(answer, "fault"));

    if (fault)
        return apr_psprintf(k->pool, "%s: %s", who, fault);
    if (!rc || (!key && strcmp(rc, "ok") != 0))
        return apr_psprintf(k->pool, "%s answers %s (%s)", who, rc ? rc : "nothing",
                            reason ? reason : "");
    if (!key || (may && strcmp(rc, "ok") == 0))
        return NULL;
    if (strcmp(rc, "misconfigured") != 0)
        return apr_psprintf(k->pool, "%s answers %s, not misconfigured", who, rc);
    if (!reason || !strcasestr(reason, key))
        return apr_psprintf(k->pool, "%s does not name %s in its reason: %s", who, key,
                            reason ? reason : "");
    return NULL;
}

static const char *try_settings(fwk *k, json_t *settings, json_t *secrets, const char *key,
                                bool may)
{
    fwk_trial t = {.k = k, .work = fwk_work_create, .settings = settings, .secrets = secrets};
    const json_t *checked;
    const char *wrong;

    fwk_try(&t);
    wrong = t.end;
    if (!wrong)
        wrong = verdict(k, fwk_answer(&t), "create", key, may);
    checked = json_object_get(t.out, "checked");
    if (!wrong && checked)
        wrong = verdict(k, checked, "check_config", key, may);
    if (!wrong && checked &&
        strcmp(json_string_value(json_object_get(checked, "rc")), fwk_answer_rc(&t)) != 0)
        wrong = apr_psprintf(k->pool, "create answers %s, check_config %s", fwk_answer_rc(&t),
                             json_string_value(json_object_get(checked, "rc")));
    wrong = wrong ? apr_pstrdup(k->pool, wrong) : NULL;
    fwk_try_free(&t);
    return wrong;
}

/* One setting without, empty, and as garbage; returns how many were not refused by name. */
static int spoil_one(fwk *k, const char *kind, const char *key, bool optional)
{
    json_t *right[] = {fwk_settings(k, "settings", NULL), fwk_settings(k, "secrets", NULL)};
    json_t *in = strcmp(kind, "settings") == 0 ? right[0] : right[1];
    json_t *theirs = json_object_get(json_object_get(k->fixtures.common, "garbage"), key);
    const char *how[] = {"is missing", "is empty", "is garbage"};
    int failed = 0;

    for (int i = 0; i < 3; i++) {
        const char *wrong;
        bool may = optional && i == 0;
        if (i == 0)
            json_object_del(in, key);
        else if (i == 1)
            json_object_set_new(in, key, json_string(""));
        else if (theirs)
            json_object_set(in, key, theirs);
        else if (in == right[1])
            break; /* a secret may be any bytes */
        else
            json_object_set_new(in, key, json_string(GARBAGE));
        wrong = try_settings(k, right[0], right[1], key, may);
        if (wrong)
            fwk_fail(k, "settings", "when %s %s: %s; check every setting in create, name the key",
                     key, how[i], wrong);
        failed += wrong != NULL;
    }
    json_decref(right[0]);
    json_decref(right[1]);
    return failed;
}

static bool is_optional(const fwk *k, const char *key)
{
    const json_t *name;
    size_t i;

    json_array_foreach(json_object_get(k->fixtures.common, "optional"), i, name)
    {
        if (strcmp(json_string_value(name) ? json_string_value(name) : "", key) == 0)
            return true;
    }
    return false;
}

static int spoil_all(fwk *k, const char *kind)
{
    json_t *all = fwk_settings(k, kind, NULL);
    const char *key;
    json_t *value;
    int failed = 0;

    json_object_foreach(all, key, value)
    {
        if (strncmp(key, "http.", 5) != 0)
            failed += spoil_one(k, kind, key, is_optional(k, key));
    }
    json_decref(all);
    return failed;
}

static int check_unknown(fwk *k)
{
    json_t *settings = fwk_settings(k, "settings", NULL);
    json_t *secrets = fwk_settings(k, "secrets", NULL);
    const char *wrong;

    json_object_set_new(settings, "no_such_option", json_string("x"));
    wrong = try_settings(k, settings, secrets, "no_such_option", false);
    if (wrong)
        fwk_fail(k, "settings",
                 "with a setting no_such_option: %s; refuse keys that you do not know, "
                 "or a misspelt one is never found",
                 wrong);
    json_decref(settings);
    json_decref(secrets);
    return wrong != NULL;
}

/* Under a host of the first version, which has no files of the call: no crash, whatever it answers. */
static void check_old_host(fwk *k, json_t *settings, json_t *secrets)
{
    fwk_trial t = {.k = k,
                   .work = fwk_work_create,
                   .settings = settings,
                   .secrets = secrets,
                   .old_host = true};

    fwk_try(&t);
    if (t.end)
        fwk_fail(k, "old host",
                 "under a host of interface %u.0: %s; look at host->size before "
                 "using what came later",
                 FWP_ABI_MAJOR, t.end);
    else
        fwk_ok(k, "old host", "%s", fwk_answer_rc(&t));
    fwk_try_free(&t);
}

void fwk_check_settings(fwk *k)
{
    json_t *settings = fwk_settings(k, "settings", NULL);
    json_t *secrets = fwk_settings(k, "secrets", NULL);
    const char *wrong = try_settings(k, settings, secrets, NULL, false);
    int failed;

    if (wrong) {
        fwk_fail(k, "settings", "the right ones are refused: %s; mend settings.json or the plugin",
                 wrong);
    } else {
        failed = spoil_all(k, "settings") + spoil_all(k, "secrets") + check_unknown(k);
        if (failed == 0)
            fwk_ok(k, "settings", "each wrong one is refused by its name");
        check_old_host(k, settings, secrets);
    }
    json_decref(settings);
    json_decref(secrets);
}
