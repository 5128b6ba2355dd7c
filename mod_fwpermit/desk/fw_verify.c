#include "fw_config.h"
#include "fw_verify_int.h"

#include <string.h>

#include <apr_strings.h>

const char *fw_paper_name(fw_paper_e verdict)
{
    static const char *const names[FW_PAPERS] = {
        "valid",          "unreadable", "unsigned", "several",    "resaved", "altered",
        "unknown_signer", "not_yet",    "expired",  "superseded", "revoked"};

    return names[verdict];
}

void fw_proof_end(fw_proof *out, fw_paper_e verdict, const char *why)
{
    out->verdict = verdict;
    out->why = why;
}

/* By number: the list is sorted. */
static const json_t *find_ended(const fw_ended *list, const char *no)
{
    size_t from = 0, to = json_array_size(list->permits);

    while (from < to) {
        size_t mid = from + (to - from) / 2;
        const json_t *one = json_array_get(list->permits, mid);
        const char *at = json_string_value(json_object_get(one, "no"));
        int order = at ? strcmp(at, no) : -1;

        if (order == 0)
            return one;
        if (order < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return NULL;
}

static void judge_by_list(fw_proof *proof, const fw_ended *list, const char *no, apr_time_t now,
                          apr_pool_t *pool)
{
    const json_t *one = find_ended(list, no);
    const char *state = json_string_value(json_object_get(one, "state"));

    if (one) {
        fw_proof_end(proof,
                     state && strcmp(state, "superseded") == 0 ? FW_PAPER_SUPERSEDED
                                                               : FW_PAPER_REVOKED,
                     NULL);
        proof->since = json_string_value(json_object_get(one, "since"));
    } else if (now > list->next_update) {
        proof->warning =
            apr_psprintf(pool, "the list of ended permits is old: the next one was due %s",
                         fw_time_iso(list->next_update, pool));
    }
}

void fw_verify_in_force(fw_proof *proof, const fw_ended *list, fw_date day, apr_time_t now,
                        apr_pool_t *pool)
{
    const char *no = json_string_value(json_object_get(proof->statement, "no"));
    const char *from = json_string_value(json_object_get(proof->statement, "valid_from"));
    const char *to = json_string_value(json_object_get(proof->statement, "valid_to"));
    const char *today = fw_date_text(day, pool);

    if (proof->verdict != FW_PAPER_VALID || !no || !from || !to)
        return;
    if (list)
        judge_by_list(proof, list, no, now, pool);
    else
        proof->warning = "without the list of ended permits nobody can say whether it was revoked";
    if (proof->verdict != FW_PAPER_VALID)
        return;
    if (strcmp(today, to) > 0)
        fw_proof_end(proof, FW_PAPER_EXPIRED, NULL);
    else if (strcmp(today, from) < 0)
        fw_proof_end(proof, FW_PAPER_NOT_YET, NULL);
}
