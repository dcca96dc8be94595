/* Items of one size, recycled, bounded, never moving. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pool.h"

enum { CAP = 1000 };

static void an_item_keeps_its_place_while_others_come(void **state)
{
    struct pool pool;
    uint32_t id;
    (void)state;
    pool_init(&pool, 40, CAP);
    uint8_t *first = pool_take(&pool, &id);
    memset(first, 0xab, 40);
    for (int i = 1; i < CAP; i++)
        memset(pool_take(&pool, NULL), 0, 40);
    assert_ptr_equal(pool_at(&pool, id), first);
    for (int i = 0; i < 40; i++)
        assert_int_equal(first[i], 0xab);
    pool_free(&pool);
}

static void items_do_not_overlap_and_are_aligned(void **state)
{
    struct pool pool;
    (void)state;
    pool_init(&pool, 17, CAP);
    assert_int_equal(pool.item_size, 32);
    uint8_t *a = pool_take(&pool, NULL);
    uint8_t *b = pool_take(&pool, NULL);
    assert_int_equal(b - a, 32);
    assert_int_equal((uintptr_t)a % 16, 0);
    pool_free(&pool);
}

static void at_the_cap_there_is_no_item(void **state)
{
    struct pool pool;
    uint32_t id = 0;
    (void)state;
    pool_init(&pool, 16, 3);
    assert_non_null(pool_take(&pool, NULL));
    assert_non_null(pool_take(&pool, &id));
    assert_non_null(pool_take(&pool, NULL));
    assert_null(pool_take(&pool, NULL));
    assert_int_equal(pool.taken, 3);
    pool_give(&pool, id);
    assert_int_equal(pool.taken, 2);
    assert_non_null(pool_take(&pool, NULL));
    assert_null(pool_take(&pool, NULL));
    pool_free(&pool);
}

static void the_item_given_last_is_taken_first(void **state)
{
    struct pool pool;
    uint32_t ids[3];
    uint32_t again;
    (void)state;
    pool_init(&pool, 64, CAP);
    for (int i = 0; i < 3; i++)
        assert_non_null(pool_take(&pool, &ids[i]));
    pool_give(&pool, ids[0]);
    pool_give(&pool, ids[2]);
    assert_non_null(pool_take(&pool, &again));
    assert_int_equal(again, ids[2]);
    assert_non_null(pool_take(&pool, &again));
    assert_int_equal(again, ids[0]);
    assert_non_null(pool_take(&pool, &again));
    assert_int_equal(again, 3);
    pool_free(&pool);
}

static void memory_is_touched_only_as_far_as_needed(void **state)
{
    struct pool pool;
    uint32_t id;
    (void)state;
    pool_init(&pool, 512, 1 << 20);
    for (int i = 0; i < 10000; i++) {
        assert_non_null(pool_take(&pool, &id));
        pool_give(&pool, id);
    }
    assert_int_equal(pool.touched, 1);
    assert_true(pool.usable <= 64 << 10);
    pool_free(&pool);
}

static void a_pool_grows_past_large_pages_and_items(void **state)
{
    enum { ITEM = 100000, COUNT = 90 };
    struct pool pool;
    (void)state;
    pool_init(&pool, ITEM, COUNT);
    for (int i = 0; i < COUNT; i++)
        memset(pool_take(&pool, NULL), i, ITEM);
    assert_null(pool_take(&pool, NULL));
    for (uint32_t i = 0; i < COUNT; i++) {
        const uint8_t *item = pool_at(&pool, i);
        assert_int_equal(item[0], i);
        assert_int_equal(item[ITEM - 1], i);
    }
    pool_free(&pool);
}

static void a_pool_that_was_never_used_can_be_freed(void **state)
{
    struct pool pool;
    (void)state;
    pool_init(&pool, 512, 1 << 20);
    pool_free(&pool);
    pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_keeps_its_place_while_others_come),
        cmocka_unit_test(items_do_not_overlap_and_are_aligned),
        cmocka_unit_test(at_the_cap_there_is_no_item),
        cmocka_unit_test(the_item_given_last_is_taken_first),
        cmocka_unit_test(a_pool_grows_past_large_pages_and_items),
        cmocka_unit_test(a_pool_that_was_never_used_can_be_freed),
        cmocka_unit_test(memory_is_touched_only_as_far_as_needed),
    };
    return cmocka_run_group_tests_name("base pool", tests, NULL, NULL);
}
