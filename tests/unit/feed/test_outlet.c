/* Lines to files and sockets that come and go. */
#include "feed_sample.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "feed/outlet.h"

static void put(struct outlet *outlet, const char *line)
{
    assert_true(outlet_put(outlet, line, strlen(line)));
}

static bool flush(struct outlet *outlet)
{
    struct fault fault = {{0}};
    bool is_done = outlet_flush(outlet, 100, &fault);
    assert_true(is_done || fault.sentence[0]);
    return is_done;
}

static struct outlet *open_outlet(const char *where)
{
    struct outlet *outlet;
    struct fault fault = {{0}};
    if (!outlet_open(&outlet, where, &fault))
        fail_msg("%s", fault.sentence);
    return outlet;
}

static void a_file_is_private_and_appended_to(void **state)
{
    const char *path = sample_path(state, "lines");
    struct stat status;
    for (int i = 0; i < 2; i++) {
        struct outlet *outlet = open_outlet(path);
        put(outlet, i ? "two\n" : "one\n");
        assert_true(flush(outlet));
        outlet_close(outlet);
    }
    assert_string_equal(sample_read(path), "one\ntwo\n");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_file_that_was_moved_away_is_opened_anew(void **state)
{
    char moved[300];
    const char *path = sample_path(state, "lines");
    struct outlet *outlet = open_outlet(path);
    put(outlet, "one\n");
    assert_true(flush(outlet));
    snprintf(moved, sizeof moved, "%s.1", path);
    assert_int_equal(rename(path, moved), 0);
    outlet_reopen(outlet);
    put(outlet, "two\n");
    assert_true(flush(outlet));
    assert_string_equal(sample_read(moved), "one\n");
    assert_string_equal(sample_read(path), "two\n");
    outlet_close(outlet);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct outlet *outlet;
    struct fault fault = {{0}};
    assert_false(outlet_open(&outlet, sample_path(state, "nowhere/lines"), &fault));
    assert_non_null(strstr(fault.sentence, "nowhere"));
    assert_null(outlet);
}

static void a_full_disk_keeps_the_lines(void **state)
{
    struct outlet *outlet = open_outlet("/dev/full");
    (void)state;
    put(outlet, "one\ntwo\n");
    assert_false(flush(outlet));
    assert_int_equal(outlet_drop(outlet), 2);
    assert_true(flush(outlet));
    outlet_close(outlet);
}

/* ---- sockets ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(path);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    return listener;
}

static const char *receive(int connection)
{
    static char bytes[256];
    ssize_t size = recv(connection, bytes, sizeof bytes - 1, 0);
    bytes[size > 0 ? size : 0] = '\0';
    return bytes;
}

/* It is tried about once a second. */
static void flush_patiently(struct outlet *outlet)
{
    for (int i = 0; i < 40; i++) {
        struct fault fault;
        if (outlet_flush(outlet, 100, &fault))
            return;
        usleep(100000);
    }
    fail_msg("the socket was not connected again");
}

static void a_reader_may_come_late_go_and_come_again(void **state)
{
    char where[300];
    const char *path = sample_path(state, "socket");
    snprintf(where, sizeof where, "unix:%s", path);
    struct outlet *outlet = open_outlet(where);
    put(outlet, "one\n");
    assert_false(flush(outlet)); /* nobody listens */
    int listener = listen_at(path);
    flush_patiently(outlet);
    int connection = accept(listener, NULL, NULL);
    assert_string_equal(receive(connection), "one\n");
    close(connection);
    close(listener);
    put(outlet, "two\n");
    assert_false(flush(outlet)); /* a broken pipe is no crash */
    listener = listen_at(path);
    flush_patiently(outlet);
    connection = accept(listener, NULL, NULL);
    assert_string_equal(receive(connection), "two\n");
    close(connection);
    close(listener);
    outlet_close(outlet);
}

static void a_slow_reader_gets_whole_lines_after_all(void **state)
{
    char where[300], line[1000];
    const char *path = sample_path(state, "socket");
    snprintf(where, sizeof where, "unix:%s", path);
    int listener = listen_at(path);
    struct outlet *outlet = open_outlet(where);
    int first = accept(listener, NULL, NULL);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    while (outlet_put(outlet, line, sizeof line)) /* until both the socket and we are full */
        continue;
    while (flush(outlet))
        while (outlet_put(outlet, line, sizeof line))
            continue;
    close(first); /* in the middle of a line */
    assert_false(flush(outlet));
    char bytes[sizeof line];
    struct fault fault;
    usleep(1100000);
    (void)!outlet_flush(outlet, 10, &fault);
    int second = accept(listener, NULL, NULL);
    assert_int_equal(recv(second, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
    assert_memory_equal(bytes, line, sizeof line); /* from its beginning */
    close(second);
    close(listener);
    outlet_close(outlet);
}

static void a_path_that_is_too_long_is_told(void **state)
{
    char where[200] = "unix:";
    struct outlet *outlet;
    struct fault fault = {{0}};
    (void)state;
    memset(where + 5, 'p', 150);
    assert_false(outlet_open(&outlet, where, &fault));
    assert_non_null(strstr(fault.sentence, "bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_private_and_appended_to, sample_setup,
                                        sample_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_opened_anew, sample_setup,
                                        sample_teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_told, sample_setup,
                                        sample_teardown),
        cmocka_unit_test(a_full_disk_keeps_the_lines),
        cmocka_unit_test_setup_teardown(a_reader_may_come_late_go_and_come_again, sample_setup,
                                        sample_teardown),
        cmocka_unit_test_setup_teardown(a_slow_reader_gets_whole_lines_after_all, sample_setup,
                                        sample_teardown),
        cmocka_unit_test(a_path_that_is_too_long_is_told),
    };
    return cmocka_run_group_tests_name("feed/outlet", tests, NULL, NULL);
}
