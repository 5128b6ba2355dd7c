/* Contracts: which files compile, what each keyword holds a value to, where a fault is said to be, the limits. */
#include "fw_config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_schema.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static apr_pool_t *pool;
static const char *path; /* of the file that is tried */

static void setup(void)
{
    const char *folder;
    apr_file_t *f;
    char *name;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    ck_assert_int_eq(apr_temp_dir_get(&folder, pool), 0);
    name = apr_pstrcat(pool, folder, "/schema-XXXXXX", NULL);
    ck_assert_int_eq(apr_file_mktemp(&f, name, APR_FOPEN_WRITE | APR_FOPEN_CREATE, pool), 0);
    apr_file_close(f);
    path = name;
}

static void teardown(void)
{
    apr_file_remove(path, pool);
    apr_pool_destroy(pool);
    apr_terminate();
}

static const fw_err *load(fw_schema **out, const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_int_eq(fputs(text, f) < 0, 0);
    fclose(f);
    return fw_schema_load(out, path, pool);
}

/* The schema `a`, with others beside it. */
static fw_schema *good(const char *schema)
{
    fw_schema *s = NULL;
    const fw_err *err =
        load(&s, apr_psprintf(pool, "{\"$defs\":{\"a\":%s,\"n\":{\"type\":\"integer\"}}}", schema));

    ck_assert_msg(!err, "%s: %s", schema, err ? fw_err_text(err, pool) : "");
    return s;
}

/* "" where the value is right, or the message. */
static const char *outcome(const fw_schema *s, const char *value)
{
    json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);
    const fw_err *err;

    ck_assert_msg(v != NULL, "%s", value);
    err = fw_schema_check(s, "a", v, pool);
    json_decref(v);
    ck_assert_msg(!err || err->code == FW_E_INPUT, "%s", err ? fw_err_text(err, pool) : "");
    return err ? err->msg : "";
}

/* schema, value, what is said */
static const char *const rules[][3] = {
    {"true", "[1,{}]", ""},
    {"{}", "null", ""},
    {"false", "1", "/: false"},
    {"{\"type\":\"integer\"}", "-3", ""},
    {"{\"type\":\"integer\"}", "3.5", "/: type"},
    {"{\"type\":\"integer\"}", "3.0", "/: type"},
    {"{\"type\":\"number\"}", "3.5", ""},
    {"{\"type\":\"number\"}", "3", ""},
    {"{\"type\":\"number\"}", "\"3\"", "/: type"},
    {"{\"type\":\"string\"}", "\"\"", ""},
    {"{\"type\":\"boolean\"}", "false", ""},
    {"{\"type\":\"boolean\"}", "0", "/: type"},
    {"{\"type\":\"null\"}", "null", ""},
    {"{\"type\":\"object\"}", "[]", "/: type"},
    {"{\"type\":\"array\"}", "{}", "/: type"},
    {"{\"type\":[\"string\",\"null\"]}", "null", ""},
    {"{\"type\":[\"string\",\"null\"]}", "1", "/: type"},
    {"{\"enum\":[\"a\",1,null,{\"b\":[2]}]}", "{\"b\":[2]}", ""},
    {"{\"enum\":[\"a\",1]}", "\"A\"", "/: enum"},
    {"{\"const\":null}", "null", ""},
    {"{\"const\":[1]}", "[1,1]", "/: const"},
    {"{\"required\":[\"b\"]}", "{\"b\":null}", ""},
    {"{\"required\":[\"b\"]}", "{\"c\":1}", "/: required: b"},
    {"{\"required\":[\"b\"]}", "3", ""},
    {"{\"properties\":{\"b\":{\"type\":\"integer\"}}}", "{\"c\":\"x\"}", ""},
    {"{\"properties\":{\"b\":{\"type\":\"integer\"}}}", "{\"b\":\"x\"}", "/b: type"},
    {"{\"properties\":{\"b\":{}},\"additionalProperties\":false}", "{\"b\":1}", ""},
    {"{\"properties\":{\"b\":{}},\"additionalProperties\":false}", "{\"b\":1,\"c\":1}",
     "/c: additionalProperties"},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"c\":1}", ""},
    {"{\"additionalProperties\":{\"type\":\"integer\"}}", "{\"c\":\"\"}", "/c: type"},
    {"{\"additionalProperties\":false}", "{\"a/b~c\\nd\xc3\xa9\":\"\"}",
     "/a~1b~0c?d??: additionalProperties"},
    {"{\"items\":{\"type\":\"integer\"}}", "[1,2,\"x\"]", "/2: type"},
    {"{\"items\":{\"items\":{\"properties\":{\"x\":{\"const\":1}}}}}", "[[],[{},{\"x\":2}]]",
     "/1/1/x: const"},
    {"{\"prefixItems\":[{\"type\":\"string\"},{}],\"items\":false}", "[\"a\",1]", ""},
    {"{\"prefixItems\":[{\"type\":\"string\"},{}],\"items\":false}", "[\"a\"]", ""},
    {"{\"prefixItems\":[{\"type\":\"string\"},{}],\"items\":false}", "[\"a\",1,2]", "/2: false"},
    {"{\"prefixItems\":[{\"type\":\"string\"}]}", "[1]", "/0: type"},
    {"{\"minItems\":1,\"maxItems\":2}", "[]", "/: minItems 1"},
    {"{\"minItems\":1,\"maxItems\":2}", "[1,2]", ""},
    {"{\"minItems\":1,\"maxItems\":2}", "[1,2,3]", "/: maxItems 2"},
    {"{\"uniqueItems\":true}", "[1,\"1\",{\"a\":1},{\"a\":2}]", ""},
    {"{\"uniqueItems\":true}", "[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1}]", "/: uniqueItems"},
    {"{\"uniqueItems\":false}", "[1,1]", ""},
    {"{\"minLength\":2,\"maxLength\":3}", "\"\xe5\xb1\x85\xe7\x95\x99\xe8\xad\x89\"",
     ""}, /* characters, not bytes */
    {"{\"minLength\":2,\"maxLength\":3}", "\"\xf0\x9f\x98\x80\"", "/: minLength 2"},
    {"{\"minLength\":2,\"maxLength\":3}", "\"abcd\"", "/: maxLength 3"},
    {"{\"minLength\":2}", "1", ""},
    {"{\"minimum\":-1,\"maximum\":9007199254740993}", "9007199254740993", ""},
    {"{\"minimum\":-1,\"maximum\":9007199254740993}", "9007199254740994",
     "/: maximum 9007199254740993"},
    {"{\"minimum\":-1}", "-2", "/: minimum -1"},
    {"{\"minimum\":-1}", "-1.5", "/: minimum"},
    {"{\"maximum\":1}", "1e3", "/: maximum"},
    {"{\"pattern\":\"^[a-z]+$\"}", "\"abc\"", ""},
    {"{\"pattern\":\"^[a-z]+$\"}", "\"abc\\n\"", "/: pattern"},
    {"{\"pattern\":\"b\"}", "\"abc\"", ""},
    {"{\"pattern\":\"^[^\\\\u0000-\\\\u001f\\\\u007f]*$\"}", "\"\xe5\xb1\x85 x\"", ""},
    {"{\"pattern\":\"^[^\\\\u0000-\\\\u001f\\\\u007f]*$\"}", "\"x\\u007f\"", "/: pattern"},
    {"{\"pattern\":\"^.$\"}", "\"\xf0\x9f\x98\x80\"", ""},
    {"{\"anyOf\":[{\"type\":\"integer\"},{\"minLength\":2}]}", "\"ab\"", ""},
    {"{\"anyOf\":[{\"type\":\"integer\"},{\"minLength\":2}]}", "\"a\"", "/: anyOf"},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "1", ""},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":2}]}", "2", "/: oneOf"},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}", "\"\"", "/: oneOf"},
    {"{\"allOf\":[{\"minimum\":1},{\"maximum\":2}]}", "3", "/: maximum 2"},
    {"{\"if\":{\"required\":[\"x\"]},\"then\":{\"required\":[\"y\"]},\"else\":{\"required\":[\"z\"]"
     "}}",
     "{\"x\":1,\"y\":1}", ""},
    {"{\"if\":{\"required\":[\"x\"]},\"then\":{\"required\":[\"y\"]},\"else\":{\"required\":[\"z\"]"
     "}}",
     "{\"x\":1}", "/: required: y"},
    {"{\"if\":{\"required\":[\"x\"]},\"then\":{\"required\":[\"y\"]},\"else\":{\"required\":[\"z\"]"
     "}}",
     "{}", "/: required: z"},
    {"{\"if\":{\"required\":[\"x\"]},\"then\":{\"required\":[\"y\"]}}", "{}", ""},
    {"{\"$ref\":\"#/$defs/n\",\"minimum\":3,\"description\":\"both hold\"}", "2", "/: minimum 3"},
    {"{\"$ref\":\"#/$defs/n\",\"minimum\":3}", "3.5", "/: type"},
};

START_TEST(what_a_keyword_holds_a_value_to)
{
    const char *const *row = rules[_i];

    ck_assert_str_eq(outcome(good(row[0]), row[1]), row[2]);
}
END_TEST

/* file, part of the message */
static const char *const broken[][2] = {
    {"", ":1: "},
    {"{", ":1: "},
    {"[]", "/$defs: is missing"},
    {"{}", "/$defs: is missing"},
    {"{\"$defs\":[]}", "/$defs: is missing"},
    {"{\"$defs\":{},\"$defs\":{}}", "duplicate"},
    {"{\"$defs\":{},\"definitions\":{}}", "/definitions: is not known there"},
    {"{\"$defs\":{\"a\":1}}", "/$defs/a: is no schema"},
    {"{\"$defs\":{\"a\":{\"maxlength\":1}}}", "/$defs/a/maxlength: the keyword is not known"},
    {"{\"$defs\":{\"a\":{\"properties\":{\"b\":{\"format\":\"date\"}}}}}",
     "/$defs/a/properties/b/format: the keyword is not known"},
    {"{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"}}}", "/$defs/a/$ref: #/$defs/b is not there"},
    {"{\"$defs\":{\"a\":{\"$ref\":\"other.json\"}}}", "is not #/$defs/NAME"},
    {"{\"$defs\":{\"a\":{\"$ref\":7}}}", "is not #/$defs/NAME"},
    {"{\"$defs\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}", "in a circle"},
    {"{\"$defs\":{\"a\":{\"items\":{\"$ref\":\"#/$defs/"
     "b\"}},\"b\":{\"anyOf\":[{\"properties\":{\"x\":{\"$ref\":\"#/$defs/a\"}}}]}}}",
     "in a circle"},
    {"{\"$defs\":{\"a\":{\"pattern\":\"^[a-z+$\"}}}",
     "/$defs/a/pattern: character 7: missing terminating ]"},
    {"{\"$defs\":{\"a\":{\"pattern\":7}}}", "is no text"},
    {"{\"$defs\":{\"a\":{\"type\":\"text\"}}}", "/$defs/a/type: is not known"},
    {"{\"$defs\":{\"a\":{\"type\":[]}}}", "/$defs/a/type: is not known"},
    {"{\"$defs\":{\"a\":{\"type\":[\"string\",1]}}}", "/$defs/a/type: is not known"},
    {"{\"$defs\":{\"a\":{\"enum\":[]}}}", "is no list of values"},
    {"{\"$defs\":{\"a\":{\"required\":\"b\"}}}", "is no list of names"},
    {"{\"$defs\":{\"a\":{\"required\":[1]}}}", "is no list of names"},
    {"{\"$defs\":{\"a\":{\"properties\":[]}}}", "is no object"},
    {"{\"$defs\":{\"a\":{\"items\":[{}]}}}", "/$defs/a/items: is no schema"},
    {"{\"$defs\":{\"a\":{\"anyOf\":[]}}}", "is no list of schemas"},
    {"{\"$defs\":{\"a\":{\"oneOf\":[{},3]}}}", "/$defs/a/oneOf/1: is no schema"},
    {"{\"$defs\":{\"a\":{\"uniqueItems\":1}}}", "is neither true nor false"},
    {"{\"$defs\":{\"a\":{\"minItems\":1.5}}}", "is no integer"},
    {"{\"$defs\":{\"a\":{\"maxLength\":\"1\"}}}", "is no integer"},
    {"{\"$defs\":{\"a\":{\"then\":7}}}", "is no schema"},
    {"{\"$defs\":{\"a\":\"\xff\"}}", ":1: "},
};

START_TEST(files_that_do_not_compile)
{
    fw_schema *s = NULL;
    const fw_err *err = load(&s, broken[_i][0]);

    ck_assert_ptr_nonnull(err);
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_msg(strstr(err->msg, path) == err->msg, "%s", err->msg);
    ck_assert_msg(strstr(err->msg, broken[_i][1]) != NULL, "%s: %s", broken[_i][0], err->msg);
}
END_TEST

static char *repeat(const char *part, int n, const char *middle, const char *end)
{
    char *out = apr_palloc(pool, (apr_size_t)n * (strlen(part) + strlen(end)) + strlen(middle) + 1);
    char *at = out;

    for (int i = 0; i < n; i++)
        at = stpcpy(at, part);
    at = stpcpy(at, middle);
    for (int i = 0; i < n; i++)
        at = stpcpy(at, end);
    return out;
}

START_TEST(limits_of_a_file)
{
    fw_schema *s = NULL;
    const char *deep = repeat("{\"items\":", FW_SCHEMA_DEPTH_MAX + 1, "{}", "}");
    const fw_err *err = load(&s, apr_pstrcat(pool, "{\"$defs\":{\"a\":", deep, "}}", NULL));

    ck_assert(err && strstr(err->msg, "too deep"));
    err = load(&s, apr_pstrcat(pool, "{\"$defs\":{\"a\":{\"allOf\":[{}",
                               repeat(",{}", FW_SCHEMA_NODES_MAX, "", ""), "]}}}", NULL));
    ck_assert(err && strstr(err->msg, "too many schemas"));
    err = load(&s, repeat(" ", FW_SCHEMA_FILE_MAX + 1, "", ""));
    ck_assert(err && err->code == FW_E_CONFIG);
    err = fw_schema_load(&s, "/nowhere/x.json", pool);
    ck_assert(err && err->code == FW_E_CONFIG && strstr(err->msg, "/nowhere/x.json"));
}
END_TEST

/* Each schema asks the next one twice: 2^30 questions. */
START_TEST(work_has_an_end)
{
    const char *defs = "";
    fw_schema *s = NULL;
    const fw_err *err;
    json_t *v = json_integer(1);

    for (int i = 0; i < 30; i++)
        defs = apr_psprintf(
            pool, "%s\"x%d\":{\"allOf\":[{\"$ref\":\"#/$defs/x%d\"},{\"$ref\":\"#/$defs/x%d\"}]},",
            defs, i, i + 1, i + 1);
    err = load(&s, apr_psprintf(pool, "{\"$defs\":{%s\"x30\":{\"type\":\"integer\"}}}", defs));
    ck_assert_msg(!err, "%s", err ? err->msg : "");
    err = fw_schema_check(s, "x0", v, pool);
    ck_assert(err && err->code == FW_E_LIMIT);
    ck_assert_ptr_null(fw_schema_check(s, "x20", v, pool));
    json_decref(v);
}
END_TEST

START_TEST(a_pattern_has_an_end)
{
    fw_schema *s = good("{\"pattern\":\"^(a+)+$\"}");

    ck_assert_str_eq(outcome(s, "\"aaaa\""), "");
    ck_assert_str_eq(outcome(s, apr_pstrcat(pool, "\"", repeat("a", 60, "b", ""), "\"", NULL)),
                     "/: pattern: too costly");
}
END_TEST

START_TEST(a_schema_that_is_not_there)
{
    fw_schema *s = good("{}");
    json_t *v = json_object();
    const fw_err *err = fw_schema_check(s, "b", v, pool);

    json_decref(v);
    ck_assert(err && err->code == FW_E_NOTFOUND);
}
END_TEST

/* Every contract compiles, and what it shows as an example is right by it. */
START_TEST(the_contracts)
{
    DIR *dir = opendir("docs/contracts");
    struct dirent *e;
    int examples = 0;

    ck_assert_ptr_nonnull(dir);
    for (e = readdir(dir); e; e = readdir(dir)) {
        const char *file = apr_pstrcat(pool, "docs/contracts/", e->d_name, NULL);
        fw_schema *s = NULL;
        const fw_err *err;
        json_t *doc, *def, *example;
        const char *name;
        size_t i;

        if (!strstr(e->d_name, ".json"))
            continue;
        err = fw_schema_load(&s, file, pool);
        ck_assert_msg(!err, "%s", err ? err->msg : "");
        doc = json_load_file(file, 0, NULL);
        json_object_foreach(json_object_get(doc, "$defs"), name, def)
        {
            json_array_foreach(json_object_get(def, "examples"), i, example)
            {
                err = fw_schema_check(s, name, example, pool);
                ck_assert_msg(!err, "%s %s: %s", file, name, err ? err->msg : "");
                examples++;
            }
        }
        json_decref(doc);
    }
    closedir(dir);
    ck_assert_int_gt(examples, 80);
}
END_TEST

/* The longest text that a contract allows is within the limits of its pattern. */
START_TEST(long_texts)
{
    fw_schema *s = NULL;
    json_t *v;

    ck_assert_ptr_null(fw_schema_load(&s, "docs/contracts/notify.json", pool));
    v = json_pack("{s:s,s:s,s:s}", "to", "a@b.example", "subject", "s", "text",
                  repeat("x\r\n", 262144 / 3, "", ""));
    ck_assert_ptr_null(fw_schema_check(s, "send.request", v, pool));
    json_object_set_new(v, "text", json_string(repeat("x", 262144, "", "")));
    ck_assert_ptr_null(fw_schema_check(s, "send.request", v, pool));
    json_object_set_new(v, "text", json_string(repeat("x", 262143, "\r", "")));
    ck_assert_str_eq(fw_schema_check(s, "send.request", v, pool)->msg, "/text: pattern");
    json_decref(v);
    v = json_pack("{s:s,s:s}", "channel", "poll", "body_base64", repeat("x", 699050, "", ""));
    ck_assert_ptr_null(fw_schema_check(s, "message.request", v, pool));
    json_decref(v);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, what_a_keyword_holds_a_value_to, 0, (int)COUNT(rules));
    tcase_add_loop_test(t, files_that_do_not_compile, 0, (int)COUNT(broken));
    tcase_add_test(t, limits_of_a_file);
    tcase_add_test(t, work_has_an_end);
    tcase_add_test(t, a_pattern_has_an_end);
    tcase_add_test(t, a_schema_that_is_not_there);
    tcase_add_test(t, the_contracts);
    tcase_add_test(t, long_texts);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
