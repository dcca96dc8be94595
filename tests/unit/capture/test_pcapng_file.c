/* pcapng: byte orders, sections, interfaces, clocks, block kinds, options, damage. */
#include "builder.h"
#include "capture/pcapng_file.h"

static void both_byte_orders_are_read(void **state)
{
    (void)state;
    for (int little = 0; little <= 1; little++) {
        struct build b = pcapng(little);
        packet(&b, 0, 1000000, 61);
        struct seen seen = read_build(&b);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.frames[0].time_ns, NS_PER_S);
        assert_int_equal(seen.frames[0].captured_size, 61);
        assert_string_equal(capture_file_at(seen.capture, 0)->format, "pcapng");
        assert_false(seen.quality.truncated);
        forget(&seen);
    }
}

static void sections_may_differ_in_byte_order_and_interfaces_count_through(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    interface(&b, 113, 96);
    packet(&b, 1, 1, 60);
    section(&b, false);
    interface(&b, 101, 200);
    packet(&b, 0, 2, 60);
    section(&b, true);
    interface(&b, 0, 0);
    packet(&b, 0, 3, 60);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.frames[0].interface_id, 1);
    assert_int_equal(seen.frames[0].link_type, 113);
    assert_int_equal(seen.frames[1].interface_id, 2);
    assert_int_equal(seen.frames[1].link_type, 101);
    assert_int_equal(seen.frames[2].interface_id, 3);
    assert_int_equal(seen.frames[2].link_type, 0);
    assert_int_equal(seen.quality.smallest_snap, 96);
    forget(&seen);
}

static int64_t time_of(unsigned resolution, uint64_t units, int64_t offset_s)
{
    struct build b = {0};
    section(&b, true);
    interface_begin(&b, 1, 0);
    option_number(&b, 9, resolution, 1);
    option_number(&b, 14, (uint64_t)offset_s, 8);
    end_block(&b);
    packet(&b, 0, units, 4);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    int64_t time_ns = seen.frames[0].time_ns;
    forget(&seen);
    return time_ns;
}

static void clocks_tick_in_powers_of_ten_and_of_two(void **state)
{
    (void)state;
    assert_int_equal(time_of(0, 7, 0), 7 * NS_PER_S);
    assert_int_equal(time_of(3, 7, 0), 7 * NS_PER_MS);
    assert_int_equal(time_of(6, 7, 0), 7000);
    assert_int_equal(time_of(9, 1700000000123456789u, 0), 1700000000123456789);
    assert_int_equal(time_of(12, 7999, 0), 7);
    assert_int_equal(time_of(0x80 | 10, 1536, 0), NS_PER_S + NS_PER_S / 2);
    assert_int_equal(time_of(0x80 | 32, UINT64_C(5) << 31, 0), 2 * NS_PER_S + NS_PER_S / 2);
    assert_int_equal(time_of(0x80 | 63, UINT64_C(1) << 63, 0), NS_PER_S);
}

static void a_clock_offset_is_added_in_seconds(void **state)
{
    (void)state;
    assert_int_equal(time_of(6, 5, 100), 100 * NS_PER_S + 5000);
    assert_int_equal(time_of(6, 5, -100), -100 * NS_PER_S + 5000);
}

static void absurd_clocks_are_clamped(void **state)
{
    (void)state;
    assert_int_equal(time_of(0, UINT64_MAX, 0), TIME_LIMIT_NS);
    assert_int_equal(time_of(6, UINT64_MAX, 0), TIME_LIMIT_NS);
    assert_int_equal(time_of(9, INT64_MAX, 0), TIME_LIMIT_NS);
    assert_int_equal(time_of(127, UINT64_MAX, 0), NS_PER_S);
    assert_int_equal(time_of(0xff, 5, 0), 0);
    assert_int_equal(time_of(6, 5, INT64_MAX), TIME_LIMIT_NS);
    assert_int_equal(time_of(6, 5, INT64_MIN), -TIME_LIMIT_NS);
    assert_int_equal(time_of(6, 5, -INT64_C(9000000000)), -TIME_LIMIT_NS);
}

static void simple_packets_take_the_snap_length_and_the_time_before(void **state)
{
    (void)state;
    struct build b = {0};
    section(&b, true);
    interface(&b, 1, 40);
    packet(&b, 0, 5, 8);
    begin_block(&b, 3);
    put32(&b, 1500);
    put_filler(&b, 40, 9);
    end_block(&b);
    begin_block(&b, 3);
    put32(&b, 21);
    put_filler(&b, 21, 9);
    end_block(&b);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.frames[1].captured_size, 40);
    assert_int_equal(seen.frames[1].original_size, 1500);
    assert_int_equal(seen.frames[1].time_ns, 5000);
    assert_int_equal(seen.frames[2].captured_size, 21);
    assert_contains(capture_file_at(seen.capture, 0)->notes, "carry no time");
    forget(&seen);
}

static void obsolete_packets_are_read_with_their_drops(void **state)
{
    (void)state;
    struct build b = pcapng(false);
    for (unsigned drops = 0; drops < 3; drops++) {
        begin_block(&b, 2);
        put16(&b, 0);
        put16(&b, drops == 2 ? 0xffff : drops * 7);
        put32(&b, 0);
        put32(&b, 1000 + drops);
        put32(&b, 30);
        put32(&b, 90);
        put_filler(&b, 30, 1);
        end_block(&b);
    }
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.frames[2].time_ns, 1002000);
    assert_int_equal(seen.frames[2].original_size, 90);
    assert_true(seen.quality.drops_known);
    assert_int_equal(seen.quality.dropped_interface, 7);
    forget(&seen);
}

static void statistics(struct build *b, uint32_t id, uint64_t interface_drops,
                       uint64_t kernel_drops)
{
    begin_block(b, 5);
    put32(b, id);
    put32(b, 0);
    put32(b, 0);
    option_number(b, 5, interface_drops, 8);
    option_number(b, 7, kernel_drops, 8);
    end_block(b);
}

static void the_last_statistics_of_each_interface_count(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    interface(&b, 1, 0);
    statistics(&b, 0, 1, 10);
    packet(&b, 0, 1, 60);
    statistics(&b, 0, 3, 15);
    statistics(&b, 1, 100, 1000);
    statistics(&b, 9, 5, 5); /* no such interface */
    section(&b, true);
    interface(&b, 1, 0);
    statistics(&b, 0, 20, 30);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_true(seen.quality.drops_known);
    assert_int_equal(seen.quality.dropped_interface, 123);
    assert_int_equal(seen.quality.dropped_kernel, 1045);
    forget(&seen);
}

static void without_statistics_drops_are_not_known(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    struct seen seen = read_build(&b);
    assert_false(seen.quality.drops_known);
    forget(&seen);
}

static void drop_counts_of_packets_count_until_statistics_come(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    for (int i = 0; i < 2; i++) {
        packet_begin(&b, 0, 1, 8, 8);
        option_number(&b, 4, 4, 8);
        end_block(&b);
    }
    struct build with_statistics = {.little = true};
    put(&with_statistics, b.bytes, b.size);
    statistics(&with_statistics, 0, 9, 0);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.quality.dropped_interface, 8);
    forget(&seen);
    seen = read_build(&with_statistics);
    assert_int_equal(seen.quality.dropped_interface, 9);
    forget(&seen);
}

static void notes_hold_hardware_system_application_and_comments(void **state)
{
    (void)state;
    struct build b = {0};
    section_begin(&b, true);
    option_text(&b, 1, "from the lab");
    option_text(&b, 2, "Apple M1");
    option_text(&b, 3, "macOS");
    option_text(&b, 4, "tcpdump\033[2J");
    end_block(&b);
    interface(&b, 1, 0);
    packet_begin(&b, 0, 1, 8, 8);
    option_text(&b, 1, "look here");
    end_block(&b);
    struct seen seen = read_build(&b);
    assert_string_equal(capture_file_at(seen.capture, 0)->notes,
                        "comment: from the lab; hardware: Apple M1; OS: macOS; application: "
                        "tcpdump\\x1b[2J; comment on packet 1: look here");
    forget(&seen);
}

static void process_block(struct build *b, uint32_t id, const char *name)
{
    begin_block(b, 0x80000001);
    put32(b, id);
    option_text(b, 2, name);
    end_block(b);
}

static void packets_name_processes_by_their_place_in_the_section(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    process_block(&b, 77, "mDNSResponder");
    process_block(&b, 99, "apsd");
    for (uint32_t index = 0; index < 3; index++) {
        packet_begin(&b, 0, 1, 8, 8);
        option_number(&b, 0x8001, index, 4);
        option_number(&b, 0x8004, 2, 4);
        end_block(&b);
    }
    packet(&b, 0, 1, 8);
    section(&b, true);
    interface(&b, 1, 0);
    process_block(&b, 5, "other");
    packet_begin(&b, 0, 1, 8, 8);
    option_number(&b, 0x8001, 0, 4);
    end_block(&b);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 5);
    assert_string_equal(seen.frames[0].process.name, "mDNSResponder");
    assert_int_equal(seen.frames[1].process.id, 99);
    assert_string_equal(seen.frames[1].process.name, "apsd");
    assert_int_equal(seen.frames[2].process.id, -1); /* no such process */
    assert_null(seen.frames[3].process.name);
    assert_string_equal(seen.frames[4].process.name, "other");
    forget(&seen);
}

static void check_sequences_come_from_interface_or_packet(void **state)
{
    (void)state;
    struct build b = {0};
    section(&b, true);
    interface_begin(&b, 1, 0);
    option_number(&b, 13, 32, 1); /* bits */
    end_block(&b);
    interface_begin(&b, 1, 0);
    option_number(&b, 13, 4, 1); /* octets, as some write it */
    end_block(&b);
    packet(&b, 0, 1, 64);
    packet(&b, 1, 1, 64);
    packet_begin(&b, 0, 1, 64, 64);
    option_number(&b, 2, 2u << 5, 4);
    end_block(&b);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.frames[0].fcs_size, 4);
    assert_int_equal(seen.frames[1].fcs_size, 4);
    assert_int_equal(seen.frames[2].fcs_size, 2);
    forget(&seen);
}

static void other_blocks_are_passed_over_whatever_their_size(void **state)
{
    (void)state;
    static const uint32_t types[] = {4, 0xa, 0xbad, 0x40000bad, 0x12345678};
    struct build b = pcapng(true);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        begin_block(&b, types[i]);
        put_filler(&b, i == 1 ? 3 << 20 : 40 * i, 0x5a);
        end_block(&b);
        packet(&b, 0, i, 60);
    }
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.quality.frames, 5);
    assert_false(seen.quality.truncated);
    /* Wireshark gives the two custom blocks numbers 3 and 5 */
    assert_int_equal(seen.frames[1].number, 2);
    assert_int_equal(seen.frames[2].number, 4);
    assert_int_equal(seen.frames[3].number, 6);
    assert_int_equal(seen.frames[4].number, 7);
    forget(&seen);
}

static void a_block_whose_lengths_differ_is_damage(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    size_t second = b.size;
    packet(&b, 0, 2, 60);
    b.bytes[b.size - 4] ^= 4;
    char expected[64];
    snprintf(expected, sizeof expected, "the block at byte %zu, before packet 2,", second);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_contains(seen.quality.damage, expected);
    assert_contains(seen.quality.damage, "begins with length 92 and ends with 88");
    forget(&seen);
}

static void a_packet_of_an_undescribed_interface_is_damage(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    packet(&b, 1, 1, 60);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_contains(seen.quality.damage, "names interface 1, but its section describes 1");
    forget(&seen);
}

static void a_packet_longer_than_its_block_is_damage(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    begin_block(&b, 6);
    put32(&b, 0);
    put32(&b, 0);
    put32(&b, 0);
    put32(&b, 65536);
    put32(&b, 65536);
    end_block(&b);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_contains(seen.quality.damage, "packet 2");
    assert_contains(seen.quality.damage, "claims 65536 bytes");
    forget(&seen);
}

static void absurd_block_lengths_are_damage(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 4, 11, 0x7fffffff, 0xffffffff};
    static const uint32_t types[] = {6, 0x12345678};
    for (size_t i = 0; i < 10; i++) {
        struct build b = pcapng(true);
        packet(&b, 0, 1, 60);
        put32(&b, types[i % 2]);
        put32(&b, lengths[i / 2]);
        put_filler(&b, 64, 1);
        struct seen seen = read_build(&b);
        assert_int_equal(seen.count, 1);
        assert_contains(seen.quality.damage, "damaged from there on");
        forget(&seen);
    }
}

static void a_file_cut_anywhere_never_loses_what_was_before(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    size_t first_end = b.size;
    begin_block(&b, 0xbad);
    put_filler(&b, 20, 1);
    end_block(&b);
    packet(&b, 0, 2, 61);
    for (size_t size = 28; size <= b.size; size++) {
        struct seen seen = read_path(save_bytes("cut", b.bytes, size));
        assert_true(seen.opened);
        assert_int_equal(seen.count, size == b.size ? 2 : size >= first_end);
        bool at_boundary = size == 28 || size == 48 || size == first_end ||
                           size == first_end + 32 || size == b.size;
        assert_int_equal(seen.quality.truncated, !at_boundary);
        forget(&seen);
    }
    free(b.bytes);
}

static void zeros_at_the_end_are_told_as_such(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    put_filler(&b, 4096, 0);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_contains(seen.quality.damage, "only zeros");
    forget(&seen);
}

static void an_unknown_version_is_a_fault_at_the_start_and_damage_later(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet(&b, 0, 1, 60);
    size_t second = b.size;
    section(&b, true);
    b.bytes[second + 12] = 2;
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_contains(seen.quality.damage, "version 2.0");
    forget(&seen);
    b = pcapng(true);
    b.bytes[12] = 2;
    seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "version 2.0");
    forget(&seen);
}

static void broken_options_cost_options_only(void **state)
{
    (void)state;
    struct build b = pcapng(true);
    packet_begin(&b, 0, 7, 8, 8);
    put16(&b, 2);
    put16(&b, 60000);
    end_block(&b);
    packet(&b, 0, 8, 8);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_false(seen.quality.truncated);
    forget(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_byte_orders_are_read),
        cmocka_unit_test(sections_may_differ_in_byte_order_and_interfaces_count_through),
        cmocka_unit_test(clocks_tick_in_powers_of_ten_and_of_two),
        cmocka_unit_test(a_clock_offset_is_added_in_seconds),
        cmocka_unit_test(absurd_clocks_are_clamped),
        cmocka_unit_test(simple_packets_take_the_snap_length_and_the_time_before),
        cmocka_unit_test(obsolete_packets_are_read_with_their_drops),
        cmocka_unit_test(the_last_statistics_of_each_interface_count),
        cmocka_unit_test(without_statistics_drops_are_not_known),
        cmocka_unit_test(drop_counts_of_packets_count_until_statistics_come),
        cmocka_unit_test(notes_hold_hardware_system_application_and_comments),
        cmocka_unit_test(packets_name_processes_by_their_place_in_the_section),
        cmocka_unit_test(check_sequences_come_from_interface_or_packet),
        cmocka_unit_test(other_blocks_are_passed_over_whatever_their_size),
        cmocka_unit_test(a_block_whose_lengths_differ_is_damage),
        cmocka_unit_test(a_packet_of_an_undescribed_interface_is_damage),
        cmocka_unit_test(a_packet_longer_than_its_block_is_damage),
        cmocka_unit_test(absurd_block_lengths_are_damage),
        cmocka_unit_test(a_file_cut_anywhere_never_loses_what_was_before),
        cmocka_unit_test(zeros_at_the_end_are_told_as_such),
        cmocka_unit_test(an_unknown_version_is_a_fault_at_the_start_and_damage_later),
        cmocka_unit_test(broken_options_cost_options_only),
    };
    return cmocka_run_group_tests_name("capture/pcapng_file", tests, NULL, remove_folder);
}
