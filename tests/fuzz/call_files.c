/* Files beside a call: the first line is the name of one, the second its content, and the rest is what a list says of it and of
 * another file. What is proved is as it is named; what is named rightly is proved. */
#include "fw_config.h"
#include "fuzz.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fw_call_files.h"
#include "fw_json.h"
#include "fw_wait.h"

#define DUE (fw_monotonic() + apr_time_from_sec(20))

void fuzz_setup(apr_pool_t *pool)
{
    (void)pool;
}

/* What came for the list, or NULL. */
static apr_array_header_t *carry(const apr_array_header_t *files, const json_t *list,
                                 apr_pool_t *pool)
{
    apr_array_header_t *came = NULL;
    const fw_err *err;
    int fd[2];

    fuzz_want(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0, "a pair of sockets");
    fuzz_want(!fw_call_files_send(fd[0], DUE, files, pool), "they are sent");
    err = fw_call_files_receive(fd[1], DUE, list, &came, pool);
    close(fd[0]);
    close(fd[1]);
    return err ? NULL : came;
}

static void add(apr_array_header_t *files, const char *name, const char *bytes, size_t n,
                apr_pool_t *pool)
{
    fw_call_file *f = NULL;
    const fw_err *err = fw_call_file_new(&f, files, name, pool);

    fuzz_want(!err == fw_call_file_name_valid(name), "a name that it may have");
    if (err)
        return;
    fuzz_want(!fw_call_file_append(f, files, bytes, n, pool), "it is written");
    fuzz_want(!fw_call_file_seal(f, pool), "and sealed");
    fuzz_want(fw_call_file_append(f, files, "x", 1, pool) != NULL, "and stays as it is");
}

static void judge(const apr_array_header_t *came, const json_t *list, apr_pool_t *pool)
{
    json_t *true_list;

    if (fw_call_files_prove(came, list, pool))
        return;
    true_list = fw_json_keep(fw_call_files_json(came), pool);
    fuzz_want(json_array_size(list) == json_array_size(true_list), "each is named");
    for (size_t i = 0; i < json_array_size(list); i++)
        for (int k = 0; k < 3; k++) {
            static const char *const keys[] = {"name", "size", "sha256"};

            fuzz_want(json_equal(json_object_get(json_array_get(list, i), keys[k]),
                                 json_object_get(json_array_get(true_list, i), keys[k])),
                      "as it is");
        }
}

void fuzz_one(const uint8_t *data, size_t n, apr_pool_t *pool)
{
    char *name = apr_pstrmemdup(pool, (const char *)data, n), *bytes, *text;
    apr_array_header_t *files = apr_array_make(pool, 2, sizeof(fw_call_file)), *came;
    json_t *list;

    bytes = strchr(name, '\n');
    text = bytes ? strchr(bytes + 1, '\n') : NULL;
    if (!text)
        return;
    *bytes++ = *text++ = '\0';
    add(files, name, bytes, strlen(bytes), pool);
    add(files, "b", "", 0, pool);
    list = fw_json_keep(fw_call_files_json(files), pool);
    came = carry(files, list, pool);
    fuzz_want(came && (strcmp(name, "b") == 0) == !!fw_call_files_prove(came, list, pool),
              "what is named rightly is proved, unless two have one name");
    list = fw_json_parse(text, pool);
    came = carry(files, list, pool);
    if (came)
        judge(came, list, pool);
}
