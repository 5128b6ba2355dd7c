/* What comes on the socket of a role (signer, pictures): a frame that was read is the same when written and read again, and no blob is
 * longer than was asked for. */
#include "fw_config.h"
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fw_frame.h"
#include "fw_json.h"
#include "fw_wait.h"

#define MOST 65536 /* so much fits into a socket without a reader */
#define BLOB 1024
#define DUE  (fw_monotonic() + apr_time_from_sec(20))

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

static void pair_of(int fd[2])
{
    fuzz_want(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0, "a pair of sockets");
}

static void write_and_read(const json_t *frame, const char *blob, size_t n, apr_pool_t *pool)
{
    int fd[2];
    json_t *again = NULL;
    const char *blob2 = NULL;
    size_t n2 = 0;

    pair_of(fd);
    fuzz_want(!fw_frame_write(fd[0], DUE, frame, blob, n, pool), "it can be written");
    fuzz_want(!fw_frame_read(fd[1], DUE, BLOB, &again, &blob2, &n2, pool), "and read");
    fw_json_keep(again, pool);
    fuzz_want(json_equal(frame, again) && n2 == n && memcmp(blob, blob2, n) == 0, "the same");
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
        const fw_err *err = fw_frame_read(fd[1], DUE, BLOB, &frame, &blob, &n_blob, pool);

        if (err) {
            fuzz_want(!frame, "nothing beside an error");
            break;
        }
        fw_json_keep(frame, pool);
        fuzz_want(json_is_object(frame) && n_blob <= BLOB && !blob[n_blob], "a frame");
        write_and_read(frame, blob, n_blob, pool);
    }
    close(fd[0]);
    close(fd[1]);
}
