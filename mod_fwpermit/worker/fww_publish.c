#include "fw_config.h"
#include "fww_publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>

#include "fw_file.h"
#include "fw_store_payment.h"
#include "fww_trust.h"

#define EVERY          apr_time_from_sec(3600)
#define AGAIN          apr_time_from_sec(2) /* after trouble */
#define TROUBLES       3 /* in a row, until it is told: at the start the signer may come later than we */
#define OVERLAP        apr_time_from_sec(600) /* a commit may come later than its permit's end says */
#define PAGE_MOST      8388608
#define AT_TRUST       "@@FWPERMIT_TRUST@@"
#define AT_REVOCATIONS "@@FWPERMIT_REVOCATIONS@@"

/* ---- files ---- */

static const fw_err *put_file(const fww_turn *t, const char *name, const char *text)
{
    const char *dir = t->pump->desk->settings->public_dir;

    return fw_file_put(apr_pstrcat(t->pool, dir, "/", name, NULL), text, 0644, t->pool);
}

/* ---- the verifier ---- */

/* "<" would end the script that the text stands in. */
static const char *for_script(const char *text, apr_pool_t *pool)
{
    size_t n = 0;
    char *out, *to;

    for (const char *p = text; *p; p++)
        n += *p == '<' ? 6 : 1;
    out = to = apr_palloc(pool, n + 1);
    for (const char *p = text; *p; p++) {
        if (*p == '<')
            to = apr_cpystrn(to, "\\u003c", 7);
        else
            *to++ = *p;
    }
    *to = '\0';
    return out;
}

/* The text with what stands at `mark`, once; NULL: the mark is not there. */
static const char *fill(const char *text, const char *mark, const char *with, apr_pool_t *pool)
{
    const char *at = strstr(text, mark);

    if (!at)
        return NULL;
    return apr_pstrcat(pool, apr_pstrmemdup(pool, text, (apr_size_t)(at - text)),
                       for_script(with, pool), at + strlen(mark), NULL);
}

static const fw_err *put_page(const fww_turn *t, const char *trust, const char *jws)
{
    const char *path =
        apr_pstrcat(t->pool, t->pump->desk->settings->assets_dir, "/verify.html", NULL);
    const char *page;
    char *text = NULL;

    FW_TRY(fw_file_read(&text, NULL, path, PAGE_MOST, t->pool));
    page = fill(text, AT_TRUST, trust, t->pool);
    page = page ? fill(page, AT_REVOCATIONS, apr_pstrcat(t->pool, "\"", jws, "\"", NULL), t->pool)
                : NULL;
    if (!page)
        return FW_ERR(t->pool, FW_E_CONFIG, 0, "%s has no places for the lists", path);
    return put_file(t, "verify.html", page);
}

/* ---- the round ---- */

static const fw_err *publish(const fww_turn *t, apr_time_t now)
{
    const fw_desk *desk = t->pump->desk;
    const char *jws = NULL, *text;
    json_t *trust = NULL;

    FW_TRY(fww_trust_make(desk->run_dir, desk->settings, &trust, t->pool));
    text = fww_dump(t, trust);
    json_decref(trust);
    if (!text)
        return FW_ERR(t->pool, FW_E_INTERNAL, 0, "the trust list is no JSON");
    FW_TRY(fww_revocations_make(t, now, &jws));
    FW_TRY(put_file(t, "trust.json", text));
    FW_TRY(put_file(t, "revocations.jws", jws));
    return put_page(t, text, jws);
}

/* Trouble is told when it lasts, and when it goes. */
static void tell(fww_turn *t, const fw_err *err)
{
    fww_published *p = &t->pump->published;

    if (err && ++p->troubles == TROUBLES)
        t->pump->env->log(FWW_ERROR, FWW_N_PUBLISH " what anyone may fetch is not renewed: %s",
                          fw_err_text(err, t->pool));
    if (!err && p->troubles >= TROUBLES)
        t->pump->env->log(FWW_NOTICE, FWW_N_PUBLISH " what anyone may fetch is renewed again");
    if (!err)
        p->troubles = 0;
}

const fw_err *fww_publish_round(fww_turn *t)
{
    fww_published *p = &t->pump->published;
    apr_time_t now = apr_time_now();
    const fw_err *err;
    int64_t ended = 0;

    if (p->since)
        FW_TRY(fw_permit_ended_since(t->db, p->since, &ended, t->pool));
    if (now < p->due && p->due - now <= EVERY && (p->troubles || ended == p->ended))
        return NULL; /* further away than that: the clock was set back */
    p->since = now - OVERLAP;
    FW_TRY(fw_permit_ended_since(t->db, p->since, &p->ended, t->pool));
    /* Readers take a list that is newer, by the second. */
    if (apr_time_sec(now) <= apr_time_sec(p->issued))
        p->issued += apr_time_from_sec(1);
    else
        p->issued = now;
    err = publish(t, p->issued);
    tell(t, err);
    p->due = now + (err ? AGAIN : EVERY);
    return NULL;
}
