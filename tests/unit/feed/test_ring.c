/* Recent packets, fairly kept. */
#include "feed_sample.h"

#include "feed/ring.h"

enum { SMALL = 1 << 20 };

static uint8_t bytes[200 << 10];

static struct ring_key key_of(unsigned client)
{
    struct address source = sample_address("10.0.0.1"), destination = sample_address("17.1.2.3");
    bool is_swapped;
    source.byte[14] = (uint8_t)(client >> 8);
    source.byte[15] = (uint8_t)client;
    return ring_key_of(&source, 50000, &destination, 5223, &is_swapped);
}

static void put(struct ring *ring, unsigned client, unsigned side, uint64_t number, uint32_t size)
{
    struct ring_key key = key_of(client);
    struct frame frame = {.number = number,
                          .time_ns = SAMPLE_NS + (int64_t)number * NS_PER_MS,
                          .captured_size = size,
                          .original_size = size + 1,
                          .link_type = 1,
                          .bytes = bytes};
    memset(bytes, (int)(number & 0xff), size);
    ring_take(ring, &key, side, &frame);
}

/* ---- asking ---- */

struct seen {
    const struct ring *ring;
    uint64_t frames[4096];
    size_t count;
    bool is_whole;
};

static void read_one(void *context, const struct ring_place *place)
{
    struct seen *seen = context;
    uint8_t *buffer = NULL;
    size_t size = 0;
    struct frame frame = ring_read(seen->ring, place, &buffer, &size);
    seen->is_whole = seen->is_whole && frame.number == place->frame &&
                     frame.original_size == frame.captured_size + 1;
    for (size_t i = 0; i < frame.captured_size; i++)
        seen->is_whole = seen->is_whole && frame.bytes[i] == (uint8_t)frame.number;
    if (seen->count < 4096)
        seen->frames[seen->count++] = frame.number;
    free(buffer);
}

struct wanted {
    struct seen *seen;
    struct ring_key key;
    size_t sessions, size;
};

static void look(void *context, uint32_t number, const struct ring_session *session)
{
    struct wanted *wanted = context;
    wanted->sessions++;
    wanted->size += session->size;
    if (memcmp(&session->key, &wanted->key, sizeof wanted->key) == 0)
        ring_frames(wanted->seen->ring, number, wanted->seen, read_one);
}

static struct seen frames_of(const struct ring *ring, unsigned client)
{
    struct seen seen = {.ring = ring, .is_whole = true};
    struct wanted wanted = {.seen = &seen, .key = key_of(client)};
    ring_each(ring, &wanted, look);
    return seen;
}

static size_t sessions_of(const struct ring *ring, size_t *size)
{
    struct seen seen = {.ring = ring};
    struct wanted wanted = {.seen = &seen};
    ring_each(ring, &wanted, look);
    if (size)
        *size = wanted.size;
    return wanted.sessions;
}

/* ---- tests ---- */

static void both_directions_are_one_session(void **state)
{
    struct address a = sample_address("10.0.0.1"), b = sample_address("17.1.2.3");
    bool there, back;
    struct ring_key up = ring_key_of(&a, 5, &b, 6, &there);
    struct ring_key down = ring_key_of(&b, 6, &a, 5, &back);
    (void)state;
    assert_memory_equal(&up, &down, sizeof up);
    assert_int_not_equal(there, back);
}

static void frames_come_back_as_they_were(void **state)
{
    struct ring *ring = ring_new(SMALL);
    (void)state;
    for (unsigned i = 1; i <= 40; i++)
        put(ring, 1, i % 2, i, i * 61);
    put(ring, 1, 0, 41, 0);
    struct seen seen = frames_of(ring, 1);
    assert_int_equal(seen.count, 41);
    assert_true(seen.is_whole);
    for (unsigned i = 0; i < 41; i++)
        assert_int_equal(seen.frames[i], i + 1);
    ring_free(ring);
}

static void of_a_long_session_the_beginning_and_the_end_are_kept(void **state)
{
    struct ring *ring = ring_new(SMALL);
    size_t size;
    (void)state;
    for (unsigned i = 1; i <= 2000; i++)
        put(ring, 1, i % 2, i, 700);
    struct seen seen = frames_of(ring, 1);
    assert_true(seen.is_whole);
    assert_int_equal(seen.frames[0], 1);
    assert_int_equal(seen.frames[seen.count - 1], 2000);
    assert_true(seen.count < 200);
    sessions_of(ring, &size);
    assert_true(size <= RING_HEAD_MAX + RING_TAIL_MAX);
    ring_free(ring);
}

static void a_frame_larger_than_a_session_may_be_is_left_out(void **state)
{
    struct ring *ring = ring_new(SMALL);
    (void)state;
    put(ring, 1, 0, 1, 100);
    put(ring, 1, 1, 2, RING_TAIL_MAX + 1);
    put(ring, 1, 1, 3, 65000);
    struct seen seen = frames_of(ring, 1);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.frames[1], 3);
    assert_true(seen.is_whole);
    ring_free(ring);
}

static void memory_is_bounded_and_the_oldest_go(void **state)
{
    struct ring *ring = ring_new(SMALL);
    size_t size;
    (void)state;
    for (unsigned i = 1; i <= 3000; i++) {
        put(ring, i, 0, 2 * i, 600);
        put(ring, i, 1, 2 * i + 1, 600);
    }
    sessions_of(ring, &size);
    assert_true(size <= SMALL);
    assert_true(size > SMALL / 2);
    assert_int_equal(frames_of(ring, 1).count, 0);
    assert_int_equal(frames_of(ring, 3000).count, 2);
    ring_free(ring);
}

static void a_flood_of_attempts_does_not_push_out_what_works(void **state)
{
    struct ring *ring = ring_new(SMALL);
    (void)state;
    for (unsigned i = 1; i <= 100; i++) {
        put(ring, i, 0, 2 * i, 600);
        put(ring, i, 1, 2 * i + 1, 600);
    }
    for (unsigned i = 0; i < 5000; i++)
        put(ring, 1000 + i, 0, 1000 + i, 60);
    for (unsigned i = 1; i <= 100; i++)
        assert_int_equal(frames_of(ring, i).count, 2);
    ring_free(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_are_one_session),
        cmocka_unit_test(frames_come_back_as_they_were),
        cmocka_unit_test(of_a_long_session_the_beginning_and_the_end_are_kept),
        cmocka_unit_test(a_frame_larger_than_a_session_may_be_is_left_out),
        cmocka_unit_test(memory_is_bounded_and_the_oldest_go),
        cmocka_unit_test(a_flood_of_attempts_does_not_push_out_what_works),
    };
    return cmocka_run_group_tests_name("feed/ring", tests, NULL, NULL);
}
