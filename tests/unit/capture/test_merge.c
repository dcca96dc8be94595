/* Several files as one capture. */
#include "builder.h"

#include <sys/resource.h>

static const char *ticking(const char *name, uint32_t first, uint32_t step, uint32_t count,
                           uint32_t size)
{
    struct build b = pcap();
    for (uint32_t i = 0; i < count; i++)
        record(&b, first + i * step, 0, size);
    return save(name, &b);
}

static void frames_of_two_files_come_in_time_order_and_are_numbered_through(void **state)
{
    (void)state;
    const char *paths[] = {ticking("a", 1000, 2, 500, 60), ticking("b", 1001, 2, 500, 61)};
    struct seen seen = read_paths(paths, 2, NULL);
    assert_int_equal(seen.count, 1000);
    for (size_t i = 0; i < seen.count; i++) {
        assert_int_equal(seen.frames[i].number, i + 1);
        assert_int_equal(seen.frames[i].time_ns, (int64_t)(1000 + i) * NS_PER_S);
        assert_int_equal(seen.frames[i].captured_size, 60 + i % 2);
        assert_int_equal(seen.frames[i].interface_id, i % 2);
        assert_int_equal(seen.first_bytes[i], (1000 + i) & 0xff);
    }
    assert_int_equal(seen.quality.backward_steps, 0);
    assert_int_equal(capture_file_at(seen.capture, 0)->frames, 500);
    assert_int_equal(capture_file_at(seen.capture, 1)->frames, 500);
    forget(&seen);
}

static void at_equal_times_the_earlier_argument_comes_first(void **state)
{
    (void)state;
    const char *paths[] = {ticking("b", 5, 1, 3, 70), ticking("a", 5, 1, 3, 60),
                           ticking("c", 5, 1, 3, 80)};
    struct seen seen = read_paths(paths, 3, NULL);
    for (size_t i = 0; i < 9; i++) {
        static const uint32_t sizes[] = {70, 60, 80};
        assert_int_equal(seen.frames[i].captured_size, sizes[i % 3]);
    }
    forget(&seen);
}

static void expect_times(const struct seen *seen, const int64_t *seconds, size_t count)
{
    assert_int_equal(seen->count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(seen->frames[i].time_ns, seconds[i] * NS_PER_S);
}

static void a_step_back_never_reorders_a_file(void **state)
{
    (void)state;
    struct build b = pcap();
    static const uint32_t times[] = {10, 20, 5, 6, 21};
    for (size_t i = 0; i < 5; i++)
        record(&b, times[i], 0, 60);
    const char *paths[] = {save("a", &b), ticking("b", 15, 1, 1, 61)};
    struct seen seen = read_paths(paths, 2, NULL);
    static const int64_t expected[] = {10, 15, 20, 5, 6, 21};
    expect_times(&seen, expected, 6);
    assert_int_equal(seen.quality.backward_steps, 1);
    assert_int_equal(seen.quality.largest_step_back_ns, 15 * NS_PER_S);
    assert_int_equal(seen.quality.first_ns, 5 * NS_PER_S);
    assert_int_equal(seen.quality.last_ns, 21 * NS_PER_S);
    forget(&seen);
}

static void a_damaged_first_time_does_not_put_its_file_first(void **state)
{
    (void)state;
    struct build b = pcap();
    static const uint32_t times[] = {1000, 1800000013, 1800000014};
    for (size_t i = 0; i < 3; i++)
        record(&b, times[i], 0, 60);
    const char *paths[] = {save("a", &b), ticking("b", 1800000011, 1, 2, 61)};
    struct seen seen = read_paths(paths, 2, NULL);
    static const int64_t expected[] = {1800000011, 1800000012, 1000, 1800000013, 1800000014};
    expect_times(&seen, expected, 5);
    assert_int_equal(seen.quality.stray_times, 1);
    assert_int_equal(seen.quality.first_ns, 1800000011 * NS_PER_S);
    forget(&seen);
}

/* It stands where its file has it, and the file goes on beside the others. */
static void a_damaged_time_does_not_hold_its_file_up(void **state)
{
    (void)state;
    struct build b = pcap();
    static const uint32_t times[] = {1800000010, 4000000000, 1800000012, 1800000014};
    for (size_t i = 0; i < 4; i++)
        record(&b, times[i], 0, 60);
    const char *paths[] = {save("a", &b), ticking("b", 1800000011, 2, 3, 61)};
    struct seen seen = read_paths(paths, 2, NULL);
    static const int64_t expected[] = {1800000010, 4000000000, 1800000011, 1800000012,
                                       1800000013, 1800000014, 1800000015};
    expect_times(&seen, expected, 7);
    assert_int_equal(seen.quality.stray_times, 1);
    assert_int_equal(seen.quality.backward_steps, 0);
    assert_int_equal(seen.quality.last_ns, 1800000015 * NS_PER_S);
    forget(&seen);
}

enum { MANY = 150 };

static void check_many(const char *names[MANY], uint32_t frames_each)
{
    struct seen seen = read_paths(names, MANY, NULL);
    assert_true(seen.opened);
    assert_int_equal(seen.count, MANY * frames_each);
    for (size_t i = 0; i < seen.count; i++) {
        assert_int_equal(seen.frames[i].time_ns, (int64_t)i * NS_PER_S);
        assert_int_equal(seen.first_bytes[i], i & 0xff);
        assert_int_equal(seen.frames[i].captured_size, 60 + i % MANY % 7);
    }
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(capture_file_at(seen.capture, i)->frames, frames_each);
        assert_int_equal(strlen(capture_file_at(seen.capture, i)->sha256), 64);
    }
    forget(&seen);
}

static char many_paths[MANY][128];

static void more_files_overlap_than_may_be_open_at_once(void **state)
{
    (void)state;
    const char *names[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%03u", i);
        strcpy(many_paths[i], ticking(name, i, MANY, 100, 60 + i % 7));
        names[i] = many_paths[i];
    }
    check_many(names, 100);
}

static void so_they_may_when_they_are_compressed(void **state)
{
    (void)state;
    const char *names[MANY];
    char line[256];
    for (uint32_t i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%03u", i);
        strcpy(many_paths[i], ticking(name, i, MANY, 20, 60 + i % 7));
        names[i] = many_paths[i];
    }
    snprintf(line, sizeof line,
             "cd %s && gzip many-??[05] && for f in many-*.gz; do mv $f ${f%%.gz}; done",
             test_folder);
    assert_int_equal(system(line), 0);
    check_many(names, 20);
}

static void where_few_descriptors_are_allowed_few_are_used(void **state)
{
    (void)state;
    const char *names[MANY];
    struct rlimit before, few;
    for (uint32_t i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "many-%03u", i);
        strcpy(many_paths[i], ticking(name, i, MANY, 100, 60 + i % 7));
        names[i] = many_paths[i];
    }
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 40;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    check_many(names, 100);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void a_file_that_is_named_twice_is_read_once(void **state)
{
    (void)state;
    const char *path = ticking("once", 1, 1, 10, 60);
    const char *link_path = in_folder("link");
    assert_int_equal(symlink(path, link_path), 0);
    const char *paths[] = {path, link_path, path};
    struct seen seen = read_paths(paths, 3, NULL);
    assert_int_equal(seen.count, 10);
    assert_int_equal(capture_file_count(seen.capture), 1);
    forget(&seen);
}

/* Sections, interfaces, comments, drops: taken once, even when a file is put aside in between. */
static void putting_a_file_aside_counts_nothing_twice(void **state)
{
    (void)state;
    const char *names[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        struct build b = {0};
        section(&b, i % 2 == 0);
        for (uint32_t j = 0; j < 6; j++) {
            if (j % 3 == 0)
                interface(&b, 1, 0);
            begin_block(&b, 0xbad);
            put32(&b, 7);
            end_block(&b);
            packet_begin(&b, j / 3, (uint64_t)(j * MANY + i) * 1000000, 60, 60);
            if (j == 2)
                option_text(&b, 1, "only once");
            option_number(&b, 4, 1, 8);
            end_block(&b);
        }
        char name[32];
        snprintf(name, sizeof name, "many-%03u", i);
        strcpy(many_paths[i], save(name, &b));
        names[i] = many_paths[i];
    }
    struct seen seen = read_paths(names, MANY, NULL);
    assert_int_equal(seen.count, 6 * MANY);
    for (size_t i = 0; i < seen.count; i++) {
        assert_int_equal(seen.frames[i].time_ns, (int64_t)i * NS_PER_S);
        assert_int_equal(seen.frames[i].number, 2 * (i + 1));
    }
    assert_int_equal(seen.quality.dropped_interface, 6 * MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_string_equal(capture_file_at(seen.capture, i)->notes,
                            "comment on packet 3: only once");
    forget(&seen);
}

static void damage_in_one_file_leaves_the_others(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 1, 0, 60);
    put_filler(&b, 5, 1);
    const char *damaged = save("damaged", &b);
    b = pcap();
    record(&b, 3, 0, 60);
    put_filler(&b, 6, 1);
    const char *paths[] = {ticking("a", 2, 2, 5, 60), damaged, save("damaged2", &b)};
    struct seen seen = read_paths(paths, 3, NULL);
    assert_int_equal(seen.count, 7);
    assert_contains(seen.quality.damage, "damaged: packet 2 at byte 100 is cut");
    assert_contains(seen.quality.damage, "; 1 more file is damaged");
    assert_false(capture_file_at(seen.capture, 0)->truncated);
    forget(&seen);
}

static void a_file_without_packets_merges_as_nothing(void **state)
{
    (void)state;
    const char *paths[] = {ticking("empty", 0, 0, 0, 0), ticking("a", 2, 2, 5, 60)};
    struct seen seen = read_paths(paths, 2, NULL);
    assert_int_equal(seen.count, 5);
    assert_int_equal(strlen(capture_file_at(seen.capture, 0)->sha256), 64);
    forget(&seen);
}

/* Opened when its time comes: by then it may be gone, or another file may have its name. */
static void a_file_that_went_away_before_its_time_is_damage(void **state)
{
    (void)state;
    for (int replaced = 0; replaced <= 1; replaced++) {
        const char *paths[] = {ticking("a", 1, 1, 5, 60), ticking("b", 100, 1, 5, 61)};
        struct names *names = names_new(1 << 16);
        struct capture_options options = {
            .names = names, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
        struct capture *capture;
        struct fault fault;
        assert_true(capture_open(&capture, paths, 2, &options, &fault));
        if (replaced)
            assert_int_equal(rename(ticking("c", 100, 1, 5, 61), paths[1]), 0);
        else
            assert_int_equal(unlink(paths[1]), 0);
        struct frame frames[CAPTURE_BATCH_MAX];
        size_t total = 0, count;
        while ((count = capture_next(capture, frames, CAPTURE_BATCH_MAX)) != 0)
            total += count;
        struct capture_quality quality = {0};
        capture_quality_of(capture, &quality);
        assert_int_equal(total, 5);
        assert_contains(quality.damage, "could not be opened again");
        assert_string_equal(capture_file_at(capture, 1)->sha256, "");
        capture_close(capture);
        names_free(names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_two_files_come_in_time_order_and_are_numbered_through),
        cmocka_unit_test(at_equal_times_the_earlier_argument_comes_first),
        cmocka_unit_test(a_step_back_never_reorders_a_file),
        cmocka_unit_test(a_damaged_time_does_not_hold_its_file_up),
        cmocka_unit_test(a_damaged_first_time_does_not_put_its_file_first),
        cmocka_unit_test(more_files_overlap_than_may_be_open_at_once),
        cmocka_unit_test(so_they_may_when_they_are_compressed),
        cmocka_unit_test(where_few_descriptors_are_allowed_few_are_used),
        cmocka_unit_test(a_file_that_is_named_twice_is_read_once),
        cmocka_unit_test(putting_a_file_aside_counts_nothing_twice),
        cmocka_unit_test(damage_in_one_file_leaves_the_others),
        cmocka_unit_test(a_file_without_packets_merges_as_nothing),
        cmocka_unit_test(a_file_that_went_away_before_its_time_is_damage),
    };
    return cmocka_run_group_tests_name("capture/merge", tests, NULL, remove_folder);
}
