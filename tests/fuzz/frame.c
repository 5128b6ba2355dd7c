/* What comes on the socket between pump and plugin process: a frame that was read is the same when written and read again. */
#include "fw_config.h"
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../../mod_fwpermit/worker/fww_plugin_frame.h"

#define MOST 65536 /* so much fits into a socket without a reader */

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void pair_of(int fd[2])
{
    fuzz_want(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0, "a pair of sockets");
}

static void write_and_read(const json_t *frame, const char *blob, size_t n, apr_pool_t *pool)
{
    int fd[2];
    json_t *again = NULL;
    const char *blob2 = NULL;
    size_t n2 = 0;

    pair_of(fd);
    fuzz_want(!fww_frame_write_blob(fd[0], frame, blob, n, pool), "it can be written");
    fuzz_want(!fww_frame_read(fd[1], &again, &blob2, &n2, pool), "and read");
    fuzz_want(json_equal(frame, again) && n2 == n && memcmp(blob, blob2, n) == 0, "the same");
    json_decref(again);
    close(fd[0]);
    close(fd[1]);
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    int fd[2];

    if (n > MOST)
        return;
    pair_of(fd);
    fuzz_want(send(fd[0], data, n, 0) == (ssize_t)n, "all is sent");
    shutdown(fd[0], SHUT_WR);
    for (;;) {
        json_t *frame = NULL;
        const char *blob = NULL;
        size_t n_blob = 0;

        if (fww_frame_read(fd[1], &frame, &blob, &n_blob, pool) || !frame)
            break;
        write_and_read(frame, blob, n_blob, pool);
        json_decref(frame);
    }
    close(fd[0]);
    close(fd[1]);
}
