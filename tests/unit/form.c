/* Forms: what is kept of what is typed, which values are refused and why, what is asked, and rules between fields. */
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
#define LATIN_80 "ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOP"

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

static fw_field of_type(fw_field_e type)
{
    static const fw_choice choices[] = {{"red", {"紅", "Red"}}, {"blue", {"藍", "Blue"}}};

    return (fw_field){.name = "it",
                      .type = type,
                      .max = type == FW_FIELD_NUMBER ? 250 : 200,
                      .min = type == FW_FIELD_NUMBER ? 50 : 0,
                      .choices = choices,
                      .n_choices = 2};
}

static const char *kept(fw_field_e type, const char *typed)
{
    fw_field f = of_type(type);

    return fw_form_normalise(&env, &f, typed);
}

/* "" for a value that is right, else the key of the reason. */
static const char *reason(fw_field_e type, const char *value)
{
    fw_field f = of_type(type);
    const fw_refusal *why = fw_form_check_value(&env, &f, value);

    return why ? why->key : "";
}

START_TEST(what_is_kept)
{
    static const struct {
        fw_field_e type;
        const char *typed, *kept;
    } rows[] = {
        {FW_FIELD_TEXT, "  a \t b\r\nc  ", "a b c"},
        {FW_FIELD_TEXT, "　王　小明　", "王 小明"},
        {FW_FIELD_TEXT, "甲，乙（丙）：丁！", "甲，乙（丙）：丁！"}, /* its own punctuation stays */
        {FW_FIELD_TEXT, "ＡＢＣ１２３", "ABC123"},
        {FW_FIELD_TEXT, "", ""},
        {FW_FIELD_TEXT, " \n ", ""},
        {FW_FIELD_TEXT, "สมชาย ใจดี", "สมชาย ใจดี"},
        {FW_FIELD_NAME_LATIN, " nguyen  van anh ", "NGUYEN VAN ANH"},
        {FW_FIELD_NAME_LATIN, "ＮＧＵＹＥＮ　ｖａｎ", "NGUYEN VAN"},
        {FW_FIELD_NAME_LATIN, "Nguyễn Văn Đặng Ơn Ưu ơ ư", "NGUYỄN VĂN ĐẶNG ƠN ƯU Ơ Ư"},
        {FW_FIELD_NAME_LATIN, "Müller-Łódź, Žižek ÿß", "MÜLLER-ŁÓDŹ, ŽIŽEK ÿß"},
        {FW_FIELD_NAME_LATIN, "ñandú àæøþ ăćĕ ķĺńň ŋœŧ", "ÑANDÚ ÀÆØÞ ĂĆĔ ĶĹŃŇ ŊŒŦ"},
        {FW_FIELD_DATE, "1990-03-05", "1990-03-05"},
        {FW_FIELD_DATE, "1990/3/5", "1990-03-05"},
        {FW_FIELD_DATE, "1990.03.5", "1990-03-05"},
        {FW_FIELD_DATE, "19900305", "1990-03-05"},
        {FW_FIELD_DATE, "１９９０／３／５", "1990-03-05"},
        {FW_FIELD_DATE, "1990年3月5日", "1990-03-05"},
        {FW_FIELD_DATE, " 1990 年 3 月 5 日 ", "1990-03-05"},
        {FW_FIELD_DATE, "1990 - 3 - 5", "1990-03-05"},
        /* what could mean two days stays as it is, and is refused */
        {FW_FIELD_DATE, "5/3/1990", "5/3/1990"},
        {FW_FIELD_DATE, "79/3/5", "79/3/5"},
        {FW_FIELD_DATE, "民國79年3月5日", "民國79年3月5日"},
        {FW_FIELD_DATE, "1990-3", "1990-3"},
        {FW_FIELD_DATE, "1990-3-", "1990-3-"},
        {FW_FIELD_DATE, "1990-03-005", "1990-03-005"},
        {FW_FIELD_DATE, "1990-003-05", "1990-003-05"},
        {FW_FIELD_DATE, "1990-3-5-", "1990-3-5-"},
        {FW_FIELD_DATE, "1990日3-5", "1990日3-5"},
        {FW_FIELD_DATE, "soon", "soon"},
        {FW_FIELD_COUNTRY, "vnm", "VNM"},
        {FW_FIELD_COUNTRY, "D", "DEU"},
        {FW_FIELD_COUNTRY, "D<<", "DEU"},
        {FW_FIELD_COUNTRY, "nowhere", "NOWHERE"},
        {FW_FIELD_SEX, "ｍ", "M"},
        {FW_FIELD_PASSPORT_NO, "c 123-4567", "C1234567"},
        {FW_FIELD_PASSPORT_NO, "Ｃ１２３４５６７", "C1234567"},
        {FW_FIELD_UI_NO, "a8 0000 0014", "A800000014"},
        {FW_FIELD_NATIONAL_ID, "ａ１２３４５６７８９", "A123456789"},
        {FW_FIELD_BAN, "0459-5257", "04595257"},
        {FW_FIELD_BAN, "０４５９５２５７", "04595257"},
        {FW_FIELD_PERMIT_LETTER, " 勞動發事字第 １１３００１２３４５ 號",
         "勞動發事字第1130012345號"},
        {FW_FIELD_PHONE, "０９１２－３４５－６７８", "0912-345-678"},
        {FW_FIELD_EMAIL, " ann@example.test ", "ann@example.test"},
        {FW_FIELD_ADDRESS, "台北市中正區廣州街１５號", "臺北市中正區廣州街15號"},
        {FW_FIELD_ADDRESS, "桃園市台一路1號（A棟）", "桃園市台一路1號（A棟）"},
        {FW_FIELD_CHOICE, " red ", "red"},
        {FW_FIELD_NUMBER, "１２５", "125"},
        {FW_FIELD_MRZ, " \r\nP<UTO\r\nL89\n", "P<UTO\r\nL89\n"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_str_eq(kept(rows[i].type, rows[i].typed), rows[i].kept);
}
END_TEST

/* Keeping twice is keeping once. */
START_TEST(what_is_kept_stays)
{
    static const char *const texts[] = {" a  b ",      "1990年3月5日",    "ｎｇｕｙễn",
                                        "台北市 １號", "5/3/1990",        "D<<",
                                        "c-1 2",       "勞動發事字第１號"};

    for (int type = 0; type < FW_FIELDS; type++) {
        for (size_t i = 0; i < COUNT(texts); i++) {
            const char *once = kept((fw_field_e)type, texts[i]);

            ck_assert_str_eq(kept((fw_field_e)type, once), once);
        }
    }
}
END_TEST

START_TEST(values_by_type)
{
    static const struct {
        fw_field_e type;
        const char *value, *reason;
    } rows[] = {
        {FW_FIELD_TEXT, "阮氏", ""},
        {FW_FIELD_TEXT, "Ngô Bảo Châu", ""},
        {FW_FIELD_TEXT, "สมชาย ใจดี", ""},
        {FW_FIELD_TEXT, "ကိုကို", ""},
        {FW_FIELD_TEXT, "محمد علي", ""}, /* right to left is a script like others */
        {FW_FIELD_TEXT, "משה כהן", ""},
        {FW_FIELD_TEXT, "می‌خواهم", ""}, /* with the joiner that Persian needs */
        {FW_FIELD_TEXT, "𠮷野", ""},              /* a character beyond the first plane */
        {FW_FIELD_TEXT,
         "a\xe2\x80\xae"
         "b",
         "field.control"}, /* turns the direction */
        {FW_FIELD_TEXT,
         "a\xe2\x81\xa6"
         "b",
         "field.control"},
        {FW_FIELD_TEXT,
         "a\xe2\x80\x8f"
         "b",
         "field.control"},
        {FW_FIELD_TEXT,
         "a\xd8\x9c"
         "b",
         "field.control"},
        {FW_FIELD_TEXT,
         "a\xe2\x80\x8b"
         "b",
         "field.control"}, /* no width */
        {FW_FIELD_TEXT,
         "a\xc2\xad"
         "b",
         "field.control"},
        {FW_FIELD_TEXT,
         "\xef\xbb\xbf"
         "a",
         "field.control"},
        {FW_FIELD_TEXT,
         "a\x01"
         "b",
         "field.control"},
        {FW_FIELD_TEXT, "a\x7f", "field.control"},
        {FW_FIELD_TEXT, "a\xc2\x85", "field.control"},
        {FW_FIELD_TEXT,
         "a\xe2\x80\xa8"
         "b",
         "field.control"},
        {FW_FIELD_TEXT, "Ann 😀", "field.symbol"},
        {FW_FIELD_TEXT, "👩‍🔧", "field.symbol"},
        {FW_FIELD_TEXT, "🇹🇼", "field.symbol"},
        {FW_FIELD_TEXT, "1\xef\xb8\x8f\xe2\x83\xa3", "field.symbol"},
        {FW_FIELD_TEXT, "☎", "field.symbol"},
        {FW_FIELD_TEXT, "⭐", "field.symbol"},
        {FW_FIELD_TEXT, "\xee\x80\x80", "field.symbol"},
        {FW_FIELD_NAME_LATIN, "NGUYEN VAN ANH", ""},
        {FW_FIELD_NAME_LATIN, "O'BRIEN-SMITH, MARY", ""},
        {FW_FIELD_NAME_LATIN, "NGUYỄN VĂN", ""},
        {FW_FIELD_NAME_LATIN, "王小明", "field.name_latin"},
        {FW_FIELD_NAME_LATIN, "ANN 2", "field.name_latin"},
        {FW_FIELD_NAME_LATIN, "محمد", "field.name_latin"},
        {FW_FIELD_NAME_LATIN, "ANN 😀", "field.symbol"},
        {FW_FIELD_DATE, "2024-02-29", ""},
        {FW_FIELD_DATE, "2025-02-29", "field.date"},
        {FW_FIELD_DATE, "5/3/1990", "field.date"},
        {FW_FIELD_DATE, "1899-12-31", "field.date"},
        {FW_FIELD_DATE, "2026-13-01", "field.date"},
        {FW_FIELD_COUNTRY, "VNM", ""},
        {FW_FIELD_COUNTRY, "IDN", ""},
        {FW_FIELD_COUNTRY, "PHL", ""},
        {FW_FIELD_COUNTRY, "THA", ""},
        {FW_FIELD_COUNTRY, "XXY", "field.country"},
        {FW_FIELD_COUNTRY, "VN", "field.country"},
        {FW_FIELD_SEX, "F", ""},
        {FW_FIELD_SEX, "X", ""},
        {FW_FIELD_SEX, "W", "field.choice"},
        {FW_FIELD_SEX, "MF", "field.choice"},
        {FW_FIELD_PASSPORT_NO, "C1234567", ""},
        {FW_FIELD_PASSPORT_NO, "L898902C3", ""},
        {FW_FIELD_PASSPORT_NO, "12345", "field.passport_no"},
        {FW_FIELD_PASSPORT_NO, "1234567890", "field.passport_no"},
        {FW_FIELD_PASSPORT_NO, "C12345?7", "field.passport_no"},
        {FW_FIELD_UI_NO, "AA00000009", ""},
        {FW_FIELD_UI_NO, "AB23456789", ""},
        {FW_FIELD_UI_NO, "HD12345678", ""},
        {FW_FIELD_UI_NO, "A900000016", ""},
        {FW_FIELD_UI_NO, "A800000014", ""},
        {FW_FIELD_UI_NO, "A870000015", ""},
        {FW_FIELD_UI_NO, "A880000018", ""},
        {FW_FIELD_UI_NO, "A890000011", ""},
        {FW_FIELD_UI_NO, "AC12345678", "field.ui_no"},
        {FW_FIELD_UI_NO, "AA00000000", "field.ui_no"},
        {FW_FIELD_UI_NO, "A800000000", "field.ui_no"},
        {FW_FIELD_UI_NO, "a800000014", "field.ui_no"},
        {FW_FIELD_UI_NO, "A123456789", "field.ui_no"},
        {FW_FIELD_NATIONAL_ID, "A123456789", ""},
        {FW_FIELD_NATIONAL_ID, "Y123456788", ""},
        {FW_FIELD_NATIONAL_ID, "A123456788", "field.national_id"},
        {FW_FIELD_NATIONAL_ID, "A800000014", "field.national_id"},
        {FW_FIELD_BAN, "04595257", ""},
        {FW_FIELD_BAN, "04595252", ""},
        {FW_FIELD_BAN, "12345675", ""},
        {FW_FIELD_BAN, "12345676", ""},
        {FW_FIELD_BAN, "12345670", ""},
        {FW_FIELD_BAN, "12345671", ""},
        {FW_FIELD_BAN, "10458575", ""},
        {FW_FIELD_BAN, "10458574", ""},
        {FW_FIELD_BAN, "22099131", ""},
        {FW_FIELD_BAN, "12345672", "field.ban"},
        {FW_FIELD_BAN, "12345678", "field.ban"},
        {FW_FIELD_BAN, "04595253", "field.ban"},
        {FW_FIELD_BAN, "0459525", "field.ban"},
        {FW_FIELD_PERMIT_LETTER, "勞動發事字第1130012345號", ""},
        {FW_FIELD_PERMIT_LETTER, "勞動發事字第1091234567號", ""},
        {FW_FIELD_PERMIT_LETTER, "勞動發事字第1150504126號", ""},
        {FW_FIELD_PERMIT_LETTER, "勞動發管字第1130012345號", ""},
        {FW_FIELD_PERMIT_LETTER, "勞職許字第1130012345號", ""},
        {FW_FIELD_PERMIT_LETTER, "勞動發事字第113001234號", "field.permit_letter"},
        {FW_FIELD_PERMIT_LETTER, "勞動字第1130012345號", "field.permit_letter"},
        {FW_FIELD_PERMIT_LETTER, "1130012345", "field.permit_letter"},
        {FW_FIELD_PHONE, "0912-345-678", ""},
        {FW_FIELD_PHONE, "(03) 331-2345#12", ""},
        {FW_FIELD_PHONE, "+84 90 123 4567", ""},
        {FW_FIELD_PHONE, "call me", "field.phone"},
        {FW_FIELD_PHONE, "12", "field.phone"},
        {FW_FIELD_EMAIL, "ann@example.test", ""},
        {FW_FIELD_EMAIL, "ann@localhost", "field.email"},
        {FW_FIELD_EMAIL, "ann@example.test\r\nBcc: x@y.z", "field.control"},
        {FW_FIELD_EMAIL, "a b@example.test", "field.email"},
        {FW_FIELD_ADDRESS, "桃園市桃園區縣府路106號", ""},
        {FW_FIELD_ADDRESS, "33053 桃園市桃園區縣府路106號", ""},
        {FW_FIELD_ADDRESS, "彰化市中山路三段2號", ""},
        {FW_FIELD_ADDRESS, "縣府路106號一樓", "field.address"},
        {FW_FIELD_ADDRESS, "桃園市桃", "field.address"},
        {FW_FIELD_ADDRESS, "1 Main Street, Taipei", "field.address"},
        {FW_FIELD_CHOICE, "red", ""},
        {FW_FIELD_CHOICE, "green", "field.choice"},
        {FW_FIELD_CHOICE, "Red", "field.choice"},
        {FW_FIELD_NUMBER, "50", ""},
        {FW_FIELD_NUMBER, "250", ""},
        {FW_FIELD_NUMBER, "49", "field.number"},
        {FW_FIELD_NUMBER, "251", "field.number"},
        {FW_FIELD_NUMBER, "-60", "field.number"},
        {FW_FIELD_NUMBER, "60.5", "field.number"},
        {FW_FIELD_NUMBER, "6e1", "field.number"},
        {FW_FIELD_NUMBER, "99999999999999999999", "field.number"},
        {FW_FIELD_CONFIRM, "yes", ""},
        {FW_FIELD_CONFIRM, "no", "field.confirm"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(strcmp(reason(rows[i].type, rows[i].value), rows[i].reason) == 0,
                      "%s \"%s\": %s", fw_field_type_name(rows[i].type), rows[i].value,
                      reason(rows[i].type, rows[i].value));
}
END_TEST

START_TEST(lines_of_a_document)
{
    static const struct {
        const char *value, *reason;
    } rows[] = {
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<"
         "10",
         ""},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r\nL898902C<3UTO6908061F9406236ZE184226B<<<<"
         "<14",
         ""},
        {"I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<"
         "<<<<<",
         ""},
        {"I<UTOD23145890<1233<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<2\nERIKSSON<<ANNA<MARIA<<<<<"
         "<<<<<",
         ""},
        {"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6", ""},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C37UTO7408122F1204159ZE184226B<<<<<"
         "10",
         "mrz.digit_number"},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408123F1204159ZE184226B<<<<<"
         "10",
         "mrz.digit_birth"},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204158ZE184226B<<<<<"
         "10",
         "mrz.digit_expiry"},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<"
         "11",
         "mrz.digit_composite"},
        {"P<UTOERIKSSON<<ANNA", "mrz.length"},
        {"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<"
         "1😀",
         "mrz.character"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(strcmp(reason(FW_FIELD_MRZ, rows[i].value), rows[i].reason) == 0, "%s: %s",
                      rows[i].value, reason(FW_FIELD_MRZ, rows[i].value));
}
END_TEST

START_TEST(lengths_count_characters)
{
    fw_field f = of_type(FW_FIELD_TEXT);
    const fw_refusal *why;
    char many[3 * 81 + 1] = "";

    f.max = 80;
    for (int i = 0; i < 80; i++)
        memcpy(many + 3 * i, "\xe7\x8e\x8b", 4);
    ck_assert_ptr_null(fw_form_check_value(&env, &f, many));
    memcpy(many + 240, "\xe7\x8e\x8b", 4);
    why = fw_form_check_value(&env, &f, many);
    ck_assert_str_eq(why->key, "field.too_long");
    ck_assert_str_eq(why->args, "{\"max\":\"80\",\"has\":\"81\"}");

    f = *fw_service_field(epermit, "name_latin");
    ck_assert_int_eq(strlen(LATIN_80), 80);
    ck_assert_ptr_null(fw_form_check_value(&env, &f, LATIN_80));
    why = fw_form_check_value(&env, &f, LATIN_80 "Q");
    ck_assert_str_eq(why->key, "field.too_long");
    why = fw_form_check_value(&env, &f,
                              LATIN_80 " " LATIN_80 " ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOP");
    ck_assert_str_eq(why->key, "field.too_long");
    ck_assert_ptr_nonnull(strstr(why->args, "\"has\":\"200\""));
    f.max = 200; /* a service may allow more than a passport has room for */
    why = fw_form_check_value(&env, &f, LATIN_80 " " LATIN_80);
    ck_assert_str_eq(why->key, "field.name_latin");
}
END_TEST

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
    tcase_add_test(t, what_is_kept);
    tcase_add_test(t, what_is_taken_over_is_good_for_a_while);
    tcase_add_test(t, what_is_not_good_any_more_is_told_once_for_a_slot);
    tcase_add_test(t, what_is_kept_stays);
    tcase_add_test(t, values_by_type);
    tcase_add_test(t, lines_of_a_document);
    tcase_add_test(t, lengths_count_characters);
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
