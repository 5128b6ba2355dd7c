/* Machine-readable lines: the published specimens, what people paste, and each way to be wrong. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_mrz.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define TD3_NAME  "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
#define TD3_DATA  "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
#define TD3_OLDER "L898902C<3UTO6908061F9406236ZE184226B<<<<<14"
#define TD1_HEAD  "I<UTOD231458907<<<<<<<<<<<<<<<"
#define TD1_DATA  "7408122F1204159UTO<<<<<<<<<<<6"
#define TD1_LONG  "I<UTOD23145890<1233<<<<<<<<<<<"
#define TD1_DATA2 "7408122F1204159UTO<<<<<<<<<<<2"
#define TD1_NAME  "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
#define TD2_NAME  "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<"
#define TD2_DATA  "D231458907UTO7408122F1204159<<<<<<<6"

static apr_pool_t *pool;
static fw_mrz mrz;
static const fw_date today = {2026, 11, 24};

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
}

static void teardown(void)
{
    apr_pool_destroy(pool);
    apr_terminate();
}

static void good(const char *text)
{
    const fw_err *err = fw_mrz_parse(text, today, &mrz, pool);

    ck_assert_msg(!err, "%s: %s", text, err ? err->user_key : "");
    ck_assert_uint_eq(mrz.failed, FW_MRZ_OK);
}

static void bad(const char *text, const char *key)
{
    const fw_err *err = fw_mrz_parse(text, today, &mrz, pool);

    ck_assert_msg(err != NULL, "%s is taken", text ? text : "NULL");
    ck_assert_int_eq(err->code, FW_E_INPUT);
    ck_assert_str_eq(err->field, "mrz");
    ck_assert_msg(strcmp(err->user_key, key) == 0, "%s: %s, not %s", text ? text : "NULL",
                  err->user_key, key);
}

/* A passport whose check digits are right, whatever its fields. */
static const char *passport(const char *name, const char *number, const char *nation,
                            const char *birth, const char *sex, const char *expiry)
{
    char line[45], over[40];

    apr_snprintf(line, sizeof(line), "%.9s%d%.3s%.6s%d%.1s%.6s%d<<<<<<<<<<<<<<0", number,
                 fw_mrz_check_digit(number, 9), nation, birth, fw_mrz_check_digit(birth, 6), sex,
                 expiry, fw_mrz_check_digit(expiry, 6));
    apr_snprintf(over, sizeof(over), "%.10s%.7s%.22s", line, line + 13, line + 21);
    return apr_psprintf(pool, "%.44s\n%s%d",
                        apr_pstrcat(pool, name, "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", NULL),
                        line, fw_mrz_check_digit(over, 39));
}

START_TEST(check_digits)
{
    static const struct {
        const char *text;
        int digit;
    } rows[] = {{"520727", 3},
                {"AB2134<<<", 5},
                {"HA672242<658085495412187<<<<", 1},
                {"D23145890<734", 9},
                {"D23145890734", 9},
                {"", 0},
                {"<<<<<<", 0},
                {"a", -1},
                {"1 2", -1},
                {"É", -1}};

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_int_eq(fw_mrz_check_digit(rows[i].text, strlen(rows[i].text)), rows[i].digit);
}
END_TEST

START_TEST(passport_book)
{
    good(TD3_NAME "\n" TD3_DATA);
    ck_assert_int_eq(mrz.size, FW_MRZ_TD3);
    ck_assert_str_eq(mrz.lines, TD3_NAME "\n" TD3_DATA);
    ck_assert_str_eq(mrz.code, "P");
    ck_assert_str_eq(mrz.state, "UTO");
    ck_assert_str_eq(mrz.surname, "ERIKSSON");
    ck_assert_str_eq(mrz.given, "ANNA MARIA");
    ck_assert_str_eq(mrz.number, "L898902C3");
    ck_assert_str_eq(mrz.nationality, "UTO");
    ck_assert_str_eq(mrz.birth, "1974-08-12");
    ck_assert_int_eq(mrz.sex, 'F');
    ck_assert_str_eq(mrz.expiry, "2012-04-15");
    ck_assert_str_eq(mrz.optional, "ZE184226B");
    ck_assert_str_eq(mrz.optional2, "");
    good(TD3_NAME "\n" TD3_OLDER);
    ck_assert_str_eq(mrz.number, "L898902C");
    ck_assert_str_eq(mrz.birth, "1969-08-06");
    ck_assert_str_eq(mrz.expiry, "2094-06-23");
}
END_TEST

START_TEST(card)
{
    good(TD1_HEAD "\n" TD1_DATA "\n" TD1_NAME);
    ck_assert_int_eq(mrz.size, FW_MRZ_TD1);
    ck_assert_str_eq(mrz.lines, TD1_HEAD "\n" TD1_DATA "\n" TD1_NAME);
    ck_assert_str_eq(mrz.code, "I");
    ck_assert_str_eq(mrz.state, "UTO");
    ck_assert_str_eq(mrz.nationality, "UTO");
    ck_assert_str_eq(mrz.number, "D23145890");
    ck_assert_str_eq(mrz.birth, "1974-08-12");
    ck_assert_str_eq(mrz.expiry, "2012-04-15");
    ck_assert_str_eq(mrz.surname, "ERIKSSON");
    ck_assert_str_eq(mrz.given, "ANNA MARIA");
    ck_assert_str_eq(mrz.optional, "");
}
END_TEST

START_TEST(card_with_a_long_number)
{
    good(TD1_LONG "\n" TD1_DATA2 "\n" TD1_NAME);
    ck_assert_str_eq(mrz.number, "D23145890123");
    ck_assert_str_eq(mrz.optional, "");
    bad("I<UTOD23145890<1234<<<<<<<<<<<\n" TD1_DATA2 "\n" TD1_NAME, "mrz.digit_number");
    ck_assert_uint_eq(mrz.failed & ~(unsigned)FW_MRZ_FAIL_COMPOSITE, FW_MRZ_FAIL_NUMBER);
    bad("I<UTOD23145890<<<<<<<<<<<<<<<<\n" TD1_DATA2 "\n" TD1_NAME, "mrz.digit_number");
    bad("I<UTOD23145890<1<<<<<<<<<<<<<<\n" TD1_DATA2 "\n" TD1_NAME, "mrz.digit_number");
}
END_TEST

/* The digit over D23145890<734 and the one over D23145890734 are both 9; here they differ. */
START_TEST(long_number_with_and_without_the_filler)
{
    static const char *const over[] = {"AB3145890<77", "AB314589077"};

    ck_assert_int_ne(fw_mrz_check_digit(over[0], 12), fw_mrz_check_digit(over[1], 11));
    for (size_t i = 0; i < COUNT(over); i++) {
        const char *head = apr_psprintf(pool, "I<UTOAB3145890<77%d<A1B2<<<<<<<",
                                        fw_mrz_check_digit(over[i], strlen(over[i])));
        const char *data = "7408122F1204159UTOXY<<<<<<<<<";
        const char *all =
            apr_psprintf(pool, "%s%.7s%.7s%.11s", head + 5, data, data + 8, data + 18);

        good(apr_psprintf(pool, "%s\n%s%d\n%s", head, data, fw_mrz_check_digit(all, strlen(all)),
                          TD1_NAME));
        ck_assert_str_eq(mrz.number, "AB314589077");
        ck_assert_str_eq(mrz.optional, "A1B2");
        ck_assert_str_eq(mrz.optional2, "XY");
    }
}
END_TEST

START_TEST(middle_size)
{
    good(TD2_NAME "\n" TD2_DATA);
    ck_assert_int_eq(mrz.size, FW_MRZ_TD2);
    ck_assert_str_eq(mrz.number, "D23145890");
    ck_assert_str_eq(mrz.surname, "ERIKSSON");
    ck_assert_str_eq(mrz.given, "ANNA MARIA");
    ck_assert_str_eq(mrz.birth, "1974-08-12");
    ck_assert_str_eq(mrz.expiry, "2012-04-15");
}
END_TEST

START_TEST(pasted_text_is_mended)
{
    static const char *const texts[] = {
        TD3_NAME "\r\n" TD3_DATA "\r\n",
        "\n\n  " TD3_NAME "  \n\n\t" TD3_DATA "\n",
        TD3_NAME " " TD3_DATA,
        TD3_NAME TD3_DATA,
        "p<utoeriksson<<anna<maria<<<<<<<<<<<<<<<<<<<\nl898902c36uto7408122f1204159ze184226b<<<<<"
        "10",
        "P<UTOERIKSSON« ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P<UTOERIKSSON«ANNA<MARIA«««««««««<\n" TD3_DATA,
        "P‹UTOERIKSSON‹‹ANNA‹MARIA‹‹‹‹‹‹‹‹‹‹‹‹‹‹‹‹‹‹‹\n" TD3_DATA,
        "P«UTOERIKSSON««ANNA«MARIA«««««««««««««««««««\nL898902C36UTO7408122F1204159ZE184226B««<10",
        "P＜UTOERIKSSON＜＜ANNA＜MARIA＜＜＜＜＜＜＜＜＜＜＜＜＜＜＜＜＜＜＜\n"
        "Ｌ８９８９０２Ｃ３６ＵＴＯ７４０８１２２Ｆ１２０４１５９ＺＥ１８４２２６Ｂ<<<<<１０",
        "\xEF\xBB\xBF" TD3_NAME "\xE2\x80\xA8" TD3_DATA "\xC2\xA0",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<\n<<<<<\nL898902C36UTO7408122F1204159\nZE184226B<<<"
        "<<10",
        "P〈UTOERIKSSON《ANNA〈MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        good(texts[i]);
        ck_assert_str_eq(mrz.lines, TD3_NAME "\n" TD3_DATA);
    }
}
END_TEST

START_TEST(lengths)
{
    char huge[3000];

    bad(NULL, "mrz.length");
    bad("", "mrz.length");
    bad(" \n ", "mrz.length");
    bad(TD3_NAME, "mrz.length");
    bad(TD3_NAME "\n" TD3_DATA "0", "mrz.length");
    bad(TD3_NAME "<\n" TD3_DATA, "mrz.length");
    bad("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<\n<" TD3_DATA, "mrz.length");
    bad(TD1_HEAD "\n" TD1_DATA, "mrz.length");
    bad("P<UTOERIKSSON«ANNA«MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA, "mrz.length");
    memset(huge, '<', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    bad(huge, "mrz.length");
    ck_assert(mrz.size == 0 && !mrz.lines);
}
END_TEST

START_TEST(characters_at_their_places)
{
    static const char *const texts[] = {
        "P<UTOERIKSSON<<ANNA-MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P<UTOERIKSSÖN<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P<UTOERIKSSON<<ANNA<MAR1A<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P<UT0ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P<<<<ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P1UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        "P<UTO<<<<<<<<<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" TD3_DATA,
        TD3_NAME "\nL898902C36UTO74O8122F1204159ZE184226B<<<<<10",
        TD3_NAME "\nL898902C36UTO7408122F12O4159ZE184226B<<<<<10",
        TD3_NAME "\nL898902C36UTO7408122F120415<ZE184226B<<<<<10",
        TD3_NAME "\nL898902C36UTO7408122K1204159ZE184226B<<<<<10",
        TD3_NAME "\nL898902C36U1O7408122F1204159ZE184226B<<<<<10",
        TD3_NAME "\nL898902C36UTO7408122F1204159ZE184226B<<<<<1<",
        TD3_NAME "\nL898902C36UTO7408122F1204159ZE184226B<<<<\xFF"
                 "10",
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\n" TD2_DATA,
        "<<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\n" TD2_DATA,
    };

    for (size_t i = 0; i < COUNT(texts); i++)
        bad(texts[i], "mrz.character");
}
END_TEST

START_TEST(each_check_digit_fails_by_itself)
{
    static const struct {
        int at;
        char to;
        const char *key;
        unsigned failed;
    } rows[] = {
        {8, '4', "mrz.digit_number", FW_MRZ_FAIL_NUMBER | FW_MRZ_FAIL_COMPOSITE},
        {9, '5', "mrz.digit_number", FW_MRZ_FAIL_NUMBER | FW_MRZ_FAIL_COMPOSITE},
        {9, '<', "mrz.digit_number", FW_MRZ_FAIL_NUMBER | FW_MRZ_FAIL_COMPOSITE},
        {18, '3', "mrz.digit_birth", FW_MRZ_FAIL_BIRTH | FW_MRZ_FAIL_COMPOSITE},
        {26, '6', "mrz.digit_expiry", FW_MRZ_FAIL_EXPIRY | FW_MRZ_FAIL_COMPOSITE},
        {30, '9', "mrz.digit_optional", FW_MRZ_FAIL_OPTIONAL | FW_MRZ_FAIL_COMPOSITE},
        {42, '<', "mrz.digit_optional", FW_MRZ_FAIL_OPTIONAL | FW_MRZ_FAIL_COMPOSITE},
        {43, '1', "mrz.digit_composite", FW_MRZ_FAIL_COMPOSITE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[] = TD3_DATA;

        line[rows[i].at] = rows[i].to;
        bad(apr_pstrcat(pool, TD3_NAME "\n", line, NULL), rows[i].key);
        ck_assert_msg(mrz.failed == rows[i].failed, "%d: %x", rows[i].at, mrz.failed);
        ck_assert_str_eq(mrz.surname, "ERIKSSON"); /* what could be read is told */
    }
    bad(TD3_NAME "\nL898902C46UTO7408132F1204169ZE194226B<<<<<10", "mrz.digit_number");
    ck_assert_uint_eq(mrz.failed, FW_MRZ_FAIL_NUMBER | FW_MRZ_FAIL_BIRTH | FW_MRZ_FAIL_EXPIRY |
                                      FW_MRZ_FAIL_OPTIONAL | FW_MRZ_FAIL_COMPOSITE);
    bad("I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<7\n" TD1_NAME,
        "mrz.digit_composite");
    bad(TD2_NAME "\nD231458907UTO7408122F1204159<<<<<<<7", "mrz.digit_composite");
    bad("I<UTO<<<<<<<<<0<<<<<<<<<<<<<<<\n" TD1_DATA "\n" TD1_NAME, "mrz.digit_number");
}
END_TEST

START_TEST(any_single_wrong_character_is_seen)
{
    for (int at = 0; at < 44; at++) {
        static const char all[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";

        if ((at >= 10 && at <= 12) || at == 20) /* nationality and sex have no check digit */
            continue;
        for (const char *c = all; *c; c++) {
            char line[] = TD3_DATA;
            int was = fw_mrz_check_digit(line + at, 1), is = fw_mrz_check_digit(c, 1);

            if ((was - is) % 10 == 0) /* such as 0 and A-10: the scheme cannot tell them apart */
                continue;
            line[at] = *c;
            ck_assert_msg(fw_mrz_parse(apr_pstrcat(pool, TD3_NAME "\n", line, NULL), today, &mrz,
                                       pool) != NULL,
                          "%s", line);
        }
    }
}
END_TEST

START_TEST(empty_optional_field)
{
    const char *text = passport("P<IDNSUHARTO", "B1234567<", "IDN", "900101", "M", "300101");
    char *other = apr_pstrdup(pool, text);

    good(text);
    ck_assert_str_eq(mrz.optional, "");
    other[45 + 42] = '<'; /* counts as 0 does */
    good(other);
    other[45 + 42] = '1';
    bad(other, "mrz.digit_optional");
}
END_TEST

START_TEST(people)
{
    good(passport("P<IDNSUHARTO", "B1234567<", "IDN", "900101", "M", "300101"));
    ck_assert_str_eq(mrz.surname, "SUHARTO");
    ck_assert_str_eq(mrz.given, "");
    ck_assert_str_eq(mrz.number, "B1234567");
    ck_assert_int_eq(mrz.sex, 'M');
    good(passport("PPVNMNGUYEN<<THI<NGOC<ANH", "C12345678", "VNM", "000229", "F", "350101"));
    ck_assert_str_eq(mrz.code, "PP");
    ck_assert_str_eq(mrz.birth, "2000-02-29");
    ck_assert_str_eq(mrz.given, "THI NGOC ANH");
    good(passport("P<D<<MUELLER<LUEDENSCHEIDT<<HANS", "C01X00T47", "D<<", "800101", "<", "300101"));
    ck_assert_str_eq(mrz.state, "DEU");
    ck_assert_str_eq(mrz.nationality, "DEU");
    ck_assert_str_eq(mrz.surname, "MUELLER LUEDENSCHEIDT");
    ck_assert_int_eq(mrz.sex, 'X');
    good(passport("P<UTOABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM", "C01X00T47", "UTO", "800101", "X",
                  "300101"));
    ck_assert_str_eq(mrz.surname, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM");
    ck_assert_str_eq(mrz.given, "");
    ck_assert_int_eq(mrz.sex, 'X');
    good(passport("P<UTOAB<<CD<<EF", "AB<123456", "UTO", "800101", "F", "300101"));
    ck_assert_str_eq(mrz.surname, "AB");
    ck_assert_str_eq(mrz.given, "CD EF");
    ck_assert_str_eq(mrz.number, "AB123456");
}
END_TEST

START_TEST(dates)
{
    static const struct {
        const char *birth, *expiry;
        const char *born, *ends;
    } fine[] = {
        {"261124", "361123", "2026-11-24", "2036-11-23"}, /* born today */
        {"261125", "361123", "1926-11-25", "2036-11-23"},
        {"270101", "280229", "1927-01-01", "2028-02-29"},
        {"740812", "120415", "1974-08-12", "2012-04-15"}, /* expired, none the less understood */
        {"7408<<", "300101", "1974-08", "2030-01-01"},
        {"74<<<<", "300101", "1974", "2030-01-01"},
        {"<<<<<<", "300101", "", "2030-01-01"},
        {"27<<<<", "300101", "1927", "2030-01-01"},
        {"26<<<<", "300101", "2026", "2030-01-01"},
        {"2612<<", "300101", "1926-12", "2030-01-01"},
    };
    static const struct {
        const char *birth, *expiry;
    } wrong[] = {
        {"741301", "300101"}, {"740230", "300101"}, {"740001", "300101"}, {"740100", "300101"},
        {"010229", "300101"}, {"740101", "301301"}, {"740101", "290229"}, {"740101", "<<<<<<"},
        {"740101", "3001<<"}, {"<<0812", "300101"}, {"74<<12", "300101"}, {"7408<1", "300101"},
        {"7<0812", "300101"}, {"200101", "190101"}, {"200101", "200101"},
    };

    for (size_t i = 0; i < COUNT(fine); i++) {
        good(passport("P<UTOA<<B", "C01X00T47", "UTO", fine[i].birth, "F", fine[i].expiry));
        ck_assert_str_eq(mrz.birth, fine[i].born);
        ck_assert_str_eq(mrz.expiry, fine[i].ends);
    }
    for (size_t i = 0; i < COUNT(wrong); i++) {
        bad(passport("P<UTOA<<B", "C01X00T47", "UTO", wrong[i].birth, "F", wrong[i].expiry),
            "mrz.dates");
        ck_assert_uint_eq(mrz.failed, FW_MRZ_OK);
        ck_assert_str_eq(mrz.number, "C01X00T47");
    }
}
END_TEST

/* ---- writing ---- */

static const fw_mrz anna = {.code = "I",
                            .state = "UTO",
                            .surname = "Eriksson",
                            .given = "Anna-Maria",
                            .number = "D23145890",
                            .nationality = "UTO",
                            .birth = "1974-08-12",
                            .sex = 'F',
                            .expiry = "2012-04-15"};

static const char *written(const fw_mrz *doc)
{
    const char *lines = NULL;
    const fw_err *err = fw_mrz_td2(doc, &lines, pool);

    ck_assert_msg(!err, "%s", err ? err->user_key : "");
    ck_assert_uint_eq(strlen(lines), FW_MRZ_TD2_CHARS);
    good(lines);
    ck_assert_int_eq(mrz.size, FW_MRZ_TD2);
    return lines;
}

static void not_written(fw_mrz doc, const char *key)
{
    const char *lines = NULL;
    const fw_err *err = fw_mrz_td2(&doc, &lines, pool);

    ck_assert_msg(err != NULL, "written: %s", lines ? lines : "");
    ck_assert_str_eq(err->user_key, key);
}

START_TEST(middle_size_written)
{
    fw_mrz doc = anna;

    ck_assert_str_eq(written(&doc), TD2_NAME TD2_DATA);
    doc.optional = "AB12345";
    ck_assert_str_eq(written(&doc) + 64, "AB123452");
    ck_assert_str_eq(mrz.optional, "AB12345");
    doc = (fw_mrz){.code = "AR",
                   .state = "TWN",
                   .surname = "Nguyễn",
                   .given = "Văn Anh",
                   .number = "A80000001",
                   .nationality = "VNM",
                   .birth = "1990-03-15",
                   .sex = 'M',
                   .expiry = "2027-01-01"};
    ck_assert_str_eq(written(&doc), "ARTWNNGUYEN<<VAN<ANH<<<<<<<<<<<<<<<<"
                                    "A800000015VNM9003152M2701013<<<<<<<6");
    doc = (fw_mrz){.code = "AT",
                   .state = "D",
                   .surname = "RESIDORCE",
                   .given = "ROLAND",
                   .number = "652584509",
                   .nationality = "USA",
                   .birth = "1970-08-03",
                   .sex = 'M',
                   .expiry = "2022-01-01",
                   .optional = "<<<<<<0"};
    ck_assert_str_eq(written(&doc), "ATD<<RESIDORCE<<ROLAND<<<<<<<<<<<<<<"
                                    "6525845096USA7008038M2201018<<<<<<06");
}
END_TEST

START_TEST(holders_written)
{
    fw_mrz doc = anna;

    doc.sex = 'X';
    doc.state = doc.nationality = "DEU";
    doc.number = "AB1";
    doc.birth = "1974-08";
    ck_assert_mem_eq(written(&doc), "I<D<<", 5);
    ck_assert_str_eq(mrz.nationality, "DEU");
    ck_assert_int_eq(mrz.sex, 'X');
    ck_assert_str_eq(mrz.number, "AB1");
    ck_assert_str_eq(mrz.birth, "1974-08");
    doc.birth = "1974";
    written(&doc);
    ck_assert_str_eq(mrz.birth, "1974");
    doc.birth = NULL;
    doc.given = NULL;
    doc.surname = "Suharto";
    ck_assert_mem_eq(written(&doc) + 5, "SUHARTO<<<<<<<<<<<<<<<<<<<<<<<<", 31);
    ck_assert_str_eq(mrz.birth, "");
    ck_assert_str_eq(mrz.surname, "SUHARTO");
    ck_assert_str_eq(mrz.given, "");
}
END_TEST

START_TEST(long_numbers_written)
{
    static const char *const numbers[] = {"D231458907",   "D23145890734", "EP1150000123",
                                          "EP1159999999", "AB3145890771", "ABCDEFGHIJKLMN"};
    fw_mrz doc = anna;

    for (size_t i = 0; i < COUNT(numbers); i++) {
        doc.number = numbers[i];
        ck_assert_int_eq(written(&doc)[45], '<');
        ck_assert_str_eq(mrz.number, numbers[i]);
        ck_assert_str_eq(mrz.optional, "");
    }
    doc.number = "D23145890734";
    ck_assert_mem_eq(written(&doc) + 36, "D23145890<UTO7408122F12041597349<<<", 35);
    doc.number = "D231458907";
    doc.optional = "AB";
    written(&doc);
    ck_assert_str_eq(mrz.number, "D231458907");
    ck_assert_str_eq(mrz.optional, "AB");
}
END_TEST

START_TEST(long_names_are_cut)
{
    static const struct {
        const char *surname, *given, *field;
    } rows[] = {
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDE", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDE"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF", NULL, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDE"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG", "HANS", "ABCDEFGHIJKLMNOPQRSTUVWXYZAB<<H"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZAB", "HANS", "ABCDEFGHIJKLMNOPQRSTUVWXYZAB<<H"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZA BCDE", "HANS", "ABCDEFGHIJKLMNOPQRSTUVWXYZA<<HA"},
        {"Nguyễn Thị", "Phương Thảo Hoàng Bảo Ngọc", "NGUYEN<THI<<PHUONG<THAO<HOANG<B"},
        {"Ngô", "Đức", "NGO<<DUC<<<<<<<<<<<<<<<<<<<<<<<"},
        {"O'Connor-Ölander", "Åsa", "OCONNOR<OELANDER<<AASA<<<<<<<<<"},
        {"Eriksson, Anna", "", "ERIKSSON<<ANNA<<<<<<<<<<<<<<<<<"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        fw_mrz doc = anna;

        doc.surname = rows[i].surname;
        doc.given = rows[i].given;
        ck_assert_str_eq(apr_pstrndup(pool, written(&doc) + 5, 31), rows[i].field);
    }
}
END_TEST

START_TEST(what_lines_cannot_say)
{
    fw_mrz doc = anna;

#define WITHOUT(member, value, key) \
    doc = anna;                     \
    doc.member = (value);           \
    not_written(doc, key)
    WITHOUT(surname, "王小明", "mrz.character");
    WITHOUT(surname, "", "mrz.character");
    WITHOUT(surname, NULL, "mrz.character");
    WITHOUT(number, "", "mrz.length");
    WITHOUT(number, "ABCDEFGHIJKLMNO", "mrz.length");
    WITHOUT(number, "ab1", "mrz.character");
    WITHOUT(number, "EP-1150000123", "mrz.character");
    WITHOUT(optional, "ABCDEFGH", "mrz.length");
    WITHOUT(nationality, "UTOP", "mrz.length");
    WITHOUT(nationality, "uto", "mrz.character");
    WITHOUT(birth, "1974-13-01", "mrz.dates");
    WITHOUT(birth, "74", "mrz.dates");
    WITHOUT(expiry, "2012-04", "mrz.dates");
    WITHOUT(expiry, "", "mrz.dates");
    WITHOUT(expiry, NULL, "mrz.dates");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("mrz");
    TCase *t = tcase_create("mrz");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, check_digits);
    tcase_add_test(t, passport_book);
    tcase_add_test(t, card);
    tcase_add_test(t, card_with_a_long_number);
    tcase_add_test(t, long_number_with_and_without_the_filler);
    tcase_add_test(t, middle_size);
    tcase_add_test(t, pasted_text_is_mended);
    tcase_add_test(t, lengths);
    tcase_add_test(t, characters_at_their_places);
    tcase_add_test(t, each_check_digit_fails_by_itself);
    tcase_add_test(t, any_single_wrong_character_is_seen);
    tcase_add_test(t, empty_optional_field);
    tcase_add_test(t, people);
    tcase_add_test(t, dates);
    tcase_add_test(t, middle_size_written);
    tcase_add_test(t, holders_written);
    tcase_add_test(t, long_numbers_written);
    tcase_add_test(t, long_names_are_cut);
    tcase_add_test(t, what_lines_cannot_say);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
