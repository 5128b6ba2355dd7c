#ifndef FWW_PLUGIN_HTTP_H
#define FWW_PLUGIN_HTTP_H

#include "fwpermit_plugin.h"

#define FWW_HTTP_CONNECT_MS   10000 /* at most, within the call's time */
#define FWW_HTTP_HEADERS      32    /* of a request */
#define FWW_HTTP_HEADERS_BACK 64    /* of a response */

/* fwp_host.http: one exchange by libcurl, on a connection of its own, within the call's time: https, or
 * http where the policy allows it; TLS 1.2 or newer; peer and name verified; no redirect; no
 * environment proxy. The policy's files are read anew for each exchange, so that a certificate which
 * changed is taken at once; a key with a passphrase is none. Whatever is returned lives in the call's arena. */
int fww_plugin_http(fwp_call *call, const fwp_http_request *request, fwp_http_response *response);

#endif
