/* Services from XML: what a file says is what is loaded, and each mistake is told by file, line and reason. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_service.h"

#define RNG      "conf/services/service.rng"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static apr_pool_t *pool;
static fw_services *all;
static const char *good; /* the text of tests/services/parking.xml */

static char *read_all(const char *path)
{
    apr_file_t *f;
    apr_finfo_t info;
    char *text;

    ck_assert_int_eq(apr_file_open(&f, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, pool), 0);
    ck_assert_int_eq(apr_file_info_get(&info, APR_FINFO_SIZE, f), 0);
    text = apr_pcalloc(pool, (apr_size_t)info.size + 1);
    ck_assert_int_eq(apr_file_read_full(f, text, (apr_size_t)info.size, NULL), 0);
    apr_file_close(f);
    return text;
}

static void setup(void)
{
    const fw_err *err;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    err = fw_services_load(&all, "tests/services", RNG, pool);
    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
    good = read_all("tests/services/parking.xml");
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

/* `text` with the first `from` replaced; `line` gets the line where it stood. */
static const char *with(const char *text, const char *from, const char *to, int *line)
{
    const char *at = strstr(text, from);

    ck_assert_msg(at != NULL, "\"%s\" is not in the file", from);
    *line = 1;
    for (const char *p = text; p < at; p++)
        *line += *p == '\n';
    return apr_pstrcat(pool, apr_pstrndup(pool, text, (apr_size_t)(at - text)), to,
                       at + strlen(from), NULL);
}

static const fw_err *parse(const char *xml, const fw_service **out)
{
    return fw_service_parse(all, out, xml, strlen(xml), "it.xml", pool);
}

static const fw_field *field(const fw_service *s, const char *name)
{
    const fw_field *f = fw_service_field(s, name);

    ck_assert_msg(f != NULL, "no field %s", name);
    return f;
}

START_TEST(what_the_file_says)
{
    const fw_service *s = fw_services_find(all, "parking");
    const fw_field *f;

    ck_assert_ptr_nonnull(s);
    ck_assert_ptr_null(fw_services_find(all, "epermit"));
    ck_assert_ptr_null(fw_services_find(all, NULL));
    ck_assert_int_eq(fw_services_count(all), 1);
    ck_assert_ptr_eq(fw_services_at(all, 0), s);
    ck_assert_str_eq(s->prefix, "PK");
    ck_assert_str_eq(s->kind, "parking");
    ck_assert_ptr_null(s->needs);
    ck_assert_str_eq(s->title.en, "Motorcycle parking permit");
    ck_assert_str_eq(fw_label_text(&s->title, "zh-Hant"), "機車停車證");
    ck_assert_int_eq(s->fee, 100);
    ck_assert(!s->fee_per_year);
    ck_assert_int_eq(s->clock_hours, 24);
    ck_assert_int_eq(s->max_months, 12);
    ck_assert_str_eq(s->until_field, "lease_to");
    ck_assert_int_eq(s->n_sections, 3);
    ck_assert_str_eq(s->sections[1].name, "vehicle");
    ck_assert_str_eq(s->fields[s->sections[1].first].name, "kind");
    ck_assert_int_eq(s->sections[0].n + s->sections[1].n + s->sections[2].n, s->n_fields);
    ck_assert_str_eq(s->sections[0].hint.en, "As on the document.");
    ck_assert_int_eq(s->n_rules, 9);
    ck_assert_int_eq(s->rules[1].days, -30);
    ck_assert_int_eq(s->rules[2].years, 2);
    ck_assert_int_eq(s->rules[3].months, -1);
    ck_assert_str_eq(s->rules[6].value, "TWN");
    ck_assert_int_eq(s->n_doc_rows, 8);
    ck_assert(s->doc_rows[0].big && !s->doc_rows[0].wide && s->doc_rows[3].wide);
    ck_assert_str_eq(s->doc_title.zh, "停車證");

    f = field(s, "engine_cc");
    ck_assert(f->type == FW_FIELD_NUMBER && f->required && f->min == 50 && f->max == 250);
    ck_assert(f->n_conditions == 1 && f->conditions[0].op == FW_OP_NE);
    f = field(s, "second_plate");
    ck_assert(f->n_conditions == 2 && !f->required && f->max == 10);
    f = field(s, "kind");
    ck_assert(f->n_choices == 3);
    ck_assert_str_eq(f->choices[2].label.zh, "電動自行車");
    ck_assert_str_eq(f->hint.en, "An electric bicycle needs no plate.");
    f = field(s, "sketch");
    ck_assert(fw_field_is_file(f) && f->max_files == 2 && f->max_bytes == 1048576);
    ck_assert_str_eq(f->accept, "image/png application/pdf");
    f = field(s, "dormitory");
    ck_assert_str_eq(f->index, "county");
    ck_assert_str_eq(field(s, "phone")->from, "phone");
    ck_assert_ptr_null(fw_service_field(s, "nothing"));
}
END_TEST

START_TEST(every_type_and_operator_is_used)
{
    const fw_service *s = fw_services_find(all, "parking");
    unsigned types = 0, ops = 0;

    for (int i = 0; i < s->n_fields; i++) {
        types |= 1u << s->fields[i].type;
        for (int c = 0; c < s->fields[i].n_conditions; c++)
            ops |= 1u << s->fields[i].conditions[c].op;
    }
    for (int i = 0; i < s->n_rules; i++)
        ops |= 1u << s->rules[i].op;
    types |= 1u << FW_FIELD_PHOTO; /* it has none on purpose */
    for (int i = 0; i < FW_FIELDS; i++)
        ck_assert_msg(types & (1u << i), "no field of type %s", fw_field_type_name((fw_field_e)i));
    ops |= 1u << FW_OP_ABSENT; /* the forms' test has it */
    for (int i = 0; i < FW_OPS_N; i++)
        ck_assert_msg(ops & (1u << i), "operator %d is not used", i);
}
END_TEST

START_TEST(what_is_not_said_has_a_default)
{
    int line;
    const fw_service *s = NULL;
    const char *xml =
        with(good, " accept=\"image/png application/pdf\" max-bytes=\"1048576\"", "", &line);

    xml = with(xml, " max-files=\"2\"", "", &line);
    xml = with(xml, "type=\"number\" required=\"yes\" min=\"50\" max=\"250\"", "type=\"number\"",
               &line);
    xml = with(xml, "name=\"nickname\" type=\"text\" max=\"20\"", "name=\"nickname\" type=\"text\"",
               &line);
    xml = with(xml, "name=\"ui_no\" type=\"ui_no\"", "name=\"ui_no\" type=\"photo\"", &line);
    ck_assert_ptr_null(parse(xml, &s));
    ck_assert_str_eq(field(s, "sketch")->accept, "image/jpeg image/png application/pdf");
    ck_assert_int_eq(field(s, "sketch")->max_bytes, 5242880);
    ck_assert_int_eq(field(s, "sketch")->max_files, 1);
    ck_assert_int_eq(field(s, "engine_cc")->max, INT32_MAX);
    ck_assert(!field(s, "engine_cc")->required);
    ck_assert_int_eq(field(s, "nickname")->max, 200);
    ck_assert_int_eq(field(s, "ui_no")->max_files, 1);
    ck_assert_ptr_nonnull(strstr(field(s, "ui_no")->accept, "image/heic"));
}
END_TEST

START_TEST(a_label_speaks_the_language)
{
    fw_label both = {"居留", "Residence"}, zh = {"居留", NULL}, en = {"", "Residence"},
             none = {NULL, NULL};

    ck_assert_str_eq(fw_label_text(&both, "en"), "Residence");
    ck_assert_str_eq(fw_label_text(&both, "zh-Hant"), "居留");
    ck_assert_str_eq(fw_label_text(&both, NULL), "居留");
    ck_assert_str_eq(fw_label_text(&zh, "en"), "居留");
    ck_assert_str_eq(fw_label_text(&en, "zh-Hant"), "Residence");
    ck_assert_str_eq(fw_label_text(&none, "en"), "");
}
END_TEST

START_TEST(a_version_goes_by_its_hash)
{
    int line;
    const fw_service *now = fw_services_find(all, "parking"), *same = NULL, *other = NULL;
    const char *xml = with(good, "amount=\"100\"", "amount=\"200\"", &line);

    ck_assert_int_eq(strlen(now->hash), 64);
    ck_assert_str_eq(now->xml, good);
    ck_assert_ptr_eq(fw_services_by_hash(all, now->hash), now);
    ck_assert_ptr_null(fw_services_by_hash(all, "00"));
    ck_assert_ptr_null(fw_services_by_hash(all, NULL));
    ck_assert_ptr_null(parse(now->xml, &same));
    ck_assert_str_eq(same->hash, now->hash);
    ck_assert_ptr_null(parse(xml, &other));
    ck_assert_str_ne(other->hash, now->hash);
    ck_assert_int_eq(other->fee, 200);
    /* a space more is another version, too: the bytes count */
    ck_assert_ptr_null(parse(apr_pstrcat(pool, good, " ", NULL), &other));
    ck_assert_str_ne(other->hash, now->hash);
}
END_TEST

/* Mistakes: what is replaced, by what, and what is told of it. The line is that of what is replaced, plus `below`. */
static const struct {
    const char *from, *to, *reason;
    int below;
} mistakes[] = {
    /* what the schema says */
    {"<clock hours=\"24\"/>", "", "Did not expect element validity", 1},
    {"amount=\"100\"", "amount=\"-1\"", "Element fee failed to validate attributes", 0},
    {"amount=\"100\"", "amount=\"a hundred\"", "Type int doesn't allow value 'a hundred'", 0},
    {"per=\"case\"", "per=\"month\"", "Element fee", 0},
    {"max-years=\"1\"", "max-years=\"11\"", "Invalid attribute max-years", 0},
    {"max-years=\"1\"", "max-years=\"1\" max-months=\"6\"", "by max-years or by max-months", 0},
    {"max-years=\"1\" ", "", "by max-years or by max-months", 0},
    {"hours=\"24\"", "hours=\"0\"", "Element clock", 0},
    {"prefix=\"PK\"", "prefix=\"pk\"", "Element service", 0},
    {"code=\"parking\"", "code=\"Parking\"", "Element service", 0},
    {"prefix=\"PK\"", "prefix=\"PK\" needs=\"crad\"", "Invalid attribute needs", 0},
    {"name=\"plate\" type=\"text\"", "name=\"plate\" type=\"string\"", "Invalid attribute type", 0},
    {"name=\"plate\" type=\"text\"", "name=\"Plate\" type=\"text\"", "Invalid attribute name", 0},
    {"name=\"plate\" type=\"text\"", "name=\"plate\" typ=\"text\"", "Invalid attribute typ", 0},
    {"name=\"plate\" type=\"text\" required=\"yes\"",
     "name=\"plate\" type=\"text\" required=\"true\"", "Invalid attribute required", 0},
    {"<label><zh>車牌</zh><en>Plate</en></label>", "<label><zh>車牌</zh></label>",
     "Expecting an element en", 0},
    {"<label><zh>車牌</zh><en>Plate</en></label>", "<label><zh>車牌</zh><en></en></label>",
     "Element en", 0},
    {"<label><zh>車牌</zh><en>Plate</en></label>",
     "<label><zh>車牌</zh><en>Plate</en><fr>Plaque</fr></label>", "fr", 0},
    {"<when field=\"has_owner\" op=\"eq\" value=\"company\"/>",
     "<when field=\"has_owner\" op=\"equals\" value=\"company\"/>", "Invalid attribute op", 0},
    {"<rule field=\"lease_to\" op=\"after\"", "<rule field=\"lease_to\" op=\"later\"",
     "Invalid attribute op", 0},
    {"days=\"-30\"", "days=\"-99999\"", "Invalid attribute days", 0},
    {"<document>", "<footnote/><document>", "footnote", 0},
    {"<row field=\"kind\"/>", "<row field=\"kind\" big=\"no\"/>", "big", 0},
    {"xmlns=\"urn:fwpermit:service:1\"", "xmlns=\"urn:fwpermit:service:2\"", "", 0},
    /* what XML says */
    {"<title><zh>機車", "<title><zh>&copy;機車", "copy", 0},
    {"</service>", "", "Premature end of data in tag service line 3", 1},
    {"<summary>", "<summary a=\"1\" a=\"2\">", "redefined", 0},
    {"持有人", "持\x01有人", "PCDATA invalid", 0},
    {"持有人", "持\xff有人", "not proper UTF-8", 0},
    /* what the loader says */
    {"<field name=\"second_plate\"", "<field name=\"plate\"", "a field twice: \"plate\"", 0},
    {"name=\"sketch\" type=\"file\"", "name=\"sketch\" type=\"file\" from=\"labour.sketch\"",
     "from permit.SLOT, not \"labour.sketch\"", 0},
    {"name=\"sketch\" type=\"file\"", "name=\"sketch\" type=\"file\" from=\"permit.a.b\"",
     "from permit.SLOT, not \"permit.a.b\"", 0},
    {"name=\"sketch\" type=\"file\"", "name=\"sketch\" type=\"file\" fresh-months=\"3\"",
     "nothing is taken over: \"sketch\"", 0},
    {"name=\"sketch\" type=\"file\"",
     "name=\"sketch\" type=\"file\" from=\"permit.sketch\" same=\"plate nothing\"",
     "no field with a value stands before: \"nothing\"", 0},
    {"name=\"sketch\" type=\"file\"",
     "name=\"sketch\" type=\"file\" from=\"permit.sketch\" fresh-months=\"121\"",
     "Invalid attribute fresh-months", 0},
    {"name=\"plate\" type=\"text\"", "name=\"plate\" type=\"text\" fresh-months=\"3\"",
     "not an attribute of this type: \"fresh-months\"", 0},
    {"<section name=\"place\">", "<section name=\"holder\">", "a section twice: \"holder\"", 0},
    {"name=\"plate\" type=\"text\"", "name=\"today\" type=\"text\"", "reserved: \"today\"", 0},
    {"<choice value=\"ebike\">", "<choice value=\"scooter\">", "a choice twice: \"scooter\"", 0},
    {"name=\"kind\" type=\"choice\"", "name=\"kind\" type=\"text\"",
     "choices of another type: \"kind\"", 0},
    {"name=\"plate\" type=\"text\" required=\"yes\" max=\"10\"", "name=\"plate\" type=\"choice\"",
     "a choice without choices: \"plate\"", 0},
    {"index=\"permit_letter\"", "index=\"letter\"", "can be indexed: \"letter\"", 0},
    {"index=\"permit_letter\"", "index=\"birth\"", "another type of field: \"birth\"", 0},
    {"name=\"dormitory\" type=\"address\" required=\"yes\" max=\"120\" index=\"county\"",
     "name=\"dormitory\" type=\"date\" index=\"birth\"", "a column twice: \"birth\"", 0},
    {"min=\"50\" max=\"250\"", "min=\"500\" max=\"250\"", "as short and as long as wanted", 0},
    {"name=\"plate\" type=\"text\" required=\"yes\" max=\"10\"",
     "name=\"plate\" type=\"text\" max=\"0\"", "as short and as long as wanted", 0},
    {"name=\"plate\" type=\"text\"", "name=\"plate\" type=\"text\" min=\"2\"",
     "of this type: \"min\"", 0},
    {"name=\"ui_no\" type=\"ui_no\"", "name=\"ui_no\" type=\"ui_no\" max=\"9\"",
     "of this type: \"max\"", 0},
    {"name=\"plate\" type=\"text\"", "name=\"plate\" type=\"text\" accept=\"image/png\"",
     "of this type: \"accept\"", 0},
    {"name=\"plate\" type=\"text\"", "name=\"plate\" type=\"text\" max-files=\"2\"",
     "of this type: \"max-files\"", 0},
    {"<when field=\"email\" op=\"present\"/>", "<when field=\"plate\" op=\"present\"/>",
     "does not stand before: \"plate\"", 0},
    {"<when field=\"email\" op=\"present\"/>", "<when field=\"email_again\" op=\"present\"/>",
     "does not stand before: \"email_again\"", 0}, /* the shortest circle */
    {"<when field=\"email\" op=\"present\"/>", "<when field=\"nothing\" op=\"present\"/>",
     "does not stand before: \"nothing\"", 0},
    {"<when field=\"has_owner\" op=\"eq\" value=\"company\"/>",
     "<when field=\"has_owner\" op=\"eq\"/>", "no value to compare with", 0},
    {"<when field=\"email\" op=\"present\"/>", "<when field=\"email\" op=\"present\" value=\"x\"/>",
     "a value too many", 0},
    {"op=\"eq\" value=\"company\"", "op=\"eq\" value=\"firm\"",
     "not one of the field's choices: \"firm\"", 0},
    {"value=\"motorcycle|scooter\"", "value=\"motorcycle|moped\"", "not one of the field's choices",
     0},
    {"value=\"motorcycle|scooter\"", "value=\"motorcycle|scoot\"", "not one of the field's choices",
     0},
    {"op=\"in\" value=\"motorcycle|scooter\"", "op=\"eq\" value=\"motorcycle|scooter\"",
     "not one of the field's choices", 0},
    {"<when field=\"has_owner\" op=\"eq\" value=\"company\"/>",
     "<when field=\"has_owner\" op=\"same\" value=\"company\"/>",
     "an operator of a condition: \"same\"", 0},
    {"<rule field=\"lease_to\" op=\"after\"", "<rule field=\"lease_end\" op=\"after\"",
     "a rule on no field: \"lease_end\"", 0},
    {"op=\"after\" other=\"lease_from\"", "op=\"after\" other=\"lease_begin\"",
     "a rule against no field: \"lease_begin\"", 0},
    {"op=\"after\" other=\"lease_from\"", "op=\"after\"", "without its other side: \"lease_to\"",
     0},
    {"op=\"after\" other=\"lease_from\"", "op=\"after\" other=\"plate\"",
     "between dates on another type", 0},
    {"op=\"after\" other=\"lease_from\"", "op=\"after\" other=\"lease_from\" value=\"1\"",
     "a value too many", 0},
    {"op=\"same\" other=\"email\"", "op=\"same\" other=\"today\"",
     "a rule against no field: \"today\"", 0},
    {"op=\"same\" other=\"email\"", "op=\"same\" other=\"email\" days=\"1\"",
     "where no dates are compared", 0},
    {"op=\"same\" other=\"email\"", "op=\"same\" other=\"sketch\"", "a rule on a file: \"sketch\"",
     0},
    {"<rule field=\"lease_to\" op=\"after\" other=\"lease_from\">",
     "<rule field=\"sketch\" op=\"present\">", "a rule on a file: \"sketch\"", 0},
    {"<rule field=\"nationality\" op=\"ne\" value=\"TWN\">",
     "<rule field=\"nationality\" op=\"ne\">", "no value to compare with", 0},
    {"<rule field=\"nationality\" op=\"ne\" value=\"TWN\">",
     "<rule field=\"nationality\" op=\"ne\" value=\"TWN\" other=\"plate\">",
     "an other side too many", 0},
    {"<rule field=\"name_latin\" op=\"matches_mrz\" other=\"mrz\">",
     "<rule field=\"name_latin\" op=\"matches_mrz\" other=\"plate\">",
     "a field of type mrz, not \"plate\"", 0},
    {"<rule field=\"name_latin\" op=\"matches_mrz\"", "<rule field=\"phone\" op=\"matches_mrz\"",
     "do not tell \"phone\"", 0},
    {"until=\"lease_to\"", "until=\"lease_end\"", "a field of type date, not \"lease_end\"", 0},
    {"until=\"lease_to\"", "until=\"plate\"", "a field of type date, not \"plate\"", 0},
    {"<row field=\"kind\"/>", "<row field=\"colour\"/>", "a row of no field: \"colour\"", 0},
    {"<row field=\"kind\"/>", "<row field=\"sketch\"/>", "a row of a file: \"sketch\"", 0},
    {"<row field=\"kind\"/>", "<row field=\"plate\"/>", "a row twice: \"plate\"", 0},
    {"<row field=\"kind\"/>", "<row field=\"station\"/>", "needs its own label: \"station\"", 0},
};

START_TEST(each_mistake_is_told)
{
    int line;
    const fw_service *s = NULL;
    const char *xml = with(good, mistakes[_i].from, mistakes[_i].to, &line);
    const fw_err *err = parse(xml, &s);
    char *end = NULL;
    long told;

    ck_assert_msg(err != NULL, "taken: %s", mistakes[_i].to);
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_msg(strncmp(err->msg, "it.xml:", 7) == 0, "%s", err->msg);
    told = strtol(err->msg + 7, &end, 10);
    ck_assert_msg(*end == ':', "%s", err->msg);
    ck_assert_msg(told == line + mistakes[_i].below, "line %d, told: %s", line, err->msg);
    ck_assert_msg(strstr(err->msg, mistakes[_i].reason) != NULL, "%s: %s", mistakes[_i].to,
                  err->msg);
}
END_TEST

START_TEST(no_doctype)
{
    static const char *const doctypes[] = {
        "<!DOCTYPE service>",
        "<!DOCTYPE service SYSTEM \"file:///etc/passwd\">",
        "<!DOCTYPE service [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
        "<!DOCTYPE service [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>",
    };

    for (size_t i = 0; i < COUNT(doctypes); i++) {
        int line;
        const fw_service *s = NULL;
        const char *xml =
            with(good, "<service", apr_pstrcat(pool, doctypes[i], "<service", NULL), &line);
        const fw_err *err = parse(xml, &s);

        ck_assert_msg(err && strstr(err->msg, "DOCTYPE"), "%s", err ? err->msg : "taken");
    }
}
END_TEST

START_TEST(no_more_than_half_a_megabyte)
{
    size_t n = strlen(good);
    char *big = apr_palloc(pool, 524290);
    const fw_service *s = NULL;
    const fw_err *err;

    memset(big, ' ', 524290);
    memcpy(big, good, n);
    ck_assert_ptr_null(fw_service_parse(all, &s, big, 524288, "it.xml", pool));
    err = fw_service_parse(all, &s, big, 524289, "it.xml", pool);
    ck_assert_msg(err && strstr(err->msg, "it.xml:1: longer than 524288"), "%s",
                  err ? err->msg : "taken");
    ck_assert_ptr_nonnull(fw_service_parse(all, &s, "", 0, "it.xml", pool));
    ck_assert_ptr_nonnull(fw_service_parse(all, &s, "no XML", 6, "it.xml", pool));
}
END_TEST

/* ---- folders ---- */

static const char *const names[] = {"a.xml", "b.xml", ".b.xml", "c.xml~", "z.xml"};

static void empty(const char *dir)
{
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(apr_pstrcat(pool, dir, "/", names[i], NULL));
}

static const char *folder(void)
{
    const char *name = apr_psprintf(pool, "/tmp/service-test-%d", (int)getpid());

    mkdir(name, 0700);
    empty(name); /* a test that failed may have left it */
    return name;
}

static void put(const char *dir, const char *name, const char *text)
{
    FILE *f = fopen(apr_pstrcat(pool, dir, "/", name, NULL), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void drop(const char *dir)
{
    empty(dir);
    ck_assert_int_eq(rmdir(dir), 0);
}

static void assert_load_fails(const char *dir, const char *rng, const char *reason)
{
    fw_services *none = NULL;
    const fw_err *err = fw_services_load(&none, dir, rng, pool);

    ck_assert_msg(err != NULL, "loaded");
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_msg(strstr(err->msg, reason) != NULL, "%s", err->msg);
}

START_TEST(a_folder_of_services)
{
    int line;
    const char *dir = folder();
    const char *other = with(good, "code=\"parking\"", "code=\"another\" needs=\"card\"", &line);
    fw_services *both = NULL;

    assert_load_fails(dir, RNG, "holds no service");
    put(dir, "z.xml", other);
    put(dir, "b.xml", good);
    put(dir, ".b.xml", "what an editor leaves");
    put(dir, "c.xml~", "what an editor leaves");
    ck_assert_ptr_null(fw_services_load(&both, dir, RNG, pool));
    ck_assert_int_eq(fw_services_count(both), 2);
    ck_assert_str_eq(fw_services_at(both, 0)->code, "parking"); /* by the files' names */
    ck_assert_str_eq(fw_services_at(both, 1)->code, "another");
    ck_assert_str_eq(fw_services_at(both, 1)->needs, "card");
    put(dir, "a.xml", good);
    assert_load_fails(dir, RNG, "b.xml:1: service \"parking\" is there already");
    put(dir, "a.xml", read_all("conf/worker.xml"));
    assert_load_fails(dir, RNG, "a.xml:1: an application has fee");
    put(dir, "a.xml", "<service>");
    assert_load_fails(dir, RNG, "a.xml:1: ");
    drop(dir);
    assert_load_fails(dir, RNG, "cannot be opened");
}
END_TEST

START_TEST(a_schema_must_be_one)
{
    assert_load_fails("tests/services", "/nowhere/service.rng", "/nowhere/service.rng");
    assert_load_fails("tests/services", "tests/services/parking.xml", "parking.xml:");
}
END_TEST

/* ---- what is delivered ---- */

START_TEST(delivered_services)
{
    fw_services *theirs = NULL;
    const fw_err *err = fw_services_load(&theirs, "conf/services", RNG, pool);
    const fw_service *s, *worker = NULL;
    const char *text = read_all("conf/worker.xml");

    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
    s = fw_services_find(theirs, "epermit");
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(s->max_months, 6);
    ck_assert_int_eq(s->clock_hours, 48);
    ck_assert(s->fee == 1000 && s->fee_per_year);
    ck_assert_int_eq(s->n_doc_rows, 14);
    ck_assert_ptr_null(fw_service_parse(theirs, &worker, text, strlen(text), "worker.xml", pool));
    /* what begins from the worker's record has the same type there */
    for (int i = 0; i < s->n_fields; i++) {
        if (s->fields[i].from && !strchr(s->fields[i].from, '.'))
            ck_assert_msg(field(worker, s->fields[i].from)->type == s->fields[i].type, "%s",
                          s->fields[i].name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("service");
    TCase *t = tcase_create("service");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_the_file_says);
    tcase_add_test(t, every_type_and_operator_is_used);
    tcase_add_test(t, what_is_not_said_has_a_default);
    tcase_add_test(t, a_label_speaks_the_language);
    tcase_add_test(t, a_version_goes_by_its_hash);
    tcase_add_loop_test(t, each_mistake_is_told, 0, (int)COUNT(mistakes));
    tcase_add_test(t, no_doctype);
    tcase_add_test(t, no_more_than_half_a_megabyte);
    tcase_add_test(t, a_folder_of_services);
    tcase_add_test(t, a_schema_must_be_one);
    tcase_add_test(t, delivered_services);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
