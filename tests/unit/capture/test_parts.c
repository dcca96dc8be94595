/* A capture read in parts by several threads: the frames that reading it in one go gives. */
#include "builder.h"

#include <pthread.h>

enum { MIB = 1 << 20, THREADS = 3, SLOTS = 512 };

/* One reading: numbered parts, taken by whoever comes. */
struct reading {
    struct capture *capture;
    pthread_mutex_t lock;
    uint64_t next;
    struct {
        struct capture_part *part;
        const struct frame *frames;
        size_t count;
        bool is_there;
    } parts[SLOTS];
};

static void *read_parts(void *context)
{
    struct reading *reading = context;
    for (;;) {
        pthread_mutex_lock(&reading->lock);
        uint64_t number = reading->next++;
        pthread_mutex_unlock(&reading->lock);
        assert_true(number < SLOTS);
        struct capture_part *part = reading->parts[number].part = capture_part_new();
        bool is_there =
            capture_read_part(reading->capture, number, part, &reading->parts[number].frames,
                              &reading->parts[number].count);
        reading->parts[number].is_there = is_there;
        if (!is_there)
            return NULL;
    }
}

static void keep_frames(struct seen *seen, const struct frame *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(seen->count < SEEN_MAX);
        seen->first_bytes[seen->count] = frames[i].captured_size ? frames[i].bytes[0] : 0;
        seen->frames[seen->count++] = frames[i];
    }
}

static struct seen read_in_parts(const char *path, struct reading *reading)
{
    struct seen seen = {.names = names_new(MIB)};
    struct capture_options options = {
        .names = seen.names, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct frame batch[CAPTURE_BATCH_MAX];
    pthread_t threads[THREADS];
    seen.frames = calloc(SEEN_MAX, sizeof *seen.frames);
    seen.first_bytes = calloc(SEEN_MAX, 1);
    assert_true(seen.frames && seen.first_bytes);
    assert_true(capture_open(&seen.capture, &path, 1, &options, &seen.fault));
    assert_true(capture_has_parts(seen.capture));
    *reading = (struct reading){.capture = seen.capture};
    pthread_mutex_init(&reading->lock, NULL);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_parts, reading), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (uint64_t i = 0; i < SLOTS && reading->parts[i].is_there; i++)
        keep_frames(&seen, reading->parts[i].frames, reading->parts[i].count);
    for (size_t got; (got = capture_next(seen.capture, batch, CAPTURE_BATCH_MAX)) != 0;)
        keep_frames(&seen, batch, got);
    assert_false(capture_has_parts(seen.capture));
    capture_quality_of(seen.capture, &seen.quality);
    for (size_t i = 0; i < SLOTS; i++)
        capture_part_free(reading->parts[i].part);
    pthread_mutex_destroy(&reading->lock);
    return seen;
}

static void check_same(const struct seen *parts, const struct seen *whole)
{
    assert_int_equal(parts->count, whole->count);
    for (size_t i = 0; i < whole->count; i++) {
        const struct frame *a = &parts->frames[i], *b = &whole->frames[i];
        assert_int_equal(a->number, b->number);
        assert_int_equal(a->time_ns, b->time_ns);
        assert_int_equal(a->captured_size, b->captured_size);
        assert_int_equal(a->interface_id, b->interface_id);
        assert_int_equal(parts->first_bytes[i], whole->first_bytes[i]);
    }
    assert_int_equal(parts->quality.frames, whole->quality.frames);
    assert_int_equal(parts->quality.bytes, whole->quality.bytes);
    assert_int_equal(parts->quality.truncated, whole->quality.truncated);
    assert_string_equal(parts->quality.damage, whole->quality.damage);
    const struct capture_file *a = capture_file_at(parts->capture, 0);
    const struct capture_file *b = capture_file_at(whole->capture, 0);
    assert_string_equal(a->sha256, b->sha256);
    assert_int_equal(a->stored_size, b->stored_size);
    assert_string_equal(a->notes, b->notes);
}

static size_t check_build(struct build *b)
{
    static struct reading reading;
    const char *path = save("capture", b);
    struct seen whole = read_path(path);
    struct seen parts = read_in_parts(path, &reading);
    size_t count = parts.count;
    check_same(&parts, &whole);
    forget(&parts);
    forget(&whole);
    return count;
}

static struct build many_records(uint32_t largest)
{
    struct build b = pcap();
    for (uint32_t i = 0; b.size < 6 * MIB; i++)
        record(&b, i, i * 7919 % 1000000, i % 89 == 0 ? largest : 100 + i * 31 % 1400);
    return b;
}

static void parts_give_the_frames_of_the_whole(void **state)
{
    (void)state;
    struct build b = many_records(9000);
    assert_true(check_build(&b) > 5000);
}

static void records_may_be_larger_than_parts(void **state)
{
    (void)state;
    struct build b = many_records(250000);
    check_build(&b);
    b = many_records(70000);
    check_build(&b);
}

static void a_cut_at_the_end_is_told(void **state)
{
    (void)state;
    struct build b = many_records(1500);
    b.size -= 33;
    check_build(&b);
}

static void behind_damage_there_are_no_frames(void **state)
{
    (void)state;
    struct build b = many_records(1500);
    record_head(&b, 1, 1, 0x40000000, 0x40000000);
    put_filler(&b, 4 * MIB, 0x77);
    check_build(&b);
}

static void space_that_was_never_written_is_told(void **state)
{
    (void)state;
    struct build b = many_records(1500);
    put_filler(&b, 4 * MIB, 0);
    check_build(&b);
}

static void empty_frames_are_frames(void **state)
{
    (void)state;
    struct build b = pcap();
    for (uint32_t i = 0; i < 500; i++)
        record(&b, 1, i, 4000);
    for (uint32_t i = 0; i < 9000; i++)
        record(&b, 2, i, 0);
    for (uint32_t i = 0; i < 500; i++)
        record(&b, 3, i, 4000);
    assert_int_equal(check_build(&b), 10000);
}

static void sections_notes_and_unknown_blocks_of_pcapng_are_read_too(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    for (uint32_t i = 0; b.size < 4 * MIB; i++) {
        if (i % 500 == 200) {
            begin_block(&b, 4); /* names of hosts: passed over */
            put_filler(&b, 3000, 1);
            end_block(&b);
        }
        if (i % 900 == 700) {
            section(&b, i % 1800 == 700);
            interface(&b, 1, 0);
        }
        packet_begin(&b, 0, i, 60 + i % 1400, 60 + i % 1400);
        if (i % 700 == 3)
            option_text(&b, 1, "a comment");
        end_block(&b);
    }
    assert_true(check_build(&b) > 4000);
}

static void a_small_file_is_not_worth_it(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 1, 1, 60);
    struct seen seen = read_build(&b);
    assert_false(capture_has_parts(seen.capture));
    forget(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_give_the_frames_of_the_whole),
        cmocka_unit_test(records_may_be_larger_than_parts),
        cmocka_unit_test(a_cut_at_the_end_is_told),
        cmocka_unit_test(behind_damage_there_are_no_frames),
        cmocka_unit_test(space_that_was_never_written_is_told),
        cmocka_unit_test(empty_frames_are_frames),
        cmocka_unit_test(sections_notes_and_unknown_blocks_of_pcapng_are_read_too),
        cmocka_unit_test(a_small_file_is_not_worth_it),
    };
    return cmocka_run_group_tests_name("capture/parts", tests, NULL, remove_folder);
}
