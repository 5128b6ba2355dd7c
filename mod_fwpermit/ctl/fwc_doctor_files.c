#include "fw_config.h"
#include "fwc_doctor.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <apr_strings.h>

#define INSTALL      "make -f Makefile.apxs install"
#define FREE_MIN     1073741824u /* bytes */
#define FREE_PERCENT 5
#define OLDEST_CLOCK 1767225600 /* 2026-01-01: before this program was written */
#define NFS_MAGIC    0x6969
#define CIFS_MAGIC   0xFF534D42u
#define SMB2_MAGIC   0xFE534D42u
#define GROUP_OTHERS (S_IWGRP | S_IWOTH)
#define ANYBODY_ELSE (S_IRWXG | S_IRWXO)

/* ---- settings that do not go together ---- */

static bool is_local(const char *url)
{
    static const char *const local[] = {"http://127.",  "http://localhost",  "http://[::1]",
                                        "https://127.", "https://localhost", "https://[::1]"};

    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        if (strncmp(url, local[i], strlen(local[i])) == 0)
            return true;
    }
    return false;
}

static void check_password_place(fwc_doctor *d)
{
    struct stat st;

    if (strstr(d->s->db_params, "password=") && stat(d->c->conf, &st) == 0 &&
        (st.st_mode & S_IROTH))
        fwc_fault(d,
                  "put FwPermitDatabase's words into a file of mode 0640, owned by root and the "
                  "server's group, and write: FwPermitDatabase file:PATH",
                  "the database's password stands in %s, which everybody may read", d->c->conf);
}

void fwc_check_settings(fwc_doctor *d)
{
    const fw_settings *s = d->s;
    bool https = strncmp(s->base_url, "https://", 8) == 0, local = is_local(s->base_url);

    if (!s->enabled)
        fwc_fault(d, fwc_text(d, "FwPermit On, in %s", d->c->conf), "FwPermit is Off");
    if (https && !s->cookie_secure)
        fwc_fault(d, "FwPermitCookieSecure On",
                  "FwPermitCookieSecure is Off, though FwPermitBaseURL is https");
    if (!https && !local)
        fwc_fault(d, "TLS as in docs/sysadmins/tls.md, and FwPermitBaseURL https://...",
                  "FwPermitBaseURL %s: people's data would travel in clear", s->base_url);
    if (s->demo && !local)
        fwc_fault(d, "FwPermitDemo Off, and `fwpermitctl account disable` for the demo accounts",
                  "FwPermitDemo is On, with a password that everybody knows, at %s", s->base_url);
    check_password_place(d);
    fwc_good(d, "%s is understood", d->c->conf);
}

/* ---- what is only read ---- */

static int entries(const char *dir)
{
    DIR *h = opendir(dir);
    int n = 0;

    if (!h)
        return -1;
    for (const struct dirent *e = readdir(h); e; e = readdir(h))
        n += e->d_name[0] != '.';
    closedir(h);
    return n;
}

static void check_folder(fwc_doctor *d, const char *what, const char *dir)
{
    const char *where = dir;
    struct stat st;

    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode) || entries(dir) <= 0) {
        fwc_fault(d, INSTALL, "%s: %s is not there or empty", what, dir);
        return;
    }
    if (!fwc_may(d, dir, R_OK | X_OK, &where))
        fwc_fault(d, fwc_text(d, "chmod o+rx %s", where), "%s: %s is not open to user %s at %s",
                  what, dir, d->user, where);
    if ((st.st_mode & GROUP_OTHERS) && !(st.st_mode & S_ISVTX))
        fwc_fault(d, fwc_text(d, "chmod go-w %s", dir), "%s: %s may be written by others", what,
                  dir);
}

void fwc_check_data(fwc_doctor *d)
{
    const fw_settings *s = d->s;
    int before = d->faults;

    check_folder(d, "FwPermitConf", s->conf_dir);
    check_folder(d, "FwPermitServices", s->services_dir);
    check_folder(d, "FwPermitPages", s->pages_dir);
    check_folder(d, "FwPermitAssets", s->assets_dir);
    check_folder(d, "FwPermitLocale", s->locale_dir);
    check_folder(d, "FwPermitSQL", s->sql_dir);
    if (d->faults == before)
        fwc_good(d, "the platform's own files are there and readable");
}

static void check_program(fwc_doctor *d, const char *path)
{
    const char *where = path;
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        fwc_fault(d, INSTALL, "FwPermitWorker: %s is not there", path);
    else if (!fwc_may(d, path, R_OK | X_OK, &where))
        fwc_fault(d, fwc_text(d, "chmod o+rx %s", where),
                  "FwPermitWorker: %s cannot be run by user %s", path, d->user);
    else if (st.st_mode & GROUP_OTHERS)
        fwc_fault(d, fwc_text(d, "chmod go-w %s", path),
                  "FwPermitWorker: %s may be written by others", path);
}

/* Without them papers are drawn all the same, larger and in twice the time. */
static void check_fonts(fwc_doctor *d, const char *dir)
{
    const char *where = dir;
    struct stat st;

    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        fwc_fault(d, INSTALL, "FwPermitWorker: the fonts of papers are not at %s", dir);
    else if (!fwc_may(d, dir, R_OK | X_OK, &where))
        fwc_fault(d, fwc_text(d, "chmod o+rx %s", where),
                  "FwPermitWorker: %s is not open to user %s", dir, d->user);
}

void fwc_check_programs(fwc_doctor *d)
{
    const char *worker = d->s->worker, *name = strrchr(worker, '/');
    int before = d->faults;

    check_program(d, worker);
    if (name) {
        check_program(d, fwc_text(d, "%.*sfwpermit-pictures", (int)(name + 1 - worker), worker));
        check_fonts(d, fwc_text(d, "%.*sfonts", (int)(name + 1 - worker), worker));
    }
    if (d->faults == before)
        fwc_good(d, "the worker's programs can be run, and its fonts read");
}

/* ---- what is written ---- */

static const char *folder_of(fwc_doctor *d, const char *path)
{
    return dirname(apr_pstrdup(d->pool, path));
}

static void check_vault(fwc_doctor *d)
{
    const char *dir = d->s->vault_dir;
    struct stat st;

    if (stat(dir, &st) != 0 || !S_ISDIR(st.st_mode))
        fwc_fault(d, fwc_text(d, "install -d -o www-data -g www-data -m 0700 %s", dir),
                  "FwPermitVault: %s is not there", dir);
    else if (st.st_uid == 0 && geteuid() == 0)
        fwc_fault(d, fwc_text(d, "chown www-data:www-data %s", dir),
                  "FwPermitVault: %s belongs to root: the server could not write", dir);
    else if (st.st_mode & ANYBODY_ELSE)
        fwc_fault(d, fwc_text(d, "chmod 0700 %s", dir), "FwPermitVault: %s is open to others", dir);
    else if (access(fwc_text(d, "%s/" FW_VAULT_RESTORING, dir), F_OK) == 0)
        fwc_fault(d, "fwpermitctl restore DIR, with the same backup",
                  "FwPermitVault: restoring into %s was broken off", dir);
    else
        fwc_good(d, "the vault belongs to user %s alone", d->user);
}

static void check_writable(fwc_doctor *d, const char *what, const char *path)
{
    const char *where = path;

    if (fwc_may(d, path, R_OK | W_OK | (entries(path) >= 0 ? X_OK : 0), &where))
        return;
    fwc_fault(d, fwc_text(d, "chown %s %s", d->user, where), "%s: user %s may not write %s", what,
              d->user, where);
}

static void check_sqlite(fwc_doctor *d)
{
    const char *file = d->s->db_params, *dir = folder_of(d, file);
    struct statfs fs;
    struct stat st;

    check_writable(d, "FwPermitDatabase", dir);
    if (stat(file, &st) == 0) {
        check_writable(d, "FwPermitDatabase", file);
        if (st.st_mode & ANYBODY_ELSE)
            fwc_fault(d, fwc_text(d, "chmod 0600 %s", file), "%s is open to others", file);
    }
    if (statfs(dir, &fs) == 0 && (fs.f_type == NFS_MAGIC || (uint32_t)fs.f_type == CIFS_MAGIC ||
                                  (uint32_t)fs.f_type == SMB2_MAGIC))
        fwc_fault(d, "move it to a local disk, or use PostgreSQL (docs/sysadmins/postgresql.md)",
                  "SQLite's file %s lies on a network file system", file);
}

static void check_run_dir(fwc_doctor *d)
{
    const char *dir = d->s->run_dir;
    struct stat st;

    if (stat(dir, &st) != 0)
        return; /* made when the server starts */
    if (!S_ISDIR(st.st_mode) || (d->knows_user && st.st_uid != d->uid))
        fwc_fault(d, fwc_text(d, "chown %s %s, and reload the server", d->user, dir),
                  "FwPermitRunDir: %s does not belong to user %s", dir, d->user);
    else if (st.st_mode & ANYBODY_ELSE)
        fwc_fault(d, fwc_text(d, "chmod 0700 %s", dir), "FwPermitRunDir: %s is open to others",
                  dir);
}

void fwc_check_state(fwc_doctor *d)
{
    int before = d->faults;

    check_vault(d);
    if (d->faults != before)
        return; /* whose the rest should be is not known */
    check_writable(d, "FwPermitVault", d->s->vault_dir);
    check_writable(d, "FwPermitAnchor", folder_of(d, d->s->anchor));
    check_run_dir(d);
    if (strcmp(d->s->db_driver, "sqlite3") == 0)
        check_sqlite(d);
    if (d->faults == before)
        fwc_good(d, "what the server writes it may write");
}

/* ---- the machine ---- */

static void check_disk(fwc_doctor *d, const char *what, const char *path)
{
    struct statvfs v;
    uint64_t room;

    if (statvfs(path, &v) != 0 || v.f_blocks == 0)
        return;
    room = (uint64_t)v.f_bavail * v.f_frsize;
    if (room < FREE_MIN || v.f_bavail * 100 / v.f_blocks < FREE_PERCENT)
        fwc_fault(d, fwc_text(d, "make room on the disk of %s", path),
                  "%s: %d MiB are free on the disk of %s", what, (int)(room >> 20), path);
    else
        fwc_good(d, "%s: the disk has room", what);
}

static void check_clock(fwc_doctor *d)
{
    struct timex t = {0};
    int state = adjtimex(&t);

    if (apr_time_sec(apr_time_now()) < OLDEST_CLOCK)
        fwc_fault(d, "timedatectl set-ntp true", "the clock is wrong: it is before 2026");
    else if (state == TIME_ERROR || (t.status & STA_UNSYNC))
        fwc_note(d, "the clock is not synchronised: `timedatectl set-ntp true`, where the machine "
                    "keeps its own time");
    else
        fwc_good(d, "the clock is synchronised");
}

void fwc_check_machine(fwc_doctor *d)
{
    check_disk(d, "FwPermitVault", d->s->vault_dir);
    if (strcmp(d->s->db_driver, "sqlite3") == 0)
        check_disk(d, "FwPermitDatabase", folder_of(d, d->s->db_params));
    check_clock(d);
}
