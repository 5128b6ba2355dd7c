/* Templates: what is shown, how it is escaped by where it stands, every place that is refused with file and line, and
 * each limit. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_template.h"
#include "folder.h"
#include "mo.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define EVIL     "{\"v\":\"<a&b>\\\"'\"}"

static const char *const zh_rows[][2] = {
    {"", MO_HEAD}, {"greet", "您好，{p.name} <b>"}, {"n", "{n} 件"}, {"only.zh", "中"}};
static const char *const en_rows[][2] = {{"", MO_HEAD},
                                         {"greet", "Hello {p.name} & co \"{n}\" {Ng!}"},
                                         {"n", "{n} cases"},
                                         {"only.en", "E"}};

static apr_pool_t *pool;
static fw_locale *locale;
static fw_templates *all;
static char dir[64];

static void setup(void)
{
    const fw_err *err;
    mo_bytes mo;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    snprintf(dir, sizeof(dir), "/tmp/template-test-%d", (int)getpid());
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    mo_make(&mo, zh_rows, COUNT(zh_rows), false);
    ck_assert(mo_put(&mo, apr_pstrcat(pool, dir, "/zh-Hant.mo", NULL)));
    mo_make(&mo, en_rows, COUNT(en_rows), false);
    ck_assert(mo_put(&mo, apr_pstrcat(pool, dir, "/en.mo", NULL)));
    err = fw_locale_load(&locale, dir, pool);
    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
}

static void teardown(void)
{
    remove_folder(dir);
    apr_pool_destroy(pool);
    apr_terminate();
}

static void put_bytes(const char *name, const char *text, size_t n)
{
    FILE *f = fopen(apr_pstrcat(pool, dir, "/", name, ".html", NULL), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, n, f), n);
    fclose(f);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void load(void)
{
    const fw_err *err = fw_templates_load(&all, dir, locale, pool);

    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
}

static const char *render(const char *name, const char *model, const char *lang)
{
    const char *html = NULL;
    apr_size_t n = 0;
    json_t *o = json_loads(model, JSON_ALLOW_NUL, NULL);
    const fw_err *err;

    ck_assert_msg(o != NULL, "%s", model);
    err = fw_template_render(all, name, fw_of_json(o, pool), lang, &html, &n, pool);
    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
    ck_assert_uint_eq(strlen(html), n);
    json_decref(o);
    return html;
}

static void shows(const char *text, const char *model, const char *wanted)
{
    const char *html;

    put("a", text);
    load();
    html = render("a", model, "en");
    ck_assert_msg(strcmp(html, wanted) == 0, "%s: %s, not %s", text, html, wanted);
}

/* The page is refused at "file:line:" with words of the reason. */
static void refused_at(const char *file, int line, const char *reason)
{
    const fw_err *err = fw_templates_load(&all, dir, locale, pool);
    const char *where = line ? apr_psprintf(pool, "/%s.html:%d: ", file, line)
                             : apr_psprintf(pool, "/%s.html: ", file);

    ck_assert_msg(err != NULL, "taken; wanted: %s", reason);
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_msg(strstr(err->msg, where) && strstr(err->msg, reason), "%s; wanted %s%s", err->msg,
                  where, reason);
}

static void refused(const char *text, int line, const char *reason)
{
    put("a", text);
    refused_at("a", line, reason);
}

START_TEST(values)
{
    static const char *const rows[][3] = {
        {"", "{}", ""},
        {"{{v}}", "{\"v\":\"text\"}", "text"},
        {"{{ v\n}}", "{\"v\":\"text\"}", "text"},
        {"{{v}}", "{\"v\":-9223372036854775808}", "-9223372036854775808"},
        {"{{v}}{{w}}", "{\"v\":true,\"w\":false}", "truefalse"},
        {"[{{v}}{{w}}]", "{\"v\":null}", "[]"},
        {"[{{v}}{{w}}{{x}}]", "{\"v\":{},\"w\":[1],\"x\":1.5}", "[]"},
        {"{{a.b.c}}", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "deep"},
        {"[{{a.x.c}}{{a.b.c.d}}]", "{\"a\":{\"b\":{\"c\":\"deep\"}}}", "[]"},
        {"[{{.}}]", "{}", "[]"},
        {"{{a-b_C9}}", "{\"a-b_C9\":1}", "1"},
        {"{{t}} {{json}}", "{\"t\":1,\"json\":2}", "1 2"},
        {"a{{! no\n {{v} }}b", "{}", "ab"},
        {"{ } }} { {v}", "{}", "{ } }} { {v}"},
        {"{{v}}", "{\"v\":\"a\\u0000b 王 😀\"}",
         "a\xEF\xBF\xBD"
         "b 王 😀"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        shows(rows[i][0], rows[i][1], rows[i][2]);
}
END_TEST

START_TEST(sections)
{
    static const char *const rows[][3] = {
        {"{{#v}}x{{/v}}", "{\"v\":true}", "x"},
        {"{{#v}}x{{/v}}", "{\"v\":1}", "x"},
        {"{{#v}}x{{/v}}", "{\"v\":\"0\"}", "x"},
        {"{{#v}}x{{/v}}", "{\"v\":{}}", "x"},
        {"{{#v}}x{{/v}}", "{\"v\":[0,null,\"\"]}", "xxx"},
        {"{{#v}}x{{/v}}{{#w}}x{{/w}}{{#x}}x{{/x}}{{#y}}x{{/y}}{{#z}}x{{/z}}",
         "{\"v\":false,\"w\":0,\"x\":\"\",\"y\":[],\"z\":null}", ""},
        {"{{#v}}x{{/v}}", "{}", ""},
        {"{{^v}}x{{/v}}{{^w}}x{{/w}}{{^x}}x{{/x}}{{^y}}x{{/y}}{{^z}}x{{/z}}{{^no}}x{{/no}}",
         "{\"v\":false,\"w\":0,\"x\":\"\",\"y\":[],\"z\":null}", "xxxxxx"},
        {"{{^v}}x{{/v}}{{^w}}x{{/w}}", "{\"v\":[0],\"w\":{}}", ""},
        {"{{?v}}x{{a}}{{/v}}{{?w}}x{{/w}}", "{\"v\":[{\"a\":1},{\"a\":2}],\"w\":[],\"a\":3}", "x3"},
        {"{{#v}}{{.}},{{/v}}", "{\"v\":[\"a\",2,true]}", "a,2,true,"},
        {"{{#v}}[{{.}}]{{/v}}{{#n}}[{{.}}]{{/n}}", "{\"v\":\"text\",\"n\":7}", "[text][7]"},
        {"{{#l}}{{#v}}{{.}}{{/v}}{{/l}}", "{\"l\":[\"a\",\"b\"],\"v\":true}", "ab"},
        {"{{#p}}{{a}}{{b}}{{/p}}", "{\"a\":1,\"b\":2,\"p\":{\"a\":3}}", "32"},
        {"{{#p}}{{a}}{{/p}}{{a}}{{#l}}{{a}}{{/l}}{{a}}",
         "{\"a\":1,\"p\":{\"a\":3},\"l\":[{\"a\":4},{\"a\":5}]}", "31451"},
        {"{{#p}}[{{a}}]{{/p}}", "{\"a\":1,\"p\":{\"a\":null}}", "[]"},
        {"{{#p}}[{{a.b}}]{{/p}}", "{\"a\":{\"b\":1},\"p\":{\"a\":{}}}", "[]"},
        {"{{#l}}{{#l}}{{x}}{{/l}};{{/l}}", "{\"l\":[{\"l\":[{\"x\":1},{\"x\":2}]},{\"l\":[]}]}",
         "12;;"},
        {"{{#l}}{{n}}:{{#m}}{{.}}{{n}}{{/m}}{{^m}}none{{/m}};{{/l}}",
         "{\"l\":[{\"n\":\"a\",\"m\":[1,2]},{\"n\":\"b\",\"m\":[]}]}", "a:1a2a;b:none;"},
        {"{{#l}}{{#.}}{{.}}{{/.}};{{/l}}", "{\"l\":[[1,2],[3]]}", "12;3;"},
        {"{{#a.b}}{{c}}{{/a.b}}", "{\"a\":{\"b\":{\"c\":1}}}", "1"},
        {"<option{{#v}} selected{{/v}}>{{#w}}<b>{{/w}}", "{\"v\":true,\"w\":true}",
         "<option selected><b>"},
        {"<p class=\"a{{#v}} b{{x}}{{/v}}\"{{#v}} id=\"{{x}}\"{{/v}}>", "{\"v\":true,\"x\":\"<\"}",
         "<p class=\"a b&lt;\" id=\"&lt;\">"},
        {"<a {{#v}}b {{/v}}c>", "{}", "<a c>"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        shows(rows[i][0], rows[i][1], rows[i][2]);
}
END_TEST

START_TEST(escapes)
{
    static const char *const rows[][2] = {
        {"<p>{{v}}</p>", "<p>&lt;a&amp;b&gt;&quot;&#39;</p>"},
        {"<p title=\"{{v}}\">", "<p title=\"&lt;a&amp;b&gt;&quot;&#39;\">"},
        {"<p title=\"a {{v}} b {{v}}\">",
         "<p title=\"a &lt;a&amp;b&gt;&quot;&#39; b &lt;a&amp;b&gt;&quot;&#39;\">"},
        {"<title>{{v}}</title>", "<title>&lt;a&amp;b&gt;&quot;&#39;</title>"},
        {"<textarea>{{v}}</textarea>", "<textarea>\n&lt;a&amp;b&gt;&quot;&#39;</textarea>"},
        {"<textarea>\n{{v}}</textarea>", "<textarea>\n&lt;a&amp;b&gt;&quot;&#39;</textarea>"},
        {"<textarea>{{#v}}x{{/v}}</textarea>", "<textarea>\nx</textarea>"},
        {"<textarea>x</textarea>", "<textarea>x</textarea>"},
        {"<textarea>{{no}}{{no}}</textarea>", "<textarea>\n</textarea>"},
        {"<a href=\"{{v}}\">", "<a href=\"#\">"},
        {"<a href=\"/x/{{v}}\">", "<a href=\"/x/%3Ca%26b%3E%22%27\">"},
        {"<a href=\"/x?a=1&amp;v={{v}}\">", "<a href=\"/x?a=1&amp;v=%3Ca%26b%3E%22%27\">"},
        {"<script type=\"application/json\">{{json v}}</script>",
         "<script type=\"application/json\">\"\\u003ca\\u0026b\\u003e\\\"'\"</script>"},
        {"<script type='application/json'>[{{json no}},{{json .}}]</script>",
         "<script "
         "type='application/json'>[null,{\"v\":\"\\u003ca\\u0026b\\u003e\\\"'\"}]</script>"},
        {"<svg viewBox=\"0 0 1 1\"><path d=\"{{v}}\"/></svg>",
         "<svg viewBox=\"0 0 1 1\"><path d=\"&lt;a&amp;b&gt;&quot;&#39;\"/></svg>"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        shows(rows[i][0], EVIL, rows[i][1]);
}
END_TEST

START_TEST(urls_that_pass_and_do_not)
{
    static const char *const good[] = {"/",        "/cases/1?a=b", "https://a.example/x",
                                       "http://a", "#part",        "HTTPS://A",
                                       "/a//b",    "/%0a"};
    static const char *const bad[] = {"javascript:alert(1)",
                                      "JaVaScript:alert(1)",
                                      " javascript:alert(1)",
                                      "java\tscript:alert(1)",
                                      "\x01javascript:alert(1)",
                                      "data:text/html,x",
                                      "vbscript:x",
                                      "//evil.example",
                                      "/\\evil.example",
                                      "\\\\evil.example",
                                      "/\t/evil.example",
                                      "/\n/evil.example",
                                      " /x",
                                      "https:evil",
                                      "https:/evil",
                                      "https:///evil",
                                      "https://",
                                      "http://",
                                      "https://a b",
                                      "https:\\\\a",
                                      "mailto:a@b",
                                      "cases/1",
                                      "?a",
                                      "",
                                      "ftp://a",
                                      "/a\x7F"};

    put("a", "<a href=\"{{v}}\">");
    load();
    for (size_t i = 0; i < COUNT(good) + COUNT(bad); i++) {
        bool is_good = i < COUNT(good);
        const char *url = is_good ? good[i] : bad[i - COUNT(good)];
        json_t *o = json_pack("{s:s}", "v", url);
        const char *html;
        apr_size_t n;

        ck_assert_ptr_null(
            fw_template_render(all, "a", fw_of_json(o, pool), "en", &html, &n, pool));
        ck_assert_str_eq(html, apr_pstrcat(pool, "<a href=\"", is_good ? url : "#", "\">", NULL));
        json_decref(o);
    }
    shows("<form action=\"{{v}}\"><button formaction=\"{{v}}\"><img src=\"{{v}}\">"
          "<video poster=\"{{v}}\"><use xlink:href=\"{{v}}\"><A HREF=\"{{v}}\">",
          "{\"v\":\"javascript:x\"}",
          "<form action=\"#\"><button formaction=\"#\"><img src=\"#\"><video poster=\"#\">"
          "<use xlink:href=\"#\"><A HREF=\"#\">");
    shows("<a href=\"{{v}}\">", "{\"v\":\"/a?b=1&c=2\"}", "<a href=\"/a?b=1&amp;c=2\">");
    shows("<a href=\"/c/{{v}}/x?y={{w}}\">", "{\"v\":\"../a\",\"w\":\"&\"}",
          "<a href=\"/c/..%2Fa/x?y=%26\">");
    shows("<a href=\"/{{v}}\"><a href=\"?v={{v}}\"><a href=\"#{{v}}\"><a href=\"tel:{{v}}\">"
          "<a href=\"https://a.example/{{v}}\"><script src=\"/a.js?v={{v}}\"></script>",
          "{\"v\":\"/\"}",
          "<a href=\"/%2F\"><a href=\"?v=%2F\"><a href=\"#%2F\"><a href=\"tel:%2F\">"
          "<a href=\"https://a.example/%2F\"><script src=\"/a.js?v=%2F\"></script>");
}
END_TEST

START_TEST(places_where_no_value_may_stand)
{
    static const char *const rows[][2] = {
        {"<script>{{v}}</script>", "in a script"},
        {"<script>\nlet a = \"{{v}}\";</script>", "in a script"},
        {"<script type=\"module\">{{v}}</script>", "in a script"},
        {"<script type=\"application/json\">{{v}}</script>", "in JSON"},
        {"<style>{{v}}</style>", "in a script, style"},
        {"<iframe>{{v}}</iframe>", "in a script, style or iframe"},
        {"<!-- {{v}} -->", "in a comment"},
        {"<!DOCTYPE {{v}}>", "in a DOCTYPE"},
        {"<{{v}}>", "in a tag's name"},
        {"</{{v}}>", "in a tag's name"},
        {"<h{{v}}>", "in the name of"},
        {"</h{{v}}>", "in a tag's name"},
        {"</h {{v}}>", "in an end tag"},
        {"<p {{v}}>", "among a tag's attributes"},
        {"<p a{{v}}>", "in the name of"},
        {"<p {{v}}=\"a\">", "among a tag's attributes"},
        {"<p title={{v}}>", "without quotes"},
        {"<p title=a{{v}}>", "without quotes"},
        {"<p title='{{v}}'>", "with single quotes"},
        {"<p onclick=\"{{v}}\">", "in this attribute"},
        {"<p ONCLICK=\"a({{v}})\">", "in this attribute"},
        {"<p style=\"color:{{v}}\">", "in this attribute"},
        {"<iframe srcdoc=\"{{v}}\">", "in this attribute"},
        {"<img srcset=\"{{v}}\">", "in this attribute"},
        {"<meta http-equiv=\"{{v}}\">", "in this attribute"},
        {"<meta http-equiv=\"refresh\" content=\"{{v}}\">", "page's own header"},
        {"<meta content=\"{{v}}\" {{!}}http-equiv=\"refresh\">", "page's own header"},
        {"<base href=\"{{v}}\">", "in this attribute"},
        {"<object data=\"{{v}}\">", "in this attribute"},
        {"<embed src=\"{{v}}\">", "in this attribute"},
        {"<script src=\"{{v}}\">", "must begin in the template"},
        {"<link href=\"{{v}}\">", "must begin in the template"},
        {"<iframe src=\"{{v}}\">", "must begin in the template"},
        {"<script type=\"{{v}}\">", "in this attribute"},
        {"<set attributeName=\"href\" to=\"{{v}}\">", "in this attribute"},
        {"<p/{{v}}>", "before the > of a tag"},
        {"<!{{v}}", "in <!"},
        {"<textarea></text{{v}}area>", "within an end tag"},
        {"<title></title{{v}}>", "within an end tag"},
        {"<title><{{v}}", "within an end tag"},
        {"<a href=\"javascript:{{v}}\">", "must begin with /"},
        {"<a href=\"x{{v}}\">", "must begin with /"},
        {"<a href=\" {{v}}\">", "must begin with /"},
        {"<a href=\"//{{v}}\">", "must begin with /"},
        {"<a href=\"/\\{{v}}\">", "must begin with /"},
        {"<a href=\"//a.example/{{v}}\">", "must begin with /"},
        {"<a href=\"https://{{v}}\">", "must begin with /"},
        {"<a href=\"https://a.example{{v}}\">", "must begin with /"},
        {"<a href=\"https:///{{v}}\">", "must begin with /"},
        {"<a href=\"http://a/{{v}}\">", "must begin with /"},
        {"<a href=\"data:{{v}}\">", "must begin with /"},
        {"<a href=\"{{v}}/x\">", "nothing may follow"},
        {"<a href=\"{{v}}{{v}}\">", "takes one value"},
        {"<a href=\"/{{v}}/b\">", "nothing may follow"},
        {"<a href=\"/{{v}}{{v}}\">", "takes one value"},
        {"<a href=\"?{{v}}&amp;b\">", "nothing may follow"},
        {"<a href=\"{{#v}}x{{/v}}\">", "in this attribute"},
        {"<a href=\"{{t n}}\">", "in this attribute"},
        {"<p onclick=\"{{#v}}x{{/v}}\">", "in this attribute"},
        {"<script>{{#v}}x{{/v}}</script>", "in a script"},
        {"<p title='{{t n}}'>", "with single quotes"},
        {"<p {{t n}}>", "among a tag's attributes"},
        {"{{json v}}", "outside <script"},
        {"<p title=\"{{json v}}\">", "outside <script"},
        {"<script>{{json v}}</script>", "outside <script"},
        {"<script type=\"text/javascript\">{{json v}}</script>", "outside <script"},
        {"<script type=\"application/json2\">{{json v}}</script>", "outside <script"},
        {"<script data-type=\"application/json\">{{json v}}</script>", "outside <script"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        put("a", apr_pstrcat(pool, "<p>\n\n", rows[i][0], NULL));
        refused_at("a", i == 1 ? 4 : 3, rows[i][1]);
    }
}
END_TEST

START_TEST(html_that_is_not_read_strictly)
{
    static const char *const rows[][2] = {
        {"a < b", "written &lt;"},
        {"<?php", "written &lt;"},
        {"<1>", "written &lt;"},
        {"</>", "needs a name"},
        {"</p a>", "has a name alone"},
        {"</p/>", "has a name alone"},
        {"<p \"a\">", "must come here"},
        {"<p a=\"1\"b>", "must come here"},
        {"<p a =\"1\">", "must come here"},
        {"<p a= \"1\">", "needs quotes"},
        {"<p a=>", "needs quotes"},
        {"<p a=b\"c>", "needs quotes"},
        {"<p a=b=c>", "needs quotes"},
        {"<p =a>", "must come here"},
        {"<p / a>", "stands before > alone"},
        {"<p<b>", "must come here"},
        {"<![CDATA[x]]>", "begins with <!"},
        {"<!-x>", "begins with <!"},
        {"<!ELEMENT>", "begins with <!"},
        {"<!--> x -->", "begin with > or ->"},
        {"<!---> x -->", "begin with > or ->"},
        {"<!-- a --!> b -->", "may not have --!"},
        {"<script><!-- </script>", "no <!-- may stand"},
        {"<style>a<!--</style>", "no <!-- may stand"},
        {"<script>a</script/>", "has a name alone"},
        {"<script/>", "ended by an end tag alone"},
        {"<textarea />", "ended by an end tag alone"},
        {"<svg><script></script></svg>", "in svg or math"},
        {"<svg><g><title>x</title></g></svg>", "in svg or math"},
        {"<math><style></style></math>", "in svg or math"},
        {"<xmp>", "not known here"},
        {"<plaintext>", "not known here"},
        {"<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>", "name is too long"},
        {"<p aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>", "name is too long"},
    };
    static const char *const ends[][2] = {
        {"<p", "in a tag's name"},
        {"<p a=\"", "in this attribute"},
        {"<!-- ", "in a comment"},
        {"<script>", "in a script"},
        {"<textarea>x", "in a textarea"},
        {"<title></titl", "in a textarea"},
        {"<svg>", "in svg"},
        {"<!doctype html", "in a DOCTYPE"},
        {"<p a='", "with single quotes"},
        {"</p", "in a tag's name"},
        {"<script type=\"application/json\">", "in JSON"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        put("a", apr_pstrcat(pool, "\n<p>\r\n", rows[i][0], NULL));
        refused_at("a", 3, rows[i][1]);
    }
    for (size_t i = 0; i < COUNT(ends); i++)
        refused(ends[i][0], 0, ends[i][1]);
}
END_TEST

START_TEST(html_that_is_fine)
{
    static const char *const rows[] = {
        "<!DOCTYPE html>\n<html lang=\"en\"><HEAD><meta charset=utf-8></HEAD>",
        "<!-- a - -- > b ---->",
        "<!---->",
        "<br/><br />",
        "<p a b=\"'\" c='\"' d=1/2 >",
        "</P\n>",
        "<script>if (a < b && c) x = '</p>'; </scripts></scrip></script >",
        "<style>a > b {}</style>",
        "<textarea><p></textareas> <!-- </textarea>",
        "<svg><g/></svg><title>x</title>",
        "<svg/><title>x</title>",
        "<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>",
        "a > b & c \" '",
        "<meta name=\"a\" content=\"b\">"};

    for (size_t i = 0; i < COUNT(rows); i++)
        shows(apr_pstrcat(pool, rows[i], "{{v}}", NULL), "{\"v\":\"<\"}",
              apr_pstrcat(pool, rows[i], "&lt;", NULL));
    shows("<meta name=\"a\" content=\"{{v}}\"><meta http-equiv=\"refresh\" content=\"5\">", "{}",
          "<meta name=\"a\" content=\"\"><meta http-equiv=\"refresh\" content=\"5\">");
}
END_TEST

START_TEST(tags_that_are_wrong)
{
    static const char *const rows[][2] = {
        {"{{v", "not closed"},
        {"{{v}", "not closed"},
        {"{{}}", "is no name"},
        {"{{ }}", "is no name"},
        {"{{{v}}}", "is no name"},
        {"{{&v}}", "is no name"},
        {"{{v w}}", "is no name"},
        {"{{.v}}", "is no name"},
        {"{{v.}}", "is no name"},
        {"{{v..w}}", "is no name"},
        {"{{v|raw}}", "is no name"},
        {"{{王}}", "is no name"},
        {"{{a.b.c.d.e.f.g.h.i}}", "is no name"},
        {"{{#}}{{/}}", "is no name"},
        {"{{#a b}}{{/a b}}", "is no name"},
        {"<script type=\"application/json\">{{json a b}}</script>", "is no name"},
        {"{{/v}}", "no section is open"},
        {"{{#v}}{{/w}}", "line 1 opened v"},
        {"{{#v}}{{#w}}{{/v}}{{/w}}", "line 1 opened w"},
        {"{{#v}}", "section is not closed"},
        {"{{=<% %>=}}", "is no name"},
        {"{{t nowhere}}", "no catalogue has this message"},
        {"{{>none}}", "no such partial"},
        {"{{>}}", "no such partial"},
        {"{{#v}}<p{{/v}}>", "ends elsewhere"},
        {"{{#v}}<!-- {{/v}} -->", "ends elsewhere"},
        {"<!-- {{#v}} {{/v}} -->", "in a comment"},
        {"{{#v}}<textarea>{{/v}}", "ends elsewhere"},
        {"{{#v}}<svg>{{/v}}", "ends elsewhere"},
        {"<p{{#v}} a=\"{{/v}}\">", "ends elsewhere"},
        {"<p {{#v}}a{{/v}} b>", "ends elsewhere"},
        {"<p{{#v}} a><p{{/v}}>", "ends elsewhere"},
        {"<p a=\"{{#v}}\" b=\"{{/v}}\">", "ends elsewhere"},
        {"<p{{#v}} a{{/v}}b>", "must come here"},
        {"<p{{#v}}a{{/v}}>", "must come here"},
        {"<textarea>{{#v}}</textarea><textarea>{{/v}}</textarea>", "ends elsewhere"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        refused(rows[i][0], 1, rows[i][1]);
    refused("a\n{{#v}}\n\nb", 2, "section is not closed");
    refused("a\n{{#v}}\n\nb{{/w}}", 4, "line 2 opened v");
    shows("{{a.b.c.d.e.f.g.h}}", "{}", "");
}
END_TEST

START_TEST(messages)
{
    put("a", "{{t greet}}|<p title=\"{{t greet}}\">|{{#l}}{{t n}};{{/l}}|{{t only.en}}");
    load();
    ck_assert_str_eq(
        render("a", "{\"p\":{\"name\":\"<A>\"},\"n\":3,\"l\":[{\"n\":1},{}]}", "en"),
        "Hello &lt;A&gt; &amp; co &quot;3&quot; {Ng!}|<p title=\"Hello &lt;A&gt; &amp; co "
        "&quot;3&quot; {Ng!}\">|1 cases;3 cases;|E");
    ck_assert_str_eq(render("a", "{\"p\":{\"name\":\"<A>\"},\"n\":3,\"l\":[0]}", "zh-Hant"),
                     "您好，&lt;A&gt; &lt;b&gt;|<p title=\"您好，&lt;A&gt; &lt;b&gt;\">|3 件;|E");
    ck_assert_str_eq(render("a", "{}", "zh-Hant"),
                     "您好，{p.name} &lt;b&gt;|<p title=\"您好，{p.name} &lt;b&gt;\">||E");
    ck_assert_ptr_nonnull(strstr(render("a", "{}", "fr"), "Hello"));
    put("a", "{{t only.zh}}");
    load();
    ck_assert_str_eq(render("a", "{}", "en"), "only.zh");
    ck_assert_str_eq(render("a", "{}", "zh-Hant"), "中");
}
END_TEST

START_TEST(partials)
{
    put("b", "[{{v}}]");
    put("c", "{{>b}}{{>b}}\n");
    shows("{{#l}}{{> c }}{{/l}}<p title=\"{{>b}}\">", "{\"v\":\"<\",\"l\":[1,2]}",
          "[&lt;][&lt;]\n[&lt;][&lt;]\n<p title=\"[&lt;]\">");
    ck_assert_str_eq(render("b", "{\"v\":1}", "en"), "[1]");
    put("d", "{{#l}} x=\"{{v}}\"{{/l}}");
    shows("<p{{>d}}>", "{\"v\":\"<\",\"l\":[1,2]}", "<p x=\"&lt;\" x=\"&lt;\">");
    put("d", "</p>\n<p {{!}}");
    refused("\n<p title=\"x\">{{>d}}>", 2, "partial ends elsewhere");
    put("d", "{{#v}}");
    put("a", "{{>d}}{{/v}}");
    refused_at("d", 1, "not closed");
    put("a", "");
    put("d", "\n\n{{/v}}");
    refused_at("d", 3, "no section is open");
    put("d", "\n{{v}}");
    refused("<script>{{>d}}</script>", 1, "in a script");
    put("a", "");
    put("d", "\n{{#v}}<p\n{{/v}}>");
    refused_at("d", 3, "ends elsewhere");
}
END_TEST

START_TEST(partials_in_partials)
{
    for (int i = 1; i < 8; i++)
        put(apr_psprintf(pool, "p%d", i), apr_psprintf(pool, "%d{{>p%d}}", i, i + 1));
    put("p8", "8");
    shows("{{>p1}}", "{}", "12345678");
    put("p8", "{{>p9}}");
    put("p9", "9");
    put("a", "{{>p2}}");
    load();
    put("a", "{{>p1}}"); /* the other files are no deeper */
    refused_at("p8", 1, "nested too deeply");
    put("p8", "{{>a}}");
    put("a", "{{>a}}");
    ck_assert_ptr_nonnull(fw_templates_load(&all, dir, locale, pool));
}
END_TEST

/* `text` so many times. */
static const char *times(const char *text, size_t n)
{
    size_t length = strlen(text);
    char *out = apr_palloc(pool, n * length + 1);

    for (size_t i = 0; i < n; i++)
        memcpy(out + i * length, text, length);
    out[n * length] = '\0';
    return out;
}

START_TEST(limits_of_a_file)
{
    const char *most = times("x", FW_TEMPLATE_BYTES_MAX);

    shows(most, "{}", most);
    refused(apr_pstrcat(pool, most, "x", NULL), 1, "longer than");
    shows(apr_pstrcat(pool, times("{{#v}}", FW_TEMPLATE_NEST), "{{.}}",
                      times("{{/v}}", FW_TEMPLATE_NEST), NULL),
          "{\"v\":\"x\"}", "x");
    refused(apr_pstrcat(pool, times("{{#v}}", FW_TEMPLATE_NEST + 1), "x",
                        times("{{/v}}", FW_TEMPLATE_NEST + 1), NULL),
            1, "nested too deeply");
    put("b", times("x{{v}}", 4000));
    put("c", times("{{>b}}", 8));
    shows("x{{>c}}", "{}", apr_pstrcat(pool, "x", times("x", 8 * 4000), NULL));
    put("a", "x{{>c}}{{>c}}");
    refused_at("b", 1, "too many parts");
    put_bytes("a", "a\0b", 3);
    refused_at("a", 1, "not UTF-8");
    put_bytes("a", "a\xFF", 2);
    refused_at("a", 1, "not UTF-8");
}
END_TEST

START_TEST(limit_of_partials)
{
    put("b", "");
    put("c", "");
    put("d", "");
    shows(times("{{>b}}", 4096), "{}", "");
    refused(times("{{>b}}", 4097), 1, "too many");
    put("a", "");
    put("b", times("{{>c}}", 100)); /* 100 ^ 3, had it no end */
    put("c", times("{{>d}}", 100));
    put("d", times("{{!}}", 100));
    ck_assert_ptr_nonnull(strstr(fw_templates_load(&all, dir, locale, pool)->msg, "too many"));
}
END_TEST

START_TEST(limit_of_a_page)
{
    const char *html = NULL;
    apr_size_t n = 0;
    json_t *o = json_object(), *list = json_array();
    const fw_err *err;

    put("a", "{{#l}}{{.}}{{/l}}");
    load();
    json_object_set_new(o, "l", list);
    for (int i = 0; i < 8192; i++)
        json_array_append_new(list, json_stringn(times("x", 1024), 1024));
    ck_assert_uint_eq(8192 * 1024, FW_TEMPLATE_OUT_MAX);
    ck_assert_ptr_null(fw_template_render(all, "a", fw_of_json(o, pool), "en", &html, &n, pool));
    ck_assert_uint_eq(n, FW_TEMPLATE_OUT_MAX);
    json_array_append_new(list, json_string("x"));
    err = fw_template_render(all, "a", fw_of_json(o, pool), "en", &html, &n, pool);
    ck_assert_int_eq(err->code, FW_E_LIMIT);
    put("a", "{{#l}}{{#l}}{{#l}}{{.}}{{/l}}{{/l}}{{/l}}"); /* it stops at the limit */
    load();
    ck_assert_int_eq(fw_template_render(all, "a", fw_of_json(o, pool), "en", &html, &n, pool)->code,
                     FW_E_LIMIT);
    json_decref(o);
}
END_TEST

START_TEST(names_of_templates)
{
    const char *html = NULL;
    apr_size_t n = 0;
    json_t *o = json_object();

    put("a", "a");
    put(".a", "{{");
    put("b-1_c", "b");
    load();
    ck_assert(fw_templates_have(all, "a") && fw_templates_have(all, "b-1_c"));
    ck_assert(!fw_templates_have(all, "a.html") && !fw_templates_have(all, "") &&
              !fw_templates_have(all, ".a") && !fw_templates_have(all, "../a"));
    ck_assert_int_eq(
        fw_template_render(all, "none", fw_of_json(o, pool), "en", &html, &n, pool)->code,
        FW_E_NOTFOUND);
    ck_assert_int_eq(fw_templates_load(&all, "/tmp/no-such-folder", locale, pool)->code,
                     FW_E_CONFIG);
    json_decref(o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("template");
    TCase *t = tcase_create("template");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, values);
    tcase_add_test(t, sections);
    tcase_add_test(t, escapes);
    tcase_add_test(t, urls_that_pass_and_do_not);
    tcase_add_test(t, places_where_no_value_may_stand);
    tcase_add_test(t, html_that_is_not_read_strictly);
    tcase_add_test(t, html_that_is_fine);
    tcase_add_test(t, tags_that_are_wrong);
    tcase_add_test(t, messages);
    tcase_add_test(t, partials);
    tcase_add_test(t, partials_in_partials);
    tcase_add_test(t, limits_of_a_file);
    tcase_add_test(t, limit_of_partials);
    tcase_add_test(t, limit_of_a_page);
    tcase_add_test(t, names_of_templates);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
