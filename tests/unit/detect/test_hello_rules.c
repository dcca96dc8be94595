/* reset-after-client-hello, stall-after-client-hello, large-hello-blocked, path-mtu-blackhole,
 * reset-injected: sessions that come up and are then cut or left waiting, and by whom. */
#include "play.h"

#define PHONE   "10.1.2.3"
#define PAD     "10.1.2.4"
#define COURIER "17.57.144.10"
#define SECOND  "17.57.145.20"

/* A session whose TCP handshake passed and whose hello was sent, with its evidence. */
struct opened {
    struct flow_record flow;
    struct flow_evidence evidence;
};

static void open_session(struct play *play, struct opened *opened, const char *client,
                         const char *server, uint16_t port, double seconds)
{
    memset(opened, 0, sizeof *opened);
    struct flow_record *flow = &opened->flow;
    struct hello_evidence *hello = &opened->evidence.hello;
    *flow = healthy(play, client, server, port, seconds, 0.03);
    flow->saw = SAW_SYN | SAW_SYN_ACK | SAW_HANDSHAKE | SAW_UP | SAW_DOWN | SAW_CLIENT_HELLO;
    flow->rtt_server_us = 20000;
    flow->tls_version = 0;
    flow->hello_segments = 1;
    flow->evidence = &opened->evidence;
    opened->evidence.has_opening = true;
    hello->is_hello = true;
    hello->size = hello->first_segment = hello->largest_segment = 517;
    hello->segments = 1;
    hello->first = hello->last =
        (struct proof){.frame = flow->hello_frame, .time_ns = at(seconds + 0.021)};
}

/* Cut by RST `delay` after the hello. */
static void cut_session(struct play *play, struct opened *opened, double delay, int16_t ttl,
                        unsigned signs)
{
    struct flow_record *flow = &opened->flow;
    struct proof proof = {.frame = ++play->frames,
                          .time_ns = opened->evidence.hello.last.time_ns + (int64_t)(delay * 1e9)};
    opened->evidence.cut = (struct cut_evidence){.proof = proof, .ttl = ttl};
    opened->evidence.reset[DOWN] = (struct reset_evidence){.proof = proof,
                                                           .ttl = ttl,
                                                           .hops = hops_of_ttl(ttl),
                                                           .peer_ttl_low = 52,
                                                           .peer_ttl_high = 52,
                                                           .peer_hops = 12,
                                                           .answer_ns = (int64_t)(delay * 1e9),
                                                           .count = 1,
                                                           .signs = (uint16_t)signs};
    flow->saw |= SAW_RST_DOWN;
    flow->outcome = OUTCOME_TLS_RESET;
    flow->ended_by = ENDED_SERVER_RESET;
    flow->reset_ns = flow->last_ns = proof.time_ns;
    flow->reset_frame = proof.frame;
    flow->reset_ttl = ttl;
}

static void stall_session(struct play *play, struct opened *opened, double seconds)
{
    struct flow_record *flow = &opened->flow;
    struct hello_evidence *hello = &opened->evidence.hello;
    flow->outcome = OUTCOME_TLS_NO_ANSWER;
    flow->ended_by = ENDED_CLIENT_RESET;
    flow->last_ns = hello->first.time_ns + (int64_t)(seconds * 1e9);
    opened->evidence.last_up_ns = flow->last_ns;
    hello->repeats = 5;
    hello->repeat = (struct proof){.frame = ++play->frames, .time_ns = flow->last_ns};
}

/* One cut session, then the end. */
static void play_one_cut(struct play *play, int16_t ttl, unsigned signs, double delay)
{
    struct opened opened;
    play_begin(play);
    open_session(play, &opened, PHONE, COURIER, 5223, 0);
    cut_session(play, &opened, delay, ttl, signs);
    play_close(play, &opened.flow);
    play_end(play);
}

static void one_cut_from_nearer_is_a_filter(void **state)
{
    (void)state;
    struct play play;
    play_one_cut(&play, 60, RESET_NEARER, 0.002);
    const struct finding *finding = assert_fires(&play, "reset-after-client-hello");
    assert_int_equal(finding->blocker_hops, 4);
    assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
    assert_non_null(strstr(finding->summary, "by a box 4 hops away (Apple is 12)"));
    assert_non_null(strstr(finding->reasoning, "TTL of 60"));
    assert_silent(&play, "reset-injected");
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_BROKEN);
}

static void one_cut_from_apples_distance_is_chance(void **state)
{
    (void)state;
    struct play play;
    play_one_cut(&play, 52, 0, 0.02);
    assert_nothing_found(&play);
    play_one_cut(&play, 255, 0, 0.02); /* rewritten by a home router */
    assert_nothing_found(&play);
    play_one_cut(&play, 60, RESET_NEARER, 4); /* not because of the hello */
    assert_nothing_found(&play);
}

static void a_server_that_had_answered_did_not_cut_the_hello(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    open_session(&play, &opened, PHONE, COURIER, 5223, 0);
    cut_session(&play, &opened, 0.002, 60, RESET_NEARER);
    opened.evidence.cut.offset = 2900; /* its sequence number had moved on */
    play_close(&play, &opened.flow);
    play_end(&play);
    assert_nothing_found(&play);
}

static void a_few_cuts_of_a_device_that_gets_through_are_chance(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    play_healthy(&play, PHONE, COURIER, 5223, 0);
    for (int i = 0; i < 2; i++) {
        open_session(&play, &opened, PHONE, SECOND, 5223, 100 + i);
        cut_session(&play, &opened, 0.02, 52, 0);
        play_close(&play, &opened.flow);
    }
    play_healthy(&play, PHONE, COURIER, 5223, 110);
    play_end(&play);
    assert_nothing_found(&play);
}

static void cuts_on_5223_count_against_the_requirement_of_that_port(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    open_session(&play, &opened, PHONE, COURIER, 5223, 0);
    cut_session(&play, &opened, 0.002, 62, RESET_NEARER);
    play_close(&play, &opened.flow);
    play_healthy(&play, PHONE, COURIER, 443, 1);
    play_end(&play);
    assert_int_equal(play.requirements[R1_PORT_5223].status, STATUS_FAIL);
    assert_int_equal(play.requirements[R2_FALLBACK_443].status, STATUS_PASS);
    assert_int_equal(play.requirements[R4_DIRECT].status, STATUS_FAIL);
    assert_int_equal(must_see_device(&play, PHONE)->verdict, VERDICT_DEGRADED);
    assert_fires(&play, "fallback-443");
}

static void a_hello_that_nobody_answers_is_a_stall(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    for (int i = 0; i < 2; i++) {
        open_session(&play, &opened, PHONE, COURIER, 5223, 40 * i);
        stall_session(&play, &opened, 30);
        play_close(&play, &opened.flow);
    }
    play_healthy(&play, PHONE, COURIER, 443, 80);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "stall-after-client-hello");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->count, 2);
    assert_non_null(strstr(finding->reasoning, "nobody acknowledged a byte of it"));
    assert_silent(&play, "reset-after-client-hello");
}

static void a_server_that_acknowledges_and_hangs_alone_is_its_own_matter(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    play_healthy(&play, PAD, SECOND, 5223, 0);
    open_session(&play, &opened, PHONE, COURIER, 5223, 10);
    stall_session(&play, &opened, 30);
    opened.evidence.hello.acked_size = 517;
    play_close(&play, &opened.flow);
    play_end(&play);
    assert_nothing_found(&play);
}

/* ---- sizes ---- */

static void make_large(struct opened *opened)
{
    struct hello_evidence *hello = &opened->evidence.hello;
    hello->size = opened->flow.hello_size = 1789;
    hello->segments = opened->flow.hello_segments = 2;
    hello->first_segment = hello->largest_segment = 1448;
}

static void play_stalls(struct play *play, const char *client, int count, bool is_large)
{
    for (int i = 0; i < count; i++) {
        struct opened opened;
        open_session(play, &opened, client, COURIER, 5223, 100 + 40 * i);
        if (is_large)
            make_large(&opened);
        stall_session(play, &opened, 30);
        play_close(play, &opened.flow);
    }
}

static void large_hellos_that_fail_where_small_ones_pass_are_blocked_by_size(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PAD, COURIER, 5223, 0);
    play_healthy(&play, "10.1.2.5", COURIER, 5223, 1);
    play_stalls(&play, PHONE, 2, true);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "large-hello-blocked");
    assert_int_equal(finding->count, 2);
    assert_int_equal(finding->confidence, CONFIDENCE_LIKELY);
    assert_silent(&play, "stall-after-client-hello");
    assert_int_equal(play.requirements[R1_PORT_5223].status, STATUS_FAIL);
}

static void a_large_hello_that_passes_acquits_their_size(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PAD, COURIER, 5223, 0);
    struct flow_record large = healthy(&play, "10.1.2.5", COURIER, 5223, 1, 100);
    large.hello_size = 1780;
    large.hello_segments = 2;
    play_close(&play, &large);
    play_stalls(&play, PHONE, 2, true);
    play_end(&play);
    assert_silent(&play, "large-hello-blocked");
    assert_fires(&play, "stall-after-client-hello");
}

static void small_hellos_that_fail_as_well_acquit_the_size(void **state)
{
    (void)state;
    struct play play;
    play_begin(&play);
    play_healthy(&play, PAD, COURIER, 5223, 0);
    play_healthy(&play, "10.1.2.5", COURIER, 5223, 1);
    play_stalls(&play, PHONE, 2, true);
    play_stalls(&play, PHONE, 1, false);
    play_end(&play);
    assert_silent(&play, "large-hello-blocked");
    assert_int_equal(assert_fires(&play, "stall-after-client-hello")->count, 3);
}

/* The server's first two segments are missing, a small one behind them is there. */
static struct flow_record holed(struct play *play, struct opened *opened, double seconds,
                                double waited)
{
    open_session(play, opened, PHONE, COURIER, 5223, seconds);
    struct flow_record *flow = &opened->flow;
    struct flight_evidence *flight = &opened->evidence.flight;
    flow->saw |= SAW_SERVER_DATA | SAW_RST_UP;
    flow->outcome = OUTCOME_TLS_FAILED;
    flow->ended_by = ENDED_CLIENT_RESET;
    flow->reset_ns = flow->last_ns = at(seconds + 0.021 + waited);
    opened->evidence.last_up_ns = at(seconds + 1);
    opened->evidence.mss_up = 1460;
    *flight =
        (struct flight_evidence){.end = 3100,
                                 .largest_segment = 204,
                                 .beyond_start = 2896,
                                 .beyond = {.frame = ++play->frames, .time_ns = at(seconds + 0.05)},
                                 .stuck = {.frame = ++play->frames, .time_ns = at(seconds + 1)},
                                 .stuck_acks = 3};
    return *flow;
}

static void full_segments_that_never_arrive_are_a_hole_in_the_path(void **state)
{
    (void)state;
    const struct {
        int sessions;
        double waited;
        int confidence; /* -1: silent */
    } rows[] = {
        {1, 4, -1}, {1, 6, -1}, {1, 30, CONFIDENCE_LIKELY}, {2, 6, CONFIDENCE_CERTAIN}, {2, 4, -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play play;
        play_begin(&play);
        for (int session = 0; session < rows[i].sessions; session++) {
            struct opened opened;
            struct flow_record flow = holed(&play, &opened, 40 * session, rows[i].waited);
            play_close(&play, &flow);
        }
        play_end(&play);
        const struct finding *finding = play_finding(&play, "path-mtu-blackhole");
        assert_int_equal(finding ? (int)finding->confidence : -1, rows[i].confidence);
    }
}

static void a_router_that_says_too_big_is_named(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    struct flow_record flow = holed(&play, &opened, 0, 30);
    opened.evidence.too_big = (struct proof){.frame = 9, .time_ns = at(0.1)};
    opened.evidence.too_big_source = ip("10.0.0.1");
    opened.evidence.too_big_mtu = 1400;
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "path-mtu-blackhole");
    struct address router = ip("10.0.0.1");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_true(address_equal(&finding->blocker_ip, &router));
}

static void a_full_segment_that_arrived_or_a_session_that_works_acquits_the_path(void **state)
{
    (void)state;
    for (int works = 0; works < 2; works++) {
        struct play play;
        struct opened opened;
        play_begin(&play);
        struct flow_record flow = holed(&play, &opened, 0, 30);
        if (!works)
            opened.evidence.flight.largest_segment = 1448;
        play_close(&play, &flow);
        if (works) {
            struct flow_record later = healthy(&play, PHONE, COURIER, 5223, 60, 100);
            play_works(&play, &later);
        }
        play_end(&play);
        assert_silent(&play, "path-mtu-blackhole");
    }
}

/* ---- injected resets ---- */

static struct flow_record injected(struct play *play, struct opened *opened, double seconds,
                                   unsigned signs)
{
    memset(opened, 0, sizeof *opened);
    opened->flow = healthy(play, PHONE, COURIER, 5223, seconds, 20);
    opened->flow.saw |= SAW_RST_DOWN;
    opened->flow.ended_by = ENDED_SERVER_RESET;
    opened->flow.evidence = &opened->evidence;
    opened->evidence.reset[DOWN] =
        (struct reset_evidence){.proof = {.frame = ++play->frames, .time_ns = opened->flow.last_ns},
                                .ttl = 62,
                                .hops = 2,
                                .peer_ttl_low = 52,
                                .peer_ttl_high = 52,
                                .peer_hops = 12,
                                .silence_ns = NS_PER_S,
                                .count = 1,
                                .signs = (uint16_t)signs};
    return opened->flow;
}

static void two_signs_prove_an_injection(void **state)
{
    (void)state;
    struct play play;
    struct opened opened;
    play_begin(&play);
    struct flow_record flow = injected(&play, &opened, 0, RESET_NEARER | RESET_PEER_WENT_ON);
    play_close(&play, &flow);
    play_end(&play);
    const struct finding *finding = assert_fires(&play, "reset-injected");
    assert_int_equal(finding->confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(finding->blocker_hops, 2);
}

static void signs_that_routes_and_mirrors_imitate_are_not_enough(void **state)
{
    (void)state;
    const unsigned weak[] = {0,
                             RESET_NEARER,
                             RESET_PEER_WENT_ON,
                             RESET_TOO_FAST,
                             RESET_PEER_WENT_ON | RESET_TOO_FAST,
                             RESET_OTHER_MAC | RESET_OTHER_IP_ID,
                             RESET_OTHER_DISTANCE,
                             RESET_OTHER_DISTANCE | RESET_OTHER_IP_ID};
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        struct play play;
        struct opened opened;
        play_begin(&play);
        struct flow_record flow = injected(&play, &opened, 0, weak[i]);
        play_close(&play, &flow);
        play_end(&play);
        assert_silent(&play, "reset-injected");
    }
}

static void a_nearer_reset_tells_when_it_cuts_three_young_sessions(void **state)
{
    (void)state;
    for (int count = 2; count <= 3; count++) {
        struct play play;
        struct opened opened;
        play_begin(&play);
        for (int i = 0; i < count; i++) {
            struct flow_record flow = injected(&play, &opened, 30 * i, RESET_NEARER);
            play_close(&play, &flow);
        }
        play_end(&play);
        assert_int_equal(play_finding(&play, "reset-injected") != NULL, count == 3);
    }
}

static void a_reset_after_silence_or_a_close_is_not_injected(void **state)
{
    (void)state;
    for (int closed = 0; closed < 2; closed++) {
        struct play play;
        struct opened opened;
        play_begin(&play);
        struct flow_record flow = injected(&play, &opened, 0, RESET_NEARER | RESET_OTHER_MAC);
        opened.evidence.reset[DOWN].after_close = closed;
        opened.evidence.reset[DOWN].silence_ns = closed ? NS_PER_S : 600 * NS_PER_S;
        play_close(&play, &flow);
        play_end(&play);
        assert_silent(&play, "reset-injected");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cut_from_nearer_is_a_filter),
        cmocka_unit_test(one_cut_from_apples_distance_is_chance),
        cmocka_unit_test(a_server_that_had_answered_did_not_cut_the_hello),
        cmocka_unit_test(a_few_cuts_of_a_device_that_gets_through_are_chance),
        cmocka_unit_test(cuts_on_5223_count_against_the_requirement_of_that_port),
        cmocka_unit_test(a_hello_that_nobody_answers_is_a_stall),
        cmocka_unit_test(a_server_that_acknowledges_and_hangs_alone_is_its_own_matter),
        cmocka_unit_test(large_hellos_that_fail_where_small_ones_pass_are_blocked_by_size),
        cmocka_unit_test(a_large_hello_that_passes_acquits_their_size),
        cmocka_unit_test(small_hellos_that_fail_as_well_acquit_the_size),
        cmocka_unit_test(full_segments_that_never_arrive_are_a_hole_in_the_path),
        cmocka_unit_test(a_router_that_says_too_big_is_named),
        cmocka_unit_test(a_full_segment_that_arrived_or_a_session_that_works_acquits_the_path),
        cmocka_unit_test(two_signs_prove_an_injection),
        cmocka_unit_test(signs_that_routes_and_mirrors_imitate_are_not_enough),
        cmocka_unit_test(a_nearer_reset_tells_when_it_cuts_three_young_sessions),
        cmocka_unit_test(a_reset_after_silence_or_a_close_is_not_injected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
