#include "fw_config.h"
#include "fwh.h"

#include <apr_strings.h>

#include "fw_show_card.h"

/* Cards that are on their way or lie at a station, and what is lost of them. */

#define LIST_ROWS 50

const fw_err *fwh_do_cards(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_cards_ask ask = {
        .ordered = fwh_take_id(q, "ordered"), .after = fwh_take_id(q, "after"), .limit = LIST_ROWS};
    fw_value model = {0};

    FW_TRY(fw_show_cards(&s, &ask, &model));
    return fwh_page(q, "cards", model);
}

const fw_err *fwh_do_card(fwh_req *q)
{
    fw_show s = fwh_show(q);
    fw_dossier d;
    fw_value model = {0};

    FW_TRY(fw_dossier_load(&s, q->kase, false, &d));
    FW_TRY(fw_show_card_out(&s, &d, &model));
    return fwh_page(q, "card", model);
}

const fw_err *fwh_do_card_lost(fwh_req *q)
{
    fw_command cmd = fwh_command(q, FW_CMD_CARD_LOST, q->kase->id);
    fw_result result = {0};

    FW_TRY(fwh_take_version(q, &cmd.version));
    cmd.reason = fwh_take(q, "reason");
    FW_TRY(fwh_fields_end(q));
    FW_TRY(fwh_perform(q, &cmd, &result));
    if (result.verdict != FW_REFUSED || q->json || result.code != FW_E_INPUT)
        return fwh_result(q, &result, "/cards", "card_lost");
    fwh_form_errors(q, &result);
    return fwh_do_card(q);
}
