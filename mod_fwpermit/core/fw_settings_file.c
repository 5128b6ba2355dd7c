#include "fw_config.h"
#include "fw_settings.h"

#include <string.h>
#include <strings.h>

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define LINE_MAX_BYTES 8192
#define WORDS          6
#define FILE_PREFIX    "file:"

/* The words of a line, with "quotes" and \ before a quote, as httpd reads them. -1: a quote is open. */
static int split(char *line, char **words)
{
    int n = 0;
    char *p = line;

    while (n < WORDS) {
        char *o;
        bool quoted;

        while (apr_isspace(*p))
            p++;
        if (!*p)
            return n;
        quoted = *p == '"';
        if (quoted)
            p++;
        words[n++] = o = p;
        while (*p && (quoted ? *p != '"' : !apr_isspace(*p))) {
            if (quoted && *p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            *o++ = *p++;
        }
        if (quoted && *p != '"')
            return -1;
        if (*p)
            p++;
        *o = '\0';
    }
    return n;
}

static const char *take_words(fw_settings *s, char **w, int n, apr_pool_t *pool)
{
    int rows = 0;
    const fw_directive *d = fw_directives(&rows);

    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): the line begins with a word */
    if (strcasecmp(w[0], "FwPermitPlugin") == 0)
        return n == 4 ? fw_settings_plugin(s, w[1], w[2], w[3], pool)
                      : "FwPermitPlugin takes a name, a port and a path";
    if (strcasecmp(w[0], "FwPermitPluginOption") == 0 ||
        strcasecmp(w[0], "FwPermitPluginSecret") == 0)
        return n == 4 ? fw_settings_plugin_option(s, strcasecmp(w[0], "FwPermitPluginSecret") == 0,
                                                  w[1], w[2], w[3], pool)
                      : "it takes a plugin's name, a key and a value";
    for (int i = 0; i < rows; i++) {
        if (strcasecmp(d[i].name, w[0]) == 0)
            return n == 2 ? fw_settings_take(s, &d[i], w[1], pool) : "it takes one value";
    }
    return "there is no such directive";
}

static const fw_err *take_line(fw_settings *s, char *line, const char *file, int number,
                               apr_pool_t *pool)
{
    char *words[WORDS] = {NULL};
    const char *why;
    int n;

    while (apr_isspace(*line))
        line++;
    if (strncasecmp(line, "FwPermit", 8) != 0)
        return NULL;
    n = split(line, words);
    why = n < 0 ? "a quote is not closed" : take_words(s, words, n, pool);
    if (why)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s:%d: %s: %s", file, number, words[0], why);
    return NULL;
}

const fw_err *fw_settings_read(fw_settings **out, const char *file, apr_pool_t *pool)
{
    fw_settings *s = fw_settings_make(pool);
    char line[LINE_MAX_BYTES];
    apr_file_t *f;
    int number = 0;
    const char *why;
    apr_status_t rv =
        apr_file_open(&f, file, APR_FOPEN_READ | APR_FOPEN_BUFFERED, APR_FPROT_OS_DEFAULT, pool);

    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s cannot be opened", file);
    while (apr_file_gets(line, sizeof(line), f) == APR_SUCCESS) {
        number++;
        FW_TRY(take_line(s, line, file, number, pool));
    }
    apr_file_close(f);
    why = fw_settings_check(s, pool);
    if (why)
        return FW_ERR(pool, FW_E_CONFIG, 0, "%s: %s", file, why);
    *out = s;
    return NULL;
}

static char *trim(char *line)
{
    char *end = line + strlen(line);

    while (end > line && apr_isspace(end[-1]))
        end--;
    *end = '\0';
    while (apr_isspace(*line))
        line++;
    return line;
}

const fw_err *fw_settings_database(const fw_settings *s, const char **params, apr_pool_t *pool)
{
    const char *path = s->db_params + strlen(FILE_PREFIX);
    char line[LINE_MAX_BYTES];
    apr_file_t *f;
    apr_status_t rv;

    *params = s->db_params;
    if (strncmp(s->db_params, FILE_PREFIX, strlen(FILE_PREFIX)) != 0)
        return NULL;
    rv = apr_file_open(&f, path, APR_FOPEN_READ | APR_FOPEN_BUFFERED, APR_FPROT_OS_DEFAULT, pool);
    if (rv)
        return FW_ERR(pool, FW_E_CONFIG, rv, "%s of FwPermitDatabase cannot be opened", path);
    *params = "";
    while (apr_file_gets(line, sizeof(line), f) == APR_SUCCESS) {
        char *words = trim(line);

        if (*words && *words != '#')
            *params = apr_pstrcat(pool, *params, **params ? " " : "", words, NULL);
    }
    apr_file_close(f);
    return **params ? NULL : FW_ERR(pool, FW_E_CONFIG, 0, "%s of FwPermitDatabase is empty", path);
}
