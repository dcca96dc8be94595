/* Listening for Prometheus.
 *
 * See metrics_socket.h. Opened while the process has its privileges. Nobody is let in from other
 * machines unless an address was written out. Deliberately resolves no names: an address is an
 * address. */
#include "metrics_socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "feed/unix_path.h"

enum { BACKLOG = 16, HOST_SIZE = 64 };

/* ---- Unix ---- */

static bool is_left_behind(const struct sockaddr_un *address)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return false;
    bool is_refused = connect(probe, (const struct sockaddr *)address, sizeof *address) != 0 &&
                      errno == ECONNREFUSED;
    close(probe);
    return is_refused;
}

static bool bind_unix(int descriptor, const struct sockaddr_un *address)
{
    const struct sockaddr *generic = (const struct sockaddr *)address;
    mode_t before = umask(0117);
    bool is_bound = bind(descriptor, generic, sizeof *address) == 0;
    if (!is_bound && errno == EADDRINUSE && is_left_behind(address)) {
        unlink(address->sun_path);
        is_bound = bind(descriptor, generic, sizeof *address) == 0;
    }
    umask(before);
    return is_bound;
}

static bool open_unix(int *descriptor, const char *path, struct fault *fault)
{
    struct sockaddr_un address;
    if (!unix_path_address(&address, path, "--metrics ", fault))
        return false;
    *descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*descriptor >= 0 && bind_unix(*descriptor, &address) && listen(*descriptor, BACKLOG) == 0)
        return true;
    fault_set(fault, "--metrics: cannot listen at %s: %s", path, strerror(errno));
    if (*descriptor >= 0)
        close(*descriptor);
    return false;
}

/* ---- TCP ---- */

/* "[::1]:9100" to "::1" and "9100"; no host: loopback. */
static bool split(const char *where, char host[HOST_SIZE], const char **port)
{
    const char *colon = strrchr(where, ':');
    const char *end = colon ? colon : where;
    *port = colon ? colon + 1 : where;
    if (*where == '[') {
        if (!colon || colon[-1] != ']')
            return false;
        where++;
        end--;
    }
    if (end - where >= HOST_SIZE)
        return false;
    bool is_bare = where == end;
    memcpy(host, is_bare ? "127.0.0.1" : where, is_bare ? 10 : (size_t)(end - where));
    if (!is_bare)
        host[end - where] = '\0';
    return **port != '\0';
}

static bool listen_at(int *descriptor, const struct addrinfo *at, const char *where,
                      struct fault *fault)
{
    int yes = 1;
    *descriptor = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*descriptor >= 0 &&
        setsockopt(*descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(*descriptor, at->ai_addr, at->ai_addrlen) == 0 && listen(*descriptor, BACKLOG) == 0)
        return true;
    fault_set(fault, "--metrics: cannot listen at %s: %s", where, strerror(errno));
    if (*descriptor >= 0)
        close(*descriptor);
    return false;
}

bool metrics_socket_open(int *descriptor, const char *where, struct fault *fault)
{
    char host[HOST_SIZE];
    const char *port;
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    if (unix_path(where))
        return open_unix(descriptor, unix_path(where), fault);
    char *end;
    bool is_split = split(where, host, &port);
    unsigned long number = is_split ? strtoul(port, &end, 10) : 0;
    if (!is_split || *end || number == 0 || number > UINT16_MAX ||
        getaddrinfo(host, port, &hints, &found) != 0)
        return fault_set(fault,
                         "--metrics %s: write 9100 (loopback), an address and a port like "
                         "192.0.2.1:9100 or [2001:db8::1]:9100, or unix:PATH",
                         where);
    bool is_open = listen_at(descriptor, found, where, fault);
    freeaddrinfo(found);
    return is_open;
}

void metrics_socket_remove(const char *where)
{
    if (unix_path(where))
        unlink(unix_path(where));
}
