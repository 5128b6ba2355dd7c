#ifndef FWW_PLUGIN_FILES_H
#define FWW_PLUGIN_FILES_H

#include "fwpermit_plugin.h"

/* fwp_host.file_size, file_read, file_write. */
int64_t fww_plugin_file_size(fwp_call *call, const char *name);
int64_t fww_plugin_file_read(fwp_call *call, const char *name, int64_t offset, void *buffer,
                             size_t n);
int fww_plugin_file_write(fwp_call *call, const char *name, const void *bytes, size_t n);

#endif
