/* Community IDs as the specification's reference implementation computes them. */
#include "store_sample.h"

#include "store/community_id.h"

static const struct {
    const char *a;
    uint16_t a_port;
    const char *b;
    uint16_t b_port;
    uint16_t seed;
    const char *id;
} published[] = {
    {"1.2.3.4", 1122, "5.6.7.8", 3344, 0, "1:wCb3OG7yAFWelaUydu0D+125CLM="},
    {"128.232.110.120", 34855, "66.35.250.204", 80, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
    {"128.232.110.120", 34855, "66.35.250.204", 80, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="},
    {"2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, 0,
     "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
};

static void community_ids_are_the_published_ones(void **state)
{
    struct community_id *maker = community_id_new();
    char text[COMMUNITY_ID_TEXT_SIZE];
    (void)state;
    assert_non_null(maker);
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        struct address a = sample_address(published[i].a), b = sample_address(published[i].b);
        assert_string_equal(community_id_write(maker, published[i].seed, &a, published[i].a_port,
                                               &b, published[i].b_port, text),
                            published[i].id);
    }
    community_id_free(maker);
}

static void both_directions_have_one_community_id(void **state)
{
    struct community_id *maker = community_id_new();
    char there[COMMUNITY_ID_TEXT_SIZE], back[COMMUNITY_ID_TEXT_SIZE];
    struct address a = sample_address("10.0.0.5"), b = sample_address("10.0.0.5");
    (void)state;
    community_id_write(maker, 0, &a, 5223, &b, 40000, there);
    community_id_write(maker, 0, &b, 40000, &a, 5223, back);
    assert_string_equal(there, back);
    community_id_write(maker, 0, &b, 40001, &a, 5223, back);
    assert_string_not_equal(there, back);
    community_id_free(maker);
}

static void without_a_hash_there_is_no_community_id(void **state)
{
    char text[COMMUNITY_ID_TEXT_SIZE];
    struct address a = sample_address("10.0.0.5");
    (void)state;
    assert_null(community_id_write(NULL, 0, &a, 1, &a, 2, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(community_ids_are_the_published_ones),
        cmocka_unit_test(both_directions_have_one_community_id),
        cmocka_unit_test(without_a_hash_there_is_no_community_id),
    };
    return cmocka_run_group_tests_name("store/community_id", tests, NULL, NULL);
}
