/* Countries, counties and stations: the files that are delivered, addresses, files with a fault. */
#include "fw_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>

#include "fw_codes.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define COUNTRIES "[{\"code\":\"IDN\",\"zh\":\"印尼\",\"en\":\"Indonesia\"}]"
#define COUNTY                                                                           \
    "{\"code\":\"TPE\",\"zh\":\"臺北市\",\"en\":\"Taipei\",\"aliases\":[\"台北\"]," \
    "\"stations\":[\"TPE\"]}"
#define STATION "{\"code\":\"TPE\",\"zh\":\"站\",\"en\":\"S\",\"address\":\"台北市\"}"
#define PLACES  "{\"counties\":[" COUNTY "],\n\"stations\":[" STATION "]}"

static apr_pool_t *pool;
static fw_codes *codes;
static char dir[64];

static void setup(void)
{
    apr_initialize();
    apr_pool_create(&pool, NULL);
    codes = NULL;
    snprintf(dir, sizeof(dir), "/tmp/codes-test-%d", (int)getpid());
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void teardown(void)
{
    unlink(apr_pstrcat(pool, dir, "/countries.json", NULL));
    unlink(apr_pstrcat(pool, dir, "/counties.json", NULL));
    rmdir(dir);
    apr_pool_destroy(pool);
    apr_terminate();
}

static void delivered(void)
{
    const fw_err *err = fw_codes_load(&codes, "conf/codes", pool);

    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
}

static void put(const char *name, const char *content)
{
    FILE *f = fopen(apr_pstrcat(pool, dir, "/", name, NULL), "wb");

    ck_assert_ptr_nonnull(f);
    fputs(content, f);
    fclose(f);
}

/* The text with the first `from` in it made `to`. */
static const char *with(const char *all, const char *from, const char *to)
{
    const char *at = strstr(all, from);

    ck_assert_msg(at != NULL, "%s", from);
    return apr_pstrcat(pool, apr_pstrndup(pool, all, (apr_size_t)(at - all)), to, at + strlen(from),
                       NULL);
}

START_TEST(every_country)
{
    static const char *const rows[][2] = {{"IDN", "印尼"},
                                          {"VNM", "越南"},
                                          {"PHL", "菲律賓"},
                                          {"THA", "泰國"},
                                          {"MNG", "蒙古"},
                                          {"MYS", "馬來西亞"},
                                          {"DEU", "德國"},
                                          {"JPN", "日本"},
                                          {"TWN", "中華民國（臺灣）"},
                                          {"UTO", "烏托邦（測試用）"}};
    int n, listed = 0;
    const fw_country *all;

    delivered();
    for (size_t i = 0; i < COUNT(rows); i++)
        ck_assert_str_eq(fw_codes_country(codes, rows[i][0])->zh, rows[i][1]);
    ck_assert_str_eq(fw_codes_country(codes, "IDN")->en, "Indonesia");
    ck_assert_str_eq(fw_codes_country(codes, "D<<")->code, "DEU");
    ck_assert_str_eq(fw_codes_country(codes, "D")->code, "DEU");
    ck_assert_str_eq(fw_codes_country(codes, "DEU")->mrz, "D");
    ck_assert_str_eq(fw_codes_country(codes, "IDN")->mrz, "IDN");
    all = fw_codes_countries(codes, &n);
    for (int i = 0; i < n; i++) {
        ck_assert_ptr_eq(fw_codes_country(codes, all[i].code), &all[i]);
        ck_assert_ptr_eq(fw_codes_country(codes, all[i].mrz), &all[i]);
        ck_assert(*all[i].zh && *all[i].en && !strstr(all[i].zh, "台"));
        listed += !all[i].special;
    }
    ck_assert_int_eq(listed, 249 + 2); /* ISO 3166, Kosovo, stateless */
    ck_assert(fw_codes_country(codes, "UTO")->special);
    ck_assert(!fw_codes_country(codes, "IDN")->special);
    ck_assert_str_eq(all[0].code, "IDN");
}
END_TEST

START_TEST(no_countries)
{
    static const char *const none[] = {"",    "ID",  "IDNX", "idn",  "ZZZ", "<<<",
                                       "D<D", "ID<", "DE",   "IDN ", "D<<D"};

    delivered();
    for (size_t i = 0; i < COUNT(none); i++)
        ck_assert_msg(!fw_codes_country(codes, none[i]), "%s", none[i]);
    ck_assert_ptr_null(fw_codes_country(codes, NULL));
}
END_TEST

START_TEST(counties_and_stations)
{
    const fw_county *counties;
    const fw_station *stations;
    int n, m;

    delivered();
    counties = fw_codes_counties(codes, &n);
    stations = fw_codes_stations(codes, &m);
    ck_assert_int_eq(n, 22);
    ck_assert_int_eq(m, 25);
    for (int i = 0; i < n; i++) {
        ck_assert_ptr_eq(fw_codes_county(codes, counties[i].code), &counties[i]);
        ck_assert_ptr_nonnull(fw_codes_station_of(codes, counties[i].station));
        ck_assert_str_eq(fw_codes_station_of(codes, counties[i].station)->county, counties[i].code);
        ck_assert_str_eq(fw_codes_address_county(codes, counties[i].zh), counties[i].code);
        ck_assert_str_eq(fw_codes_station(codes, counties[i].code, NULL), counties[i].station);
    }
    for (int i = 0; i < m; i++) { /* each station serves the place where it stands */
        ck_assert_str_eq(fw_codes_address_county(codes, stations[i].address), stations[i].county);
        ck_assert_str_eq(fw_codes_station(codes, NULL, stations[i].address), stations[i].code);
        ck_assert_ptr_eq(fw_codes_station_of(codes, stations[i].code), &stations[i]);
    }
    ck_assert_ptr_null(fw_codes_county(codes, "XX"));
    ck_assert_ptr_null(fw_codes_county(codes, NULL));
    ck_assert_ptr_null(fw_codes_station_of(codes, "TXG"));
    ck_assert_ptr_null(fw_codes_station_of(codes, NULL));
}
END_TEST

START_TEST(addresses)
{
    static const struct {
        const char *address, *county, *station;
    } rows[] = {
        {"臺北市中正區廣州街15號", "TPE", "TPE"},
        {"台北市中正區廣州街15號", "TPE", "TPE"},
        {"100213臺北市中正區廣州街15號", "TPE", "TPE"},
        {" 100 台 北 市中正區", "TPE", "TPE"},
        {"（１００）臺北市中正區", "TPE", "TPE"},
        {"(100-21) 台灣台北市", "TPE", "TPE"},
        {"臺灣省新竹縣竹北市三民路133號", "HSQ", "HSQ"},
        {"中華民國臺灣省南投縣", "NAN", "NAN"},
        {"福建省金門縣金城鎮", "KIN", "KIN"},
        {"新竹市東區光復路", "HSZ", "HSZ"},
        {"新竹縣湖口鄉", "HSQ", "HSQ"},
        {"嘉義市西區", "CYI", "CYI"},
        {"嘉義縣民雄鄉", "CYQ", "CYQ"},
        {"台東縣台東市長沙街", "TTT", "TTT"},
        {"臺中市南屯區文心南三路22號", "TXG", "TXG1"},
        {"臺中市北區", "TXG", "TXG1"},
        {"臺中市北屯區", "TXG", "TXG1"},
        {"台中市豐原區中山路280號", "TXG", "TXG2"},
        {"407台中市　沙鹿區", "TXG", "TXG2"},
        {"台中縣豐原市中山路", "TXG", "TXG2"},
        {"台中豐原中山路", "TXG", "TXG2"},
        {"台南市永康區", "TNN", "TNN1"},
        {"台南縣善化鎮中山路", "TNN", "TNN2"},
        {"臺南市新市區", "TNN", "TNN2"},
        {"高雄市鳳山區", "KHH", "KHH1"},
        {"高雄市那瑪夏區", "KHH", "KHH2"},
        {"高雄市岡山區岡山路115號", "KHH", "KHH2"},
        {"台北縣板橋市", "NWT", "NWT"},
        {"新北市中和區", "NWT", "NWT"},
        {"彰化市中山路", "CHA", "CHA"},
        {"馬祖南竿", "LIE", "LIE"},
    };
    static const char *const none[] = {"",           "中正區廣州街15號",
                                       "新竹中華路", "No. 15, Guangzhou St., Taipei",
                                       "100",        "臺",
                                       "臺灣",       "東京都千代田區",
                                       "\xE8\x87",   "某某臺北市"};

    delivered();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *county = fw_codes_address_county(codes, rows[i].address);
        const char *station = fw_codes_station(codes, NULL, rows[i].address);

        ck_assert_msg(county && strcmp(county, rows[i].county) == 0, "%s", rows[i].address);
        ck_assert_msg(station && strcmp(station, rows[i].station) == 0, "%s", rows[i].address);
        ck_assert_str_eq(fw_codes_station(codes, county, rows[i].address), station);
    }
    for (size_t i = 0; i < COUNT(none); i++) {
        ck_assert_msg(!fw_codes_address_county(codes, none[i]), "%s", none[i]);
        ck_assert(!fw_codes_station(codes, NULL, none[i]));
    }
    ck_assert_ptr_null(fw_codes_address_county(codes, NULL));
    ck_assert_ptr_null(fw_codes_station(codes, NULL, NULL));
    ck_assert_ptr_null(fw_codes_station(codes, "ZZ", "臺北市"));
}
END_TEST

START_TEST(county_that_is_given_leads)
{
    delivered();
    ck_assert_str_eq(fw_codes_station(codes, "KHH", "臺中市豐原區"), "KHH1");
    ck_assert_str_eq(fw_codes_station(codes, "TXG", "某路1號"), "TXG1");
    ck_assert_str_eq(fw_codes_station(codes, "TXG", "臺中市大甲區"), "TXG2");
}
END_TEST

START_TEST(small_files_do)
{
    put("countries.json", COUNTRIES);
    put("counties.json", PLACES);
    ck_assert_ptr_null(fw_codes_load(&codes, dir, pool));
    ck_assert_str_eq(fw_codes_station_of(codes, "TPE")->address, "臺北市");
    ck_assert_str_eq(fw_codes_address_county(codes, "台北市"), "TPE");
}
END_TEST

static void refused(const char *countries, const char *places, const char *file, const char *reason)
{
    const fw_err *err;

    put("countries.json", countries);
    put("counties.json", places);
    err = fw_codes_load(&codes, dir, pool);
    ck_assert_msg(err != NULL, "taken: %s", reason);
    ck_assert_int_eq(err->code, FW_E_CONFIG);
    ck_assert_msg(strstr(err->msg, file) && strstr(err->msg, reason), "%s, not %s", err->msg,
                  reason);
    ck_assert_ptr_null(codes);
}

START_TEST(faults_of_countries)
{
    static const char *const rows[][2] = {
        {"[\n\n{]", "countries.json:3:"},
        {"{}", "a list"},
        {"[]", "a list"},
        {"[{\"code\":\"IDN\",\"zh\":\"印尼\"}]", "countries[0]"},
        {"[{\"code\":\"IDN\",\"zh\":\"印尼\",\"en\":1}]", "countries[0]"},
        {"[{\"code\":\"IDN\",\"zh\":\"印尼\",\"en\":\"I\",\"x\":1}]", "countries[0]"},
        {"[{\"code\":\"IDN\",\"code\":\"VNM\",\"zh\":\"印尼\",\"en\":\"I\"}]", "countries.json:1:"},
        {"[{\"code\":\"ID\",\"zh\":\"印尼\",\"en\":\"I\"}]", "no alpha-3 code: ID"},
        {"[{\"code\":\"idn\",\"zh\":\"印尼\",\"en\":\"I\"}]", "no alpha-3 code: idn"},
        {"[{\"code\":\"IDN\",\"zh\":\"\",\"en\":\"I\"}]", "has no name: IDN"},
        {"[{\"code\":\"DEU\",\"zh\":\"德\",\"en\":\"G\",\"mrz\":\"D<<\"}]", "machine-readable"},
        {"[{\"code\":\"IDN\",\"zh\":\"a\",\"en\":\"b\"},{\"code\":\"IDN\",\"zh\":\"a\",\"en\":"
         "\"b\"}]",
         "countries[1]: comes twice: IDN"},
        {"[{\"code\":\"IDN\",\"zh\":\"a\",\"en\":\"b\"},"
         "{\"code\":\"VNM\",\"zh\":\"a\",\"en\":\"b\",\"mrz\":\"IDN\"}]",
         "countries[1]: comes twice: VNM"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        refused(rows[i][0], PLACES, "countries.json", rows[i][1]);
}
END_TEST

START_TEST(faults_of_places)
{
    const char *const rows[][2] = {
        {"{\n", "counties.json:2:"},
        {"[]", "counties.json:"},
        {"{\"counties\":[],\"stations\":[]}", "a list of counties"},
        {with(PLACES, "\"TPE\",\"zh\":\"臺北市\"", "\"t\",\"zh\":\"臺北市\""), "no code"},
        {with(PLACES, "臺北市", ""), "counties[0]: has no code or no name"},
        {with(PLACES, "[\"台北\"]", "1"), "aliases must be a list"},
        {with(PLACES, "[\"台北\"]", "[1]"), "alias that is no text"},
        {with(PLACES, "[\"台北\"]", "[\"\"]"), "empty alias"},
        {with(PLACES, "[\"台北\"]", "[\"台北市\"]"), "another county is called: 臺北市"},
        {with(PLACES, "[\"TPE\"]", "[]"), "has no station"},
        {with(PLACES, "[\"TPE\"]", "[1]"), "station that is no code"},
        {with(PLACES, "[\"TPE\"]", "[\"TPE\",\"TPE\"]"), "another county's station TPE"},
        {with(PLACES, "[\"TPE\"]", "[\"TPE\",\"TP2\"]"), "without TP2"},
        {with(PLACES, COUNTY, COUNTY "," COUNTY), "counties[1]: comes twice: TPE"},
        {with(PLACES, STATION, STATION "," STATION), "stations[1]: comes twice: TPE"},
        {with(PLACES, "{\"code\":\"TPE\",\"zh\":\"站\"", "{\"code\":\"TP2\",\"zh\":\"站\""),
         "stations[0]: belongs to no county: TP2"},
        {with(PLACES, "\"zh\":\"站\",", ""), "stations[0]"},
        {with(PLACES, "\"en\":\"S\"", "\"en\":\"\""), "no name or no address: TPE"},
        {with(PLACES, "\"address\":", "\"districts\":1,\"address\":"), "must be a list"},
        {with(PLACES, "\"address\":", "\"districts\":[\"\"],\"address\":"), "district that is no"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        refused(COUNTRIES, rows[i][0], "counties.json", rows[i][1]);
}
END_TEST

START_TEST(files_that_are_missing)
{
    const fw_err *err = fw_codes_load(&codes, dir, pool);

    ck_assert_ptr_nonnull(strstr(err->msg, "countries.json"));
    put("countries.json", COUNTRIES);
    err = fw_codes_load(&codes, dir, pool);
    ck_assert_ptr_nonnull(strstr(err->msg, "counties.json"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("codes");
    TCase *t = tcase_create("codes");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_country);
    tcase_add_test(t, no_countries);
    tcase_add_test(t, counties_and_stations);
    tcase_add_test(t, addresses);
    tcase_add_test(t, county_that_is_given_leads);
    tcase_add_test(t, small_files_do);
    tcase_add_test(t, faults_of_countries);
    tcase_add_test(t, faults_of_places);
    tcase_add_test(t, files_that_are_missing);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
