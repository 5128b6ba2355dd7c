#ifndef FW_LIFECYCLE_H
#define FW_LIFECYCLE_H

#include "fw_command.h"

/* The life of a case as one table: state, command, guard, next state, effects. Who may give a
 * command is in the permissions table (fw_access). The diagram in docs/ is printed from this table.
 */

typedef enum fw_guard_e {
    FW_GUARD_NONE,
    FW_GUARD_COMPLETE, /* the form has no problem */
    FW_GUARD_CLEAN,    /* no file waits for the scanner */
    FW_GUARD_SOUND,    /* both */
    FW_GUARD_INFECTED, /* the file that was judged is; otherwise the case stays where it is */
    FW_GUARD_MARKS,    /* something is marked, with a reason */
    FW_GUARD_FOUR_EYES, /* neither the first reviewer nor one who corrected the data; no rejection is proposed; clean */
    FW_GUARD_REASON,   /* a reason is given */
    FW_GUARD_DEADLINE, /* the applicant's deadline has passed, and nothing is being paid */
    FW_GUARD_UNPAID,   /* no live attempt to pay */
    FW_GUARD_CLEAR,    /* no open fine, and a lateness was answered */
    FW_GUARD_UNMADE,   /* there is a card's job, and the card is not made yet */
    FW_GUARD_OUT, /* the card is on its way or at the station, and in nobody's hand; a reason is given */
    FW_GUARD_CARD /* the card lies at the station, and the code is right */
} fw_guard_e;

enum {
    FW_FX_NOTIFY = 1 << 0,      /* a mail to the applicant, named after the command */
    FW_FX_START_CLOCK = 1 << 1, /* the office's time limit begins */
    FW_FX_ASSIGN =
        1
        << 2, /* to the least loaded initial reviewer of the station, if any, once all files are clean */
    FW_FX_PRESS_FILING = 1 << 3, /* receipt of filing */
    FW_FX_ASK_FEE = 1 << 4,      /* fee reckoned, payment deadline; no fee: straight on */
    FW_FX_PRODUCE = 1 << 5,      /* the permit's document, or held while a fine is open */
    FW_FX_SUPPLEMENT = 1 << 6,   /* the supplement's deadline */
    FW_FX_CLEAR_MARKS = 1 << 7,
    FW_FX_TELL_FEE = 1 << 8 /* the fines system, if there is one: how the fee stands */
};

/* `to` for "where it was returned from": a review, or submitted where a file was infected before any. */
#define FW_TO_REVIEWER FW_STATES

typedef struct fw_transition {
    fw_state_e from;
    fw_cmd_e cmd;
    fw_guard_e guard;
    fw_state_e to;
    unsigned effects;
} fw_transition;

/* The row for a command in a state, or NULL: not possible there. */
const fw_transition *fw_lifecycle_find(fw_state_e from, fw_cmd_e cmd);

/* All rows, for the diagram and for tests. */
const fw_transition *fw_lifecycle_table(size_t *n);

const char *fw_guard_name(fw_guard_e guard);
/* "notify assign", ...: the effects' names in a row of `effects`. */
const char *fw_effects_text(unsigned effects, apr_pool_t *pool);

/* Whose turn it is: the clock of the office stands still while it is the applicant's. */
typedef enum fw_turn_e { FW_TURN_NONE, FW_TURN_OFFICE, FW_TURN_APPLICANT } fw_turn_e;
fw_turn_e fw_lifecycle_turn(fw_state_e state);

/* The application has come to its end: nothing is asked of anybody any more but to fetch an issued card. */
bool fw_lifecycle_final(fw_state_e state);

/* The table as a Mermaid state diagram; and docs/lifecycle.md whole, diagram and rows. */
const char *fw_lifecycle_diagram(apr_pool_t *pool);
const char *fw_lifecycle_page(apr_pool_t *pool);

#endif
