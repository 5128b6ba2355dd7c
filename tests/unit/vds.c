/* Visible digital seals: the published vectors, taken apart and put together, and each way to be none. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <apr_general.h>
#include <apr_strings.h>
#include <check.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "fw_mrz.h"
#include "fw_vds.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define BRAINPOOL                                                                                  \
    "dc03d9c5d9cac8a73a990f71346ecf47fb0602305cba135875976ec066d417b59e8c6abc133c133c133c133c3fef" \
    "3a2938ee43f1593d1ae5"                                                                         \
    "2dbb26751fe64b7c133c136b0306d79519a65306ff408b7f3b5f9a83fdd4f46ec7dccc3384bb6c540aaf52603cc6" \
    "6d1f08b7f5e71243475d"                                                                         \
    "0a833b51fd2a846622e847b1f3791803f26d734b9bd18178fa22cff2a31a"
#define BRAINPOOL_KEY                                                                              \
    "0408132a7243b3ccc29c271097081c96a729eefb8eb93630e536498e9b7ce1ced25d68a789d93bef39c04715c5ad" \
    "3915d281c0754ecc0850"                                                                         \
    "8bf66687efc630df88"
#define P256                                                                                       \
    "dc03d3fcd3fc8a2719c90f984a0f984afb0602305c7ae554827774bc1847a947ac0c133c133c133c133c133c5965" \
    "19a519a63dd4a48d1a1e"                                                                         \
    "394b273d1fe62c3c133c1343030664cf2d0a403cff4061a5526d814b7d832addd5a8ab8a2393fe3c247a30c31fc3" \
    "e58e0bd9e93035e885a5"                                                                         \
    "df1de5329a53fb26d6e84bc27a31acbd3923715badacc82b0e8fd5aa135b"
#define P256_KEY                                                                                   \
    "0441f648f9333c0ca0c05ea11237154bce9a72d43ed115278050f2e932d539197c9fc9eafbf8087beab64b8f619c" \
    "90ee75747454c7bc9627"                                                                         \
    "0617d7be575ae28ac3"

static apr_pool_t *pool;
static fw_vds seal;

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

static unsigned char *unhex(const char *text, size_t *n)
{
    *n = strlen(text) / 2;
    unsigned char *out = apr_palloc(pool, *n + 1);

    for (size_t i = 0; i < *n; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1]};

        out[i] = (unsigned char)strtoul(two, NULL, 16);
    }
    return out;
}

static const char *hex(const unsigned char *bytes, size_t n)
{
    char *out = apr_palloc(pool, 2 * n + 1);

    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        apr_snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return out;
}

static void ok(const fw_err *err)
{
    ck_assert_msg(!err, "%s", err ? fw_err_text(err, pool) : "");
}

static void refused(const fw_err *err, const char *why)
{
    ck_assert_msg(err != NULL, "taken: %s", why);
    ck_assert_msg(strstr(err->msg, why) != NULL, "%s, not %s", err->msg, why);
}

/* The bytes lie at the end of their own block, so that a reader beyond them is seen by the sanitizers. */
static const fw_err *decode(const unsigned char *bytes, size_t n)
{
    unsigned char *copy = malloc(n ? n : 1);
    const fw_err *err;

    memcpy(copy, bytes, n);
    err = fw_vds_decode(&seal, copy, n, pool);
    free(copy);
    return err;
}

static void bad(const char *text, const char *why)
{
    size_t n;
    unsigned char *bytes = unhex(text, &n);

    refused(decode(bytes, n), why);
}

/* ---- parts ---- */

START_TEST(c40_both_ways)
{
    static const struct {
        const char *text, *bytes, *back;
    } rows[] = {
        {"XK<CD", "eb0466a9", NULL}, {"XK CD", "eb0466a9", "XK<CD"},
        {"XKCD", "eb11fe45", NULL},  {"BSI01", "62d719c9", NULL},
        {"UTO", "d9c5", NULL},       {"D<<", "6abc", NULL},
        {"TWN", "d3fc", NULL},       {"", "", NULL},
        {"A", "fe42", NULL},         {"0", "fe31", NULL},
        {"<", "fe21", NULL},         {" ", "fe21", "<"},
        {"AB", "59d9", NULL},        {"ZZZ", "fa00", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const unsigned char *bytes;
        const char *text;
        size_t n;

        ok(fw_vds_c40(rows[i].text, &bytes, &n, pool));
        ck_assert_str_eq(hex(bytes, n), rows[i].bytes);
        ck_assert_uint_eq(n, 2 * ((strlen(rows[i].text) + 2) / 3));
        ok(fw_vds_text(bytes, n, &text, pool));
        ck_assert_str_eq(text, rows[i].back ? rows[i].back : rows[i].text);
    }
}
END_TEST

START_TEST(c40_of_every_length)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<<AB<<CD<<";

    for (size_t length = 0; length < sizeof(all); length++) {
        const char *text = apr_pstrndup(pool, all, length), *back;
        const unsigned char *bytes;
        size_t n;

        ok(fw_vds_c40(text, &bytes, &n, pool));
        ck_assert_uint_eq(n, 2 * ((length + 2) / 3));
        ok(fw_vds_text(bytes, n, &back, pool));
        ck_assert_str_eq(back, text);
    }
}
END_TEST

START_TEST(c40_that_is_none)
{
    static const char *const texts[] = {"a", "AB-", "\xC3\x9C", "AB\n", "A1.B"};
    static const char *const bytes[] = {"d9",       "d9c5d9",   "0000", "ffff", "fa01",
                                        "fe42d9c5", "fe00",     "fe3d", "fe62", "fe01",
                                        "59d9d9c5", "fa01fe42", "0001"};
    const unsigned char *out;
    const char *text;
    size_t n;

    for (size_t i = 0; i < COUNT(texts); i++)
        refused(fw_vds_c40(texts[i], &out, &n, pool), "C40 does not have");
    for (size_t i = 0; i < COUNT(bytes); i++) {
        unsigned char *raw = unhex(bytes[i], &n);

        refused(fw_vds_text(raw, n, &text, pool), "C40");
    }
    refused(fw_vds_c40(apr_psprintf(pool, "%02000d", 0), &out, &n, pool), "characters");
}
END_TEST

START_TEST(dates_both_ways)
{
    static const struct {
        fw_date date;
        const char *bytes;
    } rows[] = {{{1957, 3, 25}, "319ef5"}, {{1979, 10, 9}, "99fdcb"}, {{2024, 9, 27}, "8d7ad8"}};
    static const char *const none[] = {"000000", "ffffff", "0f4241", "1c9c38"};
    unsigned char raw[3];
    fw_date date;
    size_t n;

    for (size_t i = 0; i < COUNT(rows); i++) {
        ok(fw_vds_date_put(rows[i].date, raw, pool));
        ck_assert_str_eq(hex(raw, 3), rows[i].bytes);
        ok(fw_vds_date_get(raw, 3, &date, pool));
        ck_assert_int_eq(fw_date_compare(date, rows[i].date), 0);
    }
    for (size_t i = 0; i < COUNT(none); i++)
        refused(fw_vds_date_get(unhex(none[i], &n), 3, &date, pool), "no day");
    refused(fw_vds_date_get(raw, 2, &date, pool), "3 bytes");
    refused(fw_vds_date_put((fw_date){2026, 2, 29}, raw, pool), "no day");
}
END_TEST

/* ---- headers ---- */

START_TEST(headers_both_ways)
{
    static const struct {
        int version;
        const char *header, *reference;
    } rows[] = {{4, "dc036abc6d32c8a72cb18d7ad88d7ad8fb06", "32"},
                {3, "dc026abc6d32c8a51a1f8d7ad88d7ad8fb06", "00032"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        fw_vds v = {.version = rows[i].version,
                    .country = "D<<",
                    .signer = "DETS",
                    .reference = "32",
                    .issued = {2024, 9, 27},
                    .signed_on = {2024, 9, 27},
                    .type = 0xFB06};
        const unsigned char *bytes;
        size_t n;

        ok(fw_vds_encode(&v, &bytes, &n, pool));
        ck_assert_str_eq(hex(bytes, n), rows[i].header);
        bytes = unhex(apr_pstrcat(pool, rows[i].header, "ff020102", NULL), &n);
        ok(fw_vds_decode(&seal, bytes, n, pool));
        ck_assert_int_eq(seal.version, rows[i].version);
        ck_assert_str_eq(seal.country, "D<<");
        ck_assert_str_eq(seal.signer, "DETS");
        ck_assert_str_eq(seal.reference, rows[i].reference);
        ck_assert_str_eq(fw_vds_id(&seal, pool), "DETS:32");
        ck_assert_str_eq(fw_date_text(seal.issued, pool), "2024-09-27");
        ck_assert_str_eq(fw_date_text(seal.signed_on, pool), "2024-09-27");
        ck_assert_uint_eq(seal.type, 0xFB06);
        ck_assert_int_eq(seal.n_features, 0);
        ck_assert_uint_eq(seal.n_signed, 18);
        ck_assert_uint_eq(seal.n_signature, 2);
    }
}
END_TEST

/* Version 4 has as many characters of reference as it says, version 3 five. */
START_TEST(references_of_every_length)
{
    fw_vds v = {.version = 4,
                .country = "TWN",
                .signer = "TWNI",
                .issued = {2026, 1, 2},
                .signed_on = {2026, 1, 2},
                .type = 0xE106};
    const unsigned char *part, *whole;
    size_t n, n_whole;

    for (size_t length = 1; length <= FW_VDS_REFERENCE_MAX; length++) {
        memset(v.reference, 'F', length);
        ok(fw_vds_encode(&v, &part, &n, pool));
        ck_assert_uint_eq(n, 16 + 2 * ((length + 2) / 3));
        ok(fw_vds_finish(part, n, "rs", 2, &whole, &n_whole, pool));
        ok(fw_vds_decode(&seal, whole, n_whole, pool));
        ck_assert_str_eq(seal.reference, v.reference);
    }
    v.version = 3;
    refused(fw_vds_encode(&v, &part, &n, pool), "no room");
    bad("dc03d3fcd3fc8c8c", "characters"); /* TWNIFF */
}
END_TEST

START_TEST(headers_that_are_none)
{
    bad("", "cut short");
    bad("dd036abc6d32c8a72cb18d7ad88d7ad8fb06ff020102", "first byte");
    bad("dc006abc6d32c8a72cb18d7ad88d7ad8fb06ff020102", "version");
    bad("dc046abc6d32c8a72cb18d7ad88d7ad8fb06ff020102", "version");
    bad("dc03133c6d32c8a72cb18d7ad88d7ad8fb06ff020102", "no country");
    bad("dc0300006d32c8a72cb18d7ad88d7ad8fb06ff020102", "C40");
    bad("dc03fe456d32c8a72cb18d7ad88d7ad8fb06ff020102", "another length");
    bad("dc036abc6d32c8a72cb18d7ad800ffffffffff020102", "no day");
    bad("dc036abc6d32c8a51a1f8d7ad88d7ad8fb06ff020102", "length of the certificate");
}
END_TEST

START_TEST(what_no_header_can_say)
{
    const fw_vds good = {.version = 4,
                         .country = "TWN",
                         .signer = "TWNI",
                         .reference = "1A",
                         .issued = {2026, 1, 2},
                         .signed_on = {2026, 1, 2},
                         .type = 0xE106};
    const unsigned char *bytes;
    fw_vds v[9];
    size_t n;

    for (size_t i = 0; i < COUNT(v); i++)
        v[i] = good;
    ok(fw_vds_encode(&good, &bytes, &n, pool));
    v[0].version = 2;
    memcpy(v[1].country, "TW", 3);
    memcpy(v[2].country, "<<<", 4);
    memcpy(v[3].signer, "TWN", 4);
    memcpy(v[4].signer, "T<NI", 5);
    memcpy(v[5].reference, "XY", 3);
    v[6].reference[0] = '\0';
    v[7].type = 0x10000;
    v[8].issued.m = 13;
    for (size_t i = 0; i < COUNT(v); i++)
        ck_assert_msg(fw_vds_encode(&v[i], &bytes, &n, pool) != NULL, "%d is taken", (int)i);
}
END_TEST

/* ---- whole seals ---- */

static bool verifies(const char *group, const char *point, const unsigned char *bytes)
{
    OSSL_PARAM params[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, apr_pstrdup(pool, group), 0)};
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_PKEY *key = NULL;
    unsigned char *der = NULL;
    size_t n, half = seal.n_signature / 2;
    int n_der, rc;

    params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, unhex(point, &n),
                                                  strlen(point) / 2);
    params[2] = OSSL_PARAM_construct_end();
    ck_assert_int_eq(EVP_PKEY_fromdata_init(maker), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    ECDSA_SIG_set0(sig, BN_bin2bn(seal.signature, (int)half, NULL),
                   BN_bin2bn(seal.signature + half, (int)half, NULL));
    n_der = i2d_ECDSA_SIG(sig, &der);
    ck_assert_int_eq(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key), 1);
    rc = EVP_DigestVerify(md, der, (size_t)n_der, bytes, seal.n_signed);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(maker);
    return rc == 1;
}

static void has_text(unsigned tag, const char *wanted)
{
    const fw_vds_feature *f = fw_vds_find(&seal, tag);
    const char *text;

    ck_assert_ptr_nonnull(f);
    ok(fw_vds_text(f->value, f->n, &text, pool));
    ck_assert_str_eq(text, wanted);
}

static const char *again(void)
{
    const unsigned char *part, *whole;
    size_t n, n_whole;

    ok(fw_vds_encode(&seal, &part, &n, pool));
    ck_assert_uint_eq(n, seal.n_signed);
    ok(fw_vds_finish(part, n, seal.signature, seal.n_signature, &whole, &n_whole, pool));
    return hex(whole, n_whole);
}

START_TEST(seal_of_a_brainpool_key)
{
    size_t n;
    unsigned char *bytes = unhex(BRAINPOOL, &n);

    ck_assert_uint_eq(n, 142);
    ok(fw_vds_decode(&seal, bytes, n, pool));
    ck_assert_str_eq(seal.country, "UTO");
    ck_assert_str_eq(fw_vds_id(&seal, pool), "UTTS:5B");
    ck_assert_str_eq(fw_date_text(seal.issued, pool), "2020-01-01");
    ck_assert_str_eq(fw_date_text(seal.signed_on, pool), "2023-07-26");
    ck_assert_uint_eq(seal.type, 0xFB06);
    ck_assert_int_eq(seal.n_features, 2);
    has_text(2, "ATD<<RESIDORCE<<ROLAND<<<<<<<<<<<<<<6525845096USA7008038M2201018<<<<<<06");
    has_text(3, "UFO001979");
    ck_assert(verifies("brainpoolP256r1", BRAINPOOL_KEY, bytes));
    ck_assert_str_eq(again(), BRAINPOOL);
    bytes[30] ^= 1;
    ck_assert(!verifies("brainpoolP256r1", BRAINPOOL_KEY, bytes));
}
END_TEST

START_TEST(seal_of_a_p256_key)
{
    size_t n;
    unsigned char *bytes = unhex(P256, &n);

    ok(fw_vds_decode(&seal, bytes, n, pool));
    ck_assert_str_eq(seal.country, "TWN");
    ck_assert_str_eq(fw_vds_id(&seal, pool), "TWNI:1");
    ck_assert_str_eq(fw_date_text(seal.issued, pool), "2026-01-02");
    ck_assert_str_eq(fw_date_text(seal.signed_on, pool), "2026-01-02");
    has_text(2, "ARTWNNGUYEN<<VAN<ANH<<<<<<<<<<<<<<<<A800000015VNM9003152M2701013<<<<<<<6");
    has_text(3, "C1234567<");
    ck_assert(verifies("P-256", P256_KEY, bytes));
    ck_assert_str_eq(again(), P256);
    bytes[n - 1] ^= 1;
    ok(fw_vds_decode(&seal, bytes, n, pool));
    ck_assert(!verifies("P-256", P256_KEY, bytes));
}
END_TEST

/* From the content alone, MRZ and all, to the bytes that were signed. */
START_TEST(signed_part_from_its_content)
{
    const fw_mrz holder = {.code = "AR",
                           .state = "TWN",
                           .number = "A80000001",
                           .nationality = "VNM",
                           .birth = "1990-03-15",
                           .sex = 'M',
                           .expiry = "2027-01-01",
                           .optional = "",
                           .surname = "Nguyễn",
                           .given = "Văn Anh"};
    fw_vds v = {.version = 4,
                .country = "TWN",
                .signer = "TWNI",
                .reference = "01",
                .issued = {2026, 1, 2},
                .signed_on = {2026, 1, 2},
                .type = 0xFB06,
                .n_features = 2,
                .features = {{.tag = 2}, {.tag = 3}}};
    const unsigned char *bytes;
    const char *lines;
    size_t n;

    ok(fw_mrz_td2(&holder, &lines, pool));
    ok(fw_vds_c40(lines, &v.features[0].value, &v.features[0].n, pool));
    ok(fw_vds_c40("C1234567<", &v.features[1].value, &v.features[1].n, pool));
    ok(fw_vds_encode(&v, &bytes, &n, pool));
    ck_assert_uint_eq(n, 142 - 66);
    ck_assert_str_eq(hex(bytes, n), apr_pstrndup(pool, P256, 2 * (142 - 66)));
}
END_TEST

/* ---- damage ---- */

START_TEST(cut_short_anywhere)
{
    size_t n;
    unsigned char *bytes = unhex(P256, &n);

    for (size_t i = 0; i < n; i++)
        ck_assert_msg(decode(bytes, i) != NULL, "%d bytes are a seal", (int)i);
    ok(decode(bytes, n));
}
END_TEST

#define HEAD "dc036abc6d32c8a72cb18d7ad88d7ad8e106"

START_TEST(unknown_tags_are_passed_over)
{
    size_t n;
    unsigned char *bytes = unhex(HEAD "aa03010203"
                                      "0206d9c5d9c5d9c5"
                                      "fe00"
                                      "000107"
                                      "ff020102",
                                 &n);

    ok(fw_vds_decode(&seal, bytes, n, pool));
    ck_assert_int_eq(seal.n_features, 4);
    has_text(2, "UTOUTOUTO");
    ck_assert_uint_eq(fw_vds_find(&seal, 0xFE)->n, 0);
    ck_assert_uint_eq(fw_vds_find(&seal, 0)->value[0], 7);
    ck_assert_ptr_null(fw_vds_find(&seal, 3));
    ck_assert_str_eq(again(), hex(bytes, n));
}
END_TEST

START_TEST(messages_that_are_none)
{
    bad(HEAD, "cut short");
    bad(HEAD "0201aa", "cut short");
    bad(HEAD "0201aa0201aaff020102", "tag twice");
    bad(HEAD "0240aaff020102", "cut short");
    bad(HEAD "02820140ff020102", "beyond its end");
    bad(HEAD "0280aaff020102", "length that no seal has");
    bad(HEAD "0283000001aaff020102", "length that no seal has");
    bad(HEAD "0284ffffffffaaff020102", "length that no seal has");
    bad(HEAD "028101aaff020102", "shortest form");
    bad(HEAD "02820001aaff020102", "shortest form");
    bad(HEAD "ff0201", "cut short");
    bad(HEAD "ff00", "two numbers");
    bad(HEAD "ff03010203", "two numbers");
    bad(HEAD "ff02010200", "behind its end");
    bad(HEAD "ff020102ff020102", "behind its end");
}
END_TEST

START_TEST(long_values)
{
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 1000};
    static const size_t heads[] = {2, 2, 2, 3, 3, 4, 4};
    unsigned char value[1000];
    const unsigned char *part, *whole;
    size_t n, n_whole;

    memset(value, 0x5A, sizeof(value));
    for (size_t i = 0; i < COUNT(lengths); i++) {
        fw_vds v = {.version = 4,
                    .country = "TWN",
                    .signer = "TWNI",
                    .reference = "1",
                    .issued = {2026, 1, 2},
                    .signed_on = {2026, 1, 2},
                    .n_features = 1,
                    .features = {{.tag = 9, .value = value, .n = lengths[i]}}};

        ok(fw_vds_encode(&v, &part, &n, pool));
        ck_assert_uint_eq(n, 18 + heads[i] + lengths[i]);
        ok(fw_vds_finish(part, n, value, 200, &whole, &n_whole, pool));
        ok(decode(whole, n_whole));
        ck_assert_uint_eq(seal.n_signature, 200);
        ck_assert_uint_eq(seal.features[0].n, lengths[i]);
    }
}
END_TEST

START_TEST(limits)
{
    fw_vds v = {.version = 4,
                .country = "TWN",
                .signer = "TWNI",
                .reference = "1",
                .issued = {2026, 1, 2},
                .signed_on = {2026, 1, 2},
                .n_features = 2};
    unsigned char big[FW_VDS_MAX + 1] = {0};
    const char *many = HEAD;
    const unsigned char *part, *whole;
    size_t n;

    v.features[0] = (fw_vds_feature){.tag = 1, .value = big, .n = FW_VDS_MAX};
    v.features[1] = (fw_vds_feature){.tag = 1, .value = big, .n = 1};
    refused(fw_vds_encode(&v, &part, &n, pool), "more than");
    v.features[0].n = 1;
    refused(fw_vds_encode(&v, &part, &n, pool), "twice");
    v.features[1].tag = 255;
    refused(fw_vds_encode(&v, &part, &n, pool), "cannot be");
    v.features[1].tag = 2;
    ok(fw_vds_encode(&v, &part, &n, pool));
    refused(fw_vds_finish(part, n, "r", 1, &whole, &n, pool), "two numbers");
    refused(fw_vds_finish(part, n, "r", 0, &whole, &n, pool), "two numbers");
    refused(fw_vds_finish(big, FW_VDS_MAX, "rs", 2, &whole, &n, pool), "more than");
    refused(fw_vds_decode(&seal, big, sizeof(big), pool), "bytes");
    for (int i = 0; i <= FW_VDS_FEATURES_MAX; i++)
        many = apr_psprintf(pool, "%s%02x00", many, i);
    bad(many, "features");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("vds");
    TCase *t = tcase_create("vds");
    SRunner *sr = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, c40_both_ways);
    tcase_add_test(t, c40_of_every_length);
    tcase_add_test(t, c40_that_is_none);
    tcase_add_test(t, dates_both_ways);
    tcase_add_test(t, headers_both_ways);
    tcase_add_test(t, references_of_every_length);
    tcase_add_test(t, headers_that_are_none);
    tcase_add_test(t, what_no_header_can_say);
    tcase_add_test(t, seal_of_a_brainpool_key);
    tcase_add_test(t, seal_of_a_p256_key);
    tcase_add_test(t, signed_part_from_its_content);
    tcase_add_test(t, cut_short_anywhere);
    tcase_add_test(t, unknown_tags_are_passed_over);
    tcase_add_test(t, messages_that_are_none);
    tcase_add_test(t, long_values);
    tcase_add_test(t, limits);
    suite_add_tcase(s, t);
    srunner_run_all(sr, CK_NORMAL);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
