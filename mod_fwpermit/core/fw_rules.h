#ifndef FW_RULES_H
#define FW_RULES_H

#include "fw_calendar.h"
#include "fw_decide.h"
#include "fw_service.h"

/* Law as data: deadlines by date (conf/rules.json). Each number is read at the event that starts it; the calendar is
 * live. */
typedef struct fw_rules fw_rules;

typedef struct fw_rule_set {
    int draft_days;               /* a draft is kept so long */
    int supplement_days;          /* from the day after the notice: Enforcement Rules art. 7 */
    int supplement_abroad_months; /* papers from abroad: the same article */
    int payment_working_days;
    int arrival_days; /* to apply in, from the day after entry: Immigration Act art. 22(2) */
    int remind_days;  /* so long before that ends a notice goes out */
    int late_fine_least,
        late_fine_most; /* TWD, what the law lets one expect; the fines system sets them: art. 85(2) */
} fw_rule_set;

/* FW_E_CONFIG names the file and the reason. */
const fw_err *fw_rules_load(fw_rules **out, const char *file, apr_pool_t *pool);
/* The rules in force on a day: those with the latest date not after it. */
const fw_rule_set *fw_rules_at(const fw_rules *rules, fw_date day);

/* What decide needs of the law for a case of `service` whose document is `data` (JSON, or NULL), were the event now.
 * Strings live in `pool`. */
void fw_terms_reckon(fw_terms *out, const fw_rules *rules, const fw_calendar *calendar,
                     const fw_service *service, const char *data, apr_time_t now, apr_pool_t *pool);

/* The last instant to apply for a permit after an arrival on that day, by the rules of that day. */
apr_time_t fw_terms_arrival(const fw_rules *rules, const fw_calendar *calendar, fw_date entered);

/* The fee for that span: the amount for each year begun, by anniversary (Fee Standard art. 3), or the amount. */
int64_t fw_fee_reckon(const fw_service *service, fw_date from, fw_date to);

#endif
