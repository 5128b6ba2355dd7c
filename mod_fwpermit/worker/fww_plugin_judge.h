#ifndef FWW_PLUGIN_JUDGE_H
#define FWW_PLUGIN_JUDGE_H

#include "fww_plugin_run.h"

/* Requests and answers held to the contract. */

/* The answer's frame; `body` is taken over, NULL stands for {}. */
json_t *fww_answer_make(fwp_rc rc, const char *reason, uint32_t retry_ms, json_t *body);

/* How the reason begins where an answer breaks the contract: what the plugin did is not known then. */
#define FWW_BREACH "the answer breaks the contract: "

/* A plugin's reason, fit for one line of JSON. */
const char *fww_reason_clean(const char *reason, apr_pool_t *pool);

/* What of `value` breaks "<op>.<side>" ("request", "reply"), or NULL. */
const char *fww_contract_fault(const fww_plugin_host *h, const char *op, const char *side,
                               const json_t *value, apr_pool_t *pool);

/* The answer for what the plugin returned; its files are sealed, and q->written is set where they go back. */
json_t *fww_plugin_judge(fww_plugin_host *h, const char *op, fwp_rc rc, const fwp_reply *reply,
                         apr_array_header_t *written, fww_question *q, apr_pool_t *pool);

#endif
