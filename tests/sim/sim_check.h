#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include <sqlite3.h>

/* The checks' own connection, read-only; private to check.c and invariants.c. */
sqlite3 *check_database(void);

#endif
