#include "fw_config.h"
#include "fw_perform_int.h"

#include <string.h>

#include "fw_store_case.h"

/* A new case takes over what was sent for the permit in force, where it is good still: by the same file of the vault. */

/* "image/jpeg" among "image/jpeg image/png". */
static bool accepts(const char *list, const char *mime)
{
    size_t n = strlen(mime);

    for (const char *p = list; p && *p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
        if (strncmp(p, mime, n) == 0 && (p[n] == ' ' || p[n] == '\0'))
            return true;
    }
    return false;
}

/* A photo comes from a photo, which was judged and mended; nothing comes that a scanner has not let through. */
static bool fits(const fw_field *f, const fw_field *was, const fw_file *file)
{
    return was && was->type == f->type &&
           (file->scan == FW_SCAN_NONE || file->scan == FW_SCAN_CLEAN) &&
           accepts(f->accept, file->mime) && file->size <= f->max_bytes;
}

static void take_slot(fw_performing *p, const fw_field *f, const fw_service *before,
                      const apr_array_header_t *files, const json_t *now)
{
    fw_form_env env = fw_desk_form_env(p->desk, p->now, p->pool);
    const char *slot = f->from + strlen("permit.");
    int n = 0;

    for (int i = 0; i < files->nelts && n < f->max_files; i++) {
        fw_file file = APR_ARRAY_IDX(files, i, fw_file);

        if (strcmp(file.slot, slot) != 0 || !fits(f, fw_service_field(before, slot), &file) ||
            !fw_form_file_good(&env, f, &file, p->said.permit, now))
            continue;
        file.taken_from = file.id;
        file.slot = f->name;
        p->view.taken_over[p->view.n_taken_over++] = file;
        n++;
    }
}

static int count_slots(const fw_service *service)
{
    int n = 0;

    for (int i = 0; i < service->n_fields; i++)
        n += service->fields[i].from && fw_field_is_file(&service->fields[i]);
    return n;
}

const fw_err *fw_perform_take_over(fw_performing *p, const json_t *now)
{
    const fw_case *from = p->said.permit_case;
    int slots = count_slots(p->service);
    const fw_service *before = NULL;
    apr_array_header_t *files = NULL;

    if (!from || slots == 0)
        return NULL;
    FW_TRY(fw_desk_service(p->desk, p->db, from->service, from->service_hash, &before, p->pool));
    FW_TRY(fw_file_list(p->db, from->id, false, &files, p->pool));
    p->view.taken_over =
        apr_pcalloc(p->pool, sizeof(fw_file) * (apr_size_t)(files->nelts * slots + 1));
    for (int i = 0; i < p->service->n_fields; i++) {
        const fw_field *f = &p->service->fields[i];

        if (f->from && fw_field_is_file(f))
            take_slot(p, f, before, files, now);
    }
    return NULL;
}

const fw_err *fw_perform_take_keep(fw_performing *p)
{
    for (int i = 0; i < p->view.n_taken_over; i++)
        FW_TRY(fw_file_add(p->db, &p->view.taken_over[i], p->pool));
    return NULL;
}
