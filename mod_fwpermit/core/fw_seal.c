#include "fw_config.h"
#include "fw_seal.h"

#include <string.h>

#include <apr_strings.h>

/* C40 cannot tell fillers from spaces; those at the end of a number say nothing. */
static const fw_err *take_text(const fw_vds *v, unsigned tag, bool is_number, const char **out,
                               apr_pool_t *pool)
{
    const fw_vds_feature *f = fw_vds_find(v, tag);
    const char *text = "";
    size_t n;

    if (f)
        FW_TRY(fw_vds_text(f->value, f->n, &text, pool));
    n = strlen(text);
    while (is_number && n > 0 && text[n - 1] == '<')
        n--;
    *out = apr_pstrmemdup(pool, text, n);
    return NULL;
}

static const fw_err *take_date(const fw_vds *v, unsigned tag, fw_date *out, apr_pool_t *pool)
{
    const fw_vds_feature *f = fw_vds_find(v, tag);

    if (!f)
        return FW_ERR(pool, FW_E_INPUT, 0, "a seal without its term");
    return fw_vds_date_get(f->value, f->n, out, pool);
}

const fw_err *fw_seal_read(fw_seal_data *out, const void *bytes, size_t n, apr_pool_t *pool)
{
    *out = (fw_seal_data){0};
    FW_TRY(fw_vds_decode(&out->vds, bytes, n, pool));
    if (out->vds.type != FW_SEAL_TYPE)
        return FW_ERR(pool, FW_E_INPUT, 0, "the seal of another kind of document");
    FW_TRY(take_text(&out->vds, FW_SEAL_MRZ, false, &out->mrz, pool));
    FW_TRY(take_text(&out->vds, FW_SEAL_PASSPORT, true, &out->passport_no, pool));
    FW_TRY(take_text(&out->vds, FW_SEAL_PERMIT, true, &out->permit_no, pool));
    if (!*out->permit_no)
        return FW_ERR(pool, FW_E_INPUT, 0, "a seal without the permit's number");
    FW_TRY(take_date(&out->vds, FW_SEAL_FROM, &out->valid_from, pool));
    return take_date(&out->vds, FW_SEAL_TO, &out->valid_to, pool);
}
