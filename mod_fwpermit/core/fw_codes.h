#ifndef FW_CODES_H
#define FW_CODES_H

#include "fw_config.h"
#include "fw_err.h"

/* Countries, Taiwan's counties, and the immigration agency's service stations. Never changes once
 * loaded. Texts are UTF-8 and live as long as the codes. */

typedef struct fw_codes fw_codes;

typedef struct fw_country {
    const char *code; /* ISO 3166 alpha-3, or a code of Doc 9303 */
    const char *zh;
    const char *en;
    const char
        *mrz; /* how machine-readable lines write it, fillers cut off: "D" of DEU, else `code` */
    bool special; /* of Doc 9303 alone (UTO, GBD, UNO …): not for choice lists */
} fw_country;

typedef struct fw_county {
    const char *code; /* of ISO 3166-2:TW without "TW-", such as "TPE" */
    const char *zh;   /* with 臺 */
    const char *en;
    const char *station; /* where addresses go that no other station's district list claims */
} fw_county;

typedef struct fw_station {
    const char *code; /* the county's, with a number where a county has two: "TXG1" */
    const char *county;
    const char *zh;
    const char *en;
    const char *address;
} fw_station;

/* Reads countries.json and counties.json of `dir`. FW_E_CONFIG names file, line or entry, and
 * reason. */
const fw_err *fw_codes_load(fw_codes **out, const char *dir, apr_pool_t *pool);

/* By alpha-3, or as machine-readable lines write it ("D", "D<<"); NULL if there is none. */
const fw_country *fw_codes_country(const fw_codes *codes, const char *alpha3);

const fw_county *fw_codes_county(const fw_codes *codes, const char *code);
const fw_station *fw_codes_station_of(const fw_codes *codes, const char *code);

/* The code of the county that a Taiwanese address begins with, or NULL. A postal code, 臺灣 and
 * white space may stand before it; 台 counts as 臺; a town's name (彰化市) or a county's former one
 * will do. */
const char *fw_codes_address_county(const fw_codes *codes, const char *address);

/* The code of the station that serves the address. `county` may be NULL: the address tells;
 * `address` may be NULL: the county's first station. NULL if neither tells. */
const char *fw_codes_station(const fw_codes *codes, const char *county, const char *address);

/* For choice lists, in the files' order; `n` gets the number. */
const fw_country *fw_codes_countries(const fw_codes *codes, int *n);
const fw_county *fw_codes_counties(const fw_codes *codes, int *n);
const fw_station *fw_codes_stations(const fw_codes *codes, int *n);

#endif
