#ifndef FW_FORM_INT_H
#define FW_FORM_INT_H

#include "fw_form.h"
#include "fw_mrz.h"
#include "fw_name.h"

/* Private to fw_form*.c. */

/* Whether an operator of conditions (eq to absent) holds for a value (or NULL). */
bool fw_form_holds(fw_op_e op, const char *value, const char *wanted);

#endif
