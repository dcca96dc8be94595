/* Files appear whole or not at all. */
#include "fill.h"

#include <sys/stat.h>
#include <unistd.h>

#include "report/output.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/report-output-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *in_folder(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

static void a_file_is_private_and_appears_when_it_is_whole(void **state)
{
    (void)state;
    char path[128];
    struct output output;
    struct fault fault = {0};
    struct stat status;
    assert_true(output_open(&output, in_folder("page", path), &fault));
    fputs("whole", output.file);
    fflush(output.file);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(output_commit(&output, &fault));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    char *text = fill_read(path, NULL);
    assert_string_equal(text, "whole");
    free(text);
}

static void what_is_abandoned_leaves_the_old_file_and_no_other(void **state)
{
    (void)state;
    char path[128], command[192];
    struct output output;
    struct fault fault = {0};
    assert_true(output_open(&output, in_folder("kept", path), &fault));
    fputs("old", output.file);
    assert_true(output_commit(&output, &fault));
    assert_true(output_open(&output, path, &fault));
    fputs("new", output.file);
    output_abandon(&output);
    char *text = fill_read(path, NULL);
    assert_string_equal(text, "old");
    free(text);
    snprintf(command, sizeof command, "test $(ls '%s' | grep -c '^kept') = 1", folder);
    assert_int_equal(system(command), 0);
}

static void a_missing_folder_is_a_sentence_that_names_the_path(void **state)
{
    (void)state;
    struct output output;
    struct fault fault = {0};
    assert_false(output_open(&output, "/nowhere/at/all.html", &fault));
    assert_non_null(strstr(fault.sentence, "/nowhere/at/all.html"));
    assert_non_null(strstr(fault.sentence, "No such file"));
}

static void a_full_disk_is_told_at_the_end(void **state)
{
    (void)state;
    struct output output;
    struct fault fault = {0};
    assert_true(output_open(&output, "/dev/full", &fault));
    for (int i = 0; i < 100000; i++)
        fputs("0123456789", output.file);
    assert_false(output_commit(&output, &fault));
    assert_non_null(strstr(fault.sentence, "No space left"));
    assert_non_null(strstr(fault.sentence, "free some space"));
    struct stat status;
    assert_int_equal(stat("/dev/full", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_private_and_appears_when_it_is_whole),
        cmocka_unit_test(what_is_abandoned_leaves_the_old_file_and_no_other),
        cmocka_unit_test(a_missing_folder_is_a_sentence_that_names_the_path),
        cmocka_unit_test(a_full_disk_is_told_at_the_end),
    };
    return cmocka_run_group_tests_name("report/output", tests, make_folder, remove_folder);
}
