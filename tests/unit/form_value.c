/* Values of a form: what is kept of what is typed, which are refused and why. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fw_form.h"
#include "pool.h"

#define RNG      "conf/services/service.rng"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LATIN_80 "ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOPQRS ABCDEFGHIJ KLMNOP"

static fw_form_env env;
static fw_services *delivered;

static void load(void)
{
    fw_codes *codes;

    setup();
    ck_assert_ptr_null(fw_codes_load(&codes, "conf/codes", pool));
    ck_assert_ptr_null(fw_services_load(&delivered, "conf/services", RNG, pool));
    env = (fw_form_env){codes, {2026, 11, 24}, pool};
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

static const struct {
    fw_field_e type;
    const char *value, *reason;
} values[] = {
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

START_TEST(values_by_type)
{
    for (size_t i = 0; i < COUNT(values); i++)
        ck_assert_msg(strcmp(reason(values[i].type, values[i].value), values[i].reason) == 0,
                      "%s \"%s\": %s", fw_field_type_name(values[i].type), values[i].value,
                      reason(values[i].type, values[i].value));
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

    f = *fw_service_field(fw_services_find(delivered, "epermit"), "name_latin");
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

int main(void)
{
    Suite *s = suite_create("values");
    TCase *t = tcase_create("values");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, load, teardown);
    tcase_add_test(t, what_is_kept);
    tcase_add_test(t, what_is_kept_stays);
    tcase_add_test(t, values_by_type);
    tcase_add_test(t, lines_of_a_document);
    tcase_add_test(t, lengths_count_characters);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
