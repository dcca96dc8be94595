/* See service_manager.h. */
#include "service_manager.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or, with an @ for its first byte, an abstract name (unix(7)). */
static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
    size_t length = strlen(name);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length < 2 || length >= sizeof address->sun_path || !strchr("/@", name[0]))
        return 0;
    memcpy(address->sun_path, name, length);
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

struct service_manager service_manager_find(void)
{
    struct service_manager manager = {.socket = -1};
    struct sockaddr_un address;
    const char *name = getenv("NOTIFY_SOCKET");
    socklen_t size = name ? address_of(&address, name) : 0;
    if (!size)
        return manager;
    manager.socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (manager.socket >= 0 && connect(manager.socket, (const void *)&address, size) != 0)
        service_manager_leave(&manager);
    return manager;
}

void service_manager_tell(const struct service_manager *manager, const char *words)
{
    if (manager->socket >= 0)
        (void)!send(manager->socket, words, strlen(words), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void service_manager_leave(struct service_manager *manager)
{
    if (manager->socket >= 0)
        close(manager->socket);
    manager->socket = -1;
}
