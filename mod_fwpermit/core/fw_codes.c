#include "fw_config.h"
#include "fw_codes.h"

#include <string.h>

#include <apr_strings.h>
#include <jansson.h>

#include "fw_utf8.h"

#define CODE_MAX 8

typedef struct alias {
    const char *text; /* with 臺 */
    const char *county;
} alias;

typedef struct district {
    const char *stem; /* without 區, 鎮 and the like */
    const char *station;
    const char *county;
} district;

struct fw_codes {
    apr_array_header_t *countries; /* fw_country */
    apr_array_header_t *counties;  /* fw_county */
    apr_array_header_t *stations;  /* fw_station */
    apr_array_header_t *aliases;   /* alias */
    apr_array_header_t *districts; /* district */
};

/* A file being read. */
typedef struct reader {
    const char *path;
    const char *list; /* the name of the array, for messages */
    apr_pool_t *pool;
} reader;

static const fw_err *fault(const reader *r, size_t entry, const char *reason, const char *what)
{
    return FW_ERR(r->pool, FW_E_CONFIG, 0, "%s: %s[%" APR_SIZE_T_FMT "]: %s%s%s", r->path, r->list,
                  entry, reason, what ? " " : "", what ? what : "");
}

static const fw_err *load_file(const reader *r, json_t **out)
{
    json_error_t error;

    *out = json_load_file(r->path, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return FW_ERR(r->pool, FW_E_CONFIG, 0, "%s:%d: %s", r->path, error.line, error.text);
    return NULL;
}

/* Capital letters and digits, a letter first. */
static bool code_valid(const char *code, size_t least, size_t most)
{
    size_t n = strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");

    return n >= least && n <= most && !code[n] && code[0] >= 'A';
}

static const fw_err *take_country(fw_codes *codes, const reader *r, json_t *entry, size_t i)
{
    const char *code, *zh, *en, *mrz = NULL;
    int special = 0;
    json_error_t error;
    fw_country *out;

    if (json_unpack_ex(entry, &error, 0, "{s:s, s:s, s:s, s?s, s?b !}", "code", &code, "zh", &zh,
                       "en", &en, "mrz", &mrz, "special", &special))
        return fault(r, i, error.text, NULL);
    if (!code_valid(code, 3, 3))
        return fault(r, i, "is no alpha-3 code:", code);
    if (mrz && !code_valid(mrz, 1, 3))
        return fault(r, i, "cannot stand in machine-readable lines:", mrz);
    if (!*zh || !*en)
        return fault(r, i, "has no name:", code);
    if (fw_codes_country(codes, code) || (mrz && fw_codes_country(codes, mrz)))
        return fault(r, i, "comes twice:", code);
    out = apr_array_push(codes->countries);
    out->code = apr_pstrdup(r->pool, code);
    out->zh = apr_pstrdup(r->pool, zh);
    out->en = apr_pstrdup(r->pool, en);
    out->mrz = mrz ? apr_pstrdup(r->pool, mrz) : out->code;
    out->special = special != 0;
    return NULL;
}

static const fw_err *take_countries(fw_codes *codes, const reader *r, json_t *root)
{
    size_t i;
    json_t *entry;

    if (!json_is_array(root) || json_array_size(root) == 0)
        return fault(r, 0, "a list of countries is wanted", NULL);
    json_array_foreach(root, i, entry) FW_TRY(take_country(codes, r, entry, i));
    return NULL;
}

/* The text with 臺 for 台. */
static const char *unified(const char *text, apr_pool_t *pool)
{
    char *out = apr_pstrdup(pool, text);

    for (char *p = strstr(out, "台"); p; p = strstr(p, "台"))
        memcpy(p, "臺", strlen("臺"));
    return out;
}

static const fw_err *add_alias(fw_codes *codes, const reader *r, size_t i, const char *text,
                               const char *county)
{
    const char *own = unified(text, r->pool);
    alias *a;

    if (!*text)
        return fault(r, i, "has an empty alias", NULL);
    for (int k = 0; k < codes->aliases->nelts; k++)
        if (strcmp(APR_ARRAY_IDX(codes->aliases, k, alias).text, own) == 0)
            return fault(r, i, "names what another county is called:", own);
    a = apr_array_push(codes->aliases);
    a->text = own;
    a->county = county;
    return NULL;
}

/* The stations of a county are entered with their county; their own entries follow. */
static const fw_err *add_stations(fw_codes *codes, const reader *r, size_t i, json_t *list,
                                  fw_county *county)
{
    size_t k;
    json_t *item;

    if (!json_is_array(list) || json_array_size(list) == 0)
        return fault(r, i, "has no station", NULL);
    json_array_foreach(list, k, item)
    {
        const char *code = json_string_value(item);
        fw_station *s;

        if (!code || !code_valid(code, 2, CODE_MAX))
            return fault(r, i, "has a station that is no code", NULL);
        if (fw_codes_station_of(codes, code))
            return fault(r, i, "has another county's station", code);
        s = apr_array_push(codes->stations);
        *s = (fw_station){.code = apr_pstrdup(r->pool, code), .county = county->code};
        if (k == 0)
            county->station = s->code;
    }
    return NULL;
}

static const fw_err *take_county(fw_codes *codes, const reader *r, json_t *entry, size_t i)
{
    const char *code, *zh, *en;
    json_t *aliases, *stations, *item;
    json_error_t error;
    fw_county *out;
    size_t k;

    if (json_unpack_ex(entry, &error, 0, "{s:s, s:s, s:s, s:o, s:o !}", "code", &code, "zh", &zh,
                       "en", &en, "aliases", &aliases, "stations", &stations))
        return fault(r, i, error.text, NULL);
    if (!code_valid(code, 2, CODE_MAX) || !*zh || !*en)
        return fault(r, i, "has no code or no name", NULL);
    if (fw_codes_county(codes, code))
        return fault(r, i, "comes twice:", code);
    if (!json_is_array(aliases))
        return fault(r, i, "aliases must be a list", NULL);
    out = apr_array_push(codes->counties);
    out->code = apr_pstrdup(r->pool, code);
    out->zh = unified(zh, r->pool);
    out->en = apr_pstrdup(r->pool, en);
    FW_TRY(add_alias(codes, r, i, zh, out->code));
    json_array_foreach(aliases, k, item)
    {
        if (!json_is_string(item))
            return fault(r, i, "has an alias that is no text", NULL);
        FW_TRY(add_alias(codes, r, i, json_string_value(item), out->code));
    }
    return add_stations(codes, r, i, stations, out);
}

/* A district's name without its last character, so that a former 鎮 or 鄉 is found as well; names of
 * two characters (東區) are kept whole. */
static const char *stem_of(const char *name, apr_pool_t *pool)
{
    const char *p = name, *last = name;
    int n = 0;

    for (; *p; n++) {
        last = p;
        fw_utf8_next(&p);
    }
    name = n > 2 ? apr_pstrndup(pool, name, (apr_size_t)(last - name)) : name;
    return unified(name, pool);
}

static const fw_err *take_station(fw_codes *codes, const reader *r, json_t *entry, size_t i)
{
    const char *code, *zh, *en, *address;
    json_t *districts = NULL, *item;
    json_error_t error;
    fw_station *out = NULL;
    size_t k;

    if (json_unpack_ex(entry, &error, 0, "{s:s, s:s, s:s, s:s, s?o !}", "code", &code, "zh", &zh,
                       "en", &en, "address", &address, "districts", &districts))
        return fault(r, i, error.text, NULL);
    for (int n = 0; n < codes->stations->nelts && !out; n++)
        if (strcmp(APR_ARRAY_IDX(codes->stations, n, fw_station).code, code) == 0)
            out = &APR_ARRAY_IDX(codes->stations, n, fw_station);
    if (!out)
        return fault(r, i, "belongs to no county:", code);
    if (out->zh)
        return fault(r, i, "comes twice:", code);
    if (!*zh || !*en || !*address)
        return fault(r, i, "has no name or no address:", code);
    out->zh = unified(zh, r->pool);
    out->en = apr_pstrdup(r->pool, en);
    out->address = unified(address, r->pool);
    if (districts && !json_is_array(districts))
        return fault(r, i, "districts must be a list", NULL);
    json_array_foreach(districts, k, item)
    {
        district *d;

        if (!json_is_string(item) || !json_string_length(item))
            return fault(r, i, "has a district that is no text", NULL);
        d = apr_array_push(codes->districts);
        d->stem = stem_of(json_string_value(item), r->pool);
        d->station = out->code;
        d->county = out->county;
    }
    return NULL;
}

static const fw_err *take_places(fw_codes *codes, reader *r, json_t *root)
{
    json_t *counties, *stations, *entry;
    json_error_t error;
    size_t i;

    if (json_unpack_ex(root, &error, 0, "{s:o, s:o !}", "counties", &counties, "stations",
                       &stations))
        return FW_ERR(r->pool, FW_E_CONFIG, 0, "%s: %s", r->path, error.text);
    if (!json_is_array(counties) || json_array_size(counties) == 0)
        return fault(r, 0, "a list of counties is wanted", NULL);
    json_array_foreach(counties, i, entry) FW_TRY(take_county(codes, r, entry, i));
    r->list = "stations";
    json_array_foreach(stations, i, entry) FW_TRY(take_station(codes, r, entry, i));
    for (int n = 0; n < codes->stations->nelts; n++)
        if (!APR_ARRAY_IDX(codes->stations, n, fw_station).zh)
            return fault(r, i, "are at an end without",
                         APR_ARRAY_IDX(codes->stations, n, fw_station).code);
    return NULL;
}

const fw_err *fw_codes_load(fw_codes **out, const char *dir, apr_pool_t *pool)
{
    fw_codes *codes = apr_pcalloc(pool, sizeof(*codes));
    reader countries = {apr_pstrcat(pool, dir, "/countries.json", NULL), "countries", pool};
    reader places = {apr_pstrcat(pool, dir, "/counties.json", NULL), "counties", pool};
    const fw_err *err;
    json_t *root;

    codes->countries = apr_array_make(pool, 300, sizeof(fw_country));
    codes->counties = apr_array_make(pool, 22, sizeof(fw_county));
    codes->stations = apr_array_make(pool, 25, sizeof(fw_station));
    codes->aliases = apr_array_make(pool, 64, sizeof(alias));
    codes->districts = apr_array_make(pool, 64, sizeof(district));
    FW_TRY(load_file(&countries, &root));
    err = take_countries(codes, &countries, root);
    json_decref(root);
    if (err)
        return err;
    FW_TRY(load_file(&places, &root));
    err = take_places(codes, &places, root);
    json_decref(root);
    if (!err)
        *out = codes;
    return err;
}

const fw_country *fw_codes_country(const fw_codes *codes, const char *alpha3)
{
    size_t n = alpha3 ? strcspn(alpha3, "<") : 0;

    if (n == 0 || n > 3 || alpha3[n + strspn(alpha3 + n, "<")])
        return NULL;
    for (int i = 0; i < codes->countries->nelts; i++) {
        const fw_country *c = &APR_ARRAY_IDX(codes->countries, i, fw_country);

        if ((strncmp(c->code, alpha3, n) == 0 && !c->code[n]) ||
            (strncmp(c->mrz, alpha3, n) == 0 && !c->mrz[n]))
            return c;
    }
    return NULL;
}

const fw_county *fw_codes_county(const fw_codes *codes, const char *code)
{
    for (int i = 0; code && i < codes->counties->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(codes->counties, i, fw_county).code, code) == 0)
            return &APR_ARRAY_IDX(codes->counties, i, fw_county);
    return NULL;
}

const fw_station *fw_codes_station_of(const fw_codes *codes, const char *code)
{
    for (int i = 0; code && i < codes->stations->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(codes->stations, i, fw_station).code, code) == 0)
            return &APR_ARRAY_IDX(codes->stations, i, fw_station);
    return NULL;
}

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x00A0 || c == 0x3000;
}

/* What follows `pattern` (which has 臺) at the beginning of the text, white space passed over and
 * 台 read as 臺; NULL if it does not begin so. */
static const char *behind(const char *text, const char *pattern)
{
    while (*pattern) {
        uint32_t c = fw_utf8_next(&text);

        if (is_space(c))
            continue;
        if (c == 0x53F0) /* 台 */
            c = 0x81FA;
        if (c != fw_utf8_next(&pattern))
            return NULL;
    }
    return text;
}

/* The address from its county on: without postal code, brackets, and the land's or province's
 * name. */
static const char *skip_head(const char *address)
{
    static const char *const lands[] = {"中華民國", "臺灣省", "福建省", "臺灣"};

    while (*address) {
        const char *next = address;
        uint32_t c = fw_utf8_next(&next);

        if (!is_space(c) && !(c >= '0' && c <= '9') && !(c >= 0xFF10 && c <= 0xFF19) &&
            !(c < 0x80 && strchr("()-,[]", (int)c)) && c != 0xFF08 && c != 0xFF09)
            break;
        address = next;
    }
    for (size_t i = 0; i < sizeof(lands) / sizeof(lands[0]); i++) {
        const char *rest = behind(address, lands[i]);

        if (rest)
            return skip_head(rest);
    }
    return address;
}

/* The longest name of a county that the address begins with; `*rest` gets what follows it. */
static const alias *find_alias(const fw_codes *codes, const char *address, const char **rest)
{
    const alias *found = NULL;
    const char *from = skip_head(address);

    for (int i = 0; i < codes->aliases->nelts; i++) {
        const alias *a = &APR_ARRAY_IDX(codes->aliases, i, alias);
        const char *end = behind(from, a->text);

        if (end && (!found || strlen(a->text) > strlen(found->text))) {
            found = a;
            *rest = end;
        }
    }
    return found;
}

const char *fw_codes_address_county(const fw_codes *codes, const char *address)
{
    const char *rest;
    const alias *found = address ? find_alias(codes, address, &rest) : NULL;

    return found ? found->county : NULL;
}

const char *fw_codes_station(const fw_codes *codes, const char *county, const char *address)
{
    const char *rest = NULL;
    const alias *found = address ? find_alias(codes, address, &rest) : NULL;
    const fw_county *c = fw_codes_county(codes, county ? county : found ? found->county : NULL);

    if (!c)
        return NULL;
    for (int i = 0; found && i < codes->districts->nelts; i++) {
        const district *d = &APR_ARRAY_IDX(codes->districts, i, district);

        if (strcmp(d->county, c->code) == 0 && strcmp(found->county, c->code) == 0 &&
            behind(rest, d->stem))
            return d->station;
    }
    return c->station;
}

const fw_country *fw_codes_countries(const fw_codes *codes, int *n)
{
    *n = codes->countries->nelts;
    return (const fw_country *)codes->countries->elts;
}

const fw_county *fw_codes_counties(const fw_codes *codes, int *n)
{
    *n = codes->counties->nelts;
    return (const fw_county *)codes->counties->elts;
}

const fw_station *fw_codes_stations(const fw_codes *codes, int *n)
{
    *n = codes->stations->nelts;
    return (const fw_station *)codes->stations->elts;
}
