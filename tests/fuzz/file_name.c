/* A file's name as it was sent: what is kept is safe on a page and on a disk, and a header gives it back whole. */
#include "fw_config.h"
#include "fuzz.h"

#include "fw_file_name.h"
#include "fw_urlencoded.h"
#include "fw_utf8.h"

#define UTF8 "filename*=UTF-8''"

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void judge_header(const char *name, const char *mime, const char *extension,
                         apr_pool_t *pool)
{
    const char *header = fw_file_name_disposition(name, mime, pool), *last = strrchr(header, '"');
    const char *text = last ? strstr(last, UTF8) : NULL;
    apr_array_header_t *pairs = NULL;
    size_t quotes = 0, n = strlen(name);

    for (const char *p = header; *p; p++) {
        fuzz_want(*p >= 0x20 && *p < 0x7f && !strchr("\\/", *p), "it is plain");
        quotes += *p == '"';
    }
    fuzz_want(quotes == 2 && text, "one quoted name, one encoded");
    text = apr_pstrcat(pool, "n=", text + strlen(UTF8), NULL);
    fuzz_want(!fw_urlencoded_parse(&pairs, text, strlen(text), 1, pool), "it decodes");
    text = APR_ARRAY_IDX(pairs, 0, fw_pair).value;
    fuzz_want(strncmp(text, name, n) == 0, "to the name");
    fuzz_want(!text[n] || strcmp(text + n, extension) == 0, "and at most an extension");
    fuzz_want(!*extension || strcasecmp(text + strlen(text) - 4, extension) == 0 ||
                  strcasecmp(text + strlen(text) - 5, ".jpeg") == 0,
              "which fits");
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    const char *sent = apr_pstrmemdup(pool, (const char *)data, n);
    const char *name = fw_file_name_clean(sent, pool);

    fuzz_want(*name && strlen(name) <= FW_FILE_NAME_MAX, "there is one, and not too long");
    fuzz_want(*name != '.' && !strpbrk(name, "/\\"), "it is no path");
    if (!fw_utf8_valid(sent))
        return;
    fuzz_want(fw_utf8_valid(name), "it stays UTF-8");
    fuzz_want(strcmp(fw_file_name_clean(name, pool), name) == 0, "what is clean stays");
    for (const char *p = name; *p;)
        fuzz_want(!fw_utf8_hidden(fw_utf8_next(&p)), "nothing in it is hidden");
    judge_header(name, "application/pdf", ".pdf", pool);
    judge_header(name, "image/jpeg", ".jpg", pool);
    judge_header(name, "image/png", ".png", pool);
    judge_header(name, "application/octet-stream", "", pool);
}
