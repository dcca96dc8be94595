/* Words to the service manager (systemd): ready, alive, stopping.
 *
 * The protocol of sd_notify(3), which is a datagram of lines; without a service manager nothing is
 * sent. Deliberately not libsystemd's sd_notify(): it opens a socket for each word, which the
 * sandbox forbids. */
#ifndef APNSCOPE_CLI_SERVICE_MANAGER_H
#define APNSCOPE_CLI_SERVICE_MANAGER_H

struct service_manager {
    int socket; /* -1: nobody listens */
};

/* Opens the socket that the environment names; before the sandbox, where none can be opened. */
struct service_manager service_manager_find(void);
/* "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=a sentence"; several lines are joined by newlines.
 * A lost word is not said again: the next WATCHDOG comes within a second. */
void service_manager_tell(const struct service_manager *manager, const char *words);
void service_manager_leave(struct service_manager *manager);

#endif
