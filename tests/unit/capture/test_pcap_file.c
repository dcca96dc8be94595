/* Classic pcap: each magic number, each variant, each kind of damage. */
#include "builder.h"

static void check_magic(uint32_t magic, bool little, uint32_t ticks, int64_t expected_ns,
                        const char *format)
{
    struct build b = pcap_of(magic, little, 65535, 101);
    record(&b, 1000, ticks, 60);
    record(&b, 1001, 0, 61);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.frames[0].time_ns, expected_ns);
    assert_int_equal(seen.frames[0].captured_size, 60);
    assert_int_equal(seen.frames[0].link_type, 101);
    assert_int_equal(seen.frames[0].process.id, -1);
    assert_int_equal(seen.frames[1].number, 2);
    assert_int_equal(seen.frames[1].time_ns, 1001 * NS_PER_S);
    assert_int_equal(seen.first_bytes[1], 1001 & 0xff);
    assert_int_equal(seen.quality.smallest_snap, 65535);
    assert_false(seen.quality.truncated);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, format);
    forget(&seen);
}

static void microseconds_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    check_magic(0xa1b2c3d4, true, 5, 1000 * NS_PER_S + 5000, "pcap");
    check_magic(0xa1b2c3d4, false, 5, 1000 * NS_PER_S + 5000, "pcap");
}

static void nanoseconds_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    check_magic(0xa1b23c4d, true, 5, 1000 * NS_PER_S + 5, "pcap (nanoseconds)");
    check_magic(0xa1b23c4d, false, 5, 1000 * NS_PER_S + 5, "pcap (nanoseconds)");
}

static void modified_record(struct build *b, uint32_t seconds, uint32_t size, unsigned padding)
{
    record_head(b, seconds, 7, size, size);
    put32(b, 3);      /* interface index */
    put16(b, 0x0800); /* protocol */
    put8(b, 4);       /* packet type: outgoing */
    put_filler(b, padding, 0);
    put_filler(b, size, 0x45);
}

static void check_variant(uint32_t magic, bool little, unsigned padding, const char *format)
{
    struct build b = pcap_of(magic, little, 1500, 1);
    for (uint32_t i = 0; i < 5; i++)
        modified_record(&b, 1000 + i, 60 + i, padding);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.frames[4].captured_size, 64);
    assert_int_equal(seen.frames[4].time_ns, 1004 * NS_PER_S + 7000);
    assert_int_equal(seen.first_bytes[4], 0x45);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, format);
    forget(&seen);
}

static void modified_files_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    check_variant(0xa1b2cd34, true, 1, "pcap (modified)");
    check_variant(0xa1b2cd34, false, 1, "pcap (modified)");
}

static void variants_that_share_a_magic_are_told_apart_by_their_records(void **state)
{
    (void)state;
    check_variant(0xa1b2cd34, true, 5, "pcap (SuSE 6.3)");
    check_variant(0xa1b2c3d4, true, 1, "pcap (Red Hat 6.1)");
}

static void nokia_records_are_known_by_their_four_bytes(void **state)
{
    (void)state;
    struct build b = pcap_of(0xa1b2c3d4, true, 1500, 1);
    for (uint32_t i = 0; i < 4; i++) {
        record_head(&b, 1000 + i, 7, 60, 60);
        put32(&b, 0x9fbfb601);
        put_filler(&b, 60, 0x45);
    }
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.first_bytes[3], 0x45);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, "pcap (Nokia)");
    forget(&seen);
}

static void ixia_files_have_four_more_bytes_in_front(void **state)
{
    (void)state;
    struct build b = pcap_of(0x1c0001ac, true, 1500, 1);
    put32(&b, 76);
    record(&b, 1000, 9, 60);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.frames[0].time_ns, 1000 * NS_PER_S + 9);
    forget(&seen);
}

static void old_versions_have_their_lengths_the_other_way_round(void **state)
{
    (void)state;
    struct build b = pcap();
    b.bytes[6] = 2;
    record_head(&b, 1000, 0, 1500, 60);
    put_filler(&b, 60, 1);
    record_head(&b, 1001, 0, 61, 61);
    put_filler(&b, 61, 2);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.frames[0].captured_size, 60);
    assert_int_equal(seen.frames[0].original_size, 1500);
    assert_int_equal(seen.quality.frames_cut, 1);
    forget(&seen);
}

static void the_check_sequence_length_is_taken_from_the_link_type_field(void **state)
{
    (void)state;
    struct build b = pcap_of(0xa1b2c3d4, true, 1500, 0x24000001);
    record(&b, 1000, 0, 64);
    struct build without = pcap_of(0xa1b2c3d4, true, 1500, 0x20000001);
    record(&without, 1000, 0, 64);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.frames[0].link_type, 1);
    assert_int_equal(seen.frames[0].fcs_size, 4);
    forget(&seen);
    seen = read_build(&without);
    assert_int_equal(seen.frames[0].link_type, 1);
    assert_int_equal(seen.frames[0].fcs_size, 0);
    forget(&seen);
}

static void an_original_size_below_the_captured_one_is_raised(void **state)
{
    (void)state;
    struct build b = pcap();
    record_head(&b, 1000, 0, 60, 20);
    put_filler(&b, 60, 1);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.frames[0].original_size, 60);
    assert_int_equal(seen.quality.frames_cut, 0);
    forget(&seen);
}

static void records_that_straddle_the_window_are_whole(void **state)
{
    (void)state;
    struct build b = {0};
    uint32_t count = 3000;
    b = pcap();
    uint8_t *content = malloc(2000);
    assert_non_null(content);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = 1 + i * 7919 % 2000;
        memset(content, (int)(i & 0xff), size);
        record_head(&b, i, 0, size, size);
        put(&b, content, size);
    }
    free(content);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(seen.frames[i].captured_size, 1 + i * 7919 % 2000);
        assert_int_equal(seen.first_bytes[i], i & 0xff);
    }
    forget(&seen);
}

static void a_frame_of_the_largest_size_is_read_and_one_byte_more_is_damage(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 1, 0, 60);
    record(&b, 2, 0, 262144);
    record(&b, 3, 0, 60);
    struct build more = pcap();
    record(&more, 1, 0, 60);
    record(&more, 2, 0, 262145);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 3);
    forget(&seen);
    seen = read_build(&more);
    assert_int_equal(seen.count, 1);
    assert_string_equal(capture_file_at(seen.capture, 0)->damage,
                        "packet 2 at byte 100 claims 262145 bytes: the file is "
                        "damaged from there on");
    assert_true(seen.quality.truncated);
    forget(&seen);
}

static void a_file_cut_anywhere_gives_what_was_before_the_cut(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 1, 0, 60);
    record(&b, 2, 0, 60);
    for (size_t size = 24; size <= b.size; size++) {
        const char *path = save_bytes("cut", b.bytes, size);
        struct seen seen = read_path(path);
        assert_true(seen.opened);
        assert_int_equal(seen.count, (size - 24) / 76);
        assert_int_equal(seen.quality.truncated, (size - 24) % 76 != 0);
        assert_int_equal(seen.quality.damage[0] != 0, (size - 24) % 76 != 0);
        forget(&seen);
    }
    free(b.bytes);
}

static void a_cut_names_record_offset_and_sizes(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 1, 0, 60);
    record_head(&b, 2, 0, 60, 60);
    put_filler(&b, 4, 1);
    struct seen seen = read_build(&b);
    assert_string_equal(capture_file_at(seen.capture, 0)->damage,
                        "packet 2 at byte 100 is cut: 20 of its 76 bytes are there");
    forget(&seen);
}

static void a_cut_file_header_is_a_fault(void **state)
{
    (void)state;
    struct build b = pcap();
    b.size = 23;
    struct seen seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "23 of its 24 bytes");
    forget(&seen);
}

static void zeros_at_the_end_are_not_frames_of_1970(void **state)
{
    (void)state;
    struct build b = pcap();
    record(&b, 1, 0, 60);
    put_filler(&b, 4096, 0);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_contains(seen.quality.damage, "only zeros");
    forget(&seen);
}

static void an_empty_frame_is_a_frame(void **state)
{
    (void)state;
    struct build b = pcap();
    record_head(&b, 0, 0, 0, 0);
    record(&b, 1, 0, 60);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.frames[0].captured_size, 0);
    assert_false(seen.quality.truncated);
    forget(&seen);
}

static void unknown_versions_and_reserved_bits_are_faults(void **state)
{
    (void)state;
    struct build b = pcap();
    b.bytes[4] = 1;
    struct seen seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "version 1.4");
    forget(&seen);
    b = pcap_of(0xa1b2c3d4, true, 1500, 0x00200001);
    seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "0x00200001");
    forget(&seen);
}

static void a_capture_without_packets_opens_and_has_none(void **state)
{
    (void)state;
    struct build b = pcap();
    struct seen seen = read_build(&b);
    assert_true(seen.opened);
    assert_int_equal(seen.count, 0);
    assert_false(seen.quality.truncated);
    assert_true(seen.quality.first_ns == TIME_UNKNOWN);
    forget(&seen);
}

/* Its lengths contradict each other and its second record is nonsense, but the first one's bytes
 * are an Ethernet frame only in the standard layout. */
static void files_joined_with_cat_are_read_to_the_end(void **state)
{
    (void)state;
    for (int little = 0; little < 2; little++) {
        struct build b = pcap_of(0xa1b2c3d4, little, 65535, 1);
        record(&b, 1000, 0, 60);
        struct build second = pcap_of(0xa1b2c3d4, little, 128, 1);
        record(&second, 1001, 0, 61);
        put(&b, second.bytes, second.size);
        put(&b, second.bytes, 24); /* and one without packets */
        free(second.bytes);
        struct seen seen = read_build(&b);
        assert_int_equal(seen.count, 2);
        assert_int_equal(seen.frames[1].number, 2);
        assert_int_equal(seen.frames[1].captured_size, 61);
        assert_int_equal(seen.frames[1].time_ns, 1001 * NS_PER_S);
        assert_false(seen.quality.truncated);
        assert_contains(capture_file_at(seen.capture, 0)->notes, "one after another");
        forget(&seen);
    }
}

static void a_file_joined_with_one_of_another_link_type_says_so(void **state)
{
    (void)state;
    struct build b = pcap_of(0xa1b2c3d4, true, 65535, 1);
    record(&b, 1000, 0, 60);
    struct build second = pcap_of(0xa1b2c3d4, true, 65535, 113);
    record(&second, 1001, 0, 61);
    put(&b, second.bytes, second.size);
    free(second.bytes);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_true(seen.quality.truncated);
    assert_contains(seen.quality.damage, "before packet 2 at byte 100 another capture was joined");
    forget(&seen);
}

static void a_damaged_standard_file_is_not_read_as_something_exotic(void **state)
{
    (void)state;
    struct build b = pcap_of(0xa1b2c3d4, true, 69, 1);
    record_head(&b, 0x0a007010, 0x08020316, 64, 54);
    static const uint8_t ethernet[16] = {0,    0x0c, 0xfb, 0,    0x7f, 6,    1,    0xc1,
                                         0xc0, 0xa0, 0xab, 0x9d, 0x08, 0x00, 0x45, 0};
    put(&b, ethernet, sizeof ethernet);
    put_filler(&b, 48, 0xc1);
    put32(&b, 0);
    put32(&b, 0);
    put32(&b, 11670272);
    put32(&b, 0);
    struct seen seen = read_build(&b);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, "pcap");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.frames[0].captured_size, 64);
    assert_contains(seen.quality.damage, "packet 2 at byte 104 claims 11670272 bytes");
    forget(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(microseconds_are_read_in_both_byte_orders),
        cmocka_unit_test(nanoseconds_are_read_in_both_byte_orders),
        cmocka_unit_test(modified_files_are_read_in_both_byte_orders),
        cmocka_unit_test(variants_that_share_a_magic_are_told_apart_by_their_records),
        cmocka_unit_test(nokia_records_are_known_by_their_four_bytes),
        cmocka_unit_test(ixia_files_have_four_more_bytes_in_front),
        cmocka_unit_test(old_versions_have_their_lengths_the_other_way_round),
        cmocka_unit_test(the_check_sequence_length_is_taken_from_the_link_type_field),
        cmocka_unit_test(an_original_size_below_the_captured_one_is_raised),
        cmocka_unit_test(records_that_straddle_the_window_are_whole),
        cmocka_unit_test(a_frame_of_the_largest_size_is_read_and_one_byte_more_is_damage),
        cmocka_unit_test(a_file_cut_anywhere_gives_what_was_before_the_cut),
        cmocka_unit_test(a_cut_names_record_offset_and_sizes),
        cmocka_unit_test(a_cut_file_header_is_a_fault),
        cmocka_unit_test(zeros_at_the_end_are_not_frames_of_1970),
        cmocka_unit_test(an_empty_frame_is_a_frame),
        cmocka_unit_test(unknown_versions_and_reserved_bits_are_faults),
        cmocka_unit_test(a_capture_without_packets_opens_and_has_none),
        cmocka_unit_test(files_joined_with_cat_are_read_to_the_end),
        cmocka_unit_test(a_file_joined_with_one_of_another_link_type_says_so),
        cmocka_unit_test(a_damaged_standard_file_is_not_read_as_something_exotic),
    };
    return cmocka_run_group_tests_name("capture/pcap_file", tests, NULL, remove_folder);
}
