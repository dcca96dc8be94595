/* The relay between two threads: what was said, in the order in which it was said, and whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/relay.h"

enum { MANY = 20000, MILLISECOND_US = 1000 };

/* What came out, as one number after the other: a kind and whom it is about. */
struct heard {
    uint64_t count;
    uint64_t sum; /* depends on the order */
    uint32_t wrong;
    useconds_t delay_us; /* that each takes, of the first few */
    struct flow_record last_flow;
    struct flow_evidence last_evidence;
    struct idle_evidence last_idle;
    struct capture_quality last_quality;
    const struct flow_record *last_seen_at;
};

static void note(struct heard *heard, uint64_t kind, uint64_t number)
{
    enum { DELAYED = 20 };
    heard->count++;
    heard->sum = heard->sum * 31 + kind * 1000003 + number;
    if (heard->delay_us && heard->count < DELAYED)
        usleep(heard->delay_us);
}

static void hear_event(void *context, const struct event *event)
{
    struct heard *heard = context;
    note(heard, event->kind, event->flow ? event->flow->number : event->frame);
    if (event->flow) {
        heard->last_flow = *event->flow;
        heard->last_seen_at = event->flow;
        if (event->flow->evidence)
            heard->last_evidence = *event->flow->evidence;
        if (event->flow->idle)
            heard->last_idle = *event->flow->idle;
    }
    heard->wrong += event->dns && strcmp(event->dns->name, "courier.push.apple.com") != 0;
    if (event->quality)
        heard->last_quality = *event->quality;
}

static void hear_flow(void *context, const struct flow_record *flow)
{
    struct heard *heard = context;
    note(heard, 100, flow->number);
    heard->last_flow = *flow;
    heard->last_seen_at = flow;
}

static void hear_steps(void *context, const struct flow_record *flow,
                       const struct flow_steps *steps)
{
    struct heard *heard = context;
    note(heard, 101, flow->number);
    heard->wrong += steps->first_count != flow->number % STEPS_FIRST;
}

static void hear_attempts(void *context, const struct attempt_sum *sum)
{
    note(context, 102, sum->attempts);
}

static struct relay *relay_to(struct heard *heard)
{
    struct relay_sinks sinks = {.context = heard,
                                .events = ~(1U << EVENT_FLOW_OPENED),
                                .event = hear_event,
                                .flow_done = hear_flow,
                                .steps_done = hear_steps,
                                .attempts_done = hear_attempts};
    return relay_new(&sinks);
}

/* A session from its opening to its row, with all that hangs on it; what was handed over is spoilt
 * at once, as the tracker does when it uses the memory again. */
static void tell_session(struct relay *relay, uint64_t number)
{
    struct flow_evidence evidence = {.mss_up = (uint16_t)number};
    struct idle_evidence idle = {.tries = (uint16_t)number};
    struct flow_steps steps = {.first_count = (uint32_t)(number % STEPS_FIRST)};
    struct flow_record flow = flow_record_blank();
    flow.number = number;
    flow.evidence = number % 3 ? &evidence : NULL;
    flow.idle = number % 5 ? &idle : NULL;
    relay_event(relay, &(struct event){.kind = EVENT_FLOW_OPENED, .flow = &flow});
    flow.packets_up = 1;
    relay_event(relay, &(struct event){.kind = EVENT_FLOW_WORKS, .flow = &flow});
    flow.packets_up = 2;
    relay_event(relay, &(struct event){.kind = EVENT_FLOW_CLOSED, .flow = &flow});
    relay_flow(relay, &flow);
    if (number % 2)
        relay_steps(relay, &flow, &steps);
    memset(&evidence, 0xff, sizeof evidence);
    memset(&idle, 0xff, sizeof idle);
    memset(&flow, 0xff, sizeof flow);
    memset(&steps, 0xff, sizeof steps);
}

static void tell_rest(struct relay *relay)
{
    struct dns_message dns = {.is_response = true};
    struct capture_quality quality = {.frames = 42};
    struct attempt_sum sum = {.attempts = 7};
    strcpy(dns.name, "courier.push.apple.com");
    relay_event(relay, &(struct event){.kind = EVENT_DNS_ANSWER, .frame = 9, .dns = &dns});
    relay_attempts(relay, &sum);
    relay_event(relay, &(struct event){.kind = EVENT_CAPTURE_END, .quality = &quality});
    memset(&dns, 0xff, sizeof dns);
    memset(&quality, 0xff, sizeof quality);
}

static void hear(struct heard *heard, bool is_shared, uint64_t sessions)
{
    struct relay *relay = relay_to(heard);
    if (is_shared)
        relay_share(relay);
    for (uint64_t number = 1; number <= sessions; number++)
        tell_session(relay, number);
    tell_rest(relay);
    relay_end(relay);
    relay_free(relay);
}

static void two_threads_hear_what_one_hears_in_the_same_order(void **state)
{
    (void)state;
    struct heard alone = {0}, shared = {0};
    hear(&alone, false, MANY);
    hear(&shared, true, MANY);
    assert_int_equal(alone.count, MANY * 3 + MANY / 2 + 3);
    assert_int_equal(shared.count, alone.count);
    assert_true(shared.sum == alone.sum);
    assert_int_equal(shared.wrong, 0);
    assert_int_equal(alone.wrong, 0);
}

static void what_a_session_points_to_comes_along(void **state)
{
    (void)state;
    struct heard heard = {0};
    hear(&heard, true, 1);
    assert_int_equal(heard.last_flow.number, 1);
    assert_int_equal(heard.last_flow.packets_up, 2);
    assert_int_equal(heard.last_evidence.mss_up, 1);
    assert_int_equal(heard.last_idle.tries, 1);
    assert_int_equal(heard.last_quality.frames, 42);
}

static void sinks_that_fall_behind_make_the_tracker_wait_and_miss_nothing(void **state)
{
    (void)state;
    struct heard slow = {.delay_us = 5 * MILLISECOND_US}, alone = {0};
    hear(&slow, true, 2000);
    hear(&alone, false, 2000);
    assert_int_equal(slow.count, alone.count);
    assert_true(slow.sum == alone.sum);
}

static void unshared_it_tells_at_once_and_copies_nothing(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct relay *relay = relay_to(&heard);
    struct flow_record flow = flow_record_blank();
    relay_event(relay, &(struct event){.kind = EVENT_FLOW_CLOSED, .flow = &flow});
    assert_int_equal(heard.count, 1);
    assert_ptr_equal(heard.last_seen_at, &flow);
    relay_free(relay);
}

static void after_its_end_it_tells_at_once_again(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct relay *relay = relay_to(&heard);
    struct flow_record flow = flow_record_blank();
    relay_share(relay);
    relay_flow(relay, &flow);
    relay_end(relay);
    assert_int_equal(heard.count, 1);
    relay_flow(relay, &flow);
    assert_int_equal(heard.count, 2);
    relay_free(relay);
}

static void a_run_that_fails_ends_without_hearing_the_rest(void **state)
{
    (void)state;
    struct heard heard = {.delay_us = MILLISECOND_US};
    struct relay *relay = relay_to(&heard);
    relay_share(relay);
    for (uint64_t number = 1; number <= 500; number++)
        tell_session(relay, number);
    relay_free(relay);
    assert_true(heard.count < 500 * 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_hear_what_one_hears_in_the_same_order),
        cmocka_unit_test(what_a_session_points_to_comes_along),
        cmocka_unit_test(sinks_that_fall_behind_make_the_tracker_wait_and_miss_nothing),
        cmocka_unit_test(unshared_it_tells_at_once_and_copies_nothing),
        cmocka_unit_test(after_its_end_it_tells_at_once_again),
        cmocka_unit_test(a_run_that_fails_ends_without_hearing_the_rest),
    };
    return cmocka_run_group_tests_name("cli/relay", tests, NULL, NULL);
}
