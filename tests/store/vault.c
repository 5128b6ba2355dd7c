/* The vault: every length at a chunk's border, every bit, every cut, every swap; rotation of keys; what is left behind. */
#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/sha.h>

#include "fw_vault.h"

#define CHUNK 65536
#define HEAD  80
#define FRAME 20

static const char *dir;
static fw_vault *vault;
static fw_vault_key keys[2] = {{.id = "old"}, {.id = "new"}};

static fw_vault *open_with(const fw_vault_key *list, int n)
{
    fw_vault *v = NULL;

    ck_ok(fw_vault_open(&v, dir, list, n, fx.pool));
    return v;
}

static void begin(void)
{
    fx_open_bare(FW_DB_SQLITE);
    dir = apr_pstrcat(fx.pool, fx.dir, "/vault", NULL);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    memset(keys[0].bytes, 1, 32);
    memset(keys[1].bytes, 2, 32);
    vault = open_with(keys, 1);
}

static unsigned char *content(size_t n)
{
    unsigned char *bytes = apr_palloc(fx.pool, n + 1);
    uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (unsigned char)(x >> 24);
    }
    return bytes;
}

/* Written in pieces of `piece` bytes. */
static const char *keep(const unsigned char *bytes, size_t n, size_t piece)
{
    fw_vault_writer *w = NULL;
    const char *name = NULL, *sha = NULL, *want = "";
    unsigned char digest[32];
    int64_t size = -1;

    ck_ok(fw_vault_create(&w, vault, fx.pool));
    for (size_t at = 0; at < n; at += piece)
        ck_ok(fw_vault_write(w, bytes + at, n - at < piece ? n - at : piece));
    ck_ok(fw_vault_finish(w, &name, &size, &sha, fx.pool));
    ck_assert_int_eq(size, (int64_t)n);
    SHA256(bytes, n, digest);
    for (int i = 0; i < 32; i++)
        want = apr_psprintf(fx.pool, "%s%02x", want, digest[i]);
    ck_assert_str_eq(sha, want);
    ck_assert_uint_eq(strlen(name), 32);
    return name;
}

/* Reads all; the bytes that came before an error must be the right ones. */
static const fw_err *read_all(fw_vault *v, const char *name, const unsigned char *want, size_t n,
                              size_t *got)
{
    fw_vault_reader *r = NULL;
    const unsigned char *data = NULL;
    size_t part = 0;

    *got = 0;
    FW_TRY(fw_vault_read_open(&r, v, name, fx.pool));
    do {
        FW_TRY(fw_vault_read(r, &data, &part));
        ck_assert_uint_le(*got + part, n);
        if (part)
            ck_assert_mem_eq(data, want + *got, part);
        *got += part;
    } while (part);
    ck_assert_int_eq(fw_vault_size(r), (int64_t)n);
    return NULL;
}

static const char *path_of(const char *name)
{
    return apr_psprintf(fx.pool, "%s/%.2s/%s", dir, name, name);
}

static int staged(void)
{
    DIR *d = opendir(apr_pstrcat(fx.pool, dir, "/staging", NULL));
    struct dirent *e;
    int n = 0;

    for (e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static off_t size_of(const char *name)
{
    struct stat st;

    ck_assert_int_eq(stat(path_of(name), &st), 0);
    return st.st_size;
}

static void flip(const char *name, off_t at, int bit)
{
    int fd = open(path_of(name), O_RDWR);
    unsigned char b;

    ck_assert_int_eq(pread(fd, &b, 1, at), 1);
    b ^= (unsigned char)(1 << bit);
    ck_assert_int_eq(pwrite(fd, &b, 1, at), 1);
    close(fd);
}

/* ---- round trip ---- */

static const size_t lengths[] = {
    0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * 1024 * 1024};
#define LENGTHS ((int)(sizeof(lengths) / sizeof(lengths[0])))

START_TEST(round_trip)
{
    static const size_t pieces[] = {8000, CHUNK, 3 * CHUNK + 7};
    size_t n = lengths[_i], got = 0;
    unsigned char *bytes;

    begin();
    bytes = content(n);
    for (size_t i = 0; i < 3; i++) {
        const char *name = keep(bytes, n, pieces[i]);

        ck_ok(read_all(vault, name, bytes, n, &got));
        ck_assert_uint_eq(got, n);
    }
    ck_assert_int_eq(staged(), 0);
    fx_close();
}
END_TEST

START_TEST(nothing_clear_on_the_disk)
{
    static const char secret[] = "NGUYEN VAN ANH C1234567";
    const char *name;
    char raw[4096];
    ssize_t n;
    int fd;

    begin();
    name = keep((const unsigned char *)secret, sizeof(secret), 100);
    fd = open(path_of(name), O_RDONLY);
    n = read(fd, raw, sizeof(raw));
    close(fd);
    ck_assert_int_eq(n, HEAD + FRAME + (ssize_t)sizeof(secret));
    ck_assert_ptr_null(memmem(raw, (size_t)n, "NGUYEN", 6));
    ck_assert_ptr_null(memmem(raw, (size_t)n, keys[0].bytes, 32));
    ck_assert_str_ne(name, keep((const unsigned char *)secret, sizeof(secret), 100));
    fx_close();
}
END_TEST

/* ---- damage ---- */

START_TEST(any_flipped_bit)
{
    size_t n = 1000, got;
    unsigned char *bytes;
    const char *name;

    begin();
    bytes = content(n);
    name = keep(bytes, n, n);
    for (off_t at = 0; at < size_of(name); at++) {
        flip(name, at, (int)(at % 8));
        ck_code(read_all(vault, name, bytes, n, &got), FW_E_CORRUPT);
        ck_assert_uint_eq(got, 0);
        flip(name, at, (int)(at % 8));
    }
    ck_ok(read_all(vault, name, bytes, n, &got));
    fx_close();
}
END_TEST

START_TEST(flipped_bits_of_a_long_file)
{
    size_t n = 3 * CHUNK + 100, got;
    unsigned char *bytes;
    const char *name;

    begin();
    bytes = content(n);
    name = keep(bytes, n, n);
    for (off_t at = 0; at < size_of(name); at += 1913) {
        flip(name, at, 3);
        ck_code(read_all(vault, name, bytes, n, &got), FW_E_CORRUPT);
        ck_assert_uint_eq(got % CHUNK,
                          0); /* whole chunks before it, and nothing of the broken one */
        flip(name, at, 3);
    }
    fx_close();
}
END_TEST

START_TEST(cut_anywhere)
{
    static const off_t cuts[] = {0,
                                 1,
                                 HEAD - 1,
                                 HEAD,
                                 HEAD + 3,
                                 HEAD + CHUNK + FRAME - 1,
                                 HEAD + CHUNK + FRAME,
                                 HEAD + 2 * (CHUNK + FRAME),
                                 HEAD + 2 * (CHUNK + FRAME) + 10};
    size_t n = 2 * CHUNK + 100, got;
    unsigned char *bytes;

    begin();
    bytes = content(n);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        const char *name = keep(bytes, n, n);

        ck_assert_int_eq(truncate(path_of(name), cuts[i]), 0);
        ck_code(read_all(vault, name, bytes, n, &got), FW_E_CORRUPT);
    }
    fx_close();
}
END_TEST

static void swap(const char *name, off_t a, off_t b, size_t n)
{
    char *x = apr_palloc(fx.pool, n), *y = apr_palloc(fx.pool, n);
    int fd = open(path_of(name), O_RDWR);

    ck_assert_int_eq(pread(fd, x, n, a), (ssize_t)n);
    ck_assert_int_eq(pread(fd, y, n, b), (ssize_t)n);
    ck_assert_int_eq(pwrite(fd, y, n, a), (ssize_t)n);
    ck_assert_int_eq(pwrite(fd, x, n, b), (ssize_t)n);
    close(fd);
}

START_TEST(swapped_and_added_chunks)
{
    size_t n = 3 * CHUNK, got;
    unsigned char *bytes;
    const char *name;
    int fd;

    begin();
    bytes = content(n);
    name = keep(bytes, n, n);
    swap(name, HEAD, HEAD + CHUNK + FRAME, CHUNK + FRAME);
    ck_code(read_all(vault, name, bytes, n, &got), FW_E_CORRUPT);
    ck_assert_uint_eq(got, 0);
    swap(name, HEAD, HEAD + CHUNK + FRAME, CHUNK + FRAME);
    fd = open(path_of(name), O_WRONLY | O_APPEND);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
    ck_code(read_all(vault, name, bytes, n, &got), FW_E_CORRUPT);
    fx_close();
}
END_TEST

/* A file put under another one's name, and a key of another file. */
START_TEST(another_s_name_and_head)
{
    size_t n = 100, got;
    unsigned char *bytes;
    const char *a, *b;
    char head[HEAD];
    int fd;

    begin();
    bytes = content(n);
    a = keep(bytes, n, n);
    b = keep(bytes, n, n);
    fd = open(path_of(a), O_RDONLY);
    ck_assert_int_eq(read(fd, head, HEAD), HEAD);
    close(fd);
    fd = open(path_of(b), O_WRONLY);
    ck_assert_int_eq(pwrite(fd, head, HEAD, 0), HEAD);
    close(fd);
    ck_code(read_all(vault, b, bytes, n, &got), FW_E_CORRUPT);
    ck_assert_int_eq(rename(path_of(a), path_of(b)), 0);
    ck_code(read_all(vault, b, bytes, n, &got), FW_E_CORRUPT);
    ck_code(read_all(vault, a, bytes, n, &got), FW_E_NOTFOUND);
    fx_close();
}
END_TEST

/* A read fails (of a folder, here): that is no damage, and may pass. */
START_TEST(a_file_that_cannot_be_read_now)
{
    size_t got;
    const char *name;

    begin();
    name = keep(content(10), 10, 10);
    ck_assert_int_eq(unlink(path_of(name)), 0);
    ck_assert_int_eq(mkdir(path_of(name), 0700), 0);
    ck_code(read_all(vault, name, NULL, 0, &got), FW_E_UNAVAILABLE);
    fx_close();
}
END_TEST

START_TEST(names_that_are_none)
{
    static const char *const names[] = {"", "../../etc/passwd", "0123456789abcdef0123456789ABCDEF",
                                        "0123456789abcdef0123456789abcde",
                                        "0123456789abcdef0123456789abcdef0"};
    size_t got;

    begin();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_code(read_all(vault, names[i], NULL, 0, &got), FW_E_NOTFOUND);
        ck_code(fw_vault_remove(vault, names[i], fx.pool), FW_E_NOTFOUND);
    }
    ck_code(read_all(vault, NULL, NULL, 0, &got), FW_E_NOTFOUND);
    ck_code(read_all(vault, "0123456789abcdef0123456789abcdef", NULL, 0, &got), FW_E_NOTFOUND);
    ck_ok(fw_vault_remove(vault, "0123456789abcdef0123456789abcdef", fx.pool));
    fx_close();
}
END_TEST

/* ---- keys ---- */

START_TEST(other_keys_and_rotation)
{
    const fw_vault_key wrong[] = {{.id = "old", .bytes = {9}}};
    fw_vault_key both[2];
    fw_vault *rotating, *only_new, *stranger;
    size_t n = 2 * CHUNK + 5, got;
    unsigned char *bytes;
    fw_vault_reader *reading = NULL;
    const unsigned char *data = NULL;
    const char *name;

    begin();
    both[0] = keys[1];
    both[1] = keys[0];
    rotating = open_with(both, 2);
    only_new = open_with(both, 1);
    stranger = open_with(wrong, 1);
    bytes = content(n);
    name = keep(bytes, n, n);
    ck_code(read_all(only_new, name, bytes, n, &got), FW_E_CORRUPT);
    ck_code(read_all(stranger, name, bytes, n, &got), FW_E_CORRUPT);
    ck_ok(read_all(rotating, name, bytes, n, &got));
    ck_ok(fw_vault_read_open(&reading, vault, name, fx.pool));
    ck_ok(fw_vault_rewrap(rotating, name, fx.pool));
    ck_ok(read_all(only_new, name, bytes, n, &got));
    ck_assert_uint_eq(got, n);
    ck_code(read_all(vault, name, bytes, n, &got), FW_E_CORRUPT);
    ck_ok(fw_vault_read(reading, &data, &got)); /* who had it open reads on */
    ck_assert_mem_eq(data, bytes, got);
    ck_ok(fw_vault_rewrap(rotating, name, fx.pool)); /* once more: nothing to do */
    ck_code(fw_vault_rewrap(stranger, name, fx.pool), FW_E_CORRUPT);
    ck_ok(read_all(only_new, name, bytes, n, &got));
    ck_assert_int_eq(staged(), 0);
    fx_close();
}
END_TEST

#define HEX64 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

START_TEST(the_file_of_keys)
{
    static const char *const wrong[] = {"",
                                        "# none\n",
                                        "k1\n",
                                        "k1 00\n",
                                        "k 1 " HEX64 "\n",
                                        "k1 " HEX64 "00\n",
                                        "k1 " HEX64 "\nk!2 " HEX64 "\n",
                                        "seventeen-letters " HEX64 "\n"};
    fw_vault_key *list = NULL;
    int n = 0;

    begin();
    ck_ok(fw_vault_keys_parse(&list, &n, "# current\nk2 " HEX64 "\n\nk1 " HEX64, "f", fx.pool));
    ck_assert_int_eq(n, 2);
    ck_assert_str_eq(list[0].id, "k2");
    ck_assert_int_eq(list[0].bytes[31], 31);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        ck_code(fw_vault_keys_parse(&list, &n, wrong[i], "f", fx.pool), FW_E_CONFIG);
    ck_code(fw_vault_open(&vault, "/nonexistent", keys, 1, fx.pool), FW_E_CONFIG);
    fx_close();
}
END_TEST

/* ---- what is left behind ---- */

static const fw_err *count(void *baton, const char *name, apr_time_t mtime)
{
    ck_assert_uint_eq(strlen(name), 32);
    ck_assert_int_gt(mtime, apr_time_from_sec(1000000000));
    ++*(int *)baton;
    return NULL;
}

static const fw_err *stop(void *baton, const char *name, apr_time_t mtime)
{
    (void)name;
    (void)mtime;
    ++*(int *)baton;
    return FW_ERR(fx.pool, FW_E_LIMIT, 0, "enough");
}

START_TEST(abort_remove_walk)
{
    fw_vault_writer *w = NULL;
    apr_pool_t *request;
    const char *name;
    int n = 0;

    begin();
    ck_ok(fw_vault_create(&w, vault, fx.pool));
    ck_ok(fw_vault_write(w, content(200000), 200000));
    ck_assert_int_eq(staged(), 1);
    fw_vault_abort(w);
    ck_assert_int_eq(staged(), 0);
    apr_pool_create(&request, fx.pool);
    ck_ok(fw_vault_create(&w, vault, request));
    ck_ok(fw_vault_write(w, "x", 1));
    apr_pool_destroy(request); /* the client hung up */
    ck_assert_int_eq(staged(), 0);
    ck_ok(fw_vault_walk(vault, count, &n, fx.pool));
    ck_assert_int_eq(n, 0);
    for (int i = 0; i < 20; i++)
        name = keep(content(10), 10, 10);
    ck_ok(fw_vault_walk(vault, count, &n, fx.pool));
    ck_assert_int_eq(n, 20);
    n = 0;
    ck_code(fw_vault_walk(vault, stop, &n, fx.pool), FW_E_LIMIT);
    ck_assert_int_eq(n, 1);
    ck_ok(fw_vault_remove(vault, name, fx.pool));
    n = 0;
    ck_ok(fw_vault_walk(vault, count, &n, fx.pool));
    ck_assert_int_eq(n, 19);
    fx_close();
}
END_TEST

START_TEST(what_a_killed_process_left)
{
    pid_t pid;
    int status, swept = -1;

    begin();
    pid = fork();
    if (pid == 0) {
        fw_vault_writer *w = NULL;

        if (!fw_vault_create(&w, vault, fx.pool) && !fw_vault_write(w, content(100000), 100000))
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(staged(), 1);
    ck_ok(fw_vault_sweep_staging(vault, apr_time_now() - apr_time_from_sec(3600), &swept, fx.pool));
    ck_assert_int_eq(swept, 0); /* it may still be written to */
    ck_ok(fw_vault_sweep_staging(vault, apr_time_now() + apr_time_from_sec(10), &swept, fx.pool));
    ck_assert_int_eq(swept, 1);
    ck_assert_int_eq(staged(), 0);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vault");
    TCase *all = tcase_create("vault");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(all, 60);
    suite_add_tcase(suite, all);
    tcase_add_loop_test(all, round_trip, 0, LENGTHS);
    tcase_add_test(all, nothing_clear_on_the_disk);
    tcase_add_test(all, any_flipped_bit);
    tcase_add_test(all, flipped_bits_of_a_long_file);
    tcase_add_test(all, cut_anywhere);
    tcase_add_test(all, a_file_that_cannot_be_read_now);
    tcase_add_test(all, swapped_and_added_chunks);
    tcase_add_test(all, another_s_name_and_head);
    tcase_add_test(all, names_that_are_none);
    tcase_add_test(all, other_keys_and_rotation);
    tcase_add_test(all, the_file_of_keys);
    tcase_add_test(all, abort_remove_walk);
    tcase_add_test(all, what_a_killed_process_left);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
