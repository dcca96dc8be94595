/* Which packets go into an excerpt. */
#include "feed_sample.h"

#include "feed/excerpt.h"

enum { DEVICE = 5, OTHER = 6 };

static struct ring *ring;

static int begin(void **state)
{
    (void)state;
    ring = ring_new(4 << 20);
    return ring ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    ring_free(ring);
    return 0;
}

/* A packet of a session of 10.0.0.`client`, named by its port, so many seconds after the sample's
 * time. */
static void put(uint64_t number, unsigned client, uint16_t port, uint16_t server_port,
                int64_t seconds)
{
    static const uint8_t bytes[60];
    struct address from = sample_address("10.0.0.0"), to = sample_address("17.1.2.3");
    struct frame frame = {.number = number,
                          .time_ns = SAMPLE_NS + seconds * NS_PER_S,
                          .captured_size = sizeof bytes,
                          .original_size = sizeof bytes,
                          .link_type = 1,
                          .bytes = bytes};
    bool is_swapped;
    from.byte[15] = (uint8_t)client;
    struct ring_key key = ring_key_of(&from, port, &to, server_port, &is_swapped);
    ring_take(ring, &key, is_swapped, &frame);
}

static void assert_chosen(const struct finding *finding, const uint64_t *frames, size_t count,
                          size_t proofs)
{
    struct excerpt_plan plan;
    excerpt_choose(&plan, ring, finding);
    assert_int_equal(plan.count, count);
    assert_int_equal(plan.proofs, proofs);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(plan.places[i].frame, frames[i]);
    excerpt_free(&plan);
}

static void all_that_the_client_did_at_the_time_and_nothing_of_others(void **state)
{
    struct finding finding = sample_finding(); /* 10.0.0.5, its frame 4 */
    (void)state;
    put(1, DEVICE, 1000, 443, -500); /* long before */
    put(2, OTHER, 1000, 5223, 0);
    put(3, DEVICE, 1001, 443, -30);
    put(4, DEVICE, 1002, 5223, 0);
    put(5, DEVICE, 1003, 443, 30);
    put(6, DEVICE, 1004, 443, 5000); /* long after */
    assert_chosen(&finding, (const uint64_t[]){3, 4, 5}, 3, 1);
}

static void sessions_with_proofs_are_there_whoever_they_belong_to(void **state)
{
    struct finding finding = sample_finding();
    (void)state;
    finding.scope = SCOPE_SITE;
    finding.client_ip = (struct address){{0}};
    finding.server_port = 0;
    put(3, OTHER, 1000, 5223, 0);
    put(4, DEVICE, 1001, 5223, 0);
    put(5, DEVICE, 1001, 5223, 0);
    assert_chosen(&finding, (const uint64_t[]){4, 5}, 2, 1);
    finding.server_port = 5223; /* about a port: all of the site's sessions with it */
    assert_chosen(&finding, (const uint64_t[]){3, 4, 5}, 3, 1);
}

static void a_finding_without_packets_has_no_excerpt(void **state)
{
    struct finding finding = sample_finding();
    (void)state;
    assert_chosen(&finding, NULL, 0, 0);
}

static void the_file_is_pcapng_with_its_comments(void **state)
{
    struct finding finding = sample_finding();
    struct feed_origin origin = sample_origin();
    struct excerpt_plan plan;
    char *bytes;
    size_t size;
    (void)state;
    put(4, DEVICE, 1002, 5223, 0);
    excerpt_choose(&plan, ring, &finding);
    FILE *file = open_memstream(&bytes, &size);
    excerpt_write(file, &plan, ring, &origin, &finding);
    fclose(file);
    assert_memory_equal(bytes, "\x0a\x0d\x0d\x0a", 4);
    static const char comment[] = "finding 17 (port-refused): RST, TTL 63 [frame 4 of the run]";
    assert_non_null(memmem(bytes, size, comment, sizeof comment - 1));
    free(bytes);
    excerpt_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_the_client_did_at_the_time_and_nothing_of_others,
                                        begin, end),
        cmocka_unit_test_setup_teardown(sessions_with_proofs_are_there_whoever_they_belong_to,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_finding_without_packets_has_no_excerpt, begin, end),
        cmocka_unit_test_setup_teardown(the_file_is_pcapng_with_its_comments, begin, end),
    };
    return cmocka_run_group_tests_name("feed/excerpt", tests, NULL, NULL);
}
