/* detect/place: inside, beyond, or cannot tell, and why. */
#include "play.h"

#include "detect/place.h"

static struct places places;

static int begin(void **state)
{
    (void)state;
    places_init(&places);
    return 0;
}

static void home_is(const char *text)
{
    struct prefix prefix;
    assert_true(prefix_parse(text, &prefix));
    places_add_home_net(&places, &prefix);
}

/* A session whose SYN a router answered with an ICMP error from so far away. */
static void learn_router(const char *router, int16_t ttl, uint32_t lane)
{
    struct flow_record flow = flow_record_blank();
    flow.lane = lane;
    flow.client_ip = ip("10.1.2.3");
    flow.ttl_client = 63;
    flow.icmp_frame = 9;
    flow.icmp_source = ip(router);
    flow.icmp_ttl = ttl;
    places_learn(&places, &flow);
}

static void learn_working(const uint8_t mac[6], int16_t ttl_client)
{
    struct flow_record flow = flow_record_blank();
    flow.server_is_apple = flow.has_server_mac = true;
    flow.outcome = OUTCOME_ESTABLISHED;
    flow.ttl_client = ttl_client;
    memcpy(flow.server_mac, mac, 6);
    places_learn(&places, &flow);
}

static struct finding block(const char *address, int16_t hops)
{
    struct finding finding = {.kind = BLOCK_PORT, .blocker_hops = hops};
    if (address)
        finding.blocker_ip = ip(address);
    places_judge(&places, &finding);
    return finding;
}

static void assert_side(const char *address, int16_t hops, enum blocker_side side, const char *why)
{
    struct finding finding = block(address, hops);
    assert_int_equal(finding.side, side);
    if (!strstr(finding.place, why))
        fail_msg("\"%s\" does not say \"%s\"", finding.place, why);
}

static void what_is_no_block_has_no_place(void **state)
{
    (void)state;
    struct finding finding = {.kind = BLOCK_NONE, .blocker_hops = 3};
    places_judge(&places, &finding);
    assert_int_equal(finding.side, SIDE_NONE);
    assert_string_equal(finding.place, "");
}

static void silence_gives_no_place(void **state)
{
    (void)state;
    places.home_hops = 3;
    assert_side(NULL, -1, SIDE_UNCLEAR, "cannot be told: nothing that was captured");
}

static void the_edge_given_divides_distances(void **state)
{
    (void)state;
    places.home_hops = 2;
    assert_side(NULL, 2, SIDE_INSIDE, "your network ends 2 hops");
    assert_side(NULL, 3, SIDE_BEYOND, "3 hops away");
    assert_side("198.51.100.1", 3, SIDE_BEYOND, "--home-hops");
    assert_side("10.9.9.9", 3, SIDE_BEYOND, "--home-hops"); /* providers number privately too */
}

static void a_distance_alone_does_not_tell(void **state)
{
    (void)state;
    assert_side(NULL, 4, SIDE_UNCLEAR, "--home-hops N says");
    assert_side(NULL, 0, SIDE_UNCLEAR, "--home-hops N says");
}

static void networks_given_decide_addresses(void **state)
{
    (void)state;
    home_is("198.51.100.0/24");
    home_is("10.20.0.0/16");
    assert_side("198.51.100.7", -1, SIDE_INSIDE, "in your networks");
    assert_side("203.0.113.7", -1, SIDE_BEYOND, "not in your networks");
    assert_side("10.99.0.1", -1, SIDE_UNCLEAR, "10.99.0.1 may be either");
    assert_side("17.1.2.3", -1, SIDE_BEYOND, "Apple's");
    places.home_hops = 1;
    assert_side("198.51.100.7", 3, SIDE_INSIDE, "in your networks");
}

static void without_networks_private_addresses_are_home(void **state)
{
    (void)state;
    assert_side("10.99.0.1", 3, SIDE_INSIDE, "private");
    assert_side("fd00::1", -1, SIDE_INSIDE, "private");
    assert_side("100.64.3.1", 2, SIDE_BEYOND, "RFC 6598");
    assert_side("203.0.113.7", 2, SIDE_UNCLEAR, "may be either");
}

static void what_is_no_farther_than_a_router_of_ones_own_is_ones_own(void **state)
{
    (void)state;
    learn_router("10.0.0.1", 62, 0);
    assert_side(NULL, 1, SIDE_INSIDE, "no farther away than 10.0.0.1");
    assert_side(NULL, 2, SIDE_INSIDE, "a router of yours 2 hops away");
    assert_side(NULL, 3, SIDE_UNCLEAR, "nothing shows");
    struct finding elsewhere = {.kind = BLOCK_NAME, .blocker_hops = 1, .lane = 7};
    places_judge(&places, &elsewhere);
    assert_int_equal(elsewhere.side, SIDE_UNCLEAR);
}

static void what_is_no_nearer_than_anothers_router_is_anothers(void **state)
{
    (void)state;
    home_is("10.0.0.0/8");
    learn_router("203.0.113.1", 252, 0);
    assert_side(NULL, 3, SIDE_BEYOND, "no nearer than 203.0.113.1");
    assert_side(NULL, 2, SIDE_UNCLEAR, "nothing shows");
}

static void a_public_router_proves_nothing_while_home_is_not_said(void **state)
{
    (void)state;
    learn_router("203.0.113.1", 62, 0);
    assert_side(NULL, 4, SIDE_UNCLEAR, "nothing shows");
}

static void routers_that_contradict_each_other_prove_nothing(void **state)
{
    (void)state;
    home_is("10.0.0.0/8");
    learn_router("203.0.113.1", 62, 0);
    learn_router("10.0.0.1", 60, 0);
    assert_side(NULL, 3, SIDE_UNCLEAR, "nothing shows");
}

static void the_clients_own_segment_is_inside(void **state)
{
    (void)state;
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    learn_working(mac, 64);
    assert_side(NULL, 0, SIDE_INSIDE, "own segment");
    assert_side(NULL, 1, SIDE_UNCLEAR, "nothing shows");
    learn_working(mac, 62); /* behind routers: this is some other link */
    assert_side(NULL, 0, SIDE_UNCLEAR, "nothing shows");
}

static void the_far_end_is_beyond(void **state)
{
    (void)state;
    struct finding finding = {.kind = BLOCK_LISTENER, .blocker_hops = -1, .blocker_is_far = true};
    places_judge(&places, &finding);
    assert_int_equal(finding.side, SIDE_BEYOND);
}

static void a_mac_is_foreign_only_where_apples_are_known(void **state)
{
    (void)state;
    uint8_t mac[6] = {2, 0, 0, 0, 0, 1}, other[6] = {2, 0, 0, 0, 0, 99};
    assert_false(places_mac_is_foreign(&places, 0, other));
    learn_working(mac, 64);
    assert_true(places_mac_is_foreign(&places, 0, other));
    assert_false(places_mac_is_foreign(&places, 0, mac));
    assert_false(places_mac_is_foreign(&places, 5, other));
    for (int i = 2; i < 2 + PLACE_MACS_MAX; i++) {
        mac[5] = (uint8_t)i;
        learn_working(mac, 64);
    }
    assert_false(places_mac_is_foreign(&places, 0, other)); /* too many ways to know them all */
}

static void lanes_beyond_the_cap_are_not_learned(void **state)
{
    (void)state;
    for (uint32_t lane = 0; lane < PLACE_LANES_MAX + 4; lane++)
        learn_router("10.0.0.1", 62, lane);
    assert_int_equal(places.lane_count, PLACE_LANES_MAX);
    struct finding finding = {.kind = BLOCK_NAME, .blocker_hops = 1, .lane = PLACE_LANES_MAX + 1};
    places_judge(&places, &finding);
    assert_int_equal(finding.side, SIDE_UNCLEAR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_no_block_has_no_place, begin),
        cmocka_unit_test_setup(silence_gives_no_place, begin),
        cmocka_unit_test_setup(the_edge_given_divides_distances, begin),
        cmocka_unit_test_setup(a_distance_alone_does_not_tell, begin),
        cmocka_unit_test_setup(networks_given_decide_addresses, begin),
        cmocka_unit_test_setup(without_networks_private_addresses_are_home, begin),
        cmocka_unit_test_setup(what_is_no_farther_than_a_router_of_ones_own_is_ones_own, begin),
        cmocka_unit_test_setup(what_is_no_nearer_than_anothers_router_is_anothers, begin),
        cmocka_unit_test_setup(a_public_router_proves_nothing_while_home_is_not_said, begin),
        cmocka_unit_test_setup(routers_that_contradict_each_other_prove_nothing, begin),
        cmocka_unit_test_setup(the_clients_own_segment_is_inside, begin),
        cmocka_unit_test_setup(the_far_end_is_beyond, begin),
        cmocka_unit_test_setup(a_mac_is_foreign_only_where_apples_are_known, begin),
        cmocka_unit_test_setup(lanes_beyond_the_cap_are_not_learned, begin),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
