/* Multipart bodies: what browsers and programs send, every way to be broken, every limit; and that the cutting of
 * the input never changes the outcome. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_multipart.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define TYPE       "multipart/form-data; boundary=XyZ"
#define FIELD(n)   "Content-Disposition: form-data; name=\"" n "\"\r\n\r\n"
#define ONE(field) "--XyZ\r\n" field "\r\n--XyZ--\r\n"

static apr_pool_t *pool;
static fw_multipart_limits limits;

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    limits = (fw_multipart_limits){.part = 100000, .total = 1000000};
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/* What the sink was told, as one text: "name|filename|type=content;". */
typedef struct told {
    char *text;
    apr_size_t n;
    bool open;
} told;

static void tell(told *t, const char *s, apr_size_t n)
{
    memcpy(t->text + t->n, s, n);
    t->n += n;
    t->text[t->n] = '\0';
}

static const fw_err *begin(void *baton, const fw_part *part)
{
    told *t = baton;
    const char *s =
        apr_psprintf(pool, "%s|%s|%s=", part->name, part->filename ? part->filename : "-",
                     part->type ? part->type : "-");

    ck_assert(!t->open);
    t->open = true;
    tell(t, s, strlen(s));
    return NULL;
}

static const fw_err *data(void *baton, const char *s, apr_size_t n)
{
    told *t = baton;

    ck_assert(t->open && n > 0);
    tell(t, s, n);
    return NULL;
}

static const fw_err *end(void *baton)
{
    told *t = baton;

    ck_assert(t->open);
    t->open = false;
    tell(t, ";", 1);
    return NULL;
}

/* The outcome of feeding the body in pieces of `step` bytes (0: of random sizes). */
static const fw_err *feed(const char *type, const char *body, apr_size_t n, apr_size_t step,
                          told *t)
{
    fw_multipart *m = NULL;
    fw_multipart_sink sink = {begin, data, end, t};
    const fw_err *err;

    *t = (told){apr_pcalloc(pool, n + 4096), 0, false};
    err = fw_multipart_make(&m, type, &limits, &sink, pool);
    for (apr_size_t at = 0; !err && at < n;) {
        apr_size_t piece = step ? step : 1 + (apr_size_t)rand() % 17;
        char *copy;

        piece = piece < n - at ? piece : n - at;
        copy = malloc(piece); /* so that reading past a piece is seen by the sanitizers */
        memcpy(copy, body + at, piece);
        err = fw_multipart_feed(m, copy, piece);
        free(copy);
        at += piece;
    }
    return err ? err : fw_multipart_finish(m);
}

/* The outcome as a text; every cutting must have the same. */
static const char *outcome_of(const char *type, const char *body, apr_size_t n)
{
    const char *first = NULL;

    for (apr_size_t i = 0; i < 40; i++) {
        told t;
        apr_size_t step = i == 0 ? n + 1 : i < 8 ? i : 0;
        const fw_err *err = feed(type, body, n, step, &t);
        const char *outcome = err ? apr_psprintf(pool, "%d %s %s", (int)err->code, err->user_key,
                                                 err->field ? err->field : "-")
                                  : t.text;

        if (!first)
            first = outcome;
        ck_assert_msg(strcmp(first, outcome) == 0, "pieces of %d: %s, not %s", (int)step, outcome,
                      first);
    }
    return first;
}

static void gives(const char *body, const char *wanted)
{
    ck_assert_str_eq(outcome_of(TYPE, body, strlen(body)), wanted);
}

static void refused(const char *body, apr_size_t n, fw_code_e code, const char *key,
                    const char *field)
{
    const char *outcome = outcome_of(TYPE, body, n);

    ck_assert_msg(strcmp(outcome, apr_psprintf(pool, "%d %s %s", (int)code, key, field)) == 0,
                  "%s: %s", body, outcome);
}

static void malformed(const char *body)
{
    refused(body, strlen(body), FW_E_INPUT, "body.malformed", "-");
}

START_TEST(what_is_sent)
{
    static const char *const rows[][2] = {
        {ONE(FIELD("a") "1"), "a|-|-=1;"},
        {ONE(FIELD("a")), "a|-|-=;"},
        {"--XyZ--", ""},
        {"--XyZ--\r\n", ""},
        {"--XyZ\r\n" FIELD("a") "1\r\n--XyZ\r\n" FIELD("b") "2\r\n--XyZ--", "a|-|-=1;b|-|-=2;"},
        {"--XyZ \t \r\n" FIELD("a") "1\r\n--XyZ--", "a|-|-=1;"},
        {"a preamble\r\n--Xy\r\n" ONE(FIELD("a") "1") "an epilogue\r\n--XyZ\r\n", "a|-|-=1;"},
        {ONE("content-disposition:form-data ; NAME=a;filename=b.c\r\n\r\nx"), "a|b.c|-=x;"},
        {ONE("Content-Disposition: form-data; name=\"f\"; filename=\"相片 1.jpg\"\r\n"
             "Content-Type: image/jpeg \r\nX-Other: 1\r\nContent-Transfer-Encoding: "
             "binary\r\n\r\nJ"),
         "f|相片 1.jpg|image/jpeg=J;"},
        {ONE("Content-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n"), "f||-=;"},
        {ONE("Content-Disposition: form-data; name=\"f\"; filename=\"C:\\a\\\"b\\\\.txt\"\r\n\r\n"),
         "f|C:\\a\"b\\.txt|-=;"},
        {ONE("Content-Disposition: form-data; name=\"f\"; filename=\"a%22b\"\r\n\r\n"),
         "f|a%22b|-=;"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        gives(rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(content_near_the_delimiter)
{
    static const char *const contents[] = {
        "\r\n",         "\r",          "\n",           "\r\r\n",           "\r\n\r\n",
        "\r\n--",       "\r\n--Xy",    "\r\n--XyA",    "\r\r\n--Xy\r",     "--XyZ",
        "\n--XyZ",      "\r--XyZ",     "a\r\n-\r\n--", "\r\n--Xy\r\n--Xy", "-\r\n--xyz--",
        "\r\n--Xy\n\r", "x\r\n-- XyZ", "\r\n\r\n\r",   "--XyZ--",
    };

    for (size_t i = 0; i < COUNT(contents); i++)
        gives(apr_pstrcat(pool, "--XyZ\r\n" FIELD("a"), contents[i], "\r\n--XyZ--\r\n", NULL),
              apr_pstrcat(pool, "a|-|-=", contents[i], ";", NULL));
}
END_TEST

START_TEST(any_byte_may_be_content)
{
    char body[1024];
    told t;
    apr_size_t n = (apr_size_t)apr_snprintf(body, sizeof(body), "--XyZ\r\n" FIELD("a"));

    for (int i = 0; i < 256; i++)
        body[n++] = (char)i;
    memcpy(body + n, "\r\n--XyZ--", 9);
    n += 9;
    for (apr_size_t step = 1; step < 300; step++) {
        ck_assert_ptr_null(feed(TYPE, body, n, step, &t));
        ck_assert_uint_eq(t.n, 6 + 256 + 1);
        for (int i = 0; i < 256; i++)
            ck_assert_int_eq((unsigned char)t.text[6 + i], i);
    }
}
END_TEST

START_TEST(bodies_that_are_broken)
{
    static const char *const rows[] = {
        "--XyZx\r\n" FIELD("a") "1\r\n--XyZ--",
        "--XyZ\n" FIELD("a") "1\r\n--XyZ--",
        "--XyZ\r" FIELD("a") "1\r\n--XyZ--",
        "--XyZ-\r\n",
        "--XyZ --\r\n",
        ONE(FIELD("a") "1\r\n--XyZ-x"),
        ONE(FIELD("a") "1\r\n--XyZ2"),
        "--XyZ\r\n\r\nno header\r\n--XyZ--",
        ONE("Content-Type: text/plain\r\n\r\n1"),
        ONE("Content-Disposition: form-data\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\";\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\" x\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\tb\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"; filename=\"\x01\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"; filename=\"\xC2\x85\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"; filename=\"\xFF\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"\xC0\xAF\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''b\r\n\r\n1"),
        ONE("Content-Disposition: attachment; name=\"a\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data2; name=\"a\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"\r\n" FIELD("a") "1"),
        ONE("Content-Disposition: form-data;\r\n name=\"a\"\r\n\r\n1"),
        ONE("Content-Disposition : form-data; name=\"a\"\r\n\r\n1"),
        ONE("Content-Disposition: form-data; name=\"a\"\nX: 1\r\n\r\n1"),
        ONE(": x\r\n" FIELD("a") "1"),
        ONE("x\r\n" FIELD("a") "1"),
        ONE("X: \xFE\r\n" FIELD("a") "1"),
        ONE("Content-Type: multipart/mixed; boundary=x\r\n" FIELD("a") "1"),
        ONE("Content-Type: a/b\r\nContent-Type: a/b\r\n" FIELD("a") "1"),
        ONE("Content-Transfer-Encoding: base64\r\n" FIELD("a") "MQ=="),
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        malformed(rows[i]);
    refused(ONE("X: a\0b\r\n" FIELD("a") "1"), sizeof(ONE("X: a\0b\r\n" FIELD("a") "1")) - 1,
            FW_E_INPUT, "body.malformed", "-");
}
END_TEST

START_TEST(bodies_that_are_cut_off)
{
    static const char body[] = "pre\r\n--XyZ\r\n" FIELD("a") "1\r\n--XyZ--";

    for (apr_size_t n = 0; n < sizeof(body) - 1; n++)
        refused(body, n, FW_E_INPUT, "body.cut_off", "-");
    gives(body, "a|-|-=1;");
    refused("no delimiter at all", 19, FW_E_INPUT, "body.cut_off", "-");
}
END_TEST

START_TEST(boundaries)
{
    static const char *const good[] = {"multipart/form-data; boundary=XyZ",
                                       "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"XyZ\"",
                                       "multipart/form-data ; x=\"a;boundary=no\" ; boundary=XyZ"};
    static const char *const bad[] = {"",
                                      "multipart/form-data",
                                      "multipart/mixed; boundary=XyZ",
                                      "multipart/form-dataX; boundary=XyZ",
                                      "application/x-www-form-urlencoded",
                                      "multipart/form-data; boundary=",
                                      "multipart/form-data; boundary=\"\"",
                                      "multipart/form-data; boundary=\"XyZ",
                                      "multipart/form-data; boundary=\"Xy \"",
                                      "multipart/form-data; boundary=\"X\\\"Z\"",
                                      "multipart/form-data; boundary=XyZ; boundary=XyZ",
                                      "multipart/form-data; boundary=X\rZ",
                                      "multipart/form-data boundary=XyZ"};
    const char *body = ONE(FIELD("a") "1");
    char *most = apr_pcalloc(pool, 72);

    for (size_t i = 0; i < COUNT(good); i++)
        ck_assert_str_eq(outcome_of(good[i], body, strlen(body)), "a|-|-=1;");
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_str_eq(outcome_of(bad[i], body, strlen(body)),
                         apr_psprintf(pool, "%d body.no_boundary -", FW_E_INPUT));
    ck_assert_str_eq(outcome_of(NULL, body, strlen(body)),
                     apr_psprintf(pool, "%d body.no_boundary -", FW_E_INPUT));
    memset(most, 'b', 70);
    body = apr_pstrcat(pool, "--", most, "\r\n" FIELD("a") "1\r\n--", most, "--", NULL);
    ck_assert_str_eq(outcome_of(apr_pstrcat(pool, "multipart/form-data; boundary=", most, NULL),
                                body, strlen(body)),
                     "a|-|-=1;");
    most[70] = 'b';
    ck_assert_str_eq(outcome_of(apr_pstrcat(pool, "multipart/form-data; boundary=", most, NULL),
                                body, strlen(body)),
                     apr_psprintf(pool, "%d body.no_boundary -", FW_E_INPUT));
}
END_TEST

START_TEST(limit_of_a_part)
{
    limits.part = 5;
    gives(ONE(FIELD("a") "12345"), "a|-|-=12345;");
    gives(ONE(FIELD("a") "1\r\n--"), "a|-|-=1\r\n--;");
    refused(ONE(FIELD("a") "123456"), strlen(ONE(FIELD("a") "123456")), FW_E_LIMIT,
            "body.part_too_long", "a");
    refused(ONE(FIELD("a") "1\r\n--X"), strlen(ONE(FIELD("a") "1\r\n--X")), FW_E_LIMIT,
            "body.part_too_long", "a");
    gives("--XyZ\r\n" FIELD("a") "12345\r\n--XyZ\r\n" FIELD("b") "12345\r\n--XyZ--",
          "a|-|-=12345;b|-|-=12345;");
    limits.part = 0;
    gives(ONE(FIELD("a")), "a|-|-=;");
    refused(ONE(FIELD("a") "1"), strlen(ONE(FIELD("a") "1")), FW_E_LIMIT, "body.part_too_long",
            "a");
}
END_TEST

START_TEST(limit_of_the_body)
{
    const char *body = ONE(FIELD("a") "12345");

    limits.total = (apr_off_t)strlen(body);
    gives(body, "a|-|-=12345;");
    limits.total--;
    refused(body, strlen(body), FW_E_LIMIT, "body.too_long", "-");
    limits.total = 20; /* what is wrong before that is told first */
    refused("--XyZ?, and so on and on", 24, FW_E_INPUT, "body.malformed", "-");
}
END_TEST

START_TEST(limit_of_parts)
{
    const char *body = "";

    for (int i = 0; i < FW_MULTIPART_PARTS; i++)
        body = apr_pstrcat(pool, body, "--XyZ\r\n" FIELD("a") "\r\n", NULL);
    ck_assert_uint_eq(
        strlen(outcome_of(TYPE, apr_pstrcat(pool, body, "--XyZ--", NULL), strlen(body) + 7)),
        FW_MULTIPART_PARTS * strlen("a|-|-=;"));
    body = apr_pstrcat(pool, body, "--XyZ\r\n" FIELD("a") "\r\n--XyZ--", NULL);
    refused(body, strlen(body), FW_E_LIMIT, "body.too_many_parts", "-");
    limits.parts = 1;
    gives(ONE(FIELD("a")), "a|-|-=;");
    body = "--XyZ\r\n" FIELD("a") "\r\n--XyZ\r\n" FIELD("b") "\r\n--XyZ--";
    refused(body, strlen(body), FW_E_LIMIT, "body.too_many_parts", "-");
}
END_TEST

START_TEST(limit_of_a_header)
{
    char *pad = apr_pcalloc(pool, FW_MULTIPART_HEADER);
    apr_size_t fixed = strlen("X: \r\n" FIELD("a"));
    const char *body;

    memset(pad, 'x', FW_MULTIPART_HEADER - fixed);
    body = apr_pstrcat(pool, "--XyZ\r\nX: ", pad, "\r\n" FIELD("a") "1\r\n--XyZ--", NULL);
    gives(body, "a|-|-=1;");
    body = apr_pstrcat(pool, "--XyZ\r\nX: x", pad, "\r\n" FIELD("a") "1\r\n--XyZ--", NULL);
    refused(body, strlen(body), FW_E_LIMIT, "body.header_too_long", "-");
    limits.header = (apr_size_t)strlen(FIELD("a"));
    gives(ONE(FIELD("a") "1"), "a|-|-=1;");
    limits.header--;
    refused(ONE(FIELD("a") "1"), strlen(ONE(FIELD("a") "1")), FW_E_LIMIT, "body.header_too_long",
            "-");
}
END_TEST

static const fw_err *no(void *baton)
{
    (void)baton;
    return fw_err_field(pool, "a", "no.more");
}

START_TEST(error_of_the_sink_ends_it)
{
    told t = {apr_pcalloc(pool, 4096), 0, false};
    fw_multipart_sink sink = {begin, data, no, &t};
    fw_multipart *m = NULL;
    const char *body = "--XyZ\r\n" FIELD("a") "1\r\n--XyZ\r\n" FIELD("b") "2\r\n--XyZ--";

    ck_assert_ptr_null(fw_multipart_make(&m, TYPE, &limits, &sink, pool));
    ck_assert_str_eq(fw_multipart_feed(m, body, strlen(body))->user_key, "no.more");
    ck_assert_str_eq(fw_multipart_feed(m, body, strlen(body))->user_key, "no.more");
    ck_assert_str_eq(fw_multipart_finish(m)->user_key, "no.more");
    ck_assert_str_eq(t.text, "a|-|-=1");
}
END_TEST

static const fw_err *count(void *baton, const char *s, apr_size_t n)
{
    (void)s;
    *(apr_size_t *)baton += n;
    return NULL;
}

static const fw_err *begun(void *baton, const fw_part *part)
{
    (void)baton;
    (void)part;
    return NULL;
}

static const fw_err *ended(void *baton)
{
    (void)baton;
    return NULL;
}

/* Pages of address space: pools take theirs by mmap. */
static long pages(void)
{
    long n = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%ld", &n), 1);
    fclose(f);
    return n;
}

START_TEST(memory_does_not_grow)
{
    apr_size_t got = 0;
    long held = 0;
    fw_multipart_sink sink = {begun, count, ended, &got};
    fw_multipart *m = NULL;
    char piece[8000];
    const char *part = "\r\n--XyZ\r\n" FIELD(
        "again, with a name that takes some room") "1\r\n--XyZ\r\n" FIELD("a");

    limits = (fw_multipart_limits){.parts = 100000, .part = 1 << 30, .total = 1 << 30};
    memset(piece, '\r', sizeof(piece));
    ck_assert_ptr_null(fw_multipart_make(&m, TYPE, &limits, &sink, pool));
    for (int i = 0; i < 20000; i++) {
        ck_assert_ptr_null(fw_multipart_feed(m, part, strlen(part)));
        ck_assert_ptr_null(fw_multipart_feed(m, piece, i % 100 ? 10 : sizeof(piece)));
        if (i == 1000)
            held = pages();
    }
    /* each "1" and each CR, but for the last, which might begin a delimiter */
    ck_assert_uint_eq(got, 20000 + 19800 * 10 + 200 * sizeof(piece) - 1);
    ck_assert_int_eq(pages(), held);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("multipart");
    TCase *t = tcase_create("multipart");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_sent);
    tcase_add_test(t, content_near_the_delimiter);
    tcase_add_test(t, any_byte_may_be_content);
    tcase_add_test(t, bodies_that_are_broken);
    tcase_add_test(t, bodies_that_are_cut_off);
    tcase_add_test(t, boundaries);
    tcase_add_test(t, limit_of_a_part);
    tcase_add_test(t, limit_of_the_body);
    tcase_add_test(t, limit_of_parts);
    tcase_add_test(t, limit_of_a_header);
    tcase_add_test(t, error_of_the_sink_ends_it);
    tcase_add_test(t, memory_does_not_grow);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
