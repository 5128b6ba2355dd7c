#include "fw_config.h"
#include "fwc_doctor.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#define CALENDAR_DUE 11 /* the month from which the coming year must be known */

/* ---- telling ---- */

static void tell(fwc_doctor *d, const char *mark, const char *fmt, va_list args)
{
    fwc_say(d->c, "%s %s", mark, apr_pvsprintf(d->pool, fmt, args));
}

void fwc_good(fwc_doctor *d, const char *fmt, ...)
{
    va_list args;

    if (d->quiet)
        return;
    va_start(args, fmt);
    tell(d, "ok   ", fmt, args);
    va_end(args);
}

void fwc_note(fwc_doctor *d, const char *fmt, ...)
{
    va_list args;

    if (d->quiet)
        return;
    va_start(args, fmt);
    tell(d, "note ", fmt, args);
    va_end(args);
}

void fwc_fault(fwc_doctor *d, const char *mend, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    tell(d, "FAULT", fmt, args);
    va_end(args);
    fwc_say(d->c, "      mend: %s", mend);
    d->faults++;
}

const char *fwc_text(fwc_doctor *d, const char *fmt, ...)
{
    va_list args;
    const char *text;

    va_start(args, fmt);
    text = apr_pvsprintf(d->pool, fmt, args);
    va_end(args);
    return text;
}

/* ---- rights ---- */

static bool bits_allow(const fwc_doctor *d, const struct stat *st, int want)
{
    int shift = st->st_uid == d->uid ? 6 : st->st_gid == d->gid ? 3 : 0;

    return d->uid == 0 || ((int)(st->st_mode >> shift) & want) == want;
}

bool fwc_may(const fwc_doctor *d, const char *path, int want, const char **where)
{
    char *part = apr_pstrdup(d->pool, path);
    struct stat st;

    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        *where = apr_pstrdup(d->pool, part);
        if (stat(part, &st) != 0 || !bits_allow(d, &st, X_OK))
            return false;
        *slash = '/';
    }
    *where = path;
    return stat(path, &st) == 0 && bits_allow(d, &st, want);
}

static void find_user(fwc_doctor *d)
{
    struct stat st;
    const struct passwd *pw;

    d->uid = geteuid();
    d->gid = getegid();
    if (stat(d->s->vault_dir, &st) == 0) {
        d->knows_user = true;
        d->uid = st.st_uid;
        d->gid = st.st_gid;
    }
    pw = getpwuid(d->uid);
    d->user = pw ? apr_pstrdup(d->pool, pw->pw_name) : apr_itoa(d->pool, (int)d->uid);
}

/* ---- the round ---- */

static const fw_err *open_desk(fwc_doctor *d)
{
    fwc *c = d->c;

    FW_TRY(fw_settings_database(d->s, &d->s->db_params, d->pool));
    FW_TRY(fwc_become_owner(d->s->vault_dir, d->pool));
    return fw_desk_open(&c->desk, d->s, false, d->pool);
}

/* Deadlines of a year that the calendar does not know fall on weekends alone: holidays count as working days. */
static void check_calendar(fwc_doctor *d)
{
    fw_date today = fw_date_of(apr_time_now());
    int year = fw_calendar_knows(d->c->desk->calendar, today.y) ? today.y + 1 : today.y;
    const char *mend =
        fwc_text(d, "put the office calendar of %d into %s/calendar", year, d->s->conf_dir);

    if (year == today.y)
        fwc_fault(d, mend, "the calendar does not know this year");
    else if (today.m >= CALENDAR_DUE && !fw_calendar_knows(d->c->desk->calendar, year))
        fwc_fault(d, mend, "the calendar does not know the coming year");
    else
        fwc_good(d, "the calendar knows the office's days");
}

static void check_services(fwc_doctor *d)
{
    const fw_desk *desk = d->c->desk;

    for (int i = 0; i < fw_services_count(desk->services); i++) {
        const fw_service *s = fw_services_at(desk->services, i);

        if (!fw_desk_offers(desk, s))
            fwc_note(d,
                     "service %s is not offered: it needs a plugin of port %s, and there is none",
                     s->code, s->needs);
    }
}

/* What needs no more than files comes first, with the rights of who called; the rest as the server. */
static void go_round(fwc_doctor *d)
{
    static void (*const alone[])(fwc_doctor *) = {
        fwc_check_settings,     fwc_check_data,    fwc_check_programs,
        fwc_check_state,        fwc_check_plugins, fwc_check_master_key,
        fwc_check_signing_keys, fwc_check_machine, fwc_check_httpd};
    const fw_err *err;

    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++)
        alone[i](d);
    err = open_desk(d);
    if (err) {
        fwc_fault(d, "mend the file that is named, or `make -f Makefile.apxs install` anew",
                  "what the platform stands on cannot be opened: %s", fw_err_text(err, d->pool));
        return;
    }
    fwc_good(d, "services, codes, calendar, rules and catalogues are understood");
    check_services(d);
    check_calendar(d);
    fwc_check_database(d);
    fwc_check_roles(d);
}

const fw_err *fwc_doctor_all(fwc *c)
{
    fwc_doctor d = {.c = c, .pool = c->pool, .quiet = fwc_option(c, "quiet")};
    const fw_err *err = fw_settings_read(&c->settings, c->conf, c->pool);

    if (err) {
        fwc_fault(&d, fwc_text(&d, "edit %s", c->conf), "%s", fw_err_text(err, c->pool));
    } else {
        d.s = c->settings;
        find_user(&d);
        go_round(&d);
    }
    fwc_say(c, "%d fault%s", d.faults, d.faults == 1 ? "" : "s");
    if (d.faults)
        c->rc = FWC_REFUSED;
    return NULL;
}
