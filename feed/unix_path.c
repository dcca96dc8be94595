/* Names of Unix sockets.
 *
 * See unix_path.h. Deliberately opens nothing: one output connects, another one listens. */
#include "feed/unix_path.h"

#include <string.h>
#include <sys/socket.h>

const char *unix_path(const char *where)
{
    return where && strncmp(where, "unix:", 5) == 0 ? where + 5 : NULL;
}

bool unix_path_address(struct sockaddr_un *address, const char *path, const char *option,
                       struct fault *fault)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (!*path || strlen(path) >= sizeof address->sun_path)
        return fault_set(fault, "%sunix:%s: a socket's path has between 1 and %zu bytes", option,
                         path, sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, strlen(path) + 1);
    return true;
}
