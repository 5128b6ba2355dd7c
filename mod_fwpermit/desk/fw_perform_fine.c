#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_store_case.h"
#include "fw_store_fine.h"

/* What the fines system knows of the cases that a command is about. */

static bool is_listed(const fw_view *v, const char *fine_no)
{
    for (int i = 0; i < v->n_fines; i++) {
        if (strcmp(v->fines[i].fine_no, fine_no) == 0)
            return true;
    }
    return false;
}

/* The case once more, behind its row: whoever holds the case or lets it go on writes the row too, so that a case that is older than
 * the row is never decided on. */
static const fw_err *load_case_again(fw_performing *p)
{
    FW_TRY(fw_case_load(p->db, p->view.kase->id, &p->view.cases[0], p->pool));
    p->view.kase = p->view.cases[0];
    return NULL;
}

/* Of the case, and those told that are another case's already; with room for new ones. */
static const fw_err *load_fines(fw_performing *p)
{
    fw_view *v = &p->view;
    apr_array_header_t *list = NULL;

    FW_TRY(fw_fine_list(p->db, v->kase->id, &list, p->pool));
    v->n_fines = list->nelts;
    v->fines =
        apr_pcalloc(p->pool, sizeof(fw_fine) * (apr_size_t)(list->nelts + 2 * p->cmd->n_fines + 1));
    memcpy(v->fines, list->elts, sizeof(fw_fine) * (apr_size_t)list->nelts);
    for (int i = 0; i < p->cmd->n_fines; i++) {
        fw_fine *other = NULL;

        if (is_listed(v, p->cmd->fines[i].fine_no))
            continue;
        FW_TRY(fw_fine_by_no(p->db, p->cmd->fines[i].fine_no, &other, p->pool));
        if (other)
            v->fines[v->n_fines++] = *other;
    }
    return NULL;
}

const fw_err *fw_perform_fines_load(fw_performing *p)
{
    fw_view *v = &p->view;

    v->tells_penalty = p->desk->penalty_plugin != NULL;
    v->penalties = apr_pcalloc(p->pool, sizeof(fw_penalty *) * (apr_size_t)(v->n_cases + 1));
    for (int i = 0; i < v->n_cases; i++)
        FW_TRY(fw_penalty_load(p->db, v->cases[i]->id, &v->penalties[i], p->pool));
    if (!v->kase || p->cmd->kind != FW_CMD_FINE_TAKE)
        return NULL;
    FW_TRY(load_case_again(p));
    return load_fines(p);
}

const fw_err *fw_perform_fines_keep(fw_performing *p)
{
    const fw_view *v = &p->view;

    for (int i = 0; i < v->n_fines && p->out.changed & FW_CH_FINES; i++) {
        if (v->fines[i].is_changed)
            FW_TRY(fw_fine_put(p->db, &v->fines[i], p->pool));
    }
    for (int i = 0; i < v->n_cases && p->out.changed & FW_CH_PENALTY; i++) {
        if (v->penalties[i])
            FW_TRY(fw_penalty_put(p->db, v->penalties[i], p->pool));
    }
    return NULL;
}
