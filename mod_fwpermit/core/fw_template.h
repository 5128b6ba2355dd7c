#ifndef FW_TEMPLATE_H
#define FW_TEMPLATE_H

#include "fw_err.h"
#include "fw_locale.h"
#include "fw_value.h"

/* Logic-less templates of HTML, compiled when the server starts; the compiler follows the HTML and picks each value's
 * escaper by where it stands. There is no raw form. Read-only after loading, shared by threads.
 *
 *   {{name}} {{a.b}} {{.}}      a value: text, number (whole), or true/false; missing or null is nothing
 *   {{#name}}…{{/name}}         for each of a list, within an object, or once where it is true, a number not 0, or a text not
 *                               empty; within it {{.}} is the item, the number or the text
 *   {{^name}}…{{/name}}         where {{#name}} would show nothing
 *   {{?name}}…{{/name}}         once, where {{#name}} would show anything; names within are looked up as outside
 *   {{>partial}}                another file, by its name without .html, compiled in the place where it stands, where its HTML must
 *                               also end; at most 8 deep
 *   {{t key}}                   the message of that key; its {names} come from the model; one that is missing stays as it is
 *   {{!comment}}
 *   {{json name}}               the value as JSON, only within <script type="application/json">
 *
 * Names ([A-Za-z0-9_-]+) are looked up in the innermost object that has them. A value may stand in text, in a double-quoted
 * attribute, and in a URL attribute (href, src, action, formaction, poster and the like). There it is alone: only
 * https://, http://, a path with a single leading "/" or a fragment "#…" passes (else "#"); or behind a beginning that the template
 * gives: "/" and something, after which more may follow, or at the end behind /, ?, #, mailto:, tel: or https:// and a host. Then it is
 * %-escaped as one piece. The URLs of script, link and iframe are always of the latter kind. Anywhere else (script,
 * style, comments, tag and attribute names, unquoted or single-quoted attributes, on*=, style=, srcdoc=) is an error, as is a
 * section whose content does not end in the state of the HTML in which it began. Attributes of a tag may be shown by sections,
 * each with its space: <option{{#selected}} selected{{/selected}}>.
 * The HTML is read strictly: "<" in text is &lt;, no space stands around the "=" of an attribute. */

typedef struct fw_templates fw_templates;

#define FW_TEMPLATE_BYTES_MAX 262144u  /* of a file */
#define FW_TEMPLATE_OUT_MAX   8388608u /* of a page */
#define FW_TEMPLATE_NEST      32       /* sections in sections, those around a partial counted */

/* Compiles every *.html of `dir`. FW_E_CONFIG names file, line and reason; a key of {{t}} that no catalogue has is one. */
const fw_err *fw_templates_load(fw_templates **out, const char *dir, const fw_locale *locale,
                                apr_pool_t *pool);

bool fw_templates_have(const fw_templates *all, const char *name);

/* The page; *html in `pool`, ended by NUL. FW_E_NOTFOUND: no such template; FW_E_LIMIT: it would be longer than
 * FW_TEMPLATE_OUT_MAX. */
const fw_err *fw_template_render(const fw_templates *all, const char *name, fw_value model,
                                 const char *lang, const char **html, apr_size_t *n,
                                 apr_pool_t *pool);

/* The value as JSON; in `pool`, ended by NUL. FW_E_LIMIT as above. */
const fw_err *fw_value_json(fw_value v, const char **json, apr_size_t *n, apr_pool_t *pool);

#endif
