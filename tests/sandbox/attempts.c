/* The attempts. Each is one thing that somebody would try who has taken over the program. */
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool opens(const char *path, int flags)
{
    int file = open(path, flags | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    return file >= 0;
}

static const char *path_in(const char *folder, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* ---- what must go on working ---- */

static bool read_given(const struct grounds *grounds)
{
    return opens(grounds->given, O_RDONLY);
}

static bool make_file_inside(const struct grounds *grounds)
{
    char from[256];
    snprintf(from, sizeof from, "%s/made", grounds->inside);
    const char *to = path_in(grounds->inside, "renamed");
    return opens(from, O_WRONLY | O_CREAT | O_EXCL) && rename(from, to) == 0 && unlink(to) == 0;
}

static void *do_nothing(void *context)
{
    return context;
}

static bool start_thread(const struct grounds *grounds)
{
    pthread_t thread;
    (void)grounds;
    return pthread_create(&thread, NULL, do_nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

/* ---- files ---- */

static bool read_secret(const struct grounds *grounds)
{
    return opens(grounds->secret, O_RDONLY);
}

static bool read_shadow(const struct grounds *grounds)
{
    (void)grounds;
    return opens("/etc/shadow", O_RDONLY);
}

static bool read_by_link(const struct grounds *grounds)
{
    const char *link = path_in(grounds->inside, "way-out");
    return opens(link, O_RDONLY); /* made by escape.c */
}

static bool write_given(const struct grounds *grounds)
{
    return opens(grounds->given, O_WRONLY);
}

static bool empty_given(const struct grounds *grounds)
{
    return truncate(grounds->given, 100) == 0;
}

static bool make_file_outside(const struct grounds *grounds)
{
    return opens(path_in(grounds->root, "left-behind"), O_WRONLY | O_CREAT);
}

static bool remove_outside(const struct grounds *grounds)
{
    return unlink(path_in(grounds->root, "victim")) == 0;
}

static bool move_out(const struct grounds *grounds)
{
    char from[256];
    snprintf(from, sizeof from, "%s/made", grounds->inside);
    return opens(from, O_WRONLY | O_CREAT) && rename(from, path_in(grounds->root, "moved")) == 0;
}

static bool list_folder(const struct grounds *grounds)
{
    return opens(grounds->root, O_RDONLY | O_DIRECTORY);
}

static bool read_parents_memory(const struct grounds *grounds)
{
    char path[64];
    (void)grounds;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)getppid());
    return opens(path, O_RDONLY);
}

/* ---- calls ---- */

static bool fork_child(const struct grounds *grounds)
{
    (void)grounds;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool spawn_program(const struct grounds *grounds)
{
    char program[] = "/bin/true";
    char *const arguments[] = {program, NULL};
    pid_t child;
    (void)grounds;
    errno = posix_spawn(&child, program, NULL, NULL, arguments, arguments + 1);
    return errno == 0 && waitpid(child, NULL, 0) == child;
}

static bool run_program(const struct grounds *grounds)
{
    char program[] = "/bin/true";
    char *const arguments[] = {program, NULL};
    (void)grounds;
    execve(arguments[0], arguments, arguments + 1);
    return false;
}

static bool connect_to(int family, const void *address, socklen_t size)
{
    int descriptor = socket(family, SOCK_STREAM, 0);
    return descriptor >= 0 && connect(descriptor, address, size) == 0;
}

static bool connect_tcp(const struct grounds *grounds)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)grounds->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return connect_to(AF_INET, &address, sizeof address);
}

static bool connect_unix(const struct grounds *grounds)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", grounds->socket);
    return connect_to(AF_UNIX, &address, sizeof address);
}

static bool send_datagram(const struct grounds *grounds)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)grounds->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    return descriptor >= 0 && sendto(descriptor, "x", 1, 0, (void *)&address, sizeof address) == 1;
}

static bool open_raw_socket(const struct grounds *grounds)
{
    (void)grounds;
    return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}

static bool listen_tcp(const struct grounds *grounds)
{
    (void)grounds;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    return descriptor >= 0 && bind(descriptor, (void *)&address, sizeof address) == 0 &&
           listen(descriptor, 1) == 0;
}

static bool signal_parent(const struct grounds *grounds)
{
    (void)grounds;
    return kill(getppid(), 0) == 0;
}

static bool trace_itself(const struct grounds *grounds)
{
    (void)grounds;
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool make_memory_executable(const struct grounds *grounds)
{
    (void)grounds;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool map_executable(const struct grounds *grounds)
{
    (void)grounds;
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

static bool type_into_terminal(const struct grounds *grounds)
{
    struct winsize size = {.ws_row = 1, .ws_col = 1};
    return ioctl(grounds->terminal, TIOCSWINSZ, &size) == 0; /* as TIOCSTI, which may be off */
}

static bool unshare_namespace(const struct grounds *grounds)
{
    (void)grounds;
    return unshare(CLONE_NEWNS) == 0;
}

static bool change_mode(const struct grounds *grounds)
{
    return chmod(grounds->given, 0600) == 0;
}

static bool make_link(const struct grounds *grounds)
{
    return symlink("/etc/shadow", path_in(grounds->inside, "link")) == 0;
}

static bool change_root(const struct grounds *grounds)
{
    return chroot(grounds->inside) == 0;
}

static bool become_root(const struct grounds *grounds)
{
    (void)grounds;
    return setuid(0) == 0;
}

const struct attempt attempts[] = {
    {"read a file that was given", BY_NOTHING, false, read_given},
    {"make, rename and remove a file in the folder of outputs", BY_NOTHING, false,
     make_file_inside},
    {"start a thread", BY_NOTHING, false, start_thread},

    {"read a file beside the one that was given", BY_FILES, false, read_secret},
    {"read /etc/shadow", BY_FILES | BY_USER, true, read_shadow},
    {"read a file through a link in the folder of outputs", BY_FILES, false, read_by_link},
    {"write to a file that was given to read", BY_FILES, false, write_given},
    {"cut a file that was given to read", BY_CALLS, false, empty_given},
    {"make a file outside", BY_FILES, false, make_file_outside},
    {"remove a file outside", BY_FILES, false, remove_outside},
    {"move a file out", BY_FILES, false, move_out},
    {"list a folder", BY_FILES, false, list_folder},
    {"read another process's environment", BY_FILES, false, read_parents_memory},

    {"fork", BY_CALLS, false, fork_child},
    {"spawn a program", BY_FILES | BY_CALLS, false, spawn_program},
    {"run a program", BY_FILES | BY_CALLS, false, run_program},
    {"connect", BY_FILES | BY_CALLS, false, connect_tcp},
    {"connect to a Unix socket", BY_NO_SOCKETS, false, connect_unix},
    {"send a datagram", BY_CALLS, false, send_datagram},
    {"listen", BY_FILES | BY_CALLS, false, listen_tcp},
    {"open a packet socket", BY_CALLS | BY_USER, true, open_raw_socket},
    {"signal another process", BY_FILES | BY_CALLS, false, signal_parent},
    {"ptrace", BY_CALLS, false, trace_itself},
    {"make memory executable", BY_CALLS, false, make_memory_executable},
    {"map executable memory", BY_CALLS, false, map_executable},
    {"change a terminal", BY_CALLS, false, type_into_terminal},
    {"leave the mount namespace", BY_CALLS | BY_USER, true, unshare_namespace},
    {"change a file's mode", BY_CALLS, false, change_mode},
    {"make a symbolic link", BY_FILES | BY_CALLS, false, make_link},
    {"change the root", BY_CALLS | BY_USER, true, change_root},
    {"become root", BY_CALLS | BY_USER, true, become_root},
};
const int attempt_count = sizeof attempts / sizeof *attempts;
