#include "fw_config.h"
#include "fww_pump_int.h"

#include <string.h>

#include <apr_strings.h>

#include "fw_call_files.h"
#include "fw_store_case.h"
#include "fw_vault.h"
#include "fwpermit_plugin.h"

#define FILE_NAME "upload" /* what its sender called it is nothing to the scanner */

/* Files that came in, given to the scanner: its verdict is a command. */

/* Out of the vault into a sealed memory file, chunk by chunk. */
static const fw_err *copy_file(const fww_turn *t, const fw_file *f, apr_array_header_t **files)
{
    fw_vault_reader *reader = NULL;
    fw_call_file *copy = NULL;
    const unsigned char *data;
    size_t n = 1;

    *files = apr_array_make(t->pool, 1, sizeof(fw_call_file));
    FW_TRY(fw_vault_read_open(&reader, t->pump->desk->vault, f->vault, t->pool));
    FW_TRY(fw_call_file_new(&copy, *files, FILE_NAME, t->pool));
    while (n > 0) {
        FW_TRY(fw_vault_read(reader, &data, &n));
        FW_TRY(fw_call_file_append(copy, *files, data, n, t->pool));
    }
    FW_TRY(fw_call_file_seal(copy, t->pool));
    if (strcmp(copy->sha256, f->sha256) != 0)
        return FW_ERR(t->pool, FW_E_CORRUPT, 0, "a file of the vault is not what its row says");
    return NULL;
}

static const char *reply_text(const fww_answer *a, const char *name)
{
    return json_string_value(json_object_get(a->reply, name));
}

/* Clean is that word of an answer that is ok, and nothing else. */
static fw_scan_e verdict_of(const fww_answer *a)
{
    const char *verdict = a->rc == FWP_OK ? reply_text(a, "verdict") : NULL;

    if (verdict && strcmp(verdict, "clean") == 0)
        return FW_SCAN_CLEAN;
    if (verdict && strcmp(verdict, "found") == 0)
        return FW_SCAN_INFECTED;
    return FW_SCAN_PENDING;
}

/* What is refused was judged by an attempt before, or the file has gone. */
static const fw_err *judge(const fww_turn *t, const fw_file *f, const fww_answer *a, fww_end *end)
{
    const fw_file judged = {.id = f->id, .scan = verdict_of(a)};
    fw_command cmd = {.kind = FW_CMD_FILE_JUDGE,
                      .target = f->case_id,
                      .file = &judged,
                      .found = reply_text(a, "name"),
                      .engine = reply_text(a, "engine")};
    const char *refused = NULL;

    FW_TRY(fww_perform(t, &cmd, &refused));
    if (judged.scan == FW_SCAN_INFECTED && !refused)
        t->pump->env->log(FWW_WARNING,
                          FWW_N_INFECTED " file %" APR_INT64_T_FMT " of case %" APR_INT64_T_FMT
                                         " is infected and locked away: %s",
                          f->id, f->case_id, cmd.found ? cmd.found : "");
    fww_end_set(end, FWW_END_DONE, refused);
    return NULL;
}

/* Whatever is no verdict leaves the file as it is: it waits. An answer that is to come later never comes from a scanner. */
static void keep_waiting(const fww_answer *a, fww_end *end)
{
    fww_port_end(a, end);
    if (a->rc == FWP_OK || a->rc == FWP_PENDING)
        fww_end_set(end, FWW_END_AGAIN, "an answer without a verdict");
}

const fw_err *fww_scan_file(fww_turn *t, const fw_delivery *d, fww_end *end)
{
    fww_ask ask = {
        .op = d->op, .key = d->key, .attempt = d->attempt, .deadline_ms = fww_deadline_ms(d->op)};
    apr_array_header_t *files = NULL;
    fww_answer answer;
    fw_file *f = NULL;

    FW_TRY(fw_file_load(t->db, fww_payload_id(t, d, "file"), &f, t->pool));
    if (f->scan != FW_SCAN_PENDING) {
        fww_end_set(end, FWW_END_DONE, "it has its verdict");
        return NULL;
    }
    FW_TRY(copy_file(t, f, &files));
    ask.request = json_object();
    ask.files = files;
    fww_port_ask(t, fww_port_plugin(t->pump, d->port), &ask, &answer);
    if (verdict_of(&answer) != FW_SCAN_PENDING)
        return judge(t, f, &answer, end);
    keep_waiting(&answer, end);
    return NULL;
}
