#ifndef FW_WAKE_H
#define FW_WAKE_H

#include "fw_config.h"

/* Tells the pump of this node that something lies in the outbox or inbox for these ports ("press notify"; "": for any): one
 * datagram, never waited for, lost without harm (the pump looks by itself every few seconds). */
void fw_wake_pump(const char *run_dir, const char *ports);

/* The pump's end: a socket to poll for reading, -1 where it cannot be made (errno tells). */
int fw_wake_listen(const char *run_dir);
/* Takes the next waking that lies there; false: there is none. `ports` is then as it was sent, or "" where it has no room. */
bool fw_wake_next(int fd, char *ports, size_t room);

#endif
