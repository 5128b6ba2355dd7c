#ifndef FW_PLUGIN_SETTINGS_H
#define FW_PLUGIN_SETTINGS_H

#include "fw_settings.h"

/* What the process of a plugin is told ("role_settings" of worker/fww_role.h): its options but those of httpd, and the bytes
 * of its secrets, whose files are read here, so by whoever may. New. *missing (or NULL) is the first file that cannot be
 * read, with the reason, for a log; its secret is empty then. */
json_t *fw_plugin_settings(const fw_settings *s, const fw_plugin_conf *p, const char **missing,
                           apr_pool_t *pool);

#endif
