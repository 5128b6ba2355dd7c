#ifndef KIT_SETTINGS_H
#define KIT_SETTINGS_H

#include "fwpermit_plugin.h"

#include <stdbool.h>

/* Settings by a table: each option's name, whether it must be there, its form, and where its text goes in the plugin's
 * own struct of texts. */
typedef struct kit_option {
    const char *name;
    bool needed, secret;
    bool (*good)(const char *value);
    size_t at; /* offsetof() a const char * */
} kit_option;

/* Fills `into`, which is zeroed, with pointers into `config` (valid as long as that is). NULL, or what is wrong: it names
 * the option. Unknown options, ones that stand twice, are empty or hold a NUL, secrets given as options and options given
 * as secrets are refused. */
const char *kit_settings_read(const kit_option *options, size_t n_options, const fwp_host *host,
                              fwp_call *call, const fwp_kv *config, size_t n, void *into);

/* Puts copies of its own in place of all texts of `into`; false: no memory, and all are forgotten. */
bool kit_settings_keep(const kit_option *options, size_t n_options, void *into);
/* Frees what kit_settings_keep() made, and leaves NULL. */
void kit_settings_forget(const kit_option *options, size_t n_options, void *into);

/* Forms. */
bool kit_is_base_url(const char *v); /* http or https, no query, no slash at its end */
bool kit_is_path(const char *v);     /* from the root */
bool kit_is_yes_no(const char *v);
bool kit_is_line(const char *v); /* no control character */

#endif
