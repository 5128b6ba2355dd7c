/* The size that a picture's header claims. */
#include "fw_config.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fw_picture_size.h"

#define PNG   "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
#define SOI   "\xff\xd8"
#define APP   "\xff\xe1\0\x0a\xff\xc0\0\x0b\x08\0\1\0" /* which looks like a frame within */
#define DHT   "\xff\xc4\0\4ab"
#define FRAME "\0\x0b\x08\x04\x26\x03\x3a\1\1\x11\0"

#define ROW(text, w, h)          \
    {                            \
        text, sizeof(text) - 1, w, h \
    }

static const struct row {
    const char *bytes;
    size_t n;
    uint32_t width, height;
} rows[] = {ROW(PNG "\0\0\x03\x3a\0\0\x04\x26", 826, 1062),
            ROW(PNG "\x7f\xff\xff\xff\0\0\0\1", 0x7fffffff, 1),
            ROW(PNG "\0\0\x03\x3a\0\0\x04", 0, 0),
            ROW("\x89PNG\r\n\x1a\n\0\0\0\x0dIDAT\0\0\0\1\0\0\0\1", 0, 0),
            ROW(SOI "\xff\xc0" FRAME, 826, 1062),
            ROW(SOI APP DHT "\xff\xc2" FRAME, 826, 1062),
            ROW(SOI "\xff\xff\xff\xc1" FRAME, 826, 1062), /* filled up */
            ROW(SOI "garbage\xff\0\xff\xd0\xff\xc0" FRAME, 826, 1062),
            ROW(SOI APP "\xff\xc0\0\x0b\x08\x04\x26\x03", 0, 0),
            ROW(SOI APP "\xff\xda\xff\xc0" FRAME, 0, 0), /* a scan without a frame */
            ROW(SOI "\xff\xd9\xff\xc0" FRAME, 0, 0),
            ROW(SOI "\xff\xe1\0\1\xff\xc0" FRAME, 0, 0),
            ROW("%PDF-1.4\n", 0, 0),
            ROW("", 0, 0)};

START_TEST(sizes)
{
    const struct row *r = &rows[_i];
    fw_picture_size whole = {0}, bytes = {0};

    fw_picture_size_feed(&whole, r->bytes, r->n);
    ck_assert_uint_eq(whole.width, r->width);
    ck_assert_uint_eq(whole.height, r->height);
    for (size_t i = 0; i < r->n; i++)
        fw_picture_size_feed(&bytes, r->bytes + i, 1);
    ck_assert_uint_eq(bytes.width, r->width);
    ck_assert_uint_eq(bytes.height, r->height);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("picture_size");
    TCase *all = tcase_create("all");
    SRunner *run;
    int failed;

    tcase_add_loop_test(all, sizes, 0, (int)(sizeof(rows) / sizeof(rows[0])));
    suite_add_tcase(s, all);
    run = srunner_create(s);
    srunner_run_all(run, CK_NORMAL);
    failed = srunner_ntests_failed(run);
    srunner_free(run);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
