/* track/flow_table: both directions find the flow; the right one makes room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "track/flow_table.h"

static struct packet packet_between(const char *source, uint16_t source_port,
                                    const char *destination, uint16_t destination_port)
{
    struct packet packet = {0};
    assert_true(address_parse(source, &packet.source));
    assert_true(address_parse(destination, &packet.destination));
    packet.source_port = source_port;
    packet.destination_port = destination_port;
    return packet;
}

static struct flow *add(struct flow_table *flows, uint16_t port, enum lifecycle_state state)
{
    struct packet packet = packet_between("10.0.0.1", port, "17.57.144.10", 5223);
    struct flow *flow = flow_table_add(flows, &packet, flow_hash(&packet), true);
    assert_non_null(flow);
    flow->standing = STANDING_OURS;
    flow->state = (uint8_t)state;
    flow->record.last_ns = port;
    flow_table_touch(flows, flow);
    return flow;
}

static void both_directions_find_the_same_flow(void **state)
{
    (void)state;
    struct flow_table flows;
    flow_table_init(&flows, 16, 16);
    struct packet up = packet_between("10.0.0.1", 50000, "17.57.144.10", 5223);
    struct packet down = packet_between("17.57.144.10", 5223, "10.0.0.1", 50000);
    struct packet other = packet_between("17.57.144.10", 5223, "10.0.0.1", 50001);
    struct flow *flow = flow_table_add(&flows, &up, flow_hash(&up), true);
    assert_int_equal(flow_hash(&up), flow_hash(&down));
    assert_ptr_equal(flow_table_find(&flows, &down, flow_hash(&down)), flow);
    assert_null(flow_table_find(&flows, &other, flow_hash(&other)));
    down.lane = 7;
    assert_null(flow_table_find(&flows, &down, flow_hash(&down)));
    flow_table_remove(&flows, flow);
    assert_null(flow_table_find(&flows, &up, flow_hash(&up)));
    flow_table_free(&flows);
}

static void at_the_half_open_cap_the_oldest_attempt_makes_room(void **state)
{
    (void)state;
    struct flow_table flows;
    flow_table_init(&flows, 16, 2);
    add(&flows, 1, STATE_ESTABLISHED);
    struct flow *oldest = add(&flows, 2, STATE_SYN_SENT);
    assert_null(flow_table_crowded(&flows));
    add(&flows, 3, STATE_SYN_SENT);
    assert_ptr_equal(flow_table_crowded(&flows), oldest);
    flow_table_free(&flows);
}

static void a_full_table_gives_up_attempts_before_sessions(void **state)
{
    (void)state;
    struct flow_table flows;
    flow_table_init(&flows, 3, 16);
    struct flow *session = add(&flows, 1, STATE_ESTABLISHED);
    struct flow *attempt = add(&flows, 2, STATE_SYN_SENT);
    add(&flows, 3, STATE_ESTABLISHED);
    assert_ptr_equal(flow_table_crowded(&flows), attempt);
    flow_table_remove(&flows, attempt);
    add(&flows, 4, STATE_ESTABLISHED);
    assert_ptr_equal(flow_table_crowded(&flows), session);
    flow_table_free(&flows);
}

static void silence_is_counted_from_the_last_packet(void **state)
{
    (void)state;
    struct flow_table flows;
    flow_table_init(&flows, 16, 16);
    struct flow *first = add(&flows, 10, STATE_ESTABLISHED);
    struct flow *second = add(&flows, 20, STATE_ESTABLISHED);
    assert_ptr_equal(flow_table_silent(&flows, WAIT_IDLE, 15), first);
    first->record.last_ns = FLOW_REQUEUE_NS + 10;
    flow_table_touch(&flows, first);
    assert_null(flow_table_silent(&flows, WAIT_IDLE, 15));
    assert_ptr_equal(flow_table_silent(&flows, WAIT_IDLE, 25), second);
    flow_table_free(&flows);
}

static void an_idle_session_heard_again_is_not_silent_while_it_keeps_its_place(void **state)
{
    (void)state;
    struct flow_table flows;
    flow_table_init(&flows, 16, 16);
    struct flow *first = add(&flows, 10, STATE_ESTABLISHED);
    add(&flows, 20, STATE_ESTABLISHED);
    first->record.last_ns = 30;
    flow_table_touch(&flows, first);
    assert_null(flow_table_silent(&flows, WAIT_IDLE, 25));
    flow_table_free(&flows);
}

static void thousands_of_flows_come_and_go(void **state)
{
    (void)state;
    struct flow_table flows;
    flow_table_init(&flows, 5000, 5000);
    static struct flow *kept[5000];
    for (int round = 0; round < 3; round++) {
        for (uint16_t i = 0; i < 5000; i++)
            kept[i] = add(&flows, (uint16_t)(i + 1), STATE_SYN_SENT);
        for (uint16_t i = 0; i < 5000; i++) {
            struct packet packet =
                packet_between("17.57.144.10", 5223, "10.0.0.1", (uint16_t)(i + 1));
            assert_ptr_equal(flow_table_find(&flows, &packet, flow_hash(&packet)), kept[i]);
            flow_table_remove(&flows, kept[i]);
        }
        assert_int_equal(flows.pool.taken, 0);
        assert_int_equal(flows.lists[WAIT_HALF_OPEN].count, 0);
    }
    flow_table_free(&flows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_find_the_same_flow),
        cmocka_unit_test(at_the_half_open_cap_the_oldest_attempt_makes_room),
        cmocka_unit_test(a_full_table_gives_up_attempts_before_sessions),
        cmocka_unit_test(silence_is_counted_from_the_last_packet),
        cmocka_unit_test(an_idle_session_heard_again_is_not_silent_while_it_keeps_its_place),
        cmocka_unit_test(thousands_of_flows_come_and_go),
    };
    return cmocka_run_group_tests_name("track/flow_table", tests, NULL, NULL);
}
