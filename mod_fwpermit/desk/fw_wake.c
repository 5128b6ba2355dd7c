#include "fw_config.h"
#include "fw_wake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool make_address(struct sockaddr_un *to, const char *run_dir)
{
    int n = snprintf(to->sun_path, sizeof(to->sun_path), "%s/pump.wake", run_dir);

    to->sun_family = AF_UNIX;
    return n > 0 && (size_t)n < sizeof(to->sun_path);
}

void fw_wake_pump(const char *run_dir, const char *ports)
{
    struct sockaddr_un to = {0};
    int fd;

    if (!run_dir || !make_address(&to, run_dir))
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, ports, strlen(ports), MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof(to));
    close(fd);
}

int fw_wake_listen(const char *run_dir)
{
    struct sockaddr_un to = {0};
    int fd;

    if (!make_address(&to, run_dir)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    unlink(to.sun_path);
    if (bind(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 && chmod(to.sun_path, 0600) == 0)
        return fd;
    close(fd);
    return -1;
}

bool fw_wake_next(int fd, char *ports, size_t room)
{
    ssize_t n = recv(fd, ports, room, MSG_DONTWAIT);

    ports[n > 0 && (size_t)n < room ? n : 0] = '\0';
    return n >= 0;
}
