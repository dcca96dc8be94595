/* Opening a stored file, and saying in one sentence why not.
 *
 * Below source.c. Only regular files and pipes hold captures: opening something else could even do
 * harm, so it looks first. Deliberately reads nothing. */
#include "stored_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool stored_file_is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *display_name(const char *path)
{
    return stored_file_is_standard_input(path) ? "standard input" : path;
}

static bool open_failed(const char *path, int error, struct fault *fault)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return fault_set(fault, "%s: there is no such file; check the name and the folder", path);
    case EACCES:
    case EPERM:
        return fault_set(fault,
                         "%s: no permission to read it; run as a user who may, or change its "
                         "permissions (chmod, chown)",
                         path);
    case ENXIO:
        return fault_set(fault, "%s: is a socket, not a capture; name a file, a pipe or -", path);
    case EMFILE:
    case ENFILE:
        return fault_set(fault, "%s: too many files are open already; raise the limit (ulimit -n)",
                         path);
    default:
        return fault_set(fault, "%s: cannot be opened: %s", path, strerror(error));
    }
}

/* Only regular files and pipes hold captures; opening a device could even do harm. */
static bool mode_is_readable(const char *path, mode_t mode, int fd, struct fault *fault)
{
    const char *name = display_name(path);
    if (S_ISREG(mode) || S_ISFIFO(mode))
        return true;
    if (S_ISSOCK(mode) && fd >= 0)
        return true; /* a socket handed over as standard input reads like a pipe */
    if (S_ISDIR(mode))
        return fault_set(fault, "%s: is a directory, not a capture file", name);
    if (fd >= 0 && isatty(fd))
        return fault_set(fault,
                         "%s: is a terminal; pipe a capture into it, for example "
                         "tcpdump -w - | apnscope analyze -",
                         name);
    if (S_ISSOCK(mode))
        return fault_set(fault, "%s: is a socket, not a capture; name a file, a pipe or -", name);
    return fault_set(fault, "%s: is a device, not a capture file; name a capture file, a pipe or -",
                     name);
}

/* Looks before opening: opening some devices has effects, and a tape would rewind. */
static bool open_path(const char *path, int *fd, struct stat *status, struct fault *fault)
{
    if (stored_file_is_standard_input(path)) {
        *fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (*fd < 0 || fstat(*fd, status) < 0)
            return fault_set(fault, "standard input: is closed; pipe a capture into it");
        return mode_is_readable(path, status->st_mode, *fd, fault);
    }
    if (stat(path, status) < 0)
        return open_failed(path, errno, fault);
    if (S_ISCHR(status->st_mode)) { /* /dev/stdin, /dev/fd/N of a terminal; /dev/null */
        int probe = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        bool fine = mode_is_readable(path, status->st_mode, probe, fault);
        if (probe >= 0)
            close(probe);
        return fine;
    }
    if (!mode_is_readable(path, status->st_mode, -1, fault))
        return false;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*fd < 0)
        return open_failed(path, errno, fault);
    if (fstat(*fd, status) < 0)
        return open_failed(path, errno, fault);
    return true;
}

bool stored_file_open(const char *path, int *fd, struct stat *status, struct fault *fault)
{
    *fd = -1;
    if (open_path(path, fd, status, fault))
        return true;
    if (*fd >= 0)
        close(*fd);
    return false;
}
