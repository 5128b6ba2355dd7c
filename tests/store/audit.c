/* The audit chain, its seals and its anchor, and every attack on them that must be seen. */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "fw_anchor.h"
#include "fw_audit_verify.h"
#include "fw_store_audit.h"

static EVP_PKEY *signer;
static const char *anchor, *public_key;
static fw_audit_key *verifier;
static fw_id next_id;

/* ---- what the sealer does ---- */

static const char *sign_with(EVP_PKEY *key, const char *hash)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char der[128];
    char *text = apr_pcalloc(fx.pool, 256);
    size_t n = sizeof(der);

    ck_assert_int_eq(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
    ck_assert_int_eq(EVP_DigestSign(ctx, der, &n, (const unsigned char *)hash, strlen(hash)), 1);
    EVP_MD_CTX_free(ctx);
    EVP_EncodeBlock((unsigned char *)text, der, (int)n);
    return text;
}

static bool seal_in_database(int limit)
{
    apr_array_header_t *ids = NULL;
    fw_seal seal;

    ck_ok(fw_seal_make(fx.db, FX_NOW + next_id, limit, &seal, &ids, fx.pool));
    if (!seal.records)
        return false;
    seal.signature = sign_with(signer, seal.hash);
    ck_ok(fw_db_begin(fx.db));
    ck_ok(fw_seal_put(fx.db, &seal, ids, fx.pool));
    ck_ok(fw_db_commit(fx.db));
    return true;
}

static int64_t follow(void)
{
    int64_t noted = -1;

    ck_ok(fw_anchor_follow(fx.db, anchor, &noted, fx.pool));
    return noted;
}

static void add(const char *aggregate, const char *data)
{
    fw_audit r = {.id = ++next_id,
                  .aggregate = aggregate,
                  .at = FX_NOW + next_id,
                  .actor_id = 10,
                  .actor = "login10",
                  .command = "case.save",
                  .data = data};

    ck_ok(fw_db_begin(fx.db));
    ck_ok(fw_audit_add(fx.db, &r, fx.pool));
    ck_ok(fw_db_commit(fx.db));
}

static void write_public(EVP_PKEY *key, const char *path)
{
    FILE *f = fopen(path, "w");

    ck_assert_int_eq(PEM_write_PUBKEY(f, key), 1);
    fclose(f);
}

static void begin(int backend)
{
    fx_open(backend);
    next_id = 0;
    anchor = apr_pstrcat(fx.pool, fx.dir, "/anchor", NULL);
    public_key = apr_pstrcat(fx.pool, fx.dir, "/audit.pem", NULL);
    signer = EVP_EC_gen("P-256");
    write_public(signer, public_key);
    ck_ok(fw_audit_key_load(&verifier, public_key, fx.pool));
}

/* Three seals: records 1 to 4, 5 to 8, 9 to 12; case:1 has 1 3 5 7 9 11, case:2 the others. One more waits. */
static void begin_whole(int backend)
{
    begin(backend);
    for (int i = 1; i <= 12; i++) {
        add(i % 2 ? "case:1" : "case:2", i % 3 ? "{\"before\":{\"name\":\"甲\"}}" : NULL);
        if (i % 4 == 0)
            ck_assert(seal_in_database(100));
    }
    ck_assert_int_eq(follow(), 3);
    add("case:2", NULL);
}

static fw_audit_report look_at(const char *anchor_file)
{
    fw_audit_check check = {fw_audit_key_signed, verifier, anchor_file};
    fw_audit_report report;

    ck_ok(fw_audit_verify(fx.db, &check, &report, fx.pool));
    ck_assert_int_eq(report.fault == FW_AUDIT_WHOLE, report.text == NULL);
    return report;
}

static void expect(fw_audit_fault_e fault, fw_id record, int64_t seal)
{
    fw_audit_report r = look_at(anchor);

    ck_assert_msg(r.fault == fault && r.record == record && r.seal == seal,
                  "%s at record %d, seal %d: %s", fw_audit_fault_name(r.fault), (int)r.record,
                  (int)r.seal, r.text ? r.text : "");
}

/* ---- whole ---- */

START_TEST(a_whole_chain)
{
    fw_audit_report r;

    begin(_i);
    r = look_at(anchor); /* nothing at all yet, no file either */
    ck_assert_int_eq(r.fault, FW_AUDIT_WHOLE);
    ck_assert(!seal_in_database(100));
    ck_assert_int_eq(follow(), 0);
    fx_close();
    begin_whole(_i);
    r = look_at(anchor);
    ck_assert_int_eq(r.fault, FW_AUDIT_WHOLE);
    ck_assert_int_eq(r.records, 13);
    ck_assert_int_eq(r.seals, 3);
    ck_assert_int_eq(r.waiting, 1);
    ck_assert_int_eq(r.anchored, 3);
    fx_close();
}
END_TEST

START_TEST(many_records_many_seals)
{
    fw_audit_report r;

    begin(_i);
    ck_ok(fw_db_begin(fx.db));
    for (int i = 0; i < 1203; i++) {
        fw_audit rec = {
            .id = ++next_id, .aggregate = i < 1100 ? "case:1" : "case:2", .at = i, .command = "x"};

        ck_ok(fw_audit_add(fx.db, &rec, fx.pool));
    }
    ck_ok(fw_db_commit(fx.db));
    while (seal_in_database(300))
        continue;
    ck_assert_int_eq(follow(), 5);
    r = look_at(anchor);
    ck_assert_int_eq(r.fault, FW_AUDIT_WHOLE);
    ck_assert_int_eq(r.records, 1203);
    ck_assert_int_eq(r.seals, 5);
    fx_run("DELETE FROM audit WHERE id = 1000"); /* in the middle of the second page */
    ck_assert_int_eq(look_at(anchor).fault, FW_AUDIT_REMOVED);
    fx_close();
}
END_TEST

START_TEST(recent_records)
{
    apr_array_header_t *list = NULL;
    const fw_audit *r;

    begin_whole(_i);
    ck_ok(fw_audit_recent(fx.db, 0, 5, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 5);
    r = &APR_ARRAY_IDX(list, 0, fw_audit);
    ck_assert_int_eq(r->id, 13);
    ck_assert_str_eq(r->aggregate, "case:2");
    ck_assert_int_eq(r->seq, 7);
    ck_assert_int_eq(r->at, FX_NOW + 13);
    ck_assert_int_eq(r->actor_id, 10);
    ck_assert_str_eq(r->actor, "login10");
    ck_assert_str_eq(r->command, "case.save");
    ck_assert_ptr_null(r->data);
    ck_assert_int_eq(r->seal, 0);
    ck_ok(fw_audit_recent(fx.db, 3, 5, &list, fx.pool));
    ck_assert_int_eq(list->nelts, 2);
    fx_close();
}
END_TEST

/* ---- one record ---- */

static const char *const edits[] = {
    "data = '{}' WHERE id = 5",  "data = '' WHERE id = 3",
    "data = NULL WHERE id = 5",  "actor = 'somebody' WHERE id = 5",
    "actor = NULL WHERE id = 5", "actor_id = 11 WHERE id = 5",
    "at = at + 1 WHERE id = 5",  "command = 'case.confirm' WHERE id = 5",
    "hash = prev WHERE id = 5",  "prev = hash WHERE id = 5",
    "id = 500 WHERE id = 5",     "data = '{\"x\":1}' WHERE id = 13"};
#define EDITS ((int)(sizeof(edits) / sizeof(edits[0])))

START_TEST(an_edited_record)
{
    begin_whole(_i % FX_BACKENDS);
    fx_run(apr_pstrcat(fx.pool, "UPDATE audit SET ", edits[_i / FX_BACKENDS], NULL));
    ck_assert_int_eq(look_at(NULL).fault, FW_AUDIT_EDITED);
    fx_close();
}
END_TEST

/* With access to the database the hash is reckoned anew, too. */
static const fw_err *keep_record(void *baton, const fw_audit *r)
{
    fw_audit *copy = apr_array_push(baton);

    *copy = *r;
    copy->aggregate = apr_pstrdup(fx.pool, r->aggregate);
    copy->actor = r->actor ? apr_pstrdup(fx.pool, r->actor) : NULL;
    copy->command = apr_pstrdup(fx.pool, r->command);
    copy->data = r->data ? apr_pstrdup(fx.pool, r->data) : NULL;
    copy->prev = apr_pstrdup(fx.pool, r->prev);
    copy->hash = apr_pstrdup(fx.pool, r->hash);
    return NULL;
}

static void write_hash(const fw_audit *r)
{
    fx_run(apr_psprintf(fx.pool,
                        "UPDATE audit SET prev = '%s', hash = '%s' WHERE id = %" APR_INT64_T_FMT,
                        r->prev, r->hash, r->id));
}

/* From record `from` of its chain on; `only`: that one alone. */
static void reckon_chain(fw_id from, bool only)
{
    apr_array_header_t *list = apr_array_make(fx.pool, 16, sizeof(fw_audit));
    bool on = false;

    ck_ok(fw_audit_walk(fx.db, keep_record, list, fx.pool));
    for (int i = 0; i < list->nelts; i++) {
        fw_audit *r = &APR_ARRAY_IDX(list, i, fw_audit);

        if (r->seq == 1)
            on = false;
        else if (on)
            r->prev = r[-1].hash;
        on = on || r->id == from;
        if (!on)
            continue;
        r->hash = fw_audit_hash(r, fx.pool);
        write_hash(r);
        if (only)
            return;
    }
}

/* All seals by the records that are there now; signed by `key`, or with the signatures that they had. */
static void reckon_seals(EVP_PKEY *key)
{
    apr_array_header_t *seals = NULL, *hashes = NULL;
    const char *prev = "";

    ck_ok(fw_seal_list(fx.db, 0, 100, &seals, fx.pool));
    for (int i = 0; i < seals->nelts; i++) {
        fw_seal *s = &APR_ARRAY_IDX(seals, i, fw_seal);

        ck_ok(fw_seal_records(fx.db, s->n, &hashes, fx.pool));
        s->records = hashes->nelts;
        s->prev = prev;
        s->hash = fw_seal_hash(s, hashes, fx.pool);
        prev = s->hash;
        if (key)
            s->signature = sign_with(key, s->hash);
        fx_run(apr_psprintf(fx.pool,
                            "UPDATE audit_seal SET records = %d, prev = '%s', hash = '%s', "
                            "signature = '%s' WHERE n = %d",
                            (int)s->records, s->prev, s->hash, s->signature, (int)s->n));
    }
}

START_TEST(an_edited_record_with_its_hash)
{
    begin_whole(_i);
    fx_run("UPDATE audit SET data = '{}' WHERE id = 5");
    reckon_chain(5, true);
    expect(FW_AUDIT_EDITED, 7, 2); /* the next one does not follow from it */
    fx_close();
    begin_whole(_i);
    fx_run("UPDATE audit SET data = '{}' WHERE id = 11"); /* the last of its chain */
    reckon_chain(11, true);
    expect(FW_AUDIT_SEAL_BROKEN, 0, 3);
    fx_close();
    begin_whole(_i);
    fx_run("UPDATE audit SET data = '{}' WHERE id = 5");
    reckon_chain(5, false); /* and all that follow */
    expect(FW_AUDIT_SEAL_BROKEN, 0, 2);
    fx_close();
}
END_TEST

START_TEST(a_removed_record)
{
    begin_whole(_i);
    fx_run("DELETE FROM audit WHERE id = 5");
    expect(FW_AUDIT_REMOVED, 7, 2);
    fx_close();
    begin_whole(_i);
    fx_run("DELETE FROM audit WHERE id = 1"); /* the first of its chain */
    expect(FW_AUDIT_REMOVED, 3, 1);
    fx_close();
    begin_whole(_i);
    fx_run("DELETE FROM audit WHERE id = 11"); /* the last */
    expect(FW_AUDIT_REMOVED, 0, 3);
    fx_close();
    begin_whole(_i);
    fx_run("DELETE FROM audit WHERE aggregate = 'case:1'"); /* all of it */
    expect(FW_AUDIT_REMOVED, 0, 1);
    fx_close();
    begin_whole(_i);
    fx_run("UPDATE audit SET seal = 0 WHERE id = 11"); /* out of its seal, to be sealed anew */
    expect(FW_AUDIT_REMOVED, 0, 3);
    ck_assert(seal_in_database(100));
    expect(FW_AUDIT_REMOVED, 0, 3);
    fx_close();
}
END_TEST

static void insert(fw_id id, int64_t seq, int64_t seal, const char *prev)
{
    fw_audit r = {.id = id,
                  .aggregate = "case:1",
                  .seq = seq,
                  .at = 5,
                  .command = "case.confirm",
                  .prev = prev};

    fx_run(apr_psprintf(
        fx.pool,
        "INSERT INTO audit (id, aggregate, seq, at, actor_id, command, prev, hash, seal) VALUES "
        "(%d, 'case:1', %d, 5, 0, 'case.confirm', '%s', '%s', %d)",
        (int)id, (int)seq, prev, fw_audit_hash(&r, fx.pool), (int)seal));
}

START_TEST(an_inserted_record)
{
    const char *last;

    begin_whole(_i);
    insert(600, 0, 0, "");
    expect(FW_AUDIT_INSERTED, 600, 0);
    fx_close();
    begin_whole(_i);
    last = fx_text("SELECT hash FROM audit WHERE id = 11");
    insert(600, 7, 3, last); /* well chained, into a seal that did not have it */
    expect(FW_AUDIT_INSERTED, 0, 3);
    fx_run("UPDATE audit SET seal = 7 WHERE id = 600"); /* into a seal that there never was */
    expect(FW_AUDIT_SEAL_GONE, 0, 7);
    fx_run("UPDATE audit SET seal = -1 WHERE id = 600");
    expect(FW_AUDIT_INSERTED, 600, -1);
    fx_close();
    begin_whole(_i);
    fx_run("UPDATE audit SET seq = seq + 100 WHERE aggregate = 'case:1' AND seq > 3");
    fx_run("UPDATE audit SET seq = seq - 99 WHERE aggregate = 'case:1' AND seq > 100");
    insert(600, 4, 2, fx_text("SELECT hash FROM audit WHERE id = 5"));
    expect(FW_AUDIT_EDITED, 7, 2); /* those that made room for it */
    fx_close();
}
END_TEST

START_TEST(records_that_changed_their_seals)
{
    begin_whole(_i);
    fx_run("UPDATE audit SET seal = CASE WHEN seal = 1 THEN 2 ELSE 1 END WHERE id IN (4, 8)");
    expect(FW_AUDIT_SEAL_BROKEN, 0, 1);
    fx_close();
}
END_TEST

/* ---- seals ---- */

static const struct {
    const char *set;
    fw_audit_fault_e fault;
} seal_edits[] = {{"at = at + 1", FW_AUDIT_SEAL_BROKEN},
                  {"records = 3", FW_AUDIT_INSERTED},
                  {"records = 5", FW_AUDIT_REMOVED},
                  {"prev = ''", FW_AUDIT_SEAL_BROKEN},
                  {"hash = prev", FW_AUDIT_SEAL_BROKEN},
                  {"signature = ''", FW_AUDIT_FORGED},
                  {"signature = 'AAAA'", FW_AUDIT_FORGED},
                  {"signature = '****'", FW_AUDIT_FORGED},
                  {"signature = (SELECT signature FROM audit_seal WHERE n = 1)", FW_AUDIT_FORGED},
                  {"n = 9", FW_AUDIT_SEAL_GONE}};
#define SEAL_EDITS ((int)(sizeof(seal_edits) / sizeof(seal_edits[0])))

START_TEST(an_edited_seal)
{
    begin_whole(_i % FX_BACKENDS);
    fx_run(apr_psprintf(fx.pool, "UPDATE audit_seal SET %s WHERE n = 2",
                        seal_edits[_i / FX_BACKENDS].set));
    expect(seal_edits[_i / FX_BACKENDS].fault, 0, 2);
    fx_close();
}
END_TEST

START_TEST(a_removed_seal)
{
    begin_whole(_i);
    fx_run("DELETE FROM audit_seal WHERE n = 2");
    expect(FW_AUDIT_SEAL_GONE, 0, 2);
    fx_close();
    begin_whole(_i);
    fx_run("DELETE FROM audit_seal WHERE n = 3"); /* its records name it still */
    ck_assert_int_eq(look_at(NULL).fault, FW_AUDIT_SEAL_GONE);
    fx_close();
}
END_TEST

/* Nothing in the database tells of it: the anchor does. */
START_TEST(a_cut_tail)
{
    begin_whole(_i);
    fx_run("DELETE FROM audit WHERE seal IN (0, 3)");
    fx_run("DELETE FROM audit_seal WHERE n = 3");
    ck_assert_int_eq(look_at(NULL).fault, FW_AUDIT_WHOLE);
    expect(FW_AUDIT_SEAL_GONE, 0, 3);
    ck_code(fw_anchor_follow(fx.db, anchor, NULL, fx.pool), FW_E_CORRUPT);
    fx_close();
    begin_whole(_i);
    fx_run("UPDATE audit SET seal = 0 WHERE seal = 3");
    fx_run("DELETE FROM audit_seal WHERE n = 3");
    ck_assert(seal_in_database(100)); /* and sealed anew with the record that waited */
    expect(FW_AUDIT_UNLIKE_ANCHOR, 0, 3);
    ck_code(fw_anchor_follow(fx.db, anchor, NULL, fx.pool), FW_E_CORRUPT);
    fx_close();
}
END_TEST

START_TEST(a_chain_reckoned_anew)
{
    EVP_PKEY *thief = EVP_EC_gen("P-256");

    begin_whole(_i);
    fx_run("UPDATE audit SET data = '{}' WHERE id = 5");
    reckon_chain(5, false);
    reckon_seals(NULL); /* the signatures stay */
    expect(FW_AUDIT_FORGED, 0, 2);
    reckon_seals(thief); /* with a key of one's own */
    expect(FW_AUDIT_FORGED, 0, 1);
    reckon_seals(signer); /* with the stolen key, even */
    ck_assert_int_eq(look_at(NULL).fault, FW_AUDIT_WHOLE);
    expect(FW_AUDIT_UNLIKE_ANCHOR, 0, 1);
    EVP_PKEY_free(thief);
    fx_close();
}
END_TEST

START_TEST(a_removed_record_and_all_reckoned_anew)
{
    begin_whole(_i);
    fx_run("DELETE FROM audit WHERE id = 5");
    fx_run("UPDATE audit SET seq = seq + 100 WHERE aggregate = 'case:1' AND seq > 3");
    fx_run("UPDATE audit SET seq = seq - 101 WHERE aggregate = 'case:1' AND seq > 100");
    reckon_chain(3, false);
    reckon_seals(NULL);
    expect(FW_AUDIT_FORGED, 0, 2);
    fx_close();
}
END_TEST

/* Each seal is sound by itself, but it follows from none. */
START_TEST(a_seal_that_follows_from_none)
{
    apr_array_header_t *seals = NULL, *hashes = NULL;
    fw_seal *s;

    begin_whole(_i);
    ck_ok(fw_seal_list(fx.db, 1, 1, &seals, fx.pool));
    ck_ok(fw_seal_records(fx.db, 2, &hashes, fx.pool));
    s = &APR_ARRAY_IDX(seals, 0, fw_seal);
    s->prev = "";
    s->hash = fw_seal_hash(s, hashes, fx.pool);
    fx_run(apr_psprintf(
        fx.pool, "UPDATE audit_seal SET prev = '', hash = '%s', signature = '%s' WHERE n = 2",
        s->hash, sign_with(signer, s->hash)));
    expect(FW_AUDIT_SEAL_BROKEN, 0, 2);
    fx_close();
}
END_TEST

/* ---- the anchor ---- */

static void append(const char *text)
{
    FILE *f = fopen(anchor, "a");

    fputs(text, f);
    fclose(f);
}

static off_t size_of_anchor(void)
{
    struct stat st;

    ck_assert_int_eq(stat(anchor, &st), 0);
    return st.st_size;
}

START_TEST(the_anchor_s_form)
{
    char line[1400];
    FILE *f;

    begin_whole(_i);
    f = fopen(anchor, "r");
    for (int n = 1; n <= 3; n++) {
        const char *want = apr_psprintf(
            fx.pool, "%d %s %s\n", n,
            fx_text(apr_psprintf(fx.pool, "SELECT hash FROM audit_seal WHERE n = %d", n)),
            fx_text(apr_psprintf(fx.pool, "SELECT signature FROM audit_seal WHERE n = %d", n)));

        ck_assert_ptr_nonnull(fgets(line, sizeof(line), f));
        ck_assert_str_eq(line, want);
    }
    ck_assert_ptr_null(fgets(line, sizeof(line), f));
    fclose(f);
    fx_close();
}
END_TEST

/* Stopped between the commit and the note: no fault, and the next one makes up for it. */
START_TEST(a_sealer_that_was_stopped)
{
    fw_audit_report r;

    begin_whole(_i);
    ck_assert(seal_in_database(100));
    r = look_at(anchor);
    ck_assert_int_eq(r.fault, FW_AUDIT_WHOLE);
    ck_assert_int_eq(r.seals, 4);
    ck_assert_int_eq(r.anchored, 3);
    append("4 00ff"); /* torn off in the middle of a line */
    ck_assert_int_eq(look_at(anchor).fault, FW_AUDIT_WHOLE);
    ck_assert_int_eq(follow(), 4);
    r = look_at(anchor);
    ck_assert_int_eq(r.anchored, 4);
    ck_assert_int_eq(r.fault, FW_AUDIT_WHOLE);
    ck_assert_int_eq(follow(), 4); /* nothing to do */
    fx_close();
}
END_TEST

START_TEST(an_anchor_cut_at_any_byte)
{
    off_t whole;

    begin_whole(_i);
    whole = size_of_anchor();
    for (off_t cut = whole - 1; cut >= 0; cut -= 7) {
        ck_assert_int_eq(truncate(anchor, cut), 0);
        ck_assert_int_eq(look_at(anchor).fault, FW_AUDIT_WHOLE);
        ck_assert_int_eq(follow(), 3);
        ck_assert_int_eq(size_of_anchor(), whole);
        ck_assert_int_eq(look_at(anchor).anchored, 3);
    }
    fx_close();
}
END_TEST

/* The power went in the middle of a line: of its two sectors the second alone is on the disk. */
START_TEST(an_anchor_with_a_hole_in_its_last_line)
{
    char line[512], hole[64] = "";
    off_t before;
    int fd;

    begin_whole(_i);
    before = size_of_anchor();
    ck_assert(seal_in_database(100));
    ck_assert_int_eq(follow(), 4);
    fd = open(anchor, O_RDWR);
    for (off_t from = before; from < size_of_anchor() - 1; from += 9) {
        ssize_t n = pread(fd, line, sizeof(line), before);
        size_t lost = (size_t)(size_of_anchor() - 1 - from);

        lost = lost < sizeof(hole) ? lost : sizeof(hole);
        ck_assert_int_eq(pwrite(fd, hole, lost, from), lost);
        ck_assert_int_eq(look_at(anchor).fault, FW_AUDIT_WHOLE);
        ck_assert_int_eq(look_at(anchor).anchored, 3);
        ck_assert_int_eq(follow(), 4);
        ck_assert_int_eq(size_of_anchor(), before + n);
        ck_assert_int_eq(look_at(anchor).anchored, 4);
    }
    close(fd);
    fx_close();
}
END_TEST

START_TEST(an_anchor_with_a_hole_elsewhere)
{
    int fd;

    begin_whole(_i);
    fd = open(anchor, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, "", 1, size_of_anchor() / 3 + 5), 1);
    close(fd);
    ck_code(fw_audit_verify(fx.db, &(fw_audit_check){fw_audit_key_signed, verifier, anchor},
                            &(fw_audit_report){0}, fx.pool),
            FW_E_CORRUPT);
    fx_close();
}
END_TEST

START_TEST(an_anchor_of_another_form)
{
    fw_audit_check check;
    fw_audit_report r;
    static const char *const wrong[] = {"4 xyz sig\n", "\n", "5 ", "04 "};

    begin_whole(_i);
    check = (fw_audit_check){fw_audit_key_signed, verifier, anchor};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        off_t before = size_of_anchor();
        bool numbered = i >= 2;

        append(wrong[i]);
        if (numbered)
            append("0000000000000000000000000000000000000000000000000000000000000000 AAAA\n");
        ck_assert(seal_in_database(100) || i > 0);
        ck_code(fw_audit_verify(fx.db, &check, &r, fx.pool), FW_E_CORRUPT);
        ck_code(fw_anchor_follow(fx.db, anchor, NULL, fx.pool), FW_E_CORRUPT);
        ck_assert_int_eq(truncate(anchor, before), 0);
    }
    ck_assert_int_eq(follow(), 4);
    unlink(anchor);
    ck_code(fw_audit_verify(fx.db, &check, &r, fx.pool), FW_E_CONFIG);
    ck_code(fw_anchor_follow(fx.db, fx.dir, NULL, fx.pool), FW_E_UNAVAILABLE); /* a folder */
    ck_assert_int_eq(follow(), 4); /* another node's, from the first seal on */
    ck_assert_int_eq(look_at(anchor).anchored, 4);
    fx_close();
}
END_TEST

START_TEST(two_sealers)
{
    apr_array_header_t *ids = NULL, *other_ids = NULL;
    fw_seal a, b;

    begin(_i);
    add("case:1", NULL);
    ck_ok(fw_seal_make(fx.db, FX_NOW, 10, &a, &ids, fx.pool));
    ck_ok(fw_seal_make(fx.db, FX_NOW, 10, &b, &other_ids, fx.pool));
    a.signature = b.signature = "AAAA";
    ck_ok(fw_db_begin(fx.db));
    ck_ok(fw_seal_put(fx.db, &a, ids, fx.pool));
    ck_ok(fw_db_commit(fx.db));
    ck_ok(fw_db_begin(fx.db));
    ck_code(fw_seal_put(fx.db, &b, other_ids, fx.pool), FW_E_CONFLICT);
    fw_db_rollback(fx.db);
    ck_ok(fw_db_begin(fx.db));
    b.n = 2;
    ck_code(fw_seal_put(fx.db, &b, other_ids, fx.pool), FW_E_CONFLICT); /* its record is sealed */
    fw_db_rollback(fx.db);
    ck_assert_int_eq(fx_count("audit_seal"), 1);
    fx_close();
}
END_TEST

/* ---- many writers of one chain ---- */

static int add_many(int i, fw_db *db, apr_pool_t *pool)
{
    for (int k = 0; k < 20;) {
        fw_audit r = {.id = 1000 * (i + 1) + k, .aggregate = "case:1", .at = k, .command = "x"};
        const fw_err *err = fw_db_begin(db);

        if (!err)
            err = fw_audit_add(db, &r, pool);
        err = err ? err : fw_db_commit(db);
        if (err && err->code != FW_E_CONFLICT) {
            fprintf(stderr, "%s\n", fw_err_text(err, pool));
            return 1;
        }
        fw_db_rollback(db);
        k += err ? 0 : 1;
    }
    return 0;
}

START_TEST(eight_writers_of_one_chain)
{
    begin(_i);
    ck_assert_int_eq(fx_processes(8, add_many), 0);
    ck_assert(seal_in_database(1000));
    ck_assert_int_eq(follow(), 1);
    ck_assert_int_eq(look_at(anchor).fault, FW_AUDIT_WHOLE);
    ck_assert_int_eq(look_at(anchor).records, 160);
    fx_close();
}
END_TEST

/* ---- keys ---- */

static const char *write_certificate(EVP_PKEY *key)
{
    const char *path = apr_pstrcat(fx.pool, fx.dir, "/audit.crt", NULL);
    X509 *x = X509_new();
    FILE *f = fopen(path, "w");

    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
    ck_assert_int_eq(PEM_write_X509(f, x), 1);
    fclose(f);
    X509_free(x);
    return path;
}

START_TEST(keys)
{
    EVP_PKEY *other = EVP_EC_gen("P-384"), *rsa = EVP_RSA_gen(2048);
    const char *path, *hash = "0123", *signature;

    begin(_i);
    signature = sign_with(signer, hash);
    ck_ok(fw_audit_key_load(&verifier, write_certificate(signer), fx.pool));
    ck_assert(fw_audit_key_signed(verifier, hash, signature));
    ck_assert(!fw_audit_key_signed(verifier, "0124", signature));
    ck_assert(!fw_audit_key_signed(verifier, hash, NULL));
    path = apr_pstrcat(fx.pool, fx.dir, "/other.pem", NULL);
    write_public(other, path);
    ck_code(fw_audit_key_load(&verifier, path, fx.pool), FW_E_CONFIG);
    write_public(rsa, path);
    ck_code(fw_audit_key_load(&verifier, path, fx.pool), FW_E_CONFIG);
    ck_code(fw_audit_key_load(&verifier, "/nonexistent", fx.pool), FW_E_CONFIG);
    ck_code(fw_audit_key_load(&verifier, "sql/schema/0001_base.sql", fx.pool), FW_E_CONFIG);
    EVP_PKEY_free(other);
    EVP_PKEY_free(rsa);
    fx_close();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit");
    TCase *both = tcase_create("both back ends");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(both, 60);
    suite_add_tcase(suite, both);
    tcase_add_loop_test(both, a_whole_chain, 0, FX_BACKENDS);
    tcase_add_loop_test(both, many_records_many_seals, 0, FX_BACKENDS);
    tcase_add_loop_test(both, recent_records, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_edited_record, 0, EDITS * FX_BACKENDS);
    tcase_add_loop_test(both, an_edited_record_with_its_hash, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_removed_record, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_inserted_record, 0, FX_BACKENDS);
    tcase_add_loop_test(both, records_that_changed_their_seals, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_edited_seal, 0, SEAL_EDITS * FX_BACKENDS);
    tcase_add_loop_test(both, a_removed_seal, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_cut_tail, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_chain_reckoned_anew, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_removed_record_and_all_reckoned_anew, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_seal_that_follows_from_none, 0, FX_BACKENDS);
    tcase_add_loop_test(both, the_anchor_s_form, 0, FX_BACKENDS);
    tcase_add_loop_test(both, a_sealer_that_was_stopped, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_anchor_cut_at_any_byte, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_anchor_with_a_hole_in_its_last_line, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_anchor_with_a_hole_elsewhere, 0, FX_BACKENDS);
    tcase_add_loop_test(both, an_anchor_of_another_form, 0, FX_BACKENDS);
    tcase_add_loop_test(both, two_sealers, 0, FX_BACKENDS);
    tcase_add_loop_test(both, eight_writers_of_one_chain, 0, FX_BACKENDS);
    tcase_add_loop_test(both, keys, 0, FX_BACKENDS);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
