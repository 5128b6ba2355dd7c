#include "fw_config.h"
#include "fwc_doctor.h"

#include <glob.h>
#include <libgen.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <apr_lib.h>
#include <apr_strings.h>

#define MAIN      "/etc/apache2/apache2.conf"
#define DEPTH_MAX 8
#define ENABLE    "a2enconf zz-fwpermit && systemctl reload apache2"

/* What httpd's configuration says, files included, the last word winning; conditions and sections are not looked at,
 * for what is meant here stands outside of them or once. */
typedef struct httpd_conf {
    fwc_doctor *d;
    const char *root;
    apr_table_t *said;    /* directive → its words */
    apr_table_t *modules; /* name → file */
} httpd_conf;

static void read_conf(httpd_conf *h, const char *path, int depth);

static void include(httpd_conf *h, const char *pattern, int depth)
{
    glob_t found = {0};

    if (*pattern != '/')
        pattern = apr_pstrcat(h->d->pool, h->root, "/", pattern, NULL);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_conf(h, apr_pstrdup(h->d->pool, found.gl_pathv[i]), depth + 1);
    }
    globfree(&found);
}

static char *unquote(char *text)
{
    size_t n = strlen(text);

    if (n < 2 || text[0] != '"' || text[n - 1] != '"')
        return text;
    text[n - 1] = '\0';
    return text + 1;
}

static void take_line(httpd_conf *h, char *line, int depth)
{
    char *name = line, *rest;
    size_t n;

    while (apr_isspace(*name))
        name++;
    n = strcspn(name, " \t");
    if (n == 0 || *name == '#')
        return;
    rest = name + n;
    if (*rest)
        *rest++ = '\0';
    while (apr_isspace(*rest))
        rest++;
    for (n = strlen(rest); n > 0 && apr_isspace(rest[n - 1]); n--)
        rest[n - 1] = '\0';
    if (strcasecmp(name, "Include") == 0 || strcasecmp(name, "IncludeOptional") == 0)
        include(h, unquote(rest), depth);
    else if (strcasecmp(name, "ServerRoot") == 0)
        h->root = unquote(rest);
    else if (strcasecmp(name, "LoadModule") == 0 && strpbrk(rest, " \t"))
        apr_table_set(h->modules, apr_pstrmemdup(h->d->pool, rest, strcspn(rest, " \t")),
                      unquote(strpbrk(rest, " \t") + 1));
    else
        apr_table_set(h->said, name, rest);
}

static void read_conf(httpd_conf *h, const char *path, int depth)
{
    const char *text = NULL;
    char *line;

    if (depth > DEPTH_MAX || fwc_read_file(&text, path, h->d->pool))
        return;
    line = apr_pstrdup(h->d->pool, text);
    while (line) {
        char *end = strchr(line, '\n');

        if (end)
            *end++ = '\0';
        take_line(h, line, depth);
        line = end;
    }
}

/* ---- judging ---- */

static void check_said(httpd_conf *h, const char *name, const char *wanted, const char *why,
                       const char *mend)
{
    const char *words = apr_table_get(h->said, name);

    if (words && (!wanted || strcasestr(words, wanted)))
        fwc_good(h->d, "httpd: %s %s", name, words);
    else
        fwc_fault(h->d, mend, "httpd: %s is %s%s%s: %s", name, words ? words : "not set",
                  wanted ? ", not " : "", wanted ? wanted : "", why);
}

static void check_module(httpd_conf *h, const char *name, const char *mend)
{
    const char *file = apr_table_get(h->modules, name);

    if (!file)
        fwc_fault(h->d, mend, "httpd: %s is not loaded", name);
    else if (*file == '/' && access(file, R_OK) != 0)
        fwc_fault(h->d, "make -f Makefile.apxs install", "httpd: %s: %s is not there", name, file);
}

static httpd_conf conf_of(fwc_doctor *d, const char *path)
{
    return (httpd_conf){.d = d,
                        .root = dirname(apr_pstrdup(d->pool, path)),
                        .said = apr_table_make(d->pool, 64),
                        .modules = apr_table_make(d->pool, 64)};
}

/* An httpd of its own, as the demo's: the file with the directives loads the module by itself. */
static bool is_main(fwc_doctor *d, const char *path)
{
    httpd_conf h = conf_of(d, path);

    read_conf(&h, path, DEPTH_MAX);
    return apr_table_get(h.modules, "fwpermit_module");
}

void fwc_check_httpd(fwc_doctor *d)
{
    const char *path = fwc_option(d->c, "httpd");
    httpd_conf h;

    if (!path)
        path = is_main(d, d->c->conf) ? d->c->conf : MAIN;
    h = conf_of(d, path);
    if (access(path, R_OK) != 0) {
        fwc_note(d, "httpd's configuration %s is not there: name it by --httpd", path);
        return;
    }
    read_conf(&h, path, 0);
    check_module(&h, "fwpermit_module", "a2enmod fwpermit && systemctl restart apache2");
    check_module(&h, "alias_module", "a2enmod alias");
    check_module(&h, "headers_module", "a2enmod headers");
    check_module(&h, "reqtimeout_module", "a2enmod reqtimeout");
    check_module(&h, "setenvif_module", "a2enmod setenvif");
    check_module(&h, "unique_id_module", "a2enmod unique_id");
    check_said(&h, "ErrorLogFormat", "[%L]",
               "its lines would lack the request's id, and have a Referer", ENABLE);
    check_said(&h, "HttpProtocolOptions", "Strict", "malformed requests would be taken", ENABLE);
    check_said(&h, "TraceEnable", "off", "TRACE shows what a browser sent", ENABLE);
    check_said(&h, "ServerTokens", "Prod", "versions are told to everybody", ENABLE);
    check_said(&h, "RequestReadTimeout", NULL, "slow clients could hold all threads", ENABLE);
    check_said(&h, "LimitRequestBody", NULL, "bodies of 1 GiB would be taken",
               "Include /usr/share/fwpermit/httpd/pages.conf, at the end of fwpermit.conf");
}
