/* A PDF file as the signer reads it: every place that is named lies in the file. */
#include "fw_config.h"
#include "fuzz.h"

#include "../../mod_fwpermit/worker/fww_pdfread.h"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void want_within(const fww_pdfread *f, fww_span s)
{
    fuzz_want(s.at <= s.end && s.end <= f->n, "a span lies in the file");
}

static void look_at(fww_pdfread *f, fww_span dict)
{
    static const char *const keys[] = {"/Root", "/AcroForm", "/Fields", "/Pages",
                                       "/Kids", "/Annots",   "/Type",   "/Size"};

    want_within(f, dict);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        fww_span value, out;
        size_t number;
        fww_ref ref;

        if (!fww_pdfread_get(f, dict, keys[i], &value))
            continue;
        want_within(f, value);
        want_within(f, fww_pdfread_first(f, value));
        fww_pdfread_uint(f, value, &number);
        fww_pdfread_is(f, value, "/Catalog");
        if (fww_pdfread_ref(f, value, &ref) && !fww_pdfread_dict(f, ref, &out))
            want_within(f, out);
        if (!fww_pdfread_resolve(f, value, &out))
            want_within(f, out);
    }
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    fww_pdfread f;
    const fw_err *err = fww_pdfread_open(&f, (const char *)data, n, pool);

    if (err) {
        fuzz_want(err->code == FW_E_INPUT || err->code == FW_E_LIMIT, "the file is at fault");
        return;
    }
    fuzz_want(f.startxref < n, "the table lies in the file");
    look_at(&f, f.trailer);
    for (int i = 0; i < f.table->nelts && i < 200; i++) {
        fww_span dict;

        if (fww_pdfread_dict(&f, (fww_ref){(unsigned)i, 0}, &dict))
            continue;
        fuzz_want(dict.end - dict.at >= 4 && memcmp(data + dict.at, "<<", 2) == 0 &&
                      memcmp(data + dict.end - 2, ">>", 2) == 0,
                  "a dictionary is one");
        look_at(&f, dict);
    }
}
