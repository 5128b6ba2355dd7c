#ifndef SYSLOG_TEXT_H
#define SYSLOG_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Messages of RFC 5424, framed by octet counting (RFC 5425, 4.3). */

#define SYSLOG_MESSAGE_BYTES 8192 /* what every receiver should take: RFC 5425, 4.3.1 */

/* Who speaks. */
typedef struct syslog_origin {
    int facility;
    const char *hostname, *app_name;
    const char *enterprise; /* private enterprise number, of the SD-ID */
} syslog_origin;

/* Takes one framed message; false ends the writing. */
typedef bool (*syslog_take_fn)(void *baton, const char *bytes, size_t n);

/* Where messages are made, one after another. */
typedef struct syslog_writer {
    const syslog_origin *origin;
    syslog_take_fn take;
    void *baton;
    int written; /* messages */
    char *bytes; /* freed by syslog_end */
    size_t n, room;
} syslog_writer;

/* Writes the messages of one record of a seal, as many as its data needs. False: `take` ended it. The record has been found
 * good. */
bool syslog_write_record(syslog_writer *w, const json_t *seal, const json_t *record);
/* Writes the one message of the seal itself. */
bool syslog_write_seal(syslog_writer *w, const json_t *seal);
void syslog_end(syslog_writer *w);

/* NULL, or what is wrong with a seal or a record. */
const char *syslog_seal_fault(const json_t *seal);
const char *syslog_record_fault(const json_t *record);

/* Whether it may be a HOSTNAME, APP-NAME: 1 to `most` printable characters of ASCII, no space. */
bool syslog_name_good(const char *name, size_t most);

#endif
