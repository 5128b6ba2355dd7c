#include "fw_config.h"
#include "fw_show_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_name.h"
#include "fw_show_system.h"

/* What border and labour agency say, beside what was filed. */

static bool agrees(const fw_show *s, const fw_field *f, const char *value, const char *says)
{
    fw_form_env env = fw_desk_form_env(s->desk, s->now, s->pool);
    const char *theirs = fw_form_normalise(&env, f, says);

    if (f->type == FW_FIELD_NAME_LATIN)
        return fw_name_can_be(value, says, s->pool);
    return strcmp(value, theirs) == 0;
}

static fw_value line_of(const fw_show *s, const fw_field *f, const char *value, const char *path,
                        const char *says)
{
    const char *who = apr_pstrndup(s->pool, path, strcspn(path, "."));
    bool same = agrees(s, f, value, says);

    return fw_pack(s->pool, "{s:s, s:s, s:s, s:b, s:b}", "source", who, "label",
                   fw_show_text(s, apr_pstrcat(s->pool, "said.", who, NULL)), "value",
                   fw_show_value(s, f, says), "agrees", same, "differs", !same);
}

fw_value fw_show_said(const fw_show *s, const fw_said *said, const fw_field *f, const char *value)
{
    char *rest = f->beside ? apr_pstrdup(s->pool, f->beside) : NULL, *last = NULL;
    fw_value list = fw_list(s->pool);

    for (char *path = rest ? apr_strtok(rest, " ", &last) : NULL; path;
         path = apr_strtok(NULL, " ", &last)) {
        const char *says = fw_said_text(said, path);

        if (says && *says)
            fw_add(list, line_of(s, f, value, path, says));
    }
    return list;
}

static bool names(const fw_service *service, const char *source)
{
    for (int i = 0; i < service->n_fields; i++) {
        if (service->fields[i].beside && strstr(service->fields[i].beside, source))
            return true;
    }
    return false;
}

static const fw_err *add_silent(const fw_show *s, fw_value list, const char *port)
{
    const char *key = apr_pstrcat(s->pool, "said.", port, "_silent", NULL);
    fw_value o = fw_pack(s->pool, "{s:s}", "text", fw_show_text(s, key));

    fw_add(list, o);
    return fw_show_link(s, o, port, true);
}

const fw_err *fw_show_silent(const fw_show *s, const fw_said *said, const fw_service *service,
                             fw_value *out)
{
    *out = fw_list(s->pool);
    if (!said->border && names(service, "border."))
        FW_TRY(add_silent(s, *out, "border"));
    if (!said->labour && names(service, "labour."))
        FW_TRY(add_silent(s, *out, "labour"));
    return NULL;
}
