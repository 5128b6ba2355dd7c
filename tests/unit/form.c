/* Forms: what is taken of what is typed, what is asked, and rules between fields. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_form.h"
#include "fw_mrz.h"

#define RNG      "conf/services/service.rng"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static apr_pool_t *pool;
static fw_form_env env;
static fw_codes *codes;
static fw_services *made, *delivered;
static const fw_service *parking, *epermit;
static json_t *data; /* a form of `epermit` without a fault */

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    ck_assert_ptr_null(fw_codes_load(&codes, "conf/codes", pool));
    ck_assert_ptr_null(fw_services_load(&made, "tests/services", RNG, pool));
    ck_assert_ptr_null(fw_services_load(&delivered, "conf/services", RNG, pool));
    parking = fw_services_find(made, "parking");
    epermit = fw_services_find(delivered, "epermit");
    env = (fw_form_env){codes, {2026, 11, 24}, pool};
    data = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
        "name_latin", "NGUYEN VAN ANH", "sex", "M", "birth", "1990-03-05", "nationality", "VNM",
        "passport_no", "C1234567", "passport_expiry", "2031-05-01", "has_ui_no", "no", "arrived",
        "yes", "entry_date", "2026-11-20", "visa_no", "115VN0001", "address",
        "桃園市桃園區縣府路106號", "permit_letter", "勞動發事字第1130012345號", "category",
        "manufacturing", "contract_from", "2026-11-21", "contract_to", "2029-11-20", "work_address",
        "桃園市桃園區縣府路1號", "declare", "yes");
}

static void teardown(void)
{
    json_decref(data);
    apr_pool_destroy(pool);
    apr_terminate();
}

/* ---- taking what is typed ---- */

static apr_array_header_t *problems, *touched;

static void take(const char *fields, json_t *before)
{
    json_t *o = json_loads(fields, JSON_ALLOW_NUL, NULL);

    ck_assert_ptr_nonnull(o);
    problems = apr_array_make(pool, 4, sizeof(fw_refusal));
    touched = apr_array_make(pool, 4, sizeof(const char *));
    fw_form_take(&env, epermit, data, o, problems, touched, before);
    json_decref(o);
}

static const char *value(const char *name)
{
    return json_string_value(json_object_get(data, name));
}

START_TEST(taking_changes_what_changed)
{
    json_t *before = json_object();

    take("{\"name_latin\": \" le thi  hoa\", \"sex\": \"m\", \"phone\": \"0912345678\", "
         "\"visa_no\": \"\"}",
         before);
    ck_assert_int_eq(problems->nelts, 0);
    ck_assert_int_eq(touched->nelts, 3); /* the sex is what it was */
    ck_assert_str_eq(value("name_latin"), "LE THI HOA");
    ck_assert_str_eq(value("phone"), "0912345678");
    ck_assert_ptr_null(value("visa_no"));
    ck_assert_int_eq(json_object_size(before), 3);
    ck_assert_str_eq(json_string_value(json_object_get(before, "name_latin")), "NGUYEN VAN ANH");
    ck_assert_str_eq(json_string_value(json_object_get(before, "phone")), "");
    json_decref(before);
    take("{\"name_latin\": \"LE THI HOA\", \"visa_no\": \" \"}", NULL);
    ck_assert_int_eq(touched->nelts, 0);
}
END_TEST

START_TEST(taking_keeps_what_is_wrong)
{
    take("{\"birth\": \"5/3/1990\", \"name_latin\": \"王\"}", NULL); /* a draft may be anything */
    ck_assert_int_eq(problems->nelts, 0);
    ck_assert_str_eq(value("birth"), "5/3/1990");
    ck_assert_str_eq(value("name_latin"), "王");
}
END_TEST

START_TEST(taking_refuses)
{
    char *long_one = apr_palloc(pool, 4002);
    static const struct {
        const char *fields, *field, *key;
    } rows[] = {
        {"{\"colour\": \"red\"}", "colour", "field.unknown"},
        {"{\"photo\": \"x.jpg\"}", "photo", "field.unknown"},
        {"{\"phone\": 912345678}", "phone", "field.unknown"},
        {"{\"phone\": null}", "phone", "field.unknown"},
        {"{\"phone\": [\"0912345678\"]}", "phone", "field.unknown"},
        {"{\"visa_no\": \"A\\u0000B\"}", "visa_no", "field.control"},
        {"{\"visa_no\": \"\\u0000\"}", "visa_no", "field.control"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const fw_refusal *why;

        take(rows[i].fields, NULL);
        ck_assert_int_eq(problems->nelts, 1);
        why = &APR_ARRAY_IDX(problems, 0, fw_refusal);
        ck_assert_str_eq(why->field, rows[i].field);
        ck_assert_str_eq(why->key, rows[i].key);
        ck_assert_int_eq(touched->nelts, 0);
    }
    ck_assert_str_eq(value("visa_no"), "115VN0001");
    memset(long_one, 'a', 4001);
    long_one[4001] = '\0';
    take(apr_pstrcat(pool, "{\"visa_no\": \"", long_one, "\"}", NULL), NULL);
    ck_assert_str_eq(APR_ARRAY_IDX(problems, 0, fw_refusal).key, "field.too_long");
    long_one[4000] = '\0';
    take(apr_pstrcat(pool, "{\"visa_no\": \"", long_one, "\"}", NULL), NULL);
    ck_assert_int_eq(problems->nelts, 0);
}
END_TEST

/* ---- the whole form ---- */

static const fw_file files[] = {
    {.slot = "photo", .current = true},
    {.slot = "passport_page", .current = true},
    {.slot = "employment_proof", .current = true},
};

static void set(const char *name, const char *text)
{
    if (text)
        json_object_set_new(data, name, json_string(text));
    else
        json_object_del(data, name);
}

/* "field key" of every problem, ", " between; for a rule its English text instead of the key. */
static const char *told(const fw_service *service, const fw_file *of, int n)
{
    apr_array_header_t *list = fw_form_problems(&env, service, data, of, n);
    const char *text = "";

    for (int i = 0; i < list->nelts; i++) {
        const fw_refusal *r = &APR_ARRAY_IDX(list, i, fw_refusal);
        json_t *args = r->args ? json_loads(r->args, 0, NULL) : NULL;
        const char *said = json_string_value(json_object_get(args, "en"));

        if (strcmp(r->key, "field.rule") == 0)
            ck_assert(json_string_length(json_object_get(args, "zh")) > 0);
        text =
            apr_pstrcat(pool, text, *text ? ", " : "", r->field, " ", said ? said : r->key, NULL);
        json_decref(args);
    }
    return text;
}

static const char *of_epermit(void)
{
    return told(epermit, files, 3);
}

START_TEST(a_good_form_has_no_problem)
{
    ck_assert_str_eq(of_epermit(), "");
}
END_TEST

START_TEST(an_empty_form_lacks_what_is_required)
{
    json_object_clear(data);
    ck_assert_str_eq(
        told(epermit, NULL, 0),
        "name_latin field.required, sex field.required, birth field.required, nationality "
        "field.required, passport_no field.required, passport_expiry field.required, has_ui_no "
        "field.required, arrived field.required, visa_no field.required, address field.required, "
        "permit_letter field.required, category field.required, contract_from field.required, "
        "contract_to field.required, work_address field.required, photo field.file_missing, "
        "passport_page field.file_missing, employment_proof field.file_missing, declare "
        "field.confirm");
}
END_TEST

START_TEST(files_of_the_past_do_not_count)
{
    fw_file old[] = {files[0], files[1], files[2]};

    old[1].current = false;
    ck_assert_str_eq(told(epermit, old, 3), "passport_page field.file_missing");
}
END_TEST

START_TEST(what_is_infected_must_go)
{
    fw_file now[] = {files[0], files[1], files[2]};
    apr_array_header_t *list;

    now[0].scan = FW_SCAN_CLEAN;
    now[1].scan = FW_SCAN_PENDING;
    ck_assert_str_eq(told(epermit, now, 3), ""); /* what is to be judged yet may be filed */
    now[1].scan = FW_SCAN_INFECTED;
    now[1].name = "a \"b\".pdf";
    ck_assert_str_eq(told(epermit, now, 3), "passport_page file.infected");
    list = fw_form_problems(&env, epermit, data, now, 3);
    ck_assert_str_eq(APR_ARRAY_IDX(list, 0, fw_refusal).args, "{\"name\":\"a \\\"b\\\".pdf\"}");
    now[1].current = false;
    ck_assert_str_eq(told(epermit, now, 3), "passport_page field.file_missing");
}
END_TEST

START_TEST(what_is_not_asked_is_not_required)
{
    set("entry_date", NULL);
    ck_assert_str_eq(of_epermit(), "entry_date field.required");
    set("arrived", "no");
    ck_assert_str_eq(of_epermit(), "planned_entry field.required");
    set("planned_entry", "2026-12-20");
    ck_assert_str_eq(of_epermit(), "");
    set("has_ui_no", "yes");
    ck_assert_str_eq(of_epermit(), "ui_no field.required");
    set("ui_no", "A800000015");
    ck_assert_str_eq(of_epermit(), "ui_no field.ui_no");
    set("has_ui_no", "no"); /* what stands there is of no account now */
    ck_assert_str_eq(of_epermit(), "");
    set("employer_national_id", "A123456788");
    ck_assert_str_eq(of_epermit(), "");
    set("category", "care_household");
    ck_assert_str_eq(of_epermit(), "employer_national_id field.national_id");
    set("employer_national_id", "A123456789");
    set("employer_ban", "12345672");
    ck_assert_str_eq(of_epermit(), "");
    set("category", "fishery");
    ck_assert_str_eq(of_epermit(), "employer_ban field.ban");
}
END_TEST

START_TEST(a_condition_rests_on_its_own_field)
{
    const fw_field *second = fw_service_field(parking, "second_plate");

    json_object_clear(data);
    ck_assert(!fw_form_asked(parking, second, data));
    set("kind", "motorcycle");
    set("plate", "ABC-123");
    ck_assert(fw_form_asked(parking, second, data));
    set("kind", "ebike"); /* no plate is asked for, so what stands there opens nothing */
    ck_assert(!fw_form_asked(parking, second, data));
    set("kind", "scooter");
    ck_assert(!fw_form_asked(parking, second, data));
    set("kind", "motorcycle");
    set("plate", "");
    ck_assert(!fw_form_asked(parking, second, data));
}
END_TEST

START_TEST(operators_of_conditions)
{
    static const struct {
        const char *when, *value;
        bool holds;
    } rows[] = {
        {"op=\"eq\" value=\"motorcycle\"", "motorcycle", true},
        {"op=\"eq\" value=\"motorcycle\"", "scooter", false},
        {"op=\"eq\" value=\"motorcycle\"", NULL, false},
        {"op=\"ne\" value=\"ebike\"", "scooter", true},
        {"op=\"ne\" value=\"ebike\"", "ebike", false},
        {"op=\"ne\" value=\"ebike\"", NULL, false},
        {"op=\"in\" value=\"scooter|ebike\"", "ebike", true},
        {"op=\"in\" value=\"scooter|ebike\"", "scooter", true},
        {"op=\"in\" value=\"scooter|ebike\"", "scoot", false},
        {"op=\"in\" value=\"scooter|ebike\"", "bike", false},
        {"op=\"in\" value=\"scooter|ebike\"", NULL, false},
        {"op=\"present\"", "ebike", true},
        {"op=\"present\"", "", false},
        {"op=\"present\"", NULL, false},
        {"op=\"absent\"", "ebike", false},
        {"op=\"absent\"", "", true},
        {"op=\"absent\"", NULL, true},
    };

    json_object_clear(data);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const fw_service *s = NULL;
        const char *at = strstr(parking->xml, "op=\"in\" value=\"motorcycle|scooter\"");
        const char *xml =
            apr_pstrcat(pool, apr_pstrndup(pool, parking->xml, (apr_size_t)(at - parking->xml)),
                        rows[i].when, at + strlen("op=\"in\" value=\"motorcycle|scooter\""), NULL);

        ck_assert_ptr_null(fw_service_parse(made, &s, xml, strlen(xml), "it.xml", pool));
        set("kind", rows[i].value);
        ck_assert_msg(fw_form_asked(s, fw_service_field(s, "plate"), data) == rows[i].holds,
                      "%s %s", rows[i].when, rows[i].value);
    }
}
END_TEST

/* ---- rules ---- */

START_TEST(dates_of_the_delivered_service)
{
    static const struct {
        const char *arrived, *field, *value, *told;
    } rows[] = {
        {"yes", "birth", "2010-11-23", ""},
        {"yes", "birth", "2010-11-24", "birth The worker must be 16 or older."},
        {"yes", "passport_expiry", "2026-11-25", ""},
        {"yes", "passport_expiry", "2026-11-24", "passport_expiry The passport has expired."},
        {"yes", "entry_date", "2026-11-24", ""},
        {"yes", "entry_date", "2026-11-25", "entry_date The date of entry lies in the future."},
        {"yes", "entry_date", "1990-03-05",
         "entry_date The date of entry lies before the date of birth."},
        {"yes", "entry_date", "yesterday", "entry_date field.date"}, /* and no rule on top of it */
        {"yes", "contract_from", "2026-12-24", ""},
        {"yes", "contract_from", "2029-11-20", "contract_to Employment ends before it begins."},
        {"yes", "contract_to", "2029-11-21", ""},
        {"yes", "contract_to", "2029-11-22", "contract_to Employment is for three years at most."},
        {"yes", "contract_to", "2026-11-24", "contract_to Employment has ended already."},
        {"yes", "contract_to", "2026-11-20",
         "contract_to Employment ends before it begins."}, /* told once */
        {"no", "planned_entry", "2026-11-24", ""},
        {"no", "planned_entry", "2026-11-23",
         "planned_entry The planned date of entry lies in the past."},
        {"no", "planned_entry", "2027-02-22", ""},
        {"no", "planned_entry", "2027-02-23",
         "planned_entry The planned date of entry must be within 90 days."},
        {"no", "passport_expiry", "2026-12-01",
         "passport_expiry The passport will have expired on entry."},
        {"no", "contract_to", "2026-12-01",
         "contract_to Employment ends before the planned entry."},
        {"no", "entry_date", "2030-01-01", ""}, /* typed once, not asked any more */
        {"yes", "planned_entry", "2020-01-01", ""},
    };

    set("planned_entry", "2026-12-01");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *old = value(rows[i].field) ? apr_pstrdup(pool, value(rows[i].field)) : NULL;

        set("arrived", rows[i].arrived);
        set(rows[i].field, rows[i].value);
        ck_assert_str_eq(of_epermit(), rows[i].told);
        set(rows[i].field, old);
    }
}
END_TEST

static void fill_parking(void)
{
    json_object_clear(data);
    json_object_update_new(
        data, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name_latin",
                        "ANN LEE", "nationality", "VNM", "passport_no", "C1234567", "kind", "ebike",
                        "has_owner", "no", "permit_letter", "勞動發事字第1130012345號", "dormitory",
                        "臺北市中正區廣州街15號", "lease_from", "2026-11-24", "lease_to",
                        "2027-11-23", "rules_read", "yes"));
}

static const char *of_parking(void)
{
    static const fw_file sketch = {.slot = "sketch", .current = true};

    return told(parking, &sketch, 1);
}

START_TEST(rules_of_a_service_of_tests)
{
    fill_parking();
    ck_assert_str_eq(of_parking(), "");
    set("email", "ann@example.test");
    ck_assert_str_eq(of_parking(), "");
    set("email_again", "anne@example.test");
    ck_assert_str_eq(of_parking(), "email_again The two addresses differ.");
    set("email", NULL);
    ck_assert_str_eq(of_parking(), "");
    set("kind", "motorcycle");
    ck_assert_str_eq(of_parking(), "plate field.required, engine_cc field.required");
    set("engine_cc", "125");
    set("plate", "ABC-123");
    set("second_plate", "ABC-123");
    ck_assert_str_eq(of_parking(), "second_plate Both plates are the same.");
    set("second_plate", "ABC-124");
    ck_assert_str_eq(of_parking(), "");
    set("nationality", "TWN");
    ck_assert_str_eq(of_parking(), "nationality For foreigners alone.");
    set("nationality", NULL);
    ck_assert_str_eq(of_parking(), "nationality field.required"); /* told once */
    set("nationality", "VNM");
    set("birth", "2008-10-23");
    ck_assert_str_eq(of_parking(), "");
    set("birth", "2008-10-24");
    ck_assert_str_eq(of_parking(), "birth The holder must be 18 years and a month old.");
    set("birth", NULL);
    set("lease_from", "2026-10-25");
    ck_assert_str_eq(of_parking(), "");
    set("lease_from", "2026-10-24");
    ck_assert_str_eq(of_parking(), "lease_from The lease began more than 30 days ago.");
}
END_TEST

/* Rules that no delivered service has. */
START_TEST(other_rules)
{
    static const struct {
        const char *rule, *value;
        bool holds;
    } rows[] = {
        {"op=\"eq\" value=\"VNM\"", "VNM", true},
        {"op=\"eq\" value=\"VNM\"", "IDN", false},
        {"op=\"in\" value=\"IDN|PHL\"", "PHL", true},
        {"op=\"in\" value=\"IDN|PHL\"", "VNM", false},
        {"op=\"present\"", "VNM", true},
        {"op=\"absent\"", "VNM", false},
    };
    static const char was[] = "<rule field=\"nationality\" op=\"ne\" value=\"TWN\">";

    fill_parking();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const fw_service *s = NULL;
        const char *at = strstr(parking->xml, was);
        const char *xml =
            apr_pstrcat(pool, apr_pstrndup(pool, parking->xml, (apr_size_t)(at - parking->xml)),
                        "<rule field=\"nationality\" ", rows[i].rule, ">", at + strlen(was), NULL);
        static const fw_file sketch = {.slot = "sketch", .current = true};

        ck_assert_ptr_null(fw_service_parse(made, &s, xml, strlen(xml), "it.xml", pool));
        set("nationality", rows[i].value);
        ck_assert_str_eq(told(s, &sketch, 1),
                         rows[i].holds ? "" : "nationality For foreigners alone.");
    }
}
END_TEST

/* The lines of a passport, with right check digits. */
static const char *lines(const char *name, const char *number, const char *nationality,
                         const char *birth, char sex, const char *expiry)
{
    static const char fill[] = "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<";
    char *first = apr_psprintf(pool, "P<%s%s%s", nationality, name, fill), *second;
    const char *padded = apr_psprintf(pool, "%s%.*s", number, 9 - (int)strlen(number), fill);

    first[44] = '\0';
    second = apr_psprintf(pool, "%s%d%s%s%d%c%s%d<<<<<<<<<<<<<<<", padded,
                          fw_mrz_check_digit(padded, 9), nationality, birth,
                          fw_mrz_check_digit(birth, 6), sex, expiry, fw_mrz_check_digit(expiry, 6));
    second = apr_psprintf(
        pool, "%s%d", second,
        fw_mrz_check_digit(apr_psprintf(pool, "%.10s%.7s%.22s", second, second + 13, second + 21),
                           39));
    return apr_pstrcat(pool, first, "\n", second, NULL);
}

START_TEST(what_differs_from_the_passport)
{
    static const struct {
        const char *name_in_lines, *field, *value, *told;
    } rows[] = {
        {"NGUYEN<<VAN<ANH", "name_latin", "NGUYEN VAN ANH", ""},
        {"NGUYEN<<VAN<ANH", "name_latin", "Nguyễn Văn Anh", ""},
        {"NGUYEN<<VAN<ANH", "name_latin", "VAN ANH NGUYEN", ""}, /* surname last */
        {"NGUYEN<<VAN<ANH", "name_latin", "NGUYEN VAN AN",
         "name_latin The name differs from the passport's lines."},
        {"MUELLER<<HANS", "name_latin", "MÜLLER HANS", ""},
        {"MULLER<<HANS", "name_latin", "MÜLLER HANS", ""},
        {"MUXXLLER<<HANS", "name_latin", "MÜLLER HANS", ""},
        {"DANG<<THI<HOA", "name_latin", "ĐẶNG THỊ HOA", ""},
        {"SUHARTO", "name_latin", "SUHARTO", ""}, /* a person of one name */
        {"OBRIEN<<MARY", "name_latin", "O'BRIEN, MARY", ""},
        {"SMITH<JONES<<ANN", "name_latin", "SMITH-JONES ANN", ""},
        {"NGUYEN<<VAN<ANH", "passport_no", "C1234568",
         "passport_no The number differs from the passport's lines."},
        {"NGUYEN<<VAN<ANH", "birth", "1990-05-03",
         "birth The date of birth differs from the passport's lines."},
        {"NGUYEN<<VAN<ANH", "passport_expiry", "2031-05-02",
         "passport_expiry The expiry differs from the passport's lines."},
        {"NGUYEN<<VAN<ANH", "sex", "F", "sex The sex differs from the passport's lines."},
        {"NGUYEN<<VAN<ANH", "nationality", "IDN",
         "nationality The nationality differs from the passport's lines."},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        json_t *saved = json_copy(data);

        set("mrz", lines(rows[i].name_in_lines, "C1234567", "VNM", "900305", 'M', "310501"));
        if (strcmp(rows[i].field, "name_latin") != 0)
            set("name_latin", "NGUYEN VAN ANH");
        set(rows[i].field, rows[i].value);
        ck_assert_str_eq(of_epermit(), rows[i].told);
        json_decref(data);
        data = saved;
    }
    set("mrz", "P<VNM"); /* lines that cannot be read are told, and nothing is compared with them */
    set("passport_no", "C7654321");
    ck_assert_str_eq(of_epermit(), "mrz mrz.length");
    set("mrz", lines("NGUYEN<<VAN<ANH", "C7654321", "VNM", "90<<<<", '<', "310501"));
    ck_assert_str_eq(of_epermit(), ""); /* the day of birth and the sex are not told there */
    set("birth", "1991-03-05");
    ck_assert_str_eq(of_epermit(), "birth The date of birth differs from the passport's lines.");
}
END_TEST

/* Each reason that a form can give has a text in both languages. */
START_TEST(reasons_have_texts)
{
    static const char *const keys[] = {
        "field.required",      "field.file_missing",  "field.confirm",    "field.unknown",
        "field.too_long",      "field.control",       "field.symbol",     "field.name_latin",
        "field.date",          "field.country",       "field.choice",     "field.passport_no",
        "field.ui_no",         "field.national_id",   "field.ban",        "field.email",
        "field.phone",         "field.permit_letter", "field.address",    "field.number",
        "field.rule",          "mrz.length",          "mrz.character",    "mrz.digit_number",
        "mrz.digit_birth",     "mrz.dates",           "mrz.digit_expiry", "mrz.digit_optional",
        "mrz.digit_composite",
    };
    static const char *const languages[] = {"en", "zh_Hant"};

    for (size_t l = 0; l < COUNT(languages); l++) {
        for (size_t i = 0; i < COUNT(keys); i++) {
            const char *command = apr_psprintf(pool, "grep -qF 'msgid \"%s\"' conf/locale/%s/*.po",
                                               keys[i], languages[l]);

            ck_assert_msg(system(command) == 0, "conf/locale/%s: %s", languages[l], keys[i]);
        }
    }
}
END_TEST

/* Of the last day on which a photo is good and the one after, and of what it proves. */
START_TEST(what_is_taken_over_is_good_for_a_while)
{
    fw_field f = {.name = "photo", .type = FW_FIELD_PHOTO, .fresh_months = 24};
    fw_file file = {.slot = "photo", .created = fw_date_start((fw_date){2024, 11, 24})};
    json_t *was = json_pack("{s:s, s:s}", "passport_no", "C1234567", "sex", "M");
    json_t *now = json_pack("{s:s}", "passport_no", "C1234567");

    ck_assert(fw_form_file_good(&env, &f, &file, was, now));
    file.created = fw_date_end((fw_date){2024, 11, 23});
    ck_assert(!fw_form_file_good(&env, &f, &file, was, now));
    f.fresh_months = 0;
    ck_assert(fw_form_file_good(&env, &f, &file, was, now));
    ck_assert(!fw_form_file_good(&env, &f, &file, NULL, now)); /* nobody knows what it proved */
    f.same = "passport_no employer_ban";
    ck_assert(fw_form_file_good(&env, &f, &file, was, now));
    f.same = "passport_no sex";
    ck_assert(!fw_form_file_good(&env, &f, &file, was, now));
    json_object_set_new(now, "sex", json_string("M"));
    ck_assert(fw_form_file_good(&env, &f, &file, was, now));
    json_object_set_new(now, "passport_no", json_string("C7654321"));
    ck_assert(!fw_form_file_good(&env, &f, &file, was, now));
    json_decref(was);
    json_decref(now);
}
END_TEST

START_TEST(what_is_not_good_any_more_is_told_once_for_a_slot)
{
    const fw_service *card = fw_services_find(delivered, "card");
    const char *other = "{\"passport_no\": \"C7654321\", \"passport_expiry\": \"2031-05-01\"}";
    const char *same = "{\"passport_no\": \"C1234567\", \"passport_expiry\": \"2031-05-01\"}";
    fw_file taken[] = {
        {.slot = "passport_page", .current = true, .taken_from = 7, .taken_data = other},
        {.slot = "passport_page", .current = true, .taken_from = 8, .taken_data = other},
        {.slot = "gone", .current = true, .taken_from = 9, .taken_data = other}};
    apr_array_header_t *told = apr_array_make(pool, 2, sizeof(fw_refusal));

    fw_form_check_taken(&env, card, data, taken, 3, told);
    ck_assert_int_eq(told->nelts, 1);
    ck_assert_str_eq(APR_ARRAY_IDX(told, 0, fw_refusal).field, "passport_page");
    ck_assert_str_eq(APR_ARRAY_IDX(told, 0, fw_refusal).key, "file.not_good");
    taken[0].taken_data = taken[1].taken_data = same;
    told->nelts = 0;
    fw_form_check_taken(&env, card, data, taken, 3, told);
    ck_assert_int_eq(told->nelts, 0);
    taken[0].taken_data = other;
    taken[0].taken_from = 0; /* uploaded: a person looks at it */
    fw_form_check_taken(&env, card, data, taken, 3, told);
    ck_assert_int_eq(told->nelts, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("form");
    TCase *t = tcase_create("form");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_taken_over_is_good_for_a_while);
    tcase_add_test(t, what_is_not_good_any_more_is_told_once_for_a_slot);
    tcase_add_test(t, taking_changes_what_changed);
    tcase_add_test(t, taking_keeps_what_is_wrong);
    tcase_add_test(t, taking_refuses);
    tcase_add_test(t, a_good_form_has_no_problem);
    tcase_add_test(t, an_empty_form_lacks_what_is_required);
    tcase_add_test(t, files_of_the_past_do_not_count);
    tcase_add_test(t, what_is_infected_must_go);
    tcase_add_test(t, what_is_not_asked_is_not_required);
    tcase_add_test(t, a_condition_rests_on_its_own_field);
    tcase_add_test(t, operators_of_conditions);
    tcase_add_test(t, dates_of_the_delivered_service);
    tcase_add_test(t, rules_of_a_service_of_tests);
    tcase_add_test(t, other_rules);
    tcase_add_test(t, what_differs_from_the_passport);
    tcase_add_test(t, reasons_have_texts);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
