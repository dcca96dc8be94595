/* cli/standing: findings are told once, while the fault goes on, and taken back where what followed
 * explains them. */
#include "../track/segments.h"

#include <stdio.h>
#include <string.h>

#include "cli/standing.h"

static struct tracker *tracker;
static struct engine *engine;
static struct names *names;
static struct standing *standing;
static struct capture_quality quality;
static char told[4096]; /* what was told, a word each */
static bool has_room;

static void tell(const char *what, const char *code)
{
    size_t length = strlen(told);
    snprintf(told + length, sizeof told - length, "%s %s;", what, code);
}

static void on_event(void *context, const struct event *event)
{
    (void)context;
    engine_observe(engine, event);
}

static void on_flow(void *context, const struct flow_record *flow)
{
    (void)context;
    (void)flow;
}

static bool on_finding(void *context, const struct finding *finding, bool is_new)
{
    (void)context;
    tell(is_new ? "new" : "more", finding->code);
    return is_new || has_room;
}

static void on_withdrawn(void *context, const struct standing_finding *finding)
{
    (void)context;
    tell("withdrawn", finding->code);
}

static bool on_device(void *context, const struct device_record *device, enum device_verdict before)
{
    (void)context;
    if (before != device->verdict)
        tell("device", verdict_name(device->verdict));
    return true;
}

static void on_requirement(void *context, const struct requirement_record *requirement)
{
    (void)context;
    (void)requirement;
}

static int begin(void **state)
{
    struct fault fault = {{0}};
    (void)state;
    names = names_new(1 << 16);
    engine = engine_new();
    struct track_options options = {
        .names = names, .without_ndpi = true, .event = on_event, .flow_done = on_flow};
    assert_true(tracker_new(&tracker, &options, &fault));
    struct standing_sink sink = {.finding = on_finding,
                                 .withdrawn = on_withdrawn,
                                 .device = on_device,
                                 .requirement = on_requirement};
    standing = standing_new(&sink, engine);
    quality = (struct capture_quality){.first_ns = at(0), .frames = 1000};
    told[0] = '\0';
    has_room = true;
    return 0;
}

static int end(void **state)
{
    (void)state;
    standing_free(standing);
    tracker_free(tracker);
    engine_free(engine);
    names_free(names);
    return 0;
}

static void take(double seconds, unsigned client, bool up, uint8_t flags)
{
    struct packet packet = segment(seconds, client, up, flags);
    tracker_take(tracker, &packet, 1);
}

static void judge(double seconds)
{
    struct capture_quality now = quality;
    now.last_ns = at(seconds);
    told[0] = '\0';
    tracker_advance(tracker, at(seconds));
    tracker_quality_of(tracker, &now);
    standing_judge(standing, tracker, &now, at(seconds));
}

static void send_silent_syns(unsigned client)
{
    take(0, client, true, TCP_SYN);
    take(1, client, true, TCP_SYN);
    take(3, client, true, TCP_SYN);
}

static void a_blocked_port_is_told_once_while_the_device_still_tries(void **state)
{
    (void)state;
    send_silent_syns(3);
    judge(3.2);
    assert_null(strstr(told, "port-blocked-silent"));
    judge(4.1);
    assert_non_null(strstr(told, "new port-blocked-silent;"));
    judge(4.4);
    assert_string_equal(told, "");
    take(7, 3, true, TCP_SYN);
    judge(7.1);
    assert_string_equal(told, "more port-blocked-silent;");
    assert_int_equal(standing_counts_of(standing).findings[SEVERITY_FAIL], 1);
}

static void an_update_that_there_is_no_room_for_is_told_later(void **state)
{
    (void)state;
    send_silent_syns(3);
    judge(4.1);
    take(7, 3, true, TCP_SYN);
    has_room = false;
    judge(7.1);
    has_room = true;
    judge(7.2);
    assert_string_equal(told, "more port-blocked-silent;");
    judge(7.3);
    assert_string_equal(told, "");
}

static void an_answer_takes_it_back(void **state)
{
    (void)state;
    send_silent_syns(3);
    judge(4.1);
    take(7, 3, true, TCP_SYN);
    take(7.02, 3, false, TCP_SYN | TCP_ACK);
    take(7.04, 3, true, TCP_ACK);
    judge(8);
    assert_null(strstr(told, "withdrawn")); /* it is waited for a moment */
    judge(10.1);
    assert_non_null(strstr(told, "withdrawn port-blocked-silent;"));
    assert_int_equal(standing_counts_of(standing).findings[SEVERITY_FAIL], 0);
}

static void two_devices_are_two_findings(void **state)
{
    (void)state;
    send_silent_syns(3);
    judge(4.1);
    take(10, 4, true, TCP_SYN);
    take(11, 4, true, TCP_SYN);
    take(13, 4, true, TCP_SYN);
    judge(14.1);
    assert_non_null(strstr(told, "new port-blocked-silent;"));
    assert_null(strstr(told, "withdrawn"));
    assert_int_equal(standing_counts_of(standing).findings[SEVERITY_FAIL], 2);
}

static void count_number(void *context, const struct standing_finding *finding)
{
    *(uint64_t *)context += finding->number;
}

static void at_the_end_the_engine_says_what_stood(void **state)
{
    uint64_t before = 0, after = 0;
    (void)state;
    send_silent_syns(3);
    judge(4.1);
    standing_each(standing, &before, count_number);
    told[0] = '\0';
    quality.last_ns = at(5);
    tracker_finish(tracker, &quality);
    standing_end(standing, engine);
    assert_null(strstr(told, "new"));
    assert_null(strstr(told, "withdrawn"));
    standing_each(standing, &after, count_number);
    assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_blocked_port_is_told_once_while_the_device_still_tries),
        TEST(an_update_that_there_is_no_room_for_is_told_later),
        TEST(an_answer_takes_it_back),
        TEST(two_devices_are_two_findings),
        TEST(at_the_end_the_engine_says_what_stood),
    };
    return cmocka_run_group_tests_name("cli/standing", tests, NULL, NULL);
}
