#ifndef FW_WAKE_H
#define FW_WAKE_H

#include "fw_config.h"

/* Tells the pump of this node that something lies in the outbox or inbox: one datagram, never waited for, lost without
 * harm (the pump looks by itself every few seconds). */
void fw_wake_pump(const char *run_dir);

/* The pump's end: a socket to poll for reading, -1 where it cannot be made (errno tells). */
int fw_wake_listen(const char *run_dir);
/* Takes all wakings that lie there. */
void fw_wake_drain(int fd);

#endif
