#include "fw_config.h"
#include "fww_press.h"
#include "fww_seal.h"

#include <string.h>

#include <apr_encode.h>

/* Names as the passport's own lines tell them apart; without those the whole is the primary identifier. */
static void take_names(const fww_subject *s, fw_date today, fw_mrz *out)
{
    const char *lines = fww_subject_value(s, FW_FIELD_MRZ);
    fw_mrz passport;

    out->surname = s->kase->name_latin;
    if (!lines || fw_mrz_parse(lines, today, &passport, s->t->pool) || !*passport.surname)
        return;
    out->surname = passport.surname;
    out->given = passport.given;
}

/* False: the service does not ask who the holder is. */
static bool take_holder(const fww_subject *s, const fw_permit *p, fw_date today, fw_mrz *out)
{
    const fw_case *c = s->kase;
    const char *sex = fww_subject_value(s, FW_FIELD_SEX);

    if (!c->name_latin || !c->nationality || !c->birth)
        return false;
    *out = (fw_mrz){.code = "AR",
                    .state = "TWN",
                    .number = p->permit_no,
                    .nationality = c->nationality,
                    .birth = c->birth,
                    .sex = sex ? *sex : 'X',
                    .expiry = p->valid_to};
    take_names(s, today, out);
    return true;
}

/* Settings that do not go together can be mended: the permit waits. */
static const fw_err *tell(const fww_turn *t, const fw_err *err)
{
    if (!err || err->code != FW_E_CONFIG)
        return err;
    t->pump->env->log(FWW_ERROR, FWW_N_SEAL " no permit can be sealed: %s",
                      fw_err_text(err, t->pool));
    return FW_ERR(t->pool, FW_E_UNAVAILABLE, 0, "%s", err->msg);
}

const fw_err *fww_paper_seal(const fww_subject *s, const fw_permit *p, apr_time_t now,
                             const char **seal)
{
    const fw_desk *desk = s->t->pump->desk;
    apr_pool_t *pool = s->t->pool;
    fww_seal of = {.signer = desk->settings->seal_signer,
                   .passport_no = s->kase->passport_no,
                   .permit_no = p->permit_no,
                   .issued = fw_date_of(now)};
    const unsigned char *bytes = NULL;
    size_t n = 0;
    fw_mrz holder;

    if (!fw_date_parse(p->valid_from, &of.valid_from) || !fw_date_parse(p->valid_to, &of.valid_to))
        return FW_ERR(pool, FW_E_INPUT, 0, "a permit without its term");
    if (take_holder(s, p, of.issued, &holder))
        of.holder = &holder;
    FW_TRY(tell(s->t, fww_seal_make(&of, desk->run_dir, &bytes, &n, pool)));
    *seal = apr_pencode_base64_binary(pool, bytes, (apr_ssize_t)n, APR_ENCODE_NONE, NULL);
    return NULL;
}
