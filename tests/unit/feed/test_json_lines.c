/* JSON lines whose reader is away or slow. */
#include "feed_sample.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "feed/json_lines.h"

enum { NOTICES = 4000 }; /* more than the outlet's buffer and less than the queue hold */

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct feed_sink open_lines(const char *where, struct feed_origin *origin)
{
    struct feed_sink sink;
    struct fault fault = {{0}};
    *origin = sample_origin();
    if (!json_lines_open(&sink, where, origin, &fault) || !sink.start(sink.context, &fault))
        fail_msg("%s", fault.sentence);
    return sink;
}

static void a_reader_that_is_away_costs_no_time_and_ends_the_run_soon(void **state)
{
    char where[300];
    struct feed_origin origin;
    snprintf(where, sizeof where, "unix:%s", sample_path(state, "nobody"));
    struct feed_sink sink = open_lines(where, &origin);
    for (int i = 0; i < NOTICES; i++)
        sink.notice(sink.context, "a line that nobody reads");
    sleep(1); /* the buffer is full by now */
    double used = seconds(CLOCK_PROCESS_CPUTIME_ID);
    sleep(1);
    assert_true(seconds(CLOCK_PROCESS_CPUTIME_ID) - used < 0.5);
    double begun = seconds(CLOCK_MONOTONIC);
    sink.close(sink.context);
    assert_true(seconds(CLOCK_MONOTONIC) - begun < 20);
    assert_non_null(strstr(sample_said, "JSON lines: 4,000 records lost so far"));
}

static void a_reader_that_stands_still_ends_the_run_soon(void **state)
{
    char where[300];
    struct feed_origin origin;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = sample_path(state, "socket");
    assert_true(strlen(path) < sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    snprintf(where, sizeof where, "unix:%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    struct feed_sink sink = open_lines(where, &origin); /* connected, and never read from */
    for (int i = 0; i < NOTICES; i++)
        sink.notice(sink.context, "a line that nobody reads");
    double begun = seconds(CLOCK_MONOTONIC);
    sink.close(sink.context);
    assert_true(seconds(CLOCK_MONOTONIC) - begun < 20);
    assert_non_null(strstr(sample_said, "records lost so far"));
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_reader_that_is_away_costs_no_time_and_ends_the_run_soon,
                                        sample_setup, sample_teardown),
        cmocka_unit_test_setup_teardown(a_reader_that_stands_still_ends_the_run_soon, sample_setup,
                                        sample_teardown),
    };
    return cmocka_run_group_tests_name("feed/json_lines", tests, NULL, NULL);
}
