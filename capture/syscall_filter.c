/* The allow-list as a seccomp filter, through libseccomp.
 *
 * See syscall_filter.h. Calls with a door in them are looked at by their arguments: a thread may be
 * started but no process, memory mapped but not made executable, a terminal asked for its size but
 * not fed with input (TIOCSTI), and a limit asked for but not lifted. Deliberately does not look at
 * paths: a filter cannot. */
#include "syscall_filter.h"

#include <asm/termbits.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef APNSCOPE_SANITIZED
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

static const struct {
    const char *name;
    enum syscall_use use;
} allowed_calls[] = {
#define CALL(name, use) {#name, FOR_##use},
#include "allowed_call.def"
#undef CALL
};

/* A call by its arguments. What no row covers ends the process. */
struct door {
    const char *name;
    enum syscall_use use;
    uint32_t action;
    struct scmp_arg_cmp argument; /* none: op 0 */
};

/* In the order of the numbers that ioctl() takes: those between TCGETS and TIOCGWINSZ are the ones
 * that change a terminal or feed it. libpcap asks for an interface's flags to say that it is down
 * (the equal is looked at before the greater; were it not, only that sentence would be less clear).
 * SQLite asks file systems for features of theirs, and a capture may be asked whether it is a
 * terminal; a refusal is the ordinary answer. clone3's arguments lie in memory, where no filter
 * sees them; the C library goes on with clone. Names in a filter expression ask for a socket (nscd,
 * DNS) and go on with /etc/services. Only a packet socket takes an address of that size: it is
 * bound to an interface that was made anew (successor.c). */
static const struct door doors[] = {
    {"clone", FOR_ALL, SCMP_ACT_ALLOW, {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD}},
    {"clone3", FOR_ALL, SCMP_ACT_ERRNO(ENOSYS), {0}},
    {"mmap", FOR_ALL, SCMP_ACT_ALLOW, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {"mmap", FOR_ALL, SCMP_ACT_ERRNO(EACCES), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC}},
    {"mmap2", FOR_ALL, SCMP_ACT_ALLOW, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {"mmap2", FOR_ALL, SCMP_ACT_ERRNO(EACCES), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC}},
    {"mprotect", FOR_ALL, SCMP_ACT_ALLOW, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}},
    {"ioctl", FOR_ALL, SCMP_ACT_ERRNO(ENOTTY), {1, SCMP_CMP_LT, TCGETS, 0}},
    {"ioctl", FOR_ALL, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, TCGETS, 0}},
    {"ioctl", FOR_LIVE, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, TCSETS, 0}},
    {"ioctl", FOR_LIVE, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, TCSETSW, 0}},
    {"ioctl", FOR_LIVE, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, TCSETSF, 0}},
    {"ioctl", FOR_ALL, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, TIOCGWINSZ, 0}},
    {"ioctl", FOR_ALL, SCMP_ACT_ERRNO(ENOTTY), {1, SCMP_CMP_GT, TIOCGWINSZ, 0}},
    {"ioctl", FOR_LIVE, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, SIOCGIFFLAGS, 0}},
    {"bind", FOR_LIVE, SCMP_ACT_ALLOW, {2, SCMP_CMP_EQ, sizeof(struct sockaddr_ll), 0}},
    {"prctl", FOR_ALL, SCMP_ACT_ERRNO(EPERM), {0}},
    {"prlimit64", FOR_ALL, SCMP_ACT_ALLOW, {2, SCMP_CMP_EQ, 0, 0}},
    {"prlimit64", FOR_LIVE, SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, RLIMIT_NPROC, 0}},
    {"socket", FOR_ALL, SCMP_ACT_ERRNO(EACCES), {0, SCMP_CMP_NE, AF_UNIX, 0}},
    {"socket", FOR_NO_SOCKETS, SCMP_ACT_ERRNO(EACCES), {0, SCMP_CMP_EQ, AF_UNIX, 0}},
    {"socket", FOR_UNIX_SOCKETS, SCMP_ACT_ALLOW, {0, SCMP_CMP_EQ, AF_UNIX, 0}},
};

static int allow_calls(scmp_filter_ctx filter, unsigned uses)
{
    int result = 0;
    for (size_t i = 0; i < sizeof allowed_calls / sizeof *allowed_calls && result == 0; i++) {
        int number = seccomp_syscall_resolve_name(allowed_calls[i].name);
        if (number != __NR_SCMP_ERROR && (allowed_calls[i].use & uses))
            result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    }
    return result;
}

/* A call that is wide open for a sanitizer needs no door. */
static bool is_wide_open(const char *name)
{
    for (size_t i = 0; IS_SANITIZED && i < sizeof allowed_calls / sizeof *allowed_calls; i++)
        if (strcmp(allowed_calls[i].name, name) == 0)
            return true;
    return false;
}

static int add_doors(scmp_filter_ctx filter, unsigned uses)
{
    int result = 0;
    for (size_t i = 0; i < sizeof doors / sizeof *doors && result == 0; i++) {
        const struct door *door = &doors[i];
        int number = seccomp_syscall_resolve_name(door->name);
        unsigned arguments = door->argument.op != 0;
        if (number != __NR_SCMP_ERROR && (door->use & uses) && !is_wide_open(door->name))
            result =
                seccomp_rule_add_array(filter, door->action, number, arguments, &door->argument);
    }
    return result;
}

/* abort() signals the thread it is called on. */
static int add_own_signals(scmp_filter_ctx filter)
{
    struct scmp_arg_cmp own = {0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0};
    if (is_wide_open("tgkill"))
        return 0;
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
}

/* Kernels before 4.14 can end the thread only, which leaves this program without it: as good. */
static scmp_filter_ctx new_filter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    return filter ? filter : seccomp_init(SCMP_ACT_KILL);
}

static unsigned with_the_implied(unsigned uses)
{
    uses |= FOR_ALL | (uses & FOR_UNIX_SOCKETS ? 0 : FOR_NO_SOCKETS);
    return IS_SANITIZED ? uses | FOR_SANITIZERS : uses;
}

bool syscall_filter_enforce(unsigned uses)
{
    scmp_filter_ctx filter = new_filter();
    if (!filter)
        return false;
    uses = with_the_implied(uses);
    int result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = allow_calls(filter, uses);
    if (result == 0)
        result = add_doors(filter, uses);
    if (result == 0)
        result = add_own_signals(filter);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result == 0;
}
