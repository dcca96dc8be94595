/* Every attempt from inside the sandbox, and, so that refusals mean something, outside of it.
 *
 * A process that is ended by SIGSYS, or whose call is refused, was held. Layers are tried alone
 * too, as on kernels that lack the other. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "attempts.h"
#include "capture/privileges.h"
#include "capture/sandbox.h"
#include "withheld.h"

enum { WENT_THROUGH = 0, NOT_SET_UP = 255, KILLED = 256 };

static struct grounds grounds;
static bool has_landlock, has_seccomp;

/* ---- the grounds ---- */

static void make_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(file >= 0);
    assert_int_equal(write(file, "secret", 6), 6);
    close(file);
}

static int listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (void *)&address, size), 0);
    assert_int_equal(listen(descriptor, 100), 0);
    assert_int_equal(getsockname(descriptor, (void *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static void listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(descriptor, (void *)&address, sizeof address), 0);
    assert_int_equal(listen(descriptor, 100), 0);
    assert_int_equal(chmod(path, 0777), 0);
}

static int set_up(void **state)
{
    char path[256];
    (void)state;
    snprintf(grounds.root, sizeof grounds.root, "/tmp/apnscope-escape.XXXXXX");
    assert_non_null(mkdtemp(grounds.root));
    snprintf(grounds.inside, sizeof grounds.inside, "%s/inside", grounds.root);
    snprintf(grounds.given, sizeof grounds.given, "%s/given", grounds.root);
    snprintf(grounds.secret, sizeof grounds.secret, "%s/secret", grounds.root);
    assert_int_equal(mkdir(grounds.inside, 0700), 0);
    make_file(grounds.given);
    make_file(grounds.secret);
    snprintf(path, sizeof path, "%s/way-out", grounds.inside);
    assert_int_equal(symlink(grounds.secret, path), 0);
    snprintf(grounds.socket, sizeof grounds.socket, "%s/socket", grounds.root);
    listen_at(grounds.socket);
    grounds.port = listen_somewhere();
    grounds.terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    has_landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
    uint32_t action = 0x80000000U; /* SECCOMP_RET_KILL_PROCESS */
    has_seccomp = syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action) == 0;
    return 0;
}

static int tear_down(void **state)
{
    char command[256];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", grounds.root);
    return system(command) == 0 ? 0 : 1;
}

/* Files are there again for every attempt. */
static void put_back(void)
{
    static const char *const gone[] = {"inside/link", "inside/made", "inside/renamed",
                                       "left-behind", "moved"};
    char path[256];
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        snprintf(path, sizeof path, "%s/%s", grounds.root, gone[i]);
        (void)unlink(path);
    }
    snprintf(path, sizeof path, "%s/victim", grounds.root);
    make_file(path);
    (void)chmod(grounds.given, 0644);
}

/* ---- what an attempt comes to ---- */

typedef bool (*way_in)(void);

static void attempt_in_child(const struct attempt *attempt, way_in enter)
{
    struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none); /* many are killed */
    if (enter && !enter())
        _exit(NOT_SET_UP);
    errno = 0;
    bool went_through = attempt->try(&grounds);
    _exit(went_through ? WENT_THROUGH : errno ? errno : EIO);
}

/* WENT_THROUGH, an error number, or KILLED. */
static int come_of(const struct attempt *attempt, way_in enter)
{
    int status;
    put_back();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        attempt_in_child(attempt, enter);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return KILLED;
    if (!WIFEXITED(status) || WEXITSTATUS(status) == NOT_SET_UP)
        fail_msg("%s: ended with status %x", attempt->what, (unsigned)status);
    return WEXITSTATUS(status);
}

static bool is_refusal(int came)
{
    return came == KILLED || came == EACCES || came == EPERM || came == ENOTTY || came == EXDEV ||
           came == ENOSYS;
}

static void expect_held(way_in enter, unsigned layers)
{
    int held = 0;
    for (int i = 0; i < attempt_count; i++) {
        const struct attempt *attempt = &attempts[i];
        bool must_be_held = attempt->stopped_by & layers;
        if (attempt->stopped_by && !must_be_held)
            continue;
        int came = come_of(attempt, enter);
        if (must_be_held && !is_refusal(came))
            fail_msg("%s: %s", attempt->what,
                     came == WENT_THROUGH ? "went through" : strerror(came));
        if (!must_be_held && came != WENT_THROUGH)
            fail_msg("%s: %s", attempt->what, came == KILLED ? "was killed" : strerror(came));
        held += must_be_held;
    }
    assert_true(held > 3);
}

/* ---- ways in ---- */

static bool enter_as(enum sandbox_kind kind, bool wants_whole)
{
    struct sandbox *sandbox = sandbox_new();
    char database[256];
    snprintf(database, sizeof database, "%s/some.db", grounds.inside);
    sandbox_allow_database(sandbox, database);
    const char *const given[] = {grounds.given};
    sandbox_allow_captures(sandbox, given, 1);
    struct sandbox_level level = sandbox_enter(sandbox, kind);
    sandbox_free(sandbox);
    return !wants_whole || sandbox_is_whole(&level);
}

static bool enter_offline(void)
{
    struct fault fault;
    return privileges_drop_but_files(&fault) && enter_as(SANDBOX_OFFLINE, true);
}

/* As a live run of root does; the grounds then belong to the user it becomes. */
static bool become_service_user(void)
{
    struct fault fault;
    struct privileges_user user;
    if (geteuid() != 0)
        return privileges_find_user(&user, NULL, "", &fault) && privileges_drop(&user, &fault);
    return privileges_find_user(&user, "nobody", NULL, &fault) &&
           chown(grounds.root, user.uid, user.gid) == 0 &&
           chown(grounds.inside, user.uid, user.gid) == 0 && privileges_drop(&user, &fault);
}

static bool enter_live(void)
{
    return become_service_user() && enter_as(SANDBOX_LIVE, true);
}

static bool enter_live_with_unix_sockets(void)
{
    return become_service_user() && enter_as(SANDBOX_LIVE_UNIX_SOCKETS, true);
}

static bool enter_without_landlock(void)
{
    struct fault fault;
    withhold_landlock();
    return privileges_drop_but_files(&fault) && enter_as(SANDBOX_OFFLINE, false);
}

static bool enter_without_seccomp(void)
{
    struct fault fault;
    withhold_seccomp();
    return privileges_drop_but_files(&fault) && enter_as(SANDBOX_OFFLINE, false);
}

/* ---- tests ---- */

static void every_attempt_works_outside(void **state)
{
    (void)state;
    for (int i = 0; i < attempt_count; i++) {
        if (attempts[i].needs_root && geteuid() != 0)
            continue;
        int came = come_of(&attempts[i], NULL);
        if (came != WENT_THROUGH)
            fail_msg("%s: fails without a sandbox too (%s): it proves nothing", attempts[i].what,
                     strerror(came));
    }
}

static void nothing_leaves_the_sandbox_of_files(void **state)
{
    (void)state;
    if (!has_landlock || !has_seccomp)
        skip();
    expect_held(enter_offline, BY_FILES | BY_CALLS | BY_NO_SOCKETS);
}

static void nothing_leaves_the_sandbox_of_a_live_run(void **state)
{
    (void)state;
    if (!has_landlock || !has_seccomp)
        skip();
    expect_held(enter_live, BY_FILES | BY_CALLS | BY_USER | BY_NO_SOCKETS);
}

static void unix_sockets_are_all_that_a_live_run_may_connect_again(void **state)
{
    (void)state;
    if (!has_landlock || !has_seccomp)
        skip();
    expect_held(enter_live_with_unix_sockets, BY_FILES | BY_CALLS | BY_USER);
    for (int i = 0; i < attempt_count; i++)
        if (attempts[i].stopped_by == BY_NO_SOCKETS)
            assert_int_equal(come_of(&attempts[i], enter_live_with_unix_sockets), WENT_THROUGH);
}

static void calls_are_closed_off_without_landlock(void **state)
{
    (void)state;
    if (!has_seccomp)
        skip();
    expect_held(enter_without_landlock, BY_CALLS | BY_NO_SOCKETS);
}

static void files_are_closed_off_without_seccomp(void **state)
{
    (void)state;
    if (!has_landlock || !has_seccomp) /* seccomp plays the kernel that has none */
        skip();
    expect_held(enter_without_seccomp, BY_FILES);
}

static void dropping_is_enough_against_what_only_root_may(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    expect_held(become_service_user, BY_USER);
}

static bool is_alone(void)
{
    gid_t groups[8];
    return become_service_user() && getgroups(8, groups) == 0;
}

static void no_group_is_left(void **state)
{
    int status;
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0)
        _exit(setgroups(2, (gid_t[]){4, 27}) == 0 && is_alone() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_user_that_is_not_there_is_a_sentence(void **state)
{
    struct privileges_user user;
    struct fault fault = {{0}};
    (void)state;
    assert_false(privileges_find_user(&user, "no-such-user-here", NULL, &fault));
    assert_non_null(strstr(fault.sentence, "there is no user no-such-user-here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attempt_works_outside),
        cmocka_unit_test(nothing_leaves_the_sandbox_of_files),
        cmocka_unit_test(nothing_leaves_the_sandbox_of_a_live_run),
        cmocka_unit_test(unix_sockets_are_all_that_a_live_run_may_connect_again),
        cmocka_unit_test(calls_are_closed_off_without_landlock),
        cmocka_unit_test(files_are_closed_off_without_seccomp),
        cmocka_unit_test(dropping_is_enough_against_what_only_root_may),
        cmocka_unit_test(no_group_is_left),
        cmocka_unit_test(a_user_that_is_not_there_is_a_sentence),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
