/* Identity, business, letter, telephone, mail and passport numbers: published and made-up ones. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>

#include "fw_idnum.h"
#include "pool.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct row {
    const char *text;
    bool valid;
} row;

static void judge(bool (*valid)(const char *), const row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(valid(rows[i].text) == rows[i].valid, "%s is taken for %s", rows[i].text,
                      rows[i].valid ? "invalid" : "valid");
    ck_assert(!valid(NULL));
    ck_assert(!valid(""));
}

START_TEST(national)
{
    static const row rows[] = {{"A123456789", true},   {"Y123456788", true},
                               {"A123456788", false},  {"a123456789", false},
                               {"A12345678", false},   {"A1234567890", false},
                               {" A123456789", false}, {"A123456789 ", false},
                               {"A323456789", false},  {"A12345678X", false},
                               {"AB23456789", false},  {"A800000014", false},
                               {"1123456789", false},  {"A", false}};

    judge(fw_idnum_national_valid, rows, COUNT(rows));
}
END_TEST

START_TEST(ui)
{
    static const row rows[] = {
        {"AA00000009", true},   {"AB23456789", true},  {"HD12345678", true},  {"AC12345678", false},
        {"AA00000000", false},  {"A900000016", true},  {"A800000014", true},  {"A870000015", true},
        {"A880000018", true},   {"A890000011", true},  {"A800000000", false}, {"A123456789", false},
        {"aa00000009", false},  {"Aa00000009", false}, {"AE00000009", false}, {"A80000001", false},
        {"A8000000144", false}, {"A", false},          {"AA", false}};

    judge(fw_idnum_ui_valid, rows, COUNT(rows));
}
END_TEST

START_TEST(one_digit_checks_each_number)
{
    char text[] = "A800000010";
    int found = -1;

    for (char c = '0'; c <= '9'; c++) {
        text[9] = c;
        if (fw_idnum_ui_valid(text)) {
            ck_assert_int_eq(found, -1);
            found = c - '0';
        }
    }
    ck_assert_int_eq(found, 4);
    for (char letter = 'A'; letter <= 'Z'; letter++) { /* every letter of region has its values */
        int n = 0;

        text[0] = letter;
        for (text[9] = '0'; text[9] <= '9'; text[9]++)
            n += fw_idnum_ui_valid(text);
        ck_assert_int_eq(n, 1);
    }
}
END_TEST

START_TEST(letters_have_their_values)
{
    /* one number for each letter, its check digit counted by hand from the published table */
    static const int values[] = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21,
                                 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};

    for (int i = 0; i < 26; i++) {
        int sum = values[i] / 10 + values[i] % 10 * 9 + 1 * 8;
        const char *text = apr_psprintf(pool, "%c10000000%d", 'A' + i, (10 - sum % 10) % 10);

        ck_assert_msg(fw_idnum_national_valid(text), "%s", text);
    }
}
END_TEST

START_TEST(ban)
{
    static const row rows[] = {{"04595257", true},   {"04595252", true},   {"12345675", true},
                               {"12345676", true},   {"12345670", true},   {"12345671", true},
                               {"12345672", false},  {"12345678", false},  {"04595253", false},
                               {"10458575", true},   {"10458574", true},   {"22099131", true},
                               {"2209913", false},   {"220991311", false}, {"2209913A", false},
                               {" 22099131", false}, {"22099131 ", false}};
    int n = 0;

    judge(fw_idnum_ban_valid, rows, COUNT(rows));
    for (int i = 0; i < 100000; i++)
        n += fw_idnum_ban_valid(apr_psprintf(pool, "%08d", i * 997 % 100000000));
    ck_assert_int_gt(n, 21000); /* about 22 in 100 */
    ck_assert_int_lt(n, 23000);
}
END_TEST

START_TEST(letter)
{
    static const row rows[] = {{"勞動發事字第1130012345號", true},
                               {"勞動發事字第1091234567號", true},
                               {"勞動發事字第1150504126號", true},
                               {"勞動發管字第1130012345號", true},
                               {"勞職外字第1001234567號", true},
                               {"勞職管字第1001234567號", true},
                               {"勞職許字第1001234567號", true},
                               {"勞動發事字第113001234號", false},
                               {"勞動發事字第11300123456號", false},
                               {"勞動發事字第1130012345", false},
                               {"勞動發事字第1130012345號號", false},
                               {"勞動發事字第１１３００１２３４５號", false},
                               {"勞動發事字1130012345號", false},
                               {"勞動部字第1130012345號", false},
                               {"1130012345", false},
                               {" 勞動發事字第1130012345號", false},
                               {"勞動發事字第", false}};

    judge(fw_idnum_letter_valid, rows, COUNT(rows));
}
END_TEST

START_TEST(letter_is_normalised)
{
    static const char *const texts[] = {
        "勞動發事字第1130012345號",
        "  勞動發事字第1130012345號\r\n",
        "勞動發事字第１１３００１２３４５號",
        "\xE3\x80\x80勞動發事字第 1130012345 號\xC2\xA0",
        "\xEF\xBB\xBF勞動發事字第\xE2\x80\x8B"
        "1130012345號",
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        ck_assert_str_eq(fw_idnum_letter_normalise(texts[i], pool), texts[0]);
    ck_assert_str_eq(fw_idnum_letter_normalise(NULL, pool), "");
    ck_assert_str_eq(fw_idnum_letter_normalise("ＡＺａｚ０９！", pool), "AZaz09！");
    ck_assert_str_eq(fw_idnum_letter_normalise("\xEF", pool), "\xEF");
    ck_assert_str_eq(fw_idnum_letter_normalise("\xEF\xBC", pool), "\xEF\xBC");
}
END_TEST

START_TEST(phone)
{
    static const row rows[] = {{"0912345678", true},
                               {"0912-345-678", true},
                               {"0912 345 678", true},
                               {"(02)2388-9393", true},
                               {"(02) 2388-9393", true},
                               {"02-23889393", true},
                               {"02-23889393#1234", true},
                               {"(02)2388-9393 #12", true},
                               {"03-3314830", true},
                               {"037-322350", true},
                               {"04-24725103", true},
                               {"049-2200065", true},
                               {"05-2166100", true},
                               {"06-2937641", true},
                               {"07-7151660", true},
                               {"08-7661885", true},
                               {"089-361631", true},
                               {"0836-23736", true},
                               {"+886912345678", true},
                               {"+886-2-2388-9393", true},
                               {"+886 2 23889393#5", true},
                               {"+62 812-3456-7890", true},
                               {"+84912345678", true},
                               {"+63 (917) 123 4567", true},
                               {"+8860912345678", false},
                               {"+886 12345", false},
                               {"+0123456789", false},
                               {"+1234567", false},
                               {"+1234567890123456", false},
                               {"+12345678901234567", false},
                               {"0912345678#12", false},
                               {"091234567", false},
                               {"09123456789", false},
                               {"02-2388939", false},
                               {"02-238893933", false},
                               {"01-23456789", false},
                               {"0800-024-111", false},
                               {"912345678", false},
                               {"0912345678x", false},
                               {"(0912345678", false},
                               {"0912)345678", false},
                               {"(02)(2388)9393", false},
                               {"02-23889393#", false},
                               {"02-23889393#12a", false},
                               {"02-23889393#1234567", false},
                               {"0912345678-", false},
                               {"-0912345678", false},
                               {" 0912345678", false},
                               {"09+12345678", false},
                               {"()0912345678", false},
                               {"+", false},
                               {"#1", false},
                               {"0912345678                                    ", false}};

    judge(fw_idnum_phone_valid, rows, COUNT(rows));
}
END_TEST

START_TEST(mail)
{
    char label[80], local[90], whole[400];
    static const row rows[] = {{"a@example.com", true},
                               {"Hr.Dept+arc@mail.example.com.tw", true},
                               {"o'neil_1@example.org", true},
                               {"a@xn--kpry57d.xn--kpry57d", true},
                               {"a@1and1.de", true},
                               {"a@b", false},
                               {"@example.com", false},
                               {"a@", false},
                               {"a", false},
                               {"a@@example.com", false},
                               {"a@b@example.com", false},
                               {".a@example.com", false},
                               {"a.@example.com", false},
                               {"a..b@example.com", false},
                               {"a b@example.com", false},
                               {" a@example.com", false},
                               {"a@example.com ", false},
                               {"a@example.com\n", false},
                               {"a@example.com\r\nBcc: b@example.com", false},
                               {"a@example..com", false},
                               {"a@.example.com", false},
                               {"a@example.com.", false},
                               {"a@-example.com", false},
                               {"a@example-.com", false},
                               {"a@example.c", false},
                               {"a@127.0.0.1", false},
                               {"a@[127.0.0.1]", false},
                               {"\"a b\"@example.com", false},
                               {"王@example.com", false},
                               {"a@例.tw", false},
                               {"a,b@example.com", false},
                               {"<a@example.com>", false}};

    judge(fw_idnum_mail_valid, rows, COUNT(rows));
    memset(label, 'a', sizeof(label));
    label[63] = '\0';
    ck_assert(fw_idnum_mail_valid(apr_pstrcat(pool, "a@", label, ".tw", NULL)));
    ck_assert(!fw_idnum_mail_valid(apr_pstrcat(pool, "a@a", label, ".tw", NULL)));
    memset(local, 'a', sizeof(local));
    local[64] = '\0';
    ck_assert(fw_idnum_mail_valid(apr_pstrcat(pool, local, "@example.tw", NULL)));
    ck_assert(!fw_idnum_mail_valid(apr_pstrcat(pool, "a", local, "@example.tw", NULL)));
    for (size_t i = 0; i < sizeof(whole); i++)
        whole[i] = i % 2 ? '.' : 'a';
    memcpy(whole, "a@", 2);
    memcpy(whole + 252, "aa", 3);
    ck_assert_uint_eq(strlen(whole), 254);
    ck_assert(fw_idnum_mail_valid(whole));
    memcpy(whole + 252, "aaa", 4);
    ck_assert(!fw_idnum_mail_valid(whole));
}
END_TEST

START_TEST(passport)
{
    static const row rows[] = {{"B1234567", true},   {"123456", true},     {"AB1234567", true},
                               {"ABCDEFGHI", true},  {"12345", false},     {"AB12345678", false},
                               {"b1234567", false},  {"B123 4567", false}, {"B1234567 ", false},
                               {"B123456-7", false}, {"L898902C<", false}};

    judge(fw_idnum_passport_valid, rows, COUNT(rows));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("idnum");
    TCase *t = tcase_create("idnum");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, national);
    tcase_add_test(t, ui);
    tcase_add_test(t, one_digit_checks_each_number);
    tcase_add_test(t, letters_have_their_values);
    tcase_add_test(t, ban);
    tcase_add_test(t, letter);
    tcase_add_test(t, letter_is_normalised);
    tcase_add_test(t, phone);
    tcase_add_test(t, mail);
    tcase_add_test(t, passport);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
