/* The front's two threads: the packets that one thread would find, in the same order. */
#include "../capture/builder.h"

#include "cli/front.h"
#include "dissect/dissect.h"

enum { MIB = 1 << 20, APPLE = 17, FOREIGN = 93, IP_SIZE = 20, TCP_SIZE = 20 };

static void put_tcp(struct build *b, uint32_t number, unsigned server, unsigned port,
                    uint32_t payload)
{
    uint32_t size = 14 + IP_SIZE + TCP_SIZE + payload;
    record_head(b, number, 0, size, size);
    struct build p = {.little = false};
    put_filler(&p, 12, 2);
    put16(&p, 0x0800);
    put16(&p, 0x4500);
    put16(&p, IP_SIZE + TCP_SIZE + payload);
    put32(&p, 0);
    put32(&p, 64u << 24 | 6u << 16); /* time to live, TCP */
    put32(&p, 10u << 24 | (number & 0xffff));
    put32(&p, server << 24 | 5);
    put16(&p, 50000 + number % 1000);
    put16(&p, port);
    put32(&p, number);
    put32(&p, 0);
    put32(&p, 0x50101000);
    put32(&p, 0);
    put_filler(&p, payload, 0x55);
    put(b, p.bytes, p.size);
    free(p.bytes);
}

/* Every 7th packet is of interest; every 50th frame is cut within its IP header. */
static const char *save_mirror(size_t size)
{
    struct build b = pcap();
    for (uint32_t i = 0; b.size < size; i++) {
        put_tcp(&b, i, i % 7 ? FOREIGN : APPLE, i % 7 ? 8080 : 5223, i * 37 % 1400);
        if (i % 50 == 0)
            record(&b, i, 0, 9);
    }
    return save("mirror", &b);
}

struct stages {
    struct names *names;
    struct capture *capture;
    struct tracker *tracker;
};

static void ignore_event(void *context, const struct event *event)
{
    (void)context;
    (void)event;
}

static struct stages open_stages(const char *path)
{
    struct stages stages = {.names = names_new(MIB)};
    struct capture_options from = {
        .names = stages.names, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct track_options to = {.names = stages.names, .event = ignore_event, .without_ndpi = true};
    struct fault fault;
    assert_true(capture_open(&stages.capture, &path, 1, &from, &fault));
    assert_true(tracker_new(&stages.tracker, &to, &fault));
    return stages;
}

static void close_stages(struct stages *stages)
{
    tracker_free(stages->tracker);
    capture_close(stages->capture);
    names_free(stages->names);
}

/* What must be the same, whoever finds it. */
struct sum {
    uint64_t frames;
    uint64_t packets;
    uint64_t wanted;
    uint64_t skipped;
    uint64_t order; /* folded frame numbers, sizes and keys */
};

static void fold(struct sum *sum, const struct packet *packet, bool is_wanted, uint64_t key)
{
    sum->packets++;
    sum->wanted += is_wanted;
    sum->order = sum->order * 31 + packet->frame;
    sum->order = sum->order * 31 + packet->payload_size;
    sum->order = sum->order * 31 + key;
    if (packet->payload_captured)
        sum->order += packet->payload[packet->payload_captured - 1];
}

static struct sum sum_on_one_thread(const char *path)
{
    struct stages stages = open_stages(path);
    struct sum sum = {0};
    struct frame frames[CAPTURE_BATCH_MAX];
    for (size_t count; (count = capture_next(stages.capture, frames, CAPTURE_BATCH_MAX)) != 0;) {
        sum.frames += count;
        for (size_t i = 0; i < count; i++) {
            struct packet packet;
            uint64_t key;
            if (dissect_frame(&frames[i], &packet) != SKIP_NONE) {
                sum.skipped++;
                continue;
            }
            bool is_wanted = tracker_screen(stages.tracker, &packet, &key);
            fold(&sum, &packet, is_wanted, key);
        }
    }
    close_stages(&stages);
    return sum;
}

static void add_batch(struct sum *sum, const struct front_batch *batch)
{
    sum->frames += batch->frame_count;
    for (size_t reason = 0; reason < SKIP_COUNT; reason++)
        sum->skipped += batch->skipped[reason];
    for (size_t i = 0; i < batch->packet_count; i++)
        fold(sum, &batch->packets[i], batch->wanted[i / 64] >> i % 64 & 1, batch->keys[i]);
}

static struct sum sum_of_front(const char *path, bool is_shared)
{
    struct stages stages = open_stages(path);
    struct front *front = front_new(stages.capture, stages.tracker, NULL);
    struct sum sum = {0};
    const struct front_batch *batch = front_next(front);
    if (is_shared)
        front_share(front);
    for (; batch; batch = front_next(front))
        add_batch(&sum, batch);
    front_free(front);
    close_stages(&stages);
    return sum;
}

static void check_same(const struct sum *a, const struct sum *b)
{
    assert_int_equal(a->frames, b->frames);
    assert_int_equal(a->packets, b->packets);
    assert_int_equal(a->wanted, b->wanted);
    assert_int_equal(a->skipped, b->skipped);
    assert_int_equal(a->order, b->order);
}

static void two_threads_find_what_one_finds(void **state)
{
    (void)state;
    const char *path = save_mirror(6 * MIB);
    struct sum expected = sum_on_one_thread(path);
    assert_true(expected.wanted > 500 && expected.skipped > 50);
    struct sum shared = sum_of_front(path, true);
    struct sum alone = sum_of_front(path, false);
    check_same(&shared, &expected);
    check_same(&alone, &expected);
}

static void a_file_too_small_for_parts_is_read_all_the_same(void **state)
{
    (void)state;
    const char *path = save_mirror(20000);
    struct sum expected = sum_on_one_thread(path);
    struct sum shared = sum_of_front(path, true);
    check_same(&shared, &expected);
}

static void what_was_counted_before_a_stop_is_given_after_it(void **state)
{
    (void)state;
    const char *path = save_mirror(6 * MIB);
    struct stages stages = open_stages(path);
    struct front *front = front_new(stages.capture, stages.tracker, NULL);
    struct capture_quality quality = {0};
    struct sum sum = {0};
    front_share(front);
    add_batch(&sum, front_next(front));
    add_batch(&sum, front_next(front));
    front_stop(front);
    for (const struct front_batch *batch; (batch = front_next(front));)
        add_batch(&sum, batch);
    front_free(front);
    capture_quality_of(stages.capture, &quality);
    assert_int_equal(sum.frames, quality.frames);
    assert_int_equal(sum.frames, sum.packets + sum.skipped);
    close_stages(&stages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_find_what_one_finds),
        cmocka_unit_test(a_file_too_small_for_parts_is_read_all_the_same),
        cmocka_unit_test(what_was_counted_before_a_stop_is_given_after_it),
    };
    return cmocka_run_group_tests_name("cli/front", tests, NULL, remove_folder);
}
