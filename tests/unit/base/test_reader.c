/* The byte cursor: sticky failure, nested readers, byte orders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reader.h"

static void a_reader_gives_bytes_in_network_order(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};
    struct reader reader = reader_over(bytes, sizeof bytes);
    (void)state;
    assert_int_equal(reader_u8(&reader), 0x01);
    assert_int_equal(reader_u16(&reader), 0x0203);
    assert_int_equal(reader_u24(&reader), 0x040506);
    assert_int_equal(reader_u32(&reader), 0x0708090a);
    assert_true(reader_u64(&reader) == UINT64_C(0x0b0c0d0e0f101112));
    assert_int_equal(reader_left(&reader), 0);
    assert_false(reader.failed);
}

static void little_endian_is_read_where_asked_for(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    struct reader reader = reader_over(bytes, sizeof bytes);
    (void)state;
    assert_int_equal(reader_u16_le(&reader), 0x0201);
    assert_int_equal(reader_u32_le(&reader), 0x06050403);
    assert_true(reader_u64_le(&reader) == UINT64_C(0x0e0d0c0b0a090807));
}

static void a_reader_that_failed_stays_failed_and_gives_zero(void **state)
{
    static const uint8_t bytes[] = {0xff, 0xff, 0xff};
    struct reader reader = reader_over(bytes, sizeof bytes);
    (void)state;
    assert_int_equal(reader_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(reader_u8(&reader), 0); /* three bytes were there, but no longer count */
    assert_null(reader_bytes(&reader, 1));
    assert_true(reader.failed);
}

static void nothing_can_be_read_from_no_bytes(void **state)
{
    struct reader reader = reader_over(NULL, 7);
    (void)state;
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_u8(&reader), 0);
    assert_true(reader.failed);
}

static void a_nested_reader_cannot_leave_its_length(void **state)
{
    static const uint8_t bytes[] = {1, 2, 3, 4};
    struct reader outer = reader_over(bytes, sizeof bytes);
    (void)state;
    struct reader inner = reader_take(&outer, 2);
    assert_int_equal(reader_u24(&inner), 0);
    assert_true(inner.failed);
    assert_false(outer.failed);
    assert_int_equal(reader_u16(&outer), 0x0304);
}

static void a_nested_reader_longer_than_its_outer_fails_both(void **state)
{
    static const uint8_t bytes[] = {1, 2};
    struct reader outer = reader_over(bytes, sizeof bytes);
    (void)state;
    struct reader inner = reader_take(&outer, 3);
    assert_true(inner.failed);
    assert_int_equal(reader_left(&inner), 0);
    assert_true(outer.failed);
}

static void a_size_near_the_end_of_memory_does_not_wrap(void **state)
{
    static const uint8_t bytes[] = {1, 2};
    struct reader reader = reader_over(bytes, sizeof bytes);
    (void)state;
    assert_null(reader_bytes(&reader, SIZE_MAX));
    assert_true(reader.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_gives_bytes_in_network_order),
        cmocka_unit_test(little_endian_is_read_where_asked_for),
        cmocka_unit_test(a_reader_that_failed_stays_failed_and_gives_zero),
        cmocka_unit_test(nothing_can_be_read_from_no_bytes),
        cmocka_unit_test(a_nested_reader_cannot_leave_its_length),
        cmocka_unit_test(a_nested_reader_longer_than_its_outer_fails_both),
        cmocka_unit_test(a_size_near_the_end_of_memory_does_not_wrap),
    };
    return cmocka_run_group_tests_name("base reader", tests, NULL, NULL);
}
