/* Endace ERF captures, record by record. */
#include "builder.h"

enum {
    TYPE_ETHERNET = 2,
    TYPE_IPV4 = 22,
    TYPE_META = 27,
    TYPE_PAD = 48,
    FIRST_SECOND = 1700000000
};

static void erf_head(struct build *b, uint32_t seconds, uint32_t fraction, unsigned type,
                     unsigned flags, unsigned size, unsigned counter, unsigned wire_size)
{
    b->little = true;
    put32(b, fraction);
    put32(b, seconds);
    put8(b, type);
    put8(b, flags);
    b->little = false;
    put16(b, size);
    put16(b, counter);
    put16(b, wire_size);
}

/* An Ethernet frame of `size` bytes on the wire, check sequence included. */
static void erf_ethernet(struct build *b, uint32_t seconds, unsigned size)
{
    unsigned record_size = (16 + 2 + size + 7) & ~7u;
    erf_head(b, seconds, 0x80000000, TYPE_ETHERNET, 0x04, record_size, 0, size);
    put16(b, 0);
    put_filler(b, record_size - 18, (uint8_t)seconds);
}

static void frames_are_read_with_their_times_sizes_and_interfaces(void **state)
{
    (void)state;
    struct build b = {0};
    erf_ethernet(&b, FIRST_SECOND, 64);
    erf_head(&b, FIRST_SECOND + 1, 1, TYPE_ETHERNET, 0x05, 16 + 2 + 62, 3, 1518); /* snapped */
    put16(&b, 0);
    put_filler(&b, 62, 9);
    erf_head(&b, FIRST_SECOND + 2, 0, TYPE_IPV4, 0x04, 16 + 40, 0, 40);
    put_filler(&b, 40, 0x45);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 3);
    assert_string_equal(capture_file_at(seen.capture, 0)->format, "ERF");
    assert_int_equal(seen.frames[0].time_ns, FIRST_SECOND * NS_PER_S + NS_PER_S / 2);
    assert_int_equal(seen.frames[0].captured_size, 64);
    assert_int_equal(seen.frames[0].original_size, 64);
    assert_int_equal(seen.frames[0].fcs_size, 4);
    assert_int_equal(seen.frames[0].link_type, 1);
    assert_int_equal(seen.first_bytes[0], FIRST_SECOND & 0xff);
    assert_int_equal(seen.frames[1].time_ns, (FIRST_SECOND + 1) * NS_PER_S);
    assert_int_equal(seen.frames[1].captured_size, 62);
    assert_int_equal(seen.frames[1].original_size, 1518);
    assert_int_equal(seen.frames[1].interface_id, seen.frames[0].interface_id + 1);
    assert_int_equal(seen.frames[2].link_type, 228);
    assert_int_equal(seen.quality.dropped_interface, 3);
    forget(&seen);
}

static void extension_headers_are_passed_over(void **state)
{
    (void)state;
    struct build b = {0};
    erf_ethernet(&b, FIRST_SECOND, 64);
    erf_head(&b, FIRST_SECOND, 0, TYPE_ETHERNET | 0x80, 0, 16 + 16 + 2 + 62, 0, 64);
    put_filler(&b, 8, 0x83); /* another one follows */
    put_filler(&b, 8, 0x03);
    put16(&b, 0);
    put_filler(&b, 62, 0x77);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.first_bytes[1], 0x77);
    assert_int_equal(seen.frames[1].captured_size, 62);
    forget(&seen);
}

static void metadata_takes_a_frame_number_and_padding_does_not(void **state)
{
    (void)state;
    struct build b = {0};
    erf_head(&b, 0, 0, TYPE_META | 0x80, 4, 16 + 8 + 8, 0, 16);
    put_filler(&b, 8, 0x11);
    put_filler(&b, 8, 0);
    erf_ethernet(&b, FIRST_SECOND, 64);
    erf_head(&b, FIRST_SECOND, 0, TYPE_PAD, 0, 64, 0, 0);
    put_filler(&b, 48, 0);
    erf_ethernet(&b, FIRST_SECOND, 64);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.frames[0].number, 2);
    assert_int_equal(seen.frames[1].number, 3);
    forget(&seen);
}

static void a_cut_file_gives_the_records_before_the_cut(void **state)
{
    (void)state;
    struct build b = {0};
    for (uint32_t i = 0; i < 400; i++)
        erf_ethernet(&b, FIRST_SECOND + i, 64 + i % 1000);
    b.size -= 30;
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 399);
    assert_contains(seen.quality.damage, "packet 400 at byte");
    forget(&seen);
}

static void a_record_that_contradicts_itself_ends_the_file(void **state)
{
    (void)state;
    struct build b = {0};
    erf_ethernet(&b, FIRST_SECOND, 64);
    erf_ethernet(&b, FIRST_SECOND, 64);
    struct build short_record = b;
    short_record.bytes = malloc(b.size);
    memcpy(short_record.bytes, b.bytes, b.size);
    short_record.room = b.size;
    erf_head(&short_record, FIRST_SECOND, 0, TYPE_ETHERNET, 0, 8, 0, 64);
    struct seen seen = read_build(&short_record);
    assert_int_equal(seen.count, 2);
    assert_contains(seen.quality.damage, "packet 3 at byte 176 is of type 2 and 8 bytes long");
    forget(&seen);

    erf_head(&b, FIRST_SECOND, 0, TYPE_ETHERNET | 0x80, 0, 24, 0, 64);
    put_filler(&b, 8, 0xff); /* promises a header beyond the record */
    seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    assert_contains(seen.quality.damage, "more headers than bytes");
    forget(&seen);
}

static void a_large_first_frame_does_not_hide_what_the_file_is(void **state)
{
    (void)state;
    struct build b = {0};
    erf_ethernet(&b, FIRST_SECOND, 9018);
    erf_ethernet(&b, FIRST_SECOND, 64);
    struct seen seen = read_build(&b);
    assert_int_equal(seen.count, 2);
    forget(&seen);
}

static void what_only_begins_like_a_record_is_no_capture(void **state)
{
    (void)state;
    struct build b = {0};
    erf_ethernet(&b, FIRST_SECOND, 64);
    put_filler(&b, 200, 'x');
    struct seen seen = read_build(&b);
    assert_false(seen.opened);
    forget(&seen);
    b = (struct build){0};
    erf_ethernet(&b, FIRST_SECOND, 64);
    erf_ethernet(&b, FIRST_SECOND + 3 * 366 * 24 * 3600, 64); /* three years later */
    seen = read_build(&b);
    assert_false(seen.opened);
    forget(&seen);
    b = (struct build){0};
    put_filler(&b, 4000, '0'); /* the digit is the number of a padding record */
    seen = read_build(&b);
    assert_false(seen.opened);
    assert_contains(seen.fault.sentence, "text");
    forget(&seen);
}

static void losses_are_counted_once_however_often_a_file_is_parked(void **state)
{
    (void)state;
    enum { FILES = 80, RECORDS = 70 };
    const char *paths[FILES];
    char names[FILES][16];
    for (uint32_t file = 0; file < FILES; file++) {
        struct build b = {0};
        for (uint32_t i = 0; i < RECORDS; i++) {
            erf_head(&b, FIRST_SECOND + i * FILES + file, 0, TYPE_ETHERNET, 0, 16 + 2 + 62, 1, 64);
            put_filler(&b, 64, 0);
        }
        snprintf(names[file], sizeof names[file], "loss%u", file);
        paths[file] = strdup(save(names[file], &b));
    }
    struct seen seen = read_paths(paths, FILES, NULL);
    assert_int_equal(seen.count, FILES * RECORDS);
    assert_int_equal(seen.quality.dropped_interface, FILES * RECORDS);
    assert_int_equal(seen.quality.backward_steps, 0);
    forget(&seen);
    for (size_t i = 0; i < FILES; i++)
        free((char *)(uintptr_t)paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read_with_their_times_sizes_and_interfaces),
        cmocka_unit_test(extension_headers_are_passed_over),
        cmocka_unit_test(metadata_takes_a_frame_number_and_padding_does_not),
        cmocka_unit_test(a_cut_file_gives_the_records_before_the_cut),
        cmocka_unit_test(a_record_that_contradicts_itself_ends_the_file),
        cmocka_unit_test(a_large_first_frame_does_not_hide_what_the_file_is),
        cmocka_unit_test(what_only_begins_like_a_record_is_no_capture),
        cmocka_unit_test(losses_are_counted_once_however_often_a_file_is_parked),
    };
    return cmocka_run_group_tests_name("capture/erf_file", tests, NULL, remove_folder);
}
