/* Solaris snoop captures, record by record (RFC 1761). */
#include "builder.h"

static struct build snoop_of(uint32_t version, uint32_t datalink)
{
    struct build b = {.little = false};
    put(&b, "snoop\0\0\0", 8);
    put32(&b, version);
    put32(&b, datalink);
    return b;
}

static void snoop_record(struct build *b, uint32_t seconds, uint32_t us, uint32_t captured,
                         uint32_t original, uint32_t drops)
{
    uint32_t padding = -captured & 3;
    put32(b, original);
    put32(b, captured);
    put32(b, 24 + captured + padding);
    put32(b, drops);
    put32(b, seconds);
    put32(b, us);
    put_filler(b, captured, (uint8_t)seconds);
    put_filler(b, padding, 0xee);
}

static void records_are_read_with_their_times_and_sizes(void **state)
{
    (void)state;
    struct build b = snoop_of(2, 4);
    snoop_record(&b, 1000, 5, 61, 61, 0);
    snoop_record(&b, 1001, 999999, 60, 1514, 7);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, "snoop");
    assert_int_equal(seen.frames[0].time_ns, 1000 * NS_PER_S + 5000);
    assert_int_equal(seen.frames[0].captured_size, 61);
    assert_int_equal(seen.frames[0].link_type, 1);
    assert_int_equal(seen.first_bytes[0], 1000 & 0xff);
    assert_int_equal(seen.frames[1].time_ns, 1001 * NS_PER_S + 999999000);
    assert_int_equal(seen.frames[1].captured_size, 60);
    assert_int_equal(seen.frames[1].original_size, 1514);
    assert_int_equal(seen.quality.dropped_kernel, 7);
    assert_true(seen.quality.drops_known);
    assert_false(seen.quality.truncated);
    forget(&seen);
}

static void other_links_than_ethernet_are_told_as_such(void **state)
{
    (void)state;
    struct build b = snoop_of(2, 8); /* FDDI */
    snoop_record(&b, 1, 0, 60, 60, 0);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.frames[0].link_type, UINT16_MAX);
    forget(&seen);
}

static void a_cut_file_gives_the_records_before_the_cut(void **state)
{
    (void)state;
    struct build b = snoop_of(2, 4);
    for (uint32_t i = 0; i < 300; i++)
        snoop_record(&b, i, 0, 100 + i % 7, 200, 0);
    b.size -= 10;
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 299);
    assert_true(seen.quality.truncated);
    assert_contains(seen.quality.damage, "packet 300 at byte");
    assert_contains(seen.quality.damage, "is cut");
    forget(&seen);
}

static void a_record_that_contradicts_itself_ends_the_file(void **state)
{
    (void)state;
    static const struct {
        uint32_t captured;
        uint32_t size;
    } wrong[] = {{100, 60}, {0x7fffffff, 0x7fffffff}, {60, 24 + 60 + 100000}, {0, 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct build b = snoop_of(2, 4);
        snoop_record(&b, 1, 0, 60, 60, 0);
        put32(&b, 60);
        put32(&b, wrong[i].captured);
        put32(&b, wrong[i].size);
        put_filler(&b, 500, 1);
        struct seen seen = read_build(&b);
        assert_int_equal(seen.count, 1);
        assert_contains(seen.quality.damage, "packet 2 at byte 100 claims");
        forget(&seen);
    }
}

static void other_versions_and_cut_headers_are_refused(void **state)
{
    (void)state;
    struct build b = snoop_of(3, 4);
    struct seen seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "snoop version 3");
    forget(&seen);
    b = snoop_of(2, 4);
    b.size = 12;
    seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "file header is cut: 12 of its 16 bytes");
    forget(&seen);
}

static void several_are_merged_with_other_formats(void **state)
{
    (void)state;
    struct build s = snoop_of(2, 4), p = pcap();
    for (uint32_t i = 0; i < 200; i++) {
        snoop_record(&s, 2 * i, 0, 60, 60, 0);
        record(&p, 2 * i + 1, 0, 61);
    }
    const char *paths[] = {save("s", &s), save("p", &p)};
    struct seen seen = read_paths(paths, 2, NULL);
    assert_int_equal(seen.count, 400);
    for (size_t i = 0; i < seen.count; i++)
        assert_int_equal(seen.frames[i].time_ns, (int64_t)i * NS_PER_S);
    forget(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read_with_their_times_and_sizes),
        cmocka_unit_test(other_links_than_ethernet_are_told_as_such),
        cmocka_unit_test(a_cut_file_gives_the_records_before_the_cut),
        cmocka_unit_test(a_record_that_contradicts_itself_ends_the_file),
        cmocka_unit_test(other_versions_and_cut_headers_are_refused),
        cmocka_unit_test(several_are_merged_with_other_formats),
    };
    return cmocka_run_group_tests_name("capture/snoop_file", tests, NULL, remove_folder);
}
