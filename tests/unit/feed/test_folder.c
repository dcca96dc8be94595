/* The folder of excerpts and its budget. */
#include "feed_sample.h"

#include <sys/stat.h>

#include "feed/excerpt_name.h"
#include "feed/folder.h"

static void put(struct folder *folder, uint64_t number, size_t size)
{
    char name[EXCERPT_NAME_SIZE];
    struct fault fault = {{0}};
    struct finding finding = sample_finding();
    finding.number = number;
    FILE *file = folder_create(folder, &fault);
    assert_non_null(file);
    while (size--)
        putc('x', file);
    if (!folder_keep(folder, file, excerpt_name(SAMPLE_NS, &finding, name), &fault))
        fail_msg("%s", fault.sentence);
}

static bool is_there(void **state, uint64_t number)
{
    char name[EXCERPT_NAME_SIZE];
    struct stat status;
    struct finding finding = sample_finding();
    finding.number = number;
    bool found = stat(sample_path(state, excerpt_name(SAMPLE_NS, &finding, name)), &status) == 0;
    if (found)
        assert_int_equal(status.st_mode & 0777, 0600);
    return found;
}

static struct folder *open_folder(void **state, uint64_t budget)
{
    struct folder *folder;
    struct fault fault = {{0}};
    if (!folder_open(&folder, *state, budget, &fault))
        fail_msg("%s", fault.sentence);
    return folder;
}

static void the_oldest_go_when_the_budget_is_spent(void **state)
{
    struct folder *folder = open_folder(state, 1000);
    for (uint64_t i = 1; i <= 5; i++)
        put(folder, i, 300);
    assert_false(is_there(state, 1));
    assert_false(is_there(state, 2));
    assert_true(is_there(state, 3) && is_there(state, 4) && is_there(state, 5));
    assert_int_equal(folder_removed(folder), 2);
    folder_close(folder);
}

static void the_next_run_counts_what_the_last_one_left(void **state)
{
    struct folder *folder = open_folder(state, 1000);
    put(folder, 1, 600);
    folder_close(folder);
    folder = open_folder(state, 1000);
    put(folder, 2, 600);
    assert_false(is_there(state, 1));
    assert_true(is_there(state, 2));
    folder_close(folder);
    folder_close(open_folder(state, 100)); /* a smaller budget */
    assert_false(is_there(state, 2));
}

static void files_of_others_stay(void **state)
{
    FILE *other = fopen(sample_path(state, "thesis.pcapng"), "w");
    struct stat status;
    assert_non_null(other);
    fputs("precious", other);
    fclose(other);
    struct folder *folder = open_folder(state, 100);
    for (uint64_t i = 1; i <= 3; i++)
        put(folder, i, 90);
    assert_int_equal(stat(sample_path(state, "thesis.pcapng"), &status), 0);
    folder_close(folder);
}

static void a_file_written_again_counts_once(void **state)
{
    struct folder *folder = open_folder(state, 1000);
    put(folder, 1, 300);
    for (int i = 0; i < 10; i++)
        put(folder, 2, 600);
    assert_true(is_there(state, 1) && is_there(state, 2));
    char name[EXCERPT_NAME_SIZE];
    struct finding finding = sample_finding();
    finding.number = 2;
    folder_remove(folder, excerpt_name(SAMPLE_NS, &finding, name));
    assert_false(is_there(state, 2));
    folder_close(folder);
}

static void an_excerpt_beyond_the_whole_budget_is_refused(void **state)
{
    struct folder *folder = open_folder(state, 100);
    struct fault fault = {{0}};
    FILE *file = folder_create(folder, &fault);
    assert_non_null(file);
    for (int i = 0; i < 200; i++)
        putc('x', file);
    assert_false(folder_keep(folder, file, "20260101T000000Z-000001-x.pcapng", &fault));
    assert_non_null(strstr(fault.sentence, "--evidence-size"));
    folder_close(folder);
}

static void names_say_run_number_code_and_client(void **state)
{
    char name[EXCERPT_NAME_SIZE];
    struct finding finding = sample_finding();
    (void)state;
    assert_string_equal(excerpt_name(SAMPLE_NS, &finding, name),
                        "20260101T000000Z-000017-port-refused-10.0.0.5.pcapng");
    assert_true(excerpt_name_is_ours(name));
    finding.client_ip = sample_address("2001:db8::5");
    assert_string_equal(excerpt_name(SAMPLE_NS, &finding, name),
                        "20260101T000000Z-000017-port-refused-2001-db8--5.pcapng");
    finding.client_ip = (struct address){{0}};
    assert_string_equal(excerpt_name(SAMPLE_NS, &finding, name),
                        "20260101T000000Z-000017-port-refused-site.pcapng");
    assert_false(excerpt_name_is_ours("mine.pcapng"));
    assert_false(excerpt_name_is_ours("20260101T000000Z-000017-port-refused.txt"));
    assert_false(excerpt_name_is_ours("2026"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_oldest_go_when_the_budget_is_spent, sample_setup,
                                        sample_teardown),
        cmocka_unit_test_setup_teardown(the_next_run_counts_what_the_last_one_left, sample_setup,
                                        sample_teardown),
        cmocka_unit_test_setup_teardown(files_of_others_stay, sample_setup, sample_teardown),
        cmocka_unit_test_setup_teardown(a_file_written_again_counts_once, sample_setup,
                                        sample_teardown),
        cmocka_unit_test_setup_teardown(an_excerpt_beyond_the_whole_budget_is_refused, sample_setup,
                                        sample_teardown),
        cmocka_unit_test(names_say_run_number_code_and_client),
    };
    return cmocka_run_group_tests_name("feed/folder", tests, NULL, NULL);
}
