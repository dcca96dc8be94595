/* The socket of an interface that is gone, bound to the one that has its name now.
 *
 * See successor.h. Sockets that share frames (fanout) cannot be bound again: the kernel refuses
 * it. Deliberately asks /sys and not ioctl(): the sandbox has files opened for it, and one call
 * fewer is open. */
#include "successor.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int read_fact(const char *name, const char *fact)
{
    char path[128], text[16];
    snprintf(path, sizeof path, "/sys/class/net/%.64s/%s", name, fact);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    if (size <= 0)
        return 0;
    text[size] = '\0';
    return (int)strtol(text, NULL, 10);
}

struct interface_identity interface_identity_of(const char *name)
{
    return (struct interface_identity){.index = read_fact(name, "ifindex"),
                                       .type = read_fact(name, "type")};
}

/* packet(7): a membership went with the interface that it was of. */
static void be_promiscuous(int socket, int index)
{
    struct packet_mreq membership = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
    (void)setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership);
}

static bool bind_again(int socket, int index)
{
    struct sockaddr_ll address;
    struct sockaddr *any_kind = (struct sockaddr *)(void *)&address;
    socklen_t size = sizeof address;
    if (getsockname(socket, any_kind, &size) != 0) /* for the protocol */
        return false;
    address.sll_ifindex = index;
    return bind(socket, any_kind, sizeof address) == 0;
}

enum succession successor_take(const char *name, int socket, bool is_promiscuous,
                               struct interface_identity *identity)
{
    struct interface_identity now = interface_identity_of(name);
    if (!now.index || now.index == identity->index)
        return NO_SUCCESSOR;
    if (now.type != identity->type || !bind_again(socket, now.index))
        return SUCCESSOR_REFUSED;
    if (is_promiscuous)
        be_promiscuous(socket, now.index);
    *identity = now;
    return SUCCESSOR_TAKEN;
}
