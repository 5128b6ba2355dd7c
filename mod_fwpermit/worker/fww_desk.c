#include "fw_config.h"
#include "fww_desk.h"

#include <unistd.h>

#include <apr_strings.h>

#define TRIES 20
#define PAUSE apr_time_from_msec(500)

/* Whether to try again is told, the reason logged: what was made in trying is given back each time. */
static const fw_err *check(const fw_desk *desk, const fww_role_env *env, bool *again)
{
    apr_pool_t *scratch;
    const fw_err *err, *kept = NULL;

    apr_pool_create(&scratch, env->pool);
    err = fw_desk_check(desk, scratch);
    *again = err && fw_err_retryable(err);
    if (err)
        kept = FW_ERR(env->pool, err->code, err->os, "%s", fw_err_text(err, scratch));
    apr_pool_destroy(scratch);
    return kept;
}

const fw_err *fww_desk_open(fw_desk **out, const fww_role_env *env, bool with_vault)
{
    const fw_err *err;
    bool again = false;

    FW_TRY(fw_desk_open(out, env->site, with_vault, env->pool));
    err = check(*out, env, &again);
    for (int tries = 1; again && tries < TRIES && !*env->stop; tries++) {
        apr_sleep(PAUSE);
        err = check(*out, env, &again);
    }
    return err;
}

const char *fww_node(const fww_role_env *env)
{
    const char *node = json_string_value(json_object_get(env->settings, "node"));
    char host[65] = "";

    if (!node && gethostname(host, sizeof(host) - 1) == 0)
        node = host;
    return apr_psprintf(env->pool, "%s:%s:", node ? node : "", env->run_dir);
}

const char *fww_owner(const fww_role_env *env)
{
    return apr_psprintf(env->pool, "%s%d:%" APR_TIME_T_FMT, fww_node(env), (int)getpid(),
                        apr_time_now());
}
