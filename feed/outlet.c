/* Lines to a file, standard output or a Unix socket.
 *
 * See outlet.h. The folder of a file is kept open, so that the file can be opened anew after the
 * process gave up the rest of the file system. Deliberately never ends the run: a full disk and a
 * reader that went away are told, and tried again. */
#include "outlet.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/now.h"
#include "feed/unix_path.h"

#define RETRY_NS NS_PER_S

enum { BUFFER_SIZE = 256 << 10, NO_FILE = -1 };

enum outlet_kind { TO_FILE, TO_STANDARD_OUTPUT, TO_SOCKET };

struct outlet {
    enum outlet_kind kind;
    int descriptor;   /* NO_FILE: closed for now */
    int folder;       /* of a file */
    char *where;      /* as given, for sentences */
    const char *name; /* in it: the file's own name, the socket's path */
    int64_t next_try_ns;
    struct fault last; /* why it is closed */
    size_t begin;      /* of what is kept; a line's beginning where `sent` is 0 */
    size_t sent;       /* of the line at `begin` */
    size_t end;
    char buffer[BUFFER_SIZE];
};

/* ---- opening ---- */

/* Not waiting for the reader of a FIFO; a link in place of the file would lead elsewhere. */
static bool open_file(struct outlet *outlet, struct fault *fault)
{
    outlet->descriptor =
        openat(outlet->folder, outlet->name,
               O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (outlet->descriptor >= 0)
        return true;
    return fault_set(fault, "cannot open %s: %s%s", outlet->where, strerror(errno),
                     errno == ENXIO ? " (nobody reads it)" : "");
}

static bool open_socket(struct outlet *outlet, struct fault *fault)
{
    struct sockaddr_un address;
    if (!unix_path_address(&address, outlet->name, "", fault))
        return false;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 &&
        connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0) {
        outlet->descriptor = descriptor;
        return true;
    }
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    return fault_set(fault, "cannot connect to %s: %s; is its reader running?", outlet->where,
                     strerror(error));
}

static bool open_now(struct outlet *outlet, struct fault *fault)
{
    int64_t now_ns = now_monotonic_ns();
    if (outlet->descriptor != NO_FILE)
        return true;
    if (now_ns >= outlet->next_try_ns) {
        outlet->next_try_ns = now_ns + RETRY_NS;
        if (outlet->kind == TO_SOCKET ? open_socket(outlet, &outlet->last)
                                      : open_file(outlet, &outlet->last))
            return true;
    }
    *fault = outlet->last;
    return false;
}

static bool open_folder(struct outlet *outlet, struct fault *fault)
{
    char *slash = strrchr(outlet->where, '/');
    char *folder =
        slash ? strndup(outlet->where, (size_t)(slash - outlet->where) + 1) : strdup(".");
    assert(folder);
    outlet->name = slash ? slash + 1 : outlet->where;
    outlet->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (outlet->folder < 0)
        fault_set(fault, "cannot open the folder of %s: %s", outlet->where, strerror(errno));
    free(folder);
    return outlet->folder >= 0;
}

static bool open_first(struct outlet *outlet, struct fault *fault)
{
    struct sockaddr_un address;
    struct fault later;
    switch (outlet->kind) {
    case TO_FILE:
        return open_folder(outlet, fault) && open_file(outlet, fault);
    case TO_STANDARD_OUTPUT:
        outlet->descriptor = STDOUT_FILENO;
        return true;
    case TO_SOCKET:
        outlet->name = unix_path(outlet->where);
        if (!unix_path_address(&address, outlet->name, "", fault))
            return false;
        (void)!open_socket(outlet, &later); /* its reader may come later */
        return true;
    }
    return false;
}

bool outlet_open(struct outlet **opened, const char *where, struct fault *fault)
{
    struct outlet *outlet = (struct outlet *)calloc(1, sizeof *outlet);
    assert(outlet);
    *opened = NULL;
    outlet->kind = strcmp(where, "-") == 0 ? TO_STANDARD_OUTPUT
                   : unix_path(where)      ? TO_SOCKET
                                           : TO_FILE;
    outlet->descriptor = outlet->folder = NO_FILE;
    outlet->where = strdup(where);
    assert(outlet->where);
    if (!open_first(outlet, fault)) {
        outlet_close(outlet);
        return false;
    }
    *opened = outlet;
    return true;
}

static void close_descriptor(struct outlet *outlet)
{
    if (outlet->descriptor != NO_FILE && outlet->kind != TO_STANDARD_OUTPUT)
        close(outlet->descriptor);
    outlet->descriptor = NO_FILE;
}

void outlet_close(struct outlet *outlet)
{
    if (!outlet)
        return;
    close_descriptor(outlet);
    if (outlet->folder != NO_FILE)
        close(outlet->folder);
    free(outlet->where);
    free(outlet);
}

void outlet_reopen(struct outlet *outlet)
{
    if (outlet->kind == TO_STANDARD_OUTPUT)
        return;
    close_descriptor(outlet);
    outlet->sent = 0;
    outlet->next_try_ns = 0;
}

/* ---- writing ---- */

bool outlet_put(struct outlet *outlet, const char *line, size_t size)
{
    if (outlet->begin && outlet->end + size > BUFFER_SIZE) {
        memmove(outlet->buffer, outlet->buffer + outlet->begin, outlet->end - outlet->begin);
        outlet->end -= outlet->begin;
        outlet->begin = 0;
    }
    if (outlet->end + size > BUFFER_SIZE)
        return false;
    memcpy(outlet->buffer + outlet->end, line, size);
    outlet->end += size;
    return true;
}

size_t outlet_drop(struct outlet *outlet)
{
    size_t lines = 0;
    for (size_t i = outlet->begin; i < outlet->end; i++)
        lines += outlet->buffer[i] == '\n';
    outlet->begin = outlet->sent = outlet->end = 0;
    return lines;
}

/* Moves over what went out, so that `begin` is at a line's beginning again. */
static void advance(struct outlet *outlet, size_t count)
{
    outlet->sent += count;
    const char *from = outlet->buffer + outlet->begin;
    const char *last = memrchr(from, '\n', outlet->sent);
    size_t whole = last ? (size_t)(last - from) + 1 : 0;
    outlet->begin += whole;
    outlet->sent -= whole;
    if (outlet->begin == outlet->end)
        outlet->begin = outlet->end = 0;
}

static ssize_t write_some(const struct outlet *outlet)
{
    const char *from = outlet->buffer + outlet->begin + outlet->sent;
    size_t size = outlet->end - outlet->begin - outlet->sent;
    /* A socket whose reader went away must not end the program. */
    if (outlet->kind == TO_SOCKET)
        return send(outlet->descriptor, from, size, MSG_NOSIGNAL);
    /* Standard output is shared with others, so that it is left blocking; a pipe that polls as
     * writable takes so much at once (POSIX, write). */
    bool is_shared = outlet->kind == TO_STANDARD_OUTPUT;
    return write(outlet->descriptor, from, is_shared && size > PIPE_BUF ? PIPE_BUF : size);
}

static bool wait_until_writable(const struct outlet *outlet, int64_t until_ns)
{
    int64_t left_ns = until_ns - now_monotonic_ns();
    struct pollfd watched = {.fd = outlet->descriptor, .events = POLLOUT};
    return left_ns > 0 && poll(&watched, 1, (int)(left_ns / NS_PER_MS) + 1) > 0;
}

bool outlet_flush(struct outlet *outlet, int patience_ms, struct fault *fault)
{
    int64_t until_ns = now_monotonic_ns() + patience_ms * NS_PER_MS;
    while (outlet->begin + outlet->sent < outlet->end) {
        if (!open_now(outlet, fault))
            return false;
        if (outlet->kind == TO_STANDARD_OUTPUT && !wait_until_writable(outlet, until_ns))
            return fault_set(fault, "the reader of standard output is too slow");
        ssize_t count = write_some(outlet);
        if (count >= 0) {
            advance(outlet, (size_t)count);
        } else if (errno == EAGAIN) {
            if (!wait_until_writable(outlet, until_ns))
                return fault_set(fault, "the reader of %s is too slow", outlet->where);
        } else if (errno != EINTR) {
            bool is_gone = errno == EPIPE || errno == ECONNRESET;
            fault_set(fault, "cannot write %s: %s", outlet->where, strerror(errno));
            outlet->last = *fault;
            if (is_gone)
                outlet_reopen(outlet);
            outlet->next_try_ns = now_monotonic_ns() + RETRY_NS;
            return false;
        }
    }
    return true;
}
