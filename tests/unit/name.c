/* Names against machine-readable lines: ICAO's table, the countries that workers come from, truncation. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>
#include <check.h>

#include "fw_name.h"
#include "fw_utf8.h"
#include "pool.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

START_TEST(transliteration)
{
    static const struct {
        const char *name, *lines;
    } rows[] = {
        {"Ä Å Ö Ü Ñ", "AE<AA<OE<UE<N"},
        {"ä å ö ü ñ", "AE<AA<OE<UE<N"},
        {"Æ Ø Œ ß Þ Ð Đ Ĳ Ł Ç", "AE<OE<OE<SS<TH<D<D<IJ<L<C"},
        {"æ ø œ ẞ þ ð đ ĳ ł ç", "AE<OE<OE<SS<TH<D<D<IJ<L<C"},
        {"A\xCC\x88 a\xCC\x8A O\xCC\x88 u\xCC\x88 n\xCC\x83 e\xCC\x81", "AE<AA<OE<UE<N<E"},
        {"Müller-Lüdenscheidt, Hans Ægir", "MUELLER<LUEDENSCHEIDT<<HANS<AEGIR"},
        {"O'Brien-Smith, Mary", "OBRIEN<SMITH<<MARY"},
        {"D’Artagnan", "DARTAGNAN"},
        {"Anna Maria Eriksson", "ANNA<MARIA<ERIKSSON"},
        {"Eriksson, Anna, Maria", "ERIKSSON<<ANNA<MARIA"},
        {"Eriksson,", "ERIKSSON"},
        {", Anna", "ANNA"},
        {"  Anna   -  Maria  ", "ANNA<MARIA"},
        {"Abdullah A/L Muthu", "ABDULLAH<AL<MUTHU"},
        {"Nguyễn Thị Ngọc Ánh", "NGUYEN<THI<NGOC<ANH"},
        {"Đặng Văn Được", "DANG<VAN<DUOC"},
        {"ĐỖ MƯỜI ẶẤỆỐỢỮỲỴỶỸ", "DO<MUOI<AAEOOUYYYY"},
        {"Nguye\xCC\x82\xCC\x83n", "NGUYEN"},
        {"Žižek Čapek Şen İnan ılı", "ZIZEK<CAPEK<SEN<INAN<ILI"},
        {"Ｗａｎｇ", "WANG"},
        {"王 Wang", "WANG"},
        {"", ""},
        {"王", ""},
        {"Suharto", "SUHARTO"},
        {"Ma. Cristina dela Cruz", "MA<CRISTINA<DELA<CRUZ"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_str_eq(fw_name_mrz(rows[i].name, pool), rows[i].lines);
    ck_assert_str_eq(fw_name_mrz(NULL, pool), "");
}
END_TEST

START_TEST(matching)
{
    static const struct {
        const char *entered, *surname, *given;
        bool same;
    } rows[] = {
        {"Anna Maria Eriksson", "ERIKSSON", "ANNA MARIA", true},
        {"ERIKSSON ANNA MARIA", "ERIKSSON", "ANNA MARIA", true},
        {"Eriksson, Anna Maria", "ERIKSSON", "ANNA<MARIA", true},
        {"Anna-Maria Eriksson", "ERIKSSON", "ANNA MARIA", true},
        {"Annamaria Eriksson", "ERIKSSON", "ANNA MARIA", true},
        {"Anna Eriksson", "ERIKSSON", "ANNA MARIA", false},
        {"Anna Maria Eriksen", "ERIKSSON", "ANNA MARIA", false},
        {"Anna Maria Erikssons", "ERIKSSON", "ANNA MARIA", false},
        {"Maria Anna Eriksson", "ERIKSSON", "ANNA MARIA", false},
        {"Jürgen Müller", "MUELLER", "JURGEN", true},
        {"Jürgen Müller", "MULLER", "JUERGEN", true},
        {"Jürgen Müller", "MUXXLLER", "JUERGEN", true},
        {"Ju\xCC\x88rgen Müller", "MUELLER", "JUERGEN", true},
        {"Juergen Mueller", "MUELLER", "JUERGEN", true},
        {"Juergen Mueller", "MULLER", "JURGEN", false},
        {"Jürgen Müller", "MOLLER", "JURGEN", false},
        {"Begoña Núñez", "NUNEZ", "BEGONA", true},
        {"Begoña Núñez", "NUNXXEZ", "BEGONXXA", true},
        {"Åsa Öberg Ärlig", "OBERG ARLIG", "AASA", true},
        {"Åsa Öberg Ärlig", "OEBERG AERLIG", "ASA", true},
        {"Søren Ærø", "AEROE", "SOEREN", true},
        {"Søren Ærø", "AERO", "SOREN", false},
        {"Łukasz Weiß", "WEISS", "LUKASZ", true},
        {"Nguyễn Thị Ngọc Ánh", "NGUYEN", "THI NGOC ANH", true},
        {"NGUYEN THI NGOC ANH", "NGUYEN", "THI NGOC ANH", true},
        {"Thị Ngọc Ánh Nguyễn", "NGUYEN", "THI NGOC ANH", true},
        {"Đặng Văn Được", "DANG", "VAN DUOC", true},
        {"Suharto", "SUHARTO", "", true},
        {"Suharto", "SUHARTO", NULL, true},
        {"Suharto Putra", "SUHARTO", "", false},
        {"O'Brien", "OBRIEN", "", true},
        {"Somchai Jaidee", "JAIDEE", "SOMCHAI", true},
        {"", "SUHARTO", "", false},
        {"王", "SUHARTO", "", false},
        {NULL, "SUHARTO", "", false},
        {"Suharto", "", "", false},
        {"Suharto", NULL, "", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(fw_name_matches_mrz(rows[i].entered, rows[i].surname, rows[i].given) ==
                          rows[i].same,
                      "%s / %s / %s", rows[i].entered, rows[i].surname, rows[i].given);
}
END_TEST

START_TEST(truncation_is_no_mismatch)
{
    static const struct {
        const char *entered, *surname, *given;
        bool same;
    } rows[] = {
        {"Nilavadhanananda Chayapa Dejthamrong Krasuang", "NILAVADHANANANDA",
         "CHAYAPA DEJTHAMRONG K", true},
        {"Chayapa Dejthamrong Krasuang Nilavadhanananda", "NILAVADHANANANDA",
         "CHAYAPA DEJTHAMRONG K", true},
        {"Nilavadhanananda Arnpol Petch Charonguang", "NILAVADHANANANDA", "ARNPOL PETCH C PRA",
         false},
        {"Nilavadhanananda Arnpol Petch Charonguang", "NILAVADHANANANDA", "ARNPOL PETCH CHAR",
         true},
        {"Nilavadhanananda Arnpol Petch Charonguang", "NILAVADHANANANDA", "ARNPOL PETCH C", true},
        {"Nilavadhanananda Arnpol Petch Charonguang", "NILAVADHANANANDA", "ARNPOL PETCH X", false},
        {"Bennelong Wooloomooloo Warrandyte Warnambool, Dingo Potoroo",
         "BENNELONG WOOLOOMOOLOO WARRANDYTE W", "DI", true},
        {"Dingo Potoroo Bennelong Wooloomooloo Warrandyte Warnambool",
         "BENNELONG WOOLOOMOOLOO WARRANDYTE W", "DI", true},
        {"Papandropoulous, Jonathon Alec", "PAPANDROPOULOUS", "JONATHON ALEC", true},
        {"Wolfeschlegelsteinhausen Æthelred", "WOLFESCHLEGELSTEINHAUSEN", "A", false},
        {"Wolfeschlegelsteinhausen Hans Æthelred", "WOLFESCHLEGELSTEINHAUSEN", "HANS A", true},
        {"Anna Maria Eriksson", "ERIKSS", "ANNA MARIA", false}, /* not full: nothing was cut */
        {"Anna Maria", "ERIKSSON", "ANNA MARIA", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_msg(fw_name_matches_mrz(rows[i].entered, rows[i].surname, rows[i].given) ==
                          rows[i].same,
                      "%s / %s / %s", rows[i].entered, rows[i].surname, rows[i].given);
}
END_TEST

/* Whatever the first variant gives is matched by the name itself. */
START_TEST(own_transliteration_matches)
{
    static const char *const names[] = {"Jürgen Müller-Straße", "Đỗ Mười",         "Ñandú Åkerlund",
                                        "Þór Ægisson",          "Mary-Ann O'Hara", "Ĳsbrand Œuvre"};

    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_msg(fw_name_matches_mrz(names[i], fw_name_mrz(names[i], pool), ""), "%s",
                      names[i]);
        ck_assert(fw_name_latin_valid(names[i]));
    }
}
END_TEST

START_TEST(long_names_are_bounded)
{
    char name[FW_NAME_MAX + 2], lines[200];

    memset(name, 'A', sizeof(name));
    name[FW_NAME_MAX] = '\0';
    ck_assert(fw_name_latin_valid(name));
    ck_assert_uint_eq(strlen(fw_name_mrz(name, pool)), FW_NAME_MAX);
    memset(lines, 'A', sizeof(lines));
    lines[39] = '\0';
    ck_assert(fw_name_matches_mrz(name, lines, ""));
    lines[39] = 'A';
    lines[199] = '\0';
    ck_assert(!fw_name_matches_mrz(name, lines, ""));
    lines[39] = '\0';
    name[FW_NAME_MAX] = 'A';
    name[FW_NAME_MAX + 1] = '\0';
    ck_assert(!fw_name_latin_valid(name));
    ck_assert(!fw_name_matches_mrz(name, lines, ""));
}
END_TEST

START_TEST(latin_names)
{
    static const char *const good[] = {
        "A",     "Nguyễn Văn A",           "O'Brien",   "Jr. Smith Jr.", "Anna-Maria", "Doe, John",
        "D’Arc", "Nguye\xCC\x82\xCC\x83n", "Abu A/L B", "MÜLLER",        "Ngọc Ánh"};
    static const char *const bad[] = {"",
                                      " Anna",
                                      "Anna ",
                                      "-Anna",
                                      "Anna-",
                                      "王小明",
                                      "Anna1",
                                      "Anna_",
                                      "A, B, C",
                                      "Doe,",
                                      "<script>",
                                      "A;B",
                                      "Иван",
                                      "Anna\n",
                                      "Anna\tB",
                                      "\xCC\x81"
                                      "Anna",
                                      "A\xFF",
                                      "A\xC3",
                                      "Anna (B)",
                                      "'Anna",
                                      "P<UTO",
                                      "A\x01"};

    for (size_t i = 0; i < COUNT(good); i++)
        ck_assert_msg(fw_name_latin_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        ck_assert_msg(!fw_name_latin_valid(bad[i]), "%s", bad[i]);
    ck_assert(!fw_name_latin_valid(NULL));
}
END_TEST

START_TEST(characters_of_utf8)
{
    static const struct {
        const char *text;
        uint32_t c;
        int bytes;
    } rows[] = {
        {"A", 'A', 1},
        {"\xC3\x84", 0xC4, 2},
        {"\xE8\x87\xBA", 0x81FA, 3},
        {"\xF0\x9F\x98\x80", 0x1F600, 4},
        {"\xF4\x8F\xBF\xBF", 0x10FFFF, 4},
        {"\xEF\xBF\xBD", FW_UTF8_NONE, 3},
        {"\x80", FW_UTF8_NONE, 1},
        {"\xC3", FW_UTF8_NONE, 1},
        {"\xC0\x80", FW_UTF8_NONE, 1},
        {"\xE0\x80\x80", FW_UTF8_NONE, 1},
        {"\xE8\x87", FW_UTF8_NONE, 1},
        {"\xED\xA0\x80", FW_UTF8_NONE, 1},
        {"\xF0\x80\x80\x80", FW_UTF8_NONE, 1},
        {"\xF4\x90\x80\x80", FW_UTF8_NONE, 1},
        {"\xFF", FW_UTF8_NONE, 1},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *p = rows[i].text;

        ck_assert_uint_eq(fw_utf8_next(&p), rows[i].c);
        ck_assert_int_eq(p - rows[i].text, rows[i].bytes);
        ck_assert_int_eq(fw_utf8_valid(rows[i].text), i < 6);
    }
    ck_assert(fw_utf8_valid(""));
    ck_assert(fw_utf8_valid("臺北 A\xEF\xBF\xBD"));
    ck_assert(!fw_utf8_valid("臺\xE5\x8C"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("name");
    TCase *t = tcase_create("name");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, transliteration);
    tcase_add_test(t, matching);
    tcase_add_test(t, truncation_is_no_mismatch);
    tcase_add_test(t, own_transliteration_matches);
    tcase_add_test(t, long_names_are_bounded);
    tcase_add_test(t, latin_names);
    tcase_add_test(t, characters_of_utf8);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
