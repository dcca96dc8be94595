/* Several sites in one report. */
#include "fill.h"

#include "report/sites.h"
#include "report/view.h"

static struct fill fill;
static struct view view;

static void load(void)
{
    struct fault fault = {0};
    struct report_options options = fill_options(&fill);
    options.range.all_runs = true;
    options.change_ns = FILL_START_NS + NS_PER_S;
    if (!view_load(&view, &options, &fault))
        fail_msg("%s", fault.sentence);
}

static int forget(void **state)
{
    (void)state;
    view_free(&view);
    fill_remove(&fill);
    return 0;
}

static void each_site_has_a_verdict_of_its_own(void **state)
{
    (void)state;
    fill_sites(&fill);
    load();
    assert_int_equal(view.site_count, 3);
    assert_int_equal(view.sites[0].verdict, VIEW_FAULTY);
    assert_int_equal(view.sites[1].verdict, VIEW_WORKS);
    assert_int_equal(view.sites[2].verdict, VIEW_NOTHING);
    assert_string_equal(sites_name(&view.sites[2]), "no site named");
    assert_string_equal(view.sites_sentence,
                        "Of 3 sites: 1 has a fault (Hamburg school 12); 1 works (Bonn <b>); "
                        "1 shows no push at all (no site named).");
    assert_int_equal(view.sites[0].requirements[R1_PORT_5223].status, STATUS_FAIL);
    assert_int_equal(view.sites[1].requirements[R1_PORT_5223].status, STATUS_PASS);
    assert_string_equal(view.sites[0].requirements[R1_PORT_5223].summary, "No answer.");
}

static void one_address_at_two_sites_is_two_devices(void **state)
{
    (void)state;
    fill_sites(&fill);
    load();
    assert_int_equal(view.device_total, 3);
    assert_int_equal(view.devices[DEVICE_ROLE_DEVICE][VERDICT_BROKEN], 1);
    assert_int_equal(view.devices[DEVICE_ROLE_DEVICE][VERDICT_WORKS], 1);
    assert_int_equal(view.sites[0].device_total + view.sites[1].device_total, 3);
    assert_int_equal(view.trend.at[0][TREND_AFTER].devices, 2);
    assert_int_equal(view.trend.at[0][TREND_AFTER].devices_worked, 1);
    assert_string_equal(view.trend.sentence,
                        "Since the change at 2026-03-01 10:00:01 UTC, TCP 5223 works for 1 of 2 "
                        "devices, before nobody tried it. Faults were seen since then as well.");
    assert_string_equal(view.who, "1 client: Hamburg school 12 (1).");
}

static void the_summary_of_a_requirement_says_where_it_is_from(void **state)
{
    (void)state;
    fill_sites(&fill);
    load();
    assert_int_equal(view.requirements[R1_PORT_5223].status, STATUS_FAIL);
    assert_string_equal(view.requirements[R1_PORT_5223].summary,
                        "At Hamburg school 12: No answer.");
}

static void one_site_needs_no_table_of_sites(void **state)
{
    (void)state;
    fill_healthy(&fill);
    load();
    assert_int_equal(view.site_count, 0);
    assert_string_equal(view.sites_sentence, "");
}

#define SITES_TEST(name) cmocka_unit_test_teardown(name, forget)
int main(void)
{
    const struct CMUnitTest tests[] = {
        SITES_TEST(each_site_has_a_verdict_of_its_own),
        SITES_TEST(one_address_at_two_sites_is_two_devices),
        SITES_TEST(the_summary_of_a_requirement_says_where_it_is_from),
        SITES_TEST(one_site_needs_no_table_of_sites),
    };
    return cmocka_run_group_tests_name("report/sites", tests, NULL, NULL);
}
