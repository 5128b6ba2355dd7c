#ifndef FW_CONFIG_H
#define FW_CONFIG_H

/* What every file of ours includes first: the C library's face that we build against. */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <apr.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/* An identity that the platform gives: 63 bits, positive, roughly in order of time; 0 is "none".
 * Text at every border is decimal, and a string in JSON. */
typedef int64_t fw_id;

#define FW_VERSION "0.1.0"

#endif
