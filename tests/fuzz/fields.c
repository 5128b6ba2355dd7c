/* A body or a query, of JSON where it begins with "{", else urlencoded: what is taken is texts and lists of texts, and is
 * taken the same when it is written as JSON. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_fields.h"
#include "fw_json.h"
#include "fw_utf8.h"

#define LISTS ",case,mark,"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void want_text(const json_t *v)
{
    const char *text = json_string_value(v);

    fuzz_want(text && strlen(text) == json_string_length(v) && fw_utf8_valid(text), "a text");
}

static void judge(const json_t *fields)
{
    const char *name;
    json_t *v, *one;
    size_t i;

    json_object_foreach((json_t *)fields, name, v)
    {
        bool list = strcmp(name, "case") == 0 || strcmp(name, "mark") == 0;

        fuzz_want(fw_utf8_valid(name), "a name is UTF-8");
        fuzz_want(json_is_array(v) == list,
                  "lists are what may come several times, and nothing else is");
        json_array_foreach(v, i, one) want_text(one);
        if (!list)
            want_text(v);
    }
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    json_t *fields = fw_json_keep(json_object(), pool), *again = fw_json_keep(json_object(), pool);
    bool json = n > 0 && data[0] == '{';
    const fw_err *err =
        (json ? fw_fields_json : fw_fields_urlencoded)(fields, LISTS, (const char *)data, n, pool);
    char *text;

    judge(fields);
    if (err) {
        fuzz_want(strncmp(err->user_key, "body.", 5) == 0, "a reason");
        fuzz_want(!err->field || fw_utf8_valid(err->field), "its field is UTF-8");
        return;
    }
    text = json_dumps(fields, JSON_COMPACT);
    fuzz_want(!fw_fields_json(again, LISTS, text, strlen(text), pool), "it is taken again");
    fuzz_want(json_equal(fields, again), "and is the same");
    free(text);
}
