/* The limit that pages are measured against: an httpd handler that does a job's reads and writes over APR DBD and prints the answer
 * with printf. No permission, no audit, no language, no escaping: what no product can go below.
 *   BareDatabase DRIVER PARAMS   a copy of the platform's database, with the tables bare_case and bare_file
 *   BareFiles DIR       where uploads go
 *   GET /bare/progress?CASE   session, case, organisation, events: a page of about 12 KB
 *   GET /bare/list?REVIEWER   50 cases by due time
 *   GET /bare/find?NUMBER     one case by its number, a look-up by key
 *   POST /bare/file           a body of three files: hashed, written, fsynced, one row each, one transaction */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_dbd.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <openssl/evp.h>

extern module AP_MODULE_DECLARE_DATA bare_module;

#define FILES 3
#define FILE_SIZES             \
    {                          \
        307200, 512000, 512000 \
    }
#define IDLE 64

typedef struct bare_db {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_dbd_prepared_t *session, *kase, *org, *events, *list, *find, *put, *put_file;
} bare_db;

static const char *driver, *database, *files;
static apr_thread_mutex_t *lock;
static bare_db *idle[IDLE];
static int n_idle;
static apr_pool_t *process_pool;

static const char *set_database(cmd_parms *cmd, void *dir, const char *name, const char *params)
{
    driver = name;
    database = params;
    return NULL;
}

static const char *set_files(cmd_parms *cmd, void *dir, const char *value)
{
    files = value;
    return NULL;
}

static void prepare(bare_db *db, const char *sql, apr_dbd_prepared_t **out)
{
    int rv = apr_dbd_prepare(db->driver, process_pool, db->handle, sql, NULL, out);

    if (rv)
        ap_log_perror(APLOG_MARK, APLOG_ERR, 0, process_pool, "bare: %s: %s", sql,
                      apr_dbd_error(db->driver, db->handle, rv));
}

static bare_db *open_db(void)
{
    bare_db *db = apr_pcalloc(process_pool, sizeof(*db));

    apr_dbd_get_driver(process_pool, driver, &db->driver);
    apr_dbd_open(db->driver, process_pool, database, &db->handle);
    prepare(db,
            "SELECT account_id, csrf, created, seen, expires FROM session WHERE token_hash = %s",
            &db->session);
    prepare(db,
            "SELECT id, case_no, service, state, worker_id, employer_id, data, submitted, due, "
            "name_latin, name_native, "
            "passport_no, nationality FROM cases WHERE id = %lld",
            &db->kase);
    prepare(db, "SELECT name_zh, name_en FROM org WHERE id = %lld", &db->org);
    prepare(db,
            "SELECT at, actor_name, kind, state_from, state_to FROM case_event WHERE case_id = "
            "%lld ORDER BY seq LIMIT 100",
            &db->events);
    prepare(db,
            "SELECT c.id, c.case_no, c.service, c.state, c.due, c.name_latin, c.name_native, "
            "c.passport_no, c.nationality, "
            "o.name_zh FROM cases c JOIN org o ON o.id = c.employer_id WHERE c.first_reviewer = "
            "%lld AND c.state = 'initial_review' "
            "ORDER BY c.due LIMIT 50",
            &db->list);
    prepare(db,
            "SELECT id, case_no, service, state, due, name_latin, name_native, passport_no, "
            "nationality, employer_id FROM cases "
            "WHERE case_no = %s",
            &db->find);
    prepare(db, "INSERT INTO bare_case (data) VALUES (%s)", &db->put);
    prepare(db, "INSERT INTO bare_file (name, sha256, size) VALUES (%s, %s, %lld)", &db->put_file);
    return db;
}

static bare_db *take_db(void)
{
    bare_db *db;

    apr_thread_mutex_lock(lock);
    db = n_idle > 0 ? idle[--n_idle] : open_db();
    apr_thread_mutex_unlock(lock);
    return db;
}

static void give_db(bare_db *db)
{
    apr_thread_mutex_lock(lock);
    idle[n_idle++] = db;
    apr_thread_mutex_unlock(lock);
}

static const char *entry(bare_db *db, apr_dbd_row_t *row, int n)
{
    const char *v = apr_dbd_get_entry(db->driver, row, n);

    return v ? v : "";
}

static apr_dbd_results_t *select_one(bare_db *db, apr_pool_t *p, apr_dbd_prepared_t *st,
                                     const void **args)
{
    apr_dbd_results_t *res = NULL;

    apr_dbd_pbselect(db->driver, p, db->handle, &res, st, 1, args);
    return res;
}

static apr_dbd_row_t *one_row(bare_db *db, apr_pool_t *p, apr_dbd_results_t *res)
{
    apr_dbd_row_t *row = NULL;

    return res && apr_dbd_get_row(db->driver, p, res, &row, -1) == 0 ? row : NULL;
}

static void hex(const unsigned char *digest, char *out)
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

/* ---- reading ---- */

static int progress(request_rec *r, bare_db *db)
{
    const char *cookie = apr_table_get(r->headers_in, "Cookie"),
               *token = cookie ? strchr(cookie, '=') : NULL;
    unsigned char digest[32];
    char token_hash[65];
    const void *session[] = {token_hash};
    apr_int64_t id = apr_atoi64(r->args ? r->args : "0"), org_id;
    const void *by_id[] = {&id}, *by_org[] = {&org_id};
    apr_dbd_row_t *c, *o, *e = NULL;
    apr_dbd_results_t *events;

    token = token ? token + 1 : "";
    EVP_Digest(token, strlen(token), digest, NULL, EVP_sha256(), NULL);
    hex(digest, token_hash);
    if (!one_row(db, r->pool, select_one(db, r->pool, db->session, session)))
        return HTTP_UNAUTHORIZED;
    c = one_row(db, r->pool, select_one(db, r->pool, db->kase, by_id));
    if (!c)
        return HTTP_NOT_FOUND;
    org_id = apr_atoi64(entry(db, c, 5));
    o = one_row(db, r->pool, select_one(db, r->pool, db->org, by_org));
    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rprintf(r,
               "<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s %s</h1><p>%s %s %s "
               "%s</p><pre>%s</pre><ul>",
               entry(db, c, 1), entry(db, c, 9), entry(db, c, 10), entry(db, c, 3),
               entry(db, c, 11), entry(db, c, 12), o ? entry(db, o, 0) : "", entry(db, c, 6));
    events = select_one(db, r->pool, db->events, by_id);
    while (events && apr_dbd_get_row(db->driver, r->pool, events, &e, -1) == 0)
        ap_rprintf(r, "<li><time>%s</time> %s %s %s %s</li>", entry(db, e, 0), entry(db, e, 1),
                   entry(db, e, 2), entry(db, e, 3), entry(db, e, 4));
    ap_rputs("</ul>", r);
    for (int i = 0; i < 100; i++)
        ap_rputs("<p class=\"fill\">The rest of a page: head, navigation, labels, foot; as many "
                 "bytes as ours has.</p>\n",
                 r);
    ap_rputs("</body></html>", r);
    return OK;
}

static int rows(request_rec *r, bare_db *db, apr_dbd_prepared_t *statement, const void **args)
{
    apr_dbd_results_t *found = select_one(db, r->pool, statement, args);
    apr_dbd_row_t *row = NULL;

    ap_set_content_type(r, "text/html; charset=utf-8");
    ap_rputs("<!DOCTYPE html><html><head><title>list</title></head><body><table>", r);
    while (found && apr_dbd_get_row(db->driver, r->pool, found, &row, -1) == 0)
        ap_rprintf(r,
                   "<tr class=\"row\"><td><a href=\"/review/%s\">%s</a></td><td "
                   "class=\"service\">%s</td><td class=\"state\">%s</td>"
                   "<td><time>%s</time></td><td class=\"name\">%s</td><td "
                   "class=\"native\">%s</td><td class=\"code\">%s</td>"
                   "<td>%s</td><td class=\"employer\">%s</td></tr>\n",
                   entry(db, row, 0), entry(db, row, 1), entry(db, row, 2), entry(db, row, 3),
                   entry(db, row, 4), entry(db, row, 5), entry(db, row, 6), entry(db, row, 7),
                   entry(db, row, 8), entry(db, row, 9));
    ap_rputs("</table></body></html>", r);
    return OK;
}

static int list(request_rec *r, bare_db *db)
{
    apr_int64_t id = apr_atoi64(r->args ? r->args : "0");
    const void *args[] = {&id};

    return rows(r, db, db->list, args);
}

static int find(request_rec *r, bare_db *db)
{
    const void *args[] = {r->args ? r->args : ""};

    return rows(r, db, db->find, args);
}

/* ---- writing ---- */

static int read_body(request_rec *r, char *to, apr_size_t most)
{
    apr_size_t got = 0;
    long n;

    if (ap_setup_client_block(r, REQUEST_CHUNKED_ERROR) != OK || !ap_should_client_block(r))
        return -1;
    while ((n = ap_get_client_block(r, to + got, most - got)) > 0)
        got += (apr_size_t)n;
    return n < 0 ? -1 : (int)got;
}

static int write_file(const char *path, const char *bytes, size_t n)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);

    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || fsync(fd) != 0)
        return -1;
    return close(fd);
}

static int file(request_rec *r, bare_db *db)
{
    static const size_t sizes[FILES] = FILE_SIZES;
    size_t total = sizes[0] + sizes[1] + sizes[2], at = 0;
    char *body = apr_palloc(r->pool, total + 1);
    const char *data =
        "{\"twenty\":\"fields of a form, a line of text each, as long as such things are\"}";
    const void *put[] = {data};
    char sums[FILES][65];
    int n, dir;

    if (read_body(r, body, total) != (int)total)
        return HTTP_BAD_REQUEST;
    for (int i = 0; i < FILES; at += sizes[i], i++) {
        unsigned char digest[32];
        char *name =
            apr_psprintf(r->pool, "%s/%" APR_PID_T_FMT "-%pp-%d", files, getpid(), (void *)r, i);

        EVP_Digest(body + at, sizes[i], digest, NULL, EVP_sha256(), NULL);
        hex(digest, sums[i]);
        if (write_file(name, body + at, sizes[i]) != 0)
            return HTTP_INTERNAL_SERVER_ERROR;
    }
    dir = open(files, O_RDONLY);
    fsync(dir);
    close(dir);
    apr_dbd_query(db->driver, db->handle, &n,
                  strcmp(driver, "pgsql") == 0 ? "BEGIN" : "BEGIN IMMEDIATE");
    apr_dbd_pbquery(db->driver, r->pool, db->handle, &n, db->put, put);
    for (int i = 0; i < FILES; i++) {
        apr_int64_t size = (apr_int64_t)sizes[i];
        const void *one[] = {"a-file", sums[i], &size};

        apr_dbd_pbquery(db->driver, r->pool, db->handle, &n, db->put_file, one);
    }
    apr_dbd_query(db->driver, db->handle, &n, "COMMIT");
    ap_set_content_type(r, "text/plain");
    ap_rputs("done\n", r);
    return OK;
}

static int handle(request_rec *r)
{
    bare_db *db;
    int rv = HTTP_NOT_FOUND;

    if (!r->handler || strcmp(r->handler, "bare") != 0)
        return DECLINED;
    db = take_db();
    if (strcmp(r->uri, "/bare/progress") == 0)
        rv = progress(r, db);
    else if (strcmp(r->uri, "/bare/list") == 0)
        rv = list(r, db);
    else if (strcmp(r->uri, "/bare/find") == 0)
        rv = find(r, db);
    else if (strcmp(r->uri, "/bare/file") == 0)
        rv = file(r, db);
    give_db(db);
    return rv;
}

static void child_init(apr_pool_t *p, server_rec *s)
{
    process_pool = p;
    apr_dbd_init(p);
    apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, p);
}

static void hooks(apr_pool_t *p)
{
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec directives[] = {
    AP_INIT_TAKE2("BareDatabase", set_database, NULL, RSRC_CONF,
                  "APR DBD's driver and its parameters"),
    AP_INIT_TAKE1("BareFiles", set_files, NULL, RSRC_CONF, "the folder of uploads"),
    {NULL}};

AP_DECLARE_MODULE(bare) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, directives, hooks, 0};
