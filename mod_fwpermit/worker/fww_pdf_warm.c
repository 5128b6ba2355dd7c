#include "fw_config.h"
#include "fww_pdf.h"

/* All that a paper may have, so each size of a face; and the scripts in which names come most. */
static json_t *nobodys(void)
{
    json_t *pair = json_pack("{s:s, s:s}", "zh", "外國人居留許可，以線上查驗為準。", "en",
                             "Permit No. 0123456789: Residence");
    json_t *rows =
        json_pack("[{s:O, s:s, s:b, s:b}, {s:O, s:s}, {s:O, s:s}]", "label", pair, "value",
                  "NGUYỄN Văn 阮 0123456789", "big", 1, "wide", 1, "label", pair, "value",
                  "NGUYỄN Văn 阮 0123456789", "label", pair, "value", "ศรี မောင် Цэцэг ខ្មែរ محمد");

    return json_pack("{s:s, s:s, s:s, s:s, s:O, s:O, s:O, s:O, s:O, s:[{s:o, s:o}]}", "kind",
                     "permit", "number", "ABCXYZ-0123456789", "qr", "https://localhost/",
                     "watermark", "0", "agency", pair, "title", pair, "qr_note", pair, "footer",
                     pair, "rows", rows, "sections", "title", pair, "rows", rows);
}

const fw_err *fww_pdf_warm(apr_pool_t *pool)
{
    json_t *doc = nobodys();
    apr_pool_t *own;
    fww_pdf out;
    const fw_err *err;

    apr_pool_create(&own, pool);
    err = fww_pdf_render(doc, NULL, 0, &out, own);
    if (err)
        err = fw_err_make(pool, err->code, err->os, err->file, err->line, "%s", err->msg);
    apr_pool_destroy(own);
    json_decref(doc);
    return err;
}
