#include "fw_config.h"
#include "fwk.h"

#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#define KEY          "check-5f0c2b7e91d4"
#define NOBODYS_PORT 9
#define NOW          1764000000 /* 2025-11-24T16:00:00Z */

/* Of the user that we are. */
static const char *own_name(apr_pool_t *pool)
{
    const struct passwd *own = getpwuid(geteuid());
    return own ? apr_pstrdup(pool, own->pw_name) : "nobody";
}

const char *fwk_fill(const fwk *k, const char *text, const char *key, int port, apr_pool_t *pool)
{
    const char *values[] = {
        "${PORT}", apr_itoa(pool, port ? port : NOBODYS_PORT), "${KEY}",  key,
        "${DIR}",  k->fixtures.dir ? k->fixtures.dir : ".",    "${USER}", own_name(pool)};

    for (size_t i = 0; i < 8; i += 2)
        for (const char *at = strstr(text, values[i]); at; at = strstr(text, values[i]))
            text = apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(at - text)),
                               values[i + 1], at + strlen(values[i]), NULL);
    return text;
}

json_t *fwk_settings(const fwk *k, const char *kind, const json_t *own)
{
    json_t *out = json_object();
    json_t *line = strcmp(kind, "settings") == 0 ? k->set : k->secrets;

    json_object_update(out, json_object_get(k->fixtures.common, kind));
    if (own)
        json_object_update(out, (json_t *)(uintptr_t)own);
    json_object_update(out, line);
    return out;
}

/* An object of texts, or nothing. */
static bool are_texts(json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value)
    {
        if (!json_is_string(value))
            return false;
    }
    return !object || json_is_object(object);
}

/* One exchange by HTTP: {"expect": {…}, "respond": {"status", …}}, or "not_sent", or "lost" to respond with. */
static bool is_exchange(const json_t *x)
{
    const json_t *respond = json_object_get(x, "respond");
    const char *word = json_string_value(respond);
    size_t known = (json_object_get(x, "expect") ? 1u : 0u) + (respond ? 1u : 0u);

    if (!json_is_object(x) || json_object_size(x) != known)
        return false;
    if (word)
        return strcmp(word, "not_sent") == 0 || strcmp(word, "lost") == 0;
    return json_is_integer(json_object_get(respond, "status")) &&
           are_texts(json_object_get(respond, "headers"));
}

static bool are_exchanges(const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (!is_exchange(one))
            return false;
    }
    return !list || json_is_array(list);
}

/* A program at the far side: what to run, and by what it is seen that it has taken what it must. */
static bool is_program(const json_t *p)
{
    const json_t *run = json_object_get(p, "run"), *taken = json_object_get(p, "taken");

    return !p || (json_object_size(p) == 2 && json_array_size(run) > 0 &&
                  (json_is_string(taken) || json_is_integer(taken)));
}

/* NULL, or what is wrong with a case. */
static const char *read_case(fwk *k, fwk_case *c, const char *path)
{
    const char *op;
    const char *key;
    json_error_t why;

    c->all = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(c->all))
        return apr_psprintf(k->pool, "%s, line %d: %s", path, why.line, why.text);
    op = json_string_value(json_object_get(c->all, "op"));
    if (!op || !json_is_object(json_object_get(c->all, "request")))
        return apr_psprintf(k->pool, "%s: \"op\" is a text and \"request\" an object", path);
    if (!json_is_string(json_object_get(json_object_get(c->all, "expect"), "rc")))
        return apr_psprintf(k->pool, "%s: \"expect\" has no \"rc\"", path);
    if (!are_exchanges(json_object_get(c->all, "http")))
        return apr_psprintf(
            k->pool,
            "%s: \"http\" is a list of {\"expect\": {...}, \"respond\": {\"status\": "
            "200, ...}}; \"respond\" may be \"not_sent\" or \"lost\"",
            path);
    if (!is_program(json_object_get(c->all, "program")))
        return apr_psprintf(
            k->pool,
            "%s: \"program\" is {\"run\": [word, ...], \"taken\": a path or how many "
            "bytes}",
            path);
    c->op = op;
    key = json_string_value(json_object_get(c->all, "key"));
    c->key = key ? key : KEY;
    c->now = NOW;
    if (json_object_get(c->all, "now"))
        c->now = json_integer_value(json_object_get(c->all, "now"));
    c->settings = fwk_settings(k, "settings", json_object_get(c->all, "settings"));
    c->secrets = fwk_settings(k, "secrets", json_object_get(c->all, "secrets"));
    return NULL;
}

static int is_case(const struct dirent *d)
{
    const char *dot = strrchr(d->d_name, '.');
    return dot && strcmp(dot, ".json") == 0 && strcmp(d->d_name, "settings.json") != 0;
}

/* From the root, as settings and programs need it. */
static const char *whole_path(const char *dir, apr_pool_t *pool)
{
    char *whole = realpath(dir, NULL);
    const char *copy = apr_pstrdup(pool, whole ? whole : dir);

    free(whole);
    return copy;
}

bool fwk_fixtures_read(fwk *k, const char *dir)
{
    const char *common = apr_pstrcat(k->pool, dir, "/settings.json", NULL);
    struct dirent **names;
    json_error_t why;
    const char *wrong = NULL;
    int n = scandir(dir, &names, is_case, alphasort);

    k->fixtures.dir = whole_path(dir, k->pool);
    k->fixtures.common = json_load_file(common, JSON_REJECT_DUPLICATES, &why);
    if (n < 0 || !json_is_object(k->fixtures.common)) {
        fwk_fail(k, "fixtures", "%s: %s; it is {\"settings\": {...}, \"secrets\": {...}}", common,
                 n < 0 ? "no such folder" : why.text);
        return false;
    }
    k->fixtures.cases = apr_pcalloc(k->pool, (size_t)(n + 1) * sizeof(fwk_case));
    for (int i = 0; i < n; i++) {
        fwk_case *c = &k->fixtures.cases[k->fixtures.n++];
        c->name = apr_pstrdup(k->pool, names[i]->d_name);
        if (!wrong)
            wrong = read_case(k, c, apr_pstrcat(k->pool, dir, "/", c->name, NULL));
        free(names[i]);
    }
    free(names);
    if (wrong)
        fwk_fail(k, "fixtures", "%s", wrong);
    return !wrong;
}

const json_t *fwk_script(const fwk_case *c)
{
    const json_t *tcp = json_object_get(c->all, "tcp");
    return tcp ? tcp : json_object_get(c->all, "program");
}

size_t fwk_exchanges(const fwk_case *c)
{
    size_t n = json_array_size(json_object_get(c->all, "http"));
    return fwk_script(c) ? n + 1 : n;
}

const fwk_case *fwk_case_of(const fwk *k, const char *op)
{
    for (size_t i = 0; i < k->fixtures.n; i++) {
        const fwk_case *c = &k->fixtures.cases[i];
        const char *rc =
            json_string_value(json_object_get(json_object_get(c->all, "expect"), "rc"));
        if (strcmp(c->op, op) == 0 && (strcmp(rc, "ok") == 0 || strcmp(rc, "pending") == 0))
            return c;
    }
    return NULL;
}
