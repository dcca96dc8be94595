/* Rows, order, filter and columns of the screen. */
#include "feed_sample.h"

#include "feed/top_table.h"

static struct top_model model;
static struct top_list list;

static int begin(void **state)
{
    (void)state;
    memset(&model, 0, sizeof model);
    memset(&list, 0, sizeof list);
    return 0;
}

static void tell_finding(uint64_t number, const char *code, enum severity severity, int64_t seconds)
{
    struct finding finding = sample_finding();
    finding.number = number;
    finding.code = code;
    finding.severity = severity;
    finding.last_ns = SAMPLE_NS + seconds * NS_PER_S;
    top_model_take(&model, RECORD_FINDING, &finding);
}

static void tell_session(uint64_t number, bool is_over, int64_t seconds)
{
    struct flow_record flow = sample_flow();
    flow.number = number;
    flow.last_ns = SAMPLE_NS + seconds * NS_PER_S;
    top_model_take(&model, is_over ? RECORD_FLOW : RECORD_SESSION, &flow);
}

static uint64_t shown(size_t place)
{
    assert_true(place < list.count);
    return model.findings[list.rows[place]].finding.number;
}

static void the_latest_finding_is_first_and_r_turns_that_round(void **state)
{
    (void)state;
    tell_finding(1, "port-refused", SEVERITY_FAIL, 5);
    tell_finding(2, "fallback-443", SEVERITY_WARN, 9);
    tell_finding(3, "dns-blocked", SEVERITY_FAIL, 7);
    top_list_fill(&list, &model);
    assert_int_equal(list.count, 3);
    assert_int_equal(shown(0), 2);
    assert_int_equal(shown(2), 1);
    list.is_reversed = true;
    top_list_fill(&list, &model);
    assert_int_equal(shown(0), 1);
}

static void sorted_by_severity_faults_come_first_and_withdrawn_ones_last(void **state)
{
    struct finding gone = {.number = 1, .code = "port-refused", .summary = "it works since"};
    (void)state;
    tell_finding(1, "port-refused", SEVERITY_FAIL, 5);
    tell_finding(2, "fallback-443", SEVERITY_WARN, 9);
    tell_finding(3, "dns-blocked", SEVERITY_FAIL, 7);
    top_model_take(&model, RECORD_WITHDRAWN, &gone);
    list.sort = 1;
    top_list_fill(&list, &model);
    assert_int_equal(shown(0), 3);
    assert_int_equal(shown(2), 1);
    struct top_row row;
    top_row_fill(&row, &model, TOP_FINDINGS, list.rows[2]);
    assert_string_equal(row.cells[1], "gone");
    assert_string_equal(row.rest, "it works since");
}

static void a_finding_seen_again_stays_one_row(void **state)
{
    struct finding finding = sample_finding();
    (void)state;
    top_model_take(&model, RECORD_FINDING, &finding);
    finding.count = 5;
    top_model_take(&model, RECORD_CHANGED, &finding);
    assert_int_equal(model.finding_count, 1);
    assert_int_equal(model.findings[0].finding.count, 5);
}

static void the_filter_looks_into_every_cell_whatever_the_case(void **state)
{
    (void)state;
    tell_finding(1, "port-refused", SEVERITY_FAIL, 5);
    tell_finding(2, "fallback-443", SEVERITY_WARN, 9);
    strcpy(list.filter, "FALLBACK");
    top_list_fill(&list, &model);
    assert_int_equal(list.count, 1);
    strcpy(list.filter, "was refused");
    top_list_fill(&list, &model);
    assert_int_equal(list.count, 2);
    strcpy(list.filter, "10.9.9.9");
    top_list_fill(&list, &model);
    assert_int_equal(list.count, 0);
}

static void a_session_is_one_row_while_it_goes_on_and_when_it_is_over(void **state)
{
    struct top_row row;
    (void)state;
    tell_session(9, false, 10);
    top_row_fill(&row, &model, TOP_SESSIONS, 0);
    assert_string_equal(row.cells[4], "open");
    assert_string_equal(row.cells[2], "17.1.2.3:5223");
    tell_session(9, true, 20);
    assert_int_equal(model.session_count, 1);
    top_row_fill(&row, &model, TOP_SESSIONS, 0);
    assert_string_equal(row.cells[4], "established");
    assert_string_equal(row.cells[5], "0:20");
}

static void sessions_that_are_over_make_room(void **state)
{
    bool has_first = false;
    (void)state;
    tell_session(1, false, 0); /* the oldest, but it goes on */
    for (uint64_t i = 2; i <= TOP_SESSIONS_MAX + 100; i++)
        tell_session(i, i % 2, (int64_t)i);
    assert_int_equal(model.session_count, TOP_SESSIONS_MAX);
    assert_int_equal(model.given_up, 100);
    for (size_t i = 0; i < model.session_count; i++)
        has_first = has_first || model.sessions[i].number == 1;
    assert_true(has_first);
}

static unsigned width_of(const unsigned widths[TOP_COLUMNS_MAX])
{
    unsigned sum = 0;
    for (size_t i = 0; i < TOP_COLUMNS_MAX; i++)
        sum += widths[i] ? widths[i] + 1 : 0;
    return sum - 1;
}

static void columns_fit_every_width_and_the_least_important_go_first(void **state)
{
    (void)state;
    tell_finding(1, "port-blocked-silent", SEVERITY_FAIL, 5);
    model.findings[0].finding.client_ip = sample_address("2001:db8:1:2:3:4:5:6");
    for (unsigned width = 1; width <= 300; width++) {
        unsigned widths[TOP_COLUMNS_MAX] = {0};
        struct top_row row;
        top_row_fill(&row, &model, TOP_FINDINGS, 0);
        top_widths(TOP_FINDINGS, &row, 1, width, widths);
        assert_true(width_of(widths) <= width);
        assert_true(widths[2] > 0); /* what it is */
        if (width >= 100) {
            assert_int_equal(width_of(widths), width);
            assert_true(widths[6] >= 28); /* what it says */
        }
        if (widths[5]) /* how sure it is goes before when it was */
            assert_true(widths[0] > 0);
    }
}

static void all_about_a_finding_is_there(void **state)
{
    static struct top_detail detail;
    struct feed_origin origin = sample_origin();
    bool has_reason = false, has_frame = false, has_excerpt = false;
    (void)state;
    origin.evidence_folder = "/excerpts";
    tell_finding(17, "port-refused", SEVERITY_FAIL, 1);
    top_detail_fill(&detail, &model, TOP_FINDINGS, 0, &origin);
    for (size_t i = 0; i < detail.count; i++) {
        has_reason = has_reason || strcmp(detail.lines[i], "because") == 0;
        has_frame = has_frame || strstr(detail.lines[i], "RST, TTL 63");
        has_excerpt = has_excerpt || strstr(detail.lines[i], "/excerpts/20260101T000000Z-000017-");
    }
    assert_true(has_reason && has_frame && has_excerpt);
}

static void sizes_are_short(void **state)
{
    char text[16];
    (void)state;
    assert_string_equal(top_size_text(0, text), "0");
    assert_string_equal(top_size_text(999, text), "999");
    assert_string_equal(top_size_text(1500, text), "1.5K");
    assert_string_equal(top_size_text(20 << 20, text), "20M");
    assert_string_equal(top_size_text(UINT64_MAX, text), "16E");
}

static void the_latest_notice_is_kept(void **state)
{
    struct notice notice = {.time_ns = SAMPLE_NS};
    (void)state;
    assert_null(top_model_notice(&model, 0));
    for (int i = 0; i < 40; i++) {
        snprintf(notice.line, sizeof notice.line, "notice %d", i);
        top_model_take(&model, RECORD_NOTICE, &notice);
    }
    assert_string_equal(top_model_notice(&model, 0)->line, "notice 39");
    assert_string_equal(top_model_notice(&model, 15)->line, "notice 24");
    assert_null(top_model_notice(&model, 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_latest_finding_is_first_and_r_turns_that_round, begin),
        cmocka_unit_test_setup(sorted_by_severity_faults_come_first_and_withdrawn_ones_last, begin),
        cmocka_unit_test_setup(a_finding_seen_again_stays_one_row, begin),
        cmocka_unit_test_setup(the_filter_looks_into_every_cell_whatever_the_case, begin),
        cmocka_unit_test_setup(a_session_is_one_row_while_it_goes_on_and_when_it_is_over, begin),
        cmocka_unit_test_setup(sessions_that_are_over_make_room, begin),
        cmocka_unit_test_setup(columns_fit_every_width_and_the_least_important_go_first, begin),
        cmocka_unit_test_setup(all_about_a_finding_is_there, begin),
        cmocka_unit_test(sizes_are_short),
        cmocka_unit_test_setup(the_latest_notice_is_kept, begin),
    };
    return cmocka_run_group_tests_name("feed/top_table", tests, NULL, NULL);
}
