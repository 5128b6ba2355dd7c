#ifndef FWW_LOG_H
#define FWW_LOG_H

/* Where the lines of env->log go from now on: a descriptor that stays open. */
void fww_log_to(int fd);

#endif
