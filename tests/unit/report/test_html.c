/* The HTML page: self-contained, well-formed where it can go wrong, harmless. */
#include "fill.h"

static char *page_of(const struct fill *fill, const char *name, size_t *size)
{
    char path[128];
    struct fault fault = {0};
    struct report_options options = fill_options(fill);
    snprintf(path, sizeof path, "%s/%s", fill->directory, name);
    if (!report_html(&options, path, &fault))
        fail_msg("%s", fault.sentence);
    return fill_read(path, size);
}

static unsigned count_of(const char *text, const char *what)
{
    unsigned count = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        count++;
    return count;
}

/* From `begin` to `end`, both included, to be freed. */
static char *fragment(const char *page, const char *begin, const char *end)
{
    const char *from = strstr(page, begin);
    assert_non_null(from);
    const char *to = strstr(from, end);
    assert_non_null(to);
    return strndup(from, (size_t)(to - from) + strlen(end));
}

static void the_verdict_stands_first_and_reads_as_it_did(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    char *verdict = fragment(page, "<section id=\"verdict\"", "</section>\n");
    fill_assert_golden("verdict.html", verdict);
    assert_true(strstr(page, "id=\"verdict\"") < strstr(page, "id=\"change\""));
    free(verdict);
    free(page);
    fill_remove(&fill);
}

static void tables_and_findings_read_as_they_did(void **state)
{
    (void)state;
    static const char *const sections[] = {"change",   "path",     "requirements", "ports",
                                           "networks", "findings", "timeline",     "times",
                                           "devices",  "quality",  "dns",          "provenance"};
    struct fill fill;
    fill_faulty(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        char begin[64], golden[64];
        snprintf(begin, sizeof begin, "<section id=\"%s\"", sections[i]);
        snprintf(golden, sizeof golden, "%s.html", sections[i]);
        char *section = fragment(page, begin, "</section>\n");
        fill_assert_golden(golden, section);
        free(section);
    }
    free(page);
    fill_remove(&fill);
}

static void nothing_is_loaded_from_anywhere(void **state)
{
    (void)state;
    static const char *const loads[] = {" src=",   "url(",     "@import", "href=\"http",
                                        "<link",   "<img",     "<iframe", "<object",
                                        "http://", "https://", " style=", " onclick="};
    struct fill fill;
    fill_faulty(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++)
        assert_null(strstr(page, loads[i]));
    assert_non_null(strstr(page, "content=\"default-src 'none'; style-src 'sha256-"));
    assert_int_equal(count_of(page, "<script>"), 1);
    assert_int_equal(count_of(page, "<style>"), 1);
    free(page);
    fill_remove(&fill);
}

static void ids_are_unique_and_links_inside_lead_somewhere(void **state)
{
    (void)state;
    struct fill fill;
    fill_faulty(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    for (const char *at = page; (at = strstr(at, " id=\"")); at++) {
        char id[160];
        snprintf(id, sizeof id, "%.*s\"", (int)strcspn(at + 5, "\"") + 5, at);
        if (count_of(page, id) != 1)
            fail_msg("twice: %s", id);
    }
    for (const char *at = page; (at = strstr(at, "href=\"#")); at++) {
        char id[160];
        snprintf(id, sizeof id, " id=\"%.*s\"", (int)strcspn(at + 7, "\""), at + 7);
        if (!strstr(page, id))
            fail_msg("leads nowhere: %s", id);
    }
    free(page);
    fill_remove(&fill);
}

static void elements_are_closed(void **state)
{
    (void)state;
    static const char *const names[] = {"section", "table", "details", "article", "dl",  "ol",
                                        "ul",      "svg",   "tr",      "td",      "div", "summary"};
    struct fill fill;
    fill_hostile(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    *strstr(page, "<script>") = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char plain[32], with[32], closed[32];
        snprintf(plain, sizeof plain, "<%s>", names[i]);
        snprintf(with, sizeof with, "<%s ", names[i]);
        snprintf(closed, sizeof closed, "</%s>", names[i]);
        assert_int_equal(count_of(page, plain) + count_of(page, with), count_of(page, closed));
    }
    free(page);
    fill_remove(&fill);
}

static void hostile_names_are_text(void **state)
{
    (void)state;
    struct fill fill;
    fill_hostile(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    assert_null(strstr(page, "<script>alert"));
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "<i>5223"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_int_equal(count_of(page, "</title>"),
                     1 + count_of(page, "<title>Session") + count_of(page, "<title id="));
    assert_non_null(strstr(page, "\\x1b[2J"));
    assert_null(strstr(page, "\xe2\x80\xae"));
    assert_null(strchr(page, '\xff'));
    for (const char *at = page; *at; at++)
        assert_true((uint8_t)*at >= 0x20 || *at == '\n');
    free(page);
    fill_remove(&fill);
}

static void the_same_database_gives_the_same_bytes(void **state)
{
    (void)state;
    struct fill fill;
    size_t first_size, second_size;
    fill_faulty(&fill);
    char *first = page_of(&fill, "first.html", &first_size);
    char *second = page_of(&fill, "second.html", &second_size);
    assert_int_equal(first_size, second_size);
    assert_memory_equal(first, second, first_size);
    free(first);
    free(second);
    fill_remove(&fill);
}

static void an_empty_capture_says_so_and_promises_nothing(void **state)
{
    (void)state;
    struct fill fill;
    fill_begin(&fill);
    fill_end(&fill);
    char *page = page_of(&fill, "page.html", NULL);
    assert_non_null(strstr(page, "Nothing of APNs was seen in this capture"));
    assert_null(strstr(page, "class=\"badge pass\""));
    assert_null(strstr(page, "class=\"badge fail\""));
    free(page);
    fill_remove(&fill);
}

static void a_page_of_thousands_of_devices_stays_small_and_says_what_it_left_out(void **state)
{
    (void)state;
    enum { DEVICES = 5000 };
    struct fill fill;
    fill_begin(&fill);
    for (unsigned i = 0; i < DEVICES; i++) {
        char client[32];
        snprintf(client, sizeof client, "10.%u.%u.%u", 1 + i / 62500, i / 250 % 250, i % 250 + 1);
        fill_unanswered(&fill, client, "17.57.144.84", 5223, i % 3000);
        fill_working(&fill, client, "17.57.144.20", 443, i % 3000 + 16, 400);
        fill_device(&fill, client, i % 2 ? VERDICT_DEGRADED : VERDICT_WORKS, "443",
                    "TCP 5223 gets no answer; it works on 443.", 2);
        struct finding blocked = fill_finding(&fill, "port-blocked-silent", SEVERITY_FAIL, client,
                                              "TCP 5223 to Apple gets no answer.");
        store_finding(fill.store, &blocked);
    }
    fill_end(&fill);
    size_t size;
    char *page = page_of(&fill, "page.html", &size);
    assert_true(size < 2000000);
    assert_non_null(strstr(page, "4,000 more devices are not shown here"));
    assert_non_null(strstr(page, "9,000 more sessions are not shown here"));
    assert_non_null(strstr(page, "4,950 more findings of this code"));
    free(page);
    fill_remove(&fill);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_stands_first_and_reads_as_it_did),
        cmocka_unit_test(tables_and_findings_read_as_they_did),
        cmocka_unit_test(nothing_is_loaded_from_anywhere),
        cmocka_unit_test(ids_are_unique_and_links_inside_lead_somewhere),
        cmocka_unit_test(elements_are_closed),
        cmocka_unit_test(hostile_names_are_text),
        cmocka_unit_test(the_same_database_gives_the_same_bytes),
        cmocka_unit_test(an_empty_capture_says_so_and_promises_nothing),
        cmocka_unit_test(a_page_of_thousands_of_devices_stays_small_and_says_what_it_left_out),
    };
    return cmocka_run_group_tests_name("report/html", tests, NULL, NULL);
}
