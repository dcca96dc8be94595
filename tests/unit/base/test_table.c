/* The open-addressed table and the hash it is keyed with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/table.h"

enum { ITEMS = 5000 };

struct keys {
    uint64_t key[ITEMS];
};

static bool same_key(const void *context, uint32_t item, const void *key)
{
    return ((const struct keys *)context)->key[item] == *(const uint64_t *)key;
}

static uint32_t find(const struct table *table, const struct keys *keys, uint64_t key,
                     uint64_t hash)
{
    return table_find(table, hash, same_key, keys, &key);
}

static uint64_t hash_of(uint64_t key)
{
    return hash_bytes(&key, sizeof key, 1);
}

static void what_was_put_in_is_found_until_removed(void **state)
{
    static struct keys keys;
    struct table table;
    (void)state;
    table_init(&table, 0); /* so that it grows many times */
    for (uint32_t i = 0; i < ITEMS; i++) {
        keys.key[i] = i * UINT64_C(2654435761);
        table_insert(&table, hash_of(keys.key[i]), i);
    }
    assert_int_equal(table.count, ITEMS);
    for (uint32_t i = 0; i < ITEMS; i += 2)
        table_remove(&table, hash_of(keys.key[i]), i);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_int_equal(find(&table, &keys, keys.key[i], hash_of(keys.key[i])),
                         i % 2 ? i : TABLE_NONE);
    assert_int_equal(find(&table, &keys, 12345, hash_of(12345)), TABLE_NONE);
    table_free(&table);
}

static bool same_number(const void *context, uint32_t item, const void *key)
{
    (void)context;
    return item == *(const uint64_t *)key;
}

/* Of 2 MiB and more the slots have large pages of their own. */
static void a_table_of_many_items_and_its_copy_hold_them_all(void **state)
{
    enum { MANY = 400000 };
    struct table table, copy;
    (void)state;
    table_init(&table, 0);
    table_init(&copy, 0);
    for (uint64_t i = 0; i < MANY; i++)
        table_insert(&table, hash_of(i), (uint32_t)i);
    assert_true(((size_t)table.mask + 1) * sizeof *table.slots > 2 << 20);
    table_copy(&copy, &table);
    for (uint64_t i = 0; i <= MANY; i++) {
        uint32_t expected = i < MANY ? (uint32_t)i : TABLE_NONE;
        assert_int_equal(table_find(&table, hash_of(i), same_number, NULL, &i), expected);
        assert_int_equal(table_find(&copy, hash_of(i), same_number, NULL, &i), expected);
    }
    table_free(&table);
    table_free(&copy);
}

static void items_with_one_hash_are_told_apart_by_their_keys(void **state)
{
    static struct keys keys;
    struct table table;
    (void)state;
    table_init(&table, 8);
    for (uint32_t i = 0; i < 100; i++) {
        keys.key[i] = i;
        table_insert(&table, 42, i);
    }
    for (uint32_t i = 0; i < 100; i += 3)
        table_remove(&table, 42, i);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(find(&table, &keys, i, 42), i % 3 ? i : TABLE_NONE);
    table_free(&table);
}

/* Runs that wrap around the end of the slots are where backward shift goes wrong. */
static void removal_closes_gaps_across_the_end_of_the_table(void **state)
{
    static struct keys keys;
    struct table table;
    (void)state;
    for (uint32_t removed = 0; removed < 9; removed++) {
        table_init(&table, 10);
        assert_int_equal(table.mask, 15);
        for (uint32_t i = 0; i < 9; i++) {
            keys.key[i] = (uint64_t)(((12 + i / 3 * 2) & 15) << 1) << 32 | i; /* homes 12, 14, 0 */
            table_insert(&table, keys.key[i], i);
        }
        table_remove(&table, keys.key[removed], removed);
        for (uint32_t i = 0; i < 9; i++)
            assert_int_equal(find(&table, &keys, keys.key[i], keys.key[i]),
                             i == removed ? TABLE_NONE : i);
        table_free(&table);
    }
}

static void an_emptied_table_has_no_scars(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        table_insert(&table, hash_of(i), i);
    for (uint32_t i = 0; i < 1000; i++)
        table_remove(&table, hash_of(i), i);
    assert_int_equal(table.count, 0);
    for (uint32_t i = 0; i <= table.mask; i++)
        assert_int_equal(table.slots[i].tag, 0);
    table_free(&table);
}

static void a_table_as_large_as_expected_does_not_grow(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, 1000);
    uint32_t mask = table.mask;
    for (uint32_t i = 0; i < 1000; i++)
        table_insert(&table, hash_of(i), i);
    assert_int_equal(table.mask, mask);
    table_free(&table);
}

static void the_hash_is_the_same_on_every_machine(void **state)
{
    static const uint8_t bytes[48] = "the quick brown fox jumps over the lazy dog 123";
    (void)state;
    assert_true(hash_bytes(bytes, 40, 0) == hash_bytes(bytes, 40, 0));
    assert_true(hash_bytes(bytes, 0, 0) == UINT64_C(0xbaa2129361752083));
    assert_true(hash_bytes(bytes, 7, 1) == UINT64_C(0x33125064684224b8));
    assert_true(hash_bytes(bytes, 40, 2) == UINT64_C(0xd5e8669bf215db1f));
}

static void every_bit_of_the_key_and_the_seed_changes_about_half_of_the_hash(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 64; size++) {
        uint8_t bytes[64] = {0};
        uint64_t plain = hash_bytes(bytes, size, 7);
        unsigned changed = 0;
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            unsigned flips = (unsigned)__builtin_popcountll(plain ^ hash_bytes(bytes, size, 7));
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_in_range(flips, 8, 56);
            changed += flips;
        }
        assert_in_range(changed / (size * 8), 26, 38);
    }
    uint8_t zero[40] = {0};
    for (unsigned bit = 0; bit < 64; bit++)
        assert_in_range(__builtin_popcountll(hash_bytes(zero, 40, 0) ^
                                             hash_bytes(zero, 40, UINT64_C(1) << bit)),
                        8, 56);
}

/* Zero bytes at the end are part of the key: keys of different sizes never share their hash. */
static void the_size_is_part_of_the_key(void **state)
{
    uint8_t zero[64] = {0};
    (void)state;
    for (size_t a = 0; a < sizeof zero; a++)
        for (size_t b = 0; b < a; b++)
            assert_true(hash_bytes(zero, a, 0) != hash_bytes(zero, b, 0));
}

/* Flow keys differ in few bits; runs of slots must stay short all the same. */
static void neighbouring_keys_spread_over_the_table(void **state)
{
    struct table table;
    uint32_t longest = 0;
    (void)state;
    table_init(&table, 49000);
    for (uint32_t i = 0; i < 40000; i++) {
        uint8_t key[40] = {
            17, 57, 144, (uint8_t)(i >> 16), [38] = (uint8_t)(i >> 8), [39] = (uint8_t)i};
        table_insert(&table, hash_bytes(key, sizeof key, 0), i);
    }
    for (uint32_t i = 0, run = 0; i <= table.mask; i++) {
        run = table.slots[i].tag ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    assert_in_range(longest, 1, 120); /* load 0.61; about 50 is usual */
    table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_in_is_found_until_removed),
        cmocka_unit_test(a_table_of_many_items_and_its_copy_hold_them_all),
        cmocka_unit_test(items_with_one_hash_are_told_apart_by_their_keys),
        cmocka_unit_test(removal_closes_gaps_across_the_end_of_the_table),
        cmocka_unit_test(an_emptied_table_has_no_scars),
        cmocka_unit_test(a_table_as_large_as_expected_does_not_grow),
        cmocka_unit_test(the_hash_is_the_same_on_every_machine),
        cmocka_unit_test(every_bit_of_the_key_and_the_seed_changes_about_half_of_the_hash),
        cmocka_unit_test(the_size_is_part_of_the_key),
        cmocka_unit_test(neighbouring_keys_spread_over_the_table),
    };
    return cmocka_run_group_tests_name("base table", tests, NULL, NULL);
}
