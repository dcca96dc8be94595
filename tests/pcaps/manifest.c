/* The captures that ship are what MANIFEST.tsv says they are.
 *
 * Each is made from a scenario, byte for byte, and no capture lies in the folder that the manifest
 * does not name: so there is no packet here that nobody can explain, and none of anybody's traffic.
 * What the program says about them is the scenarios' matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <openssl/evp.h>

#include "tests/support/scenario.h"

#define FOLDER TEST_SOURCE_DIR "/tests/pcaps"
#define AGAIN  "run tools/make-pcaps"

enum { LINE_SIZE = 2048, PATH_SIZE = 1024, ROWS_MAX = 200, COLUMNS = 5 };

struct row {
    char line[LINE_SIZE];
    const char *file;
    const char *scenario;
    const char *licence;
    const char *sha256;
    const char *hard;
};

static struct row rows[ROWS_MAX];
static size_t row_count;

/* ---- the table ---- */

static void split_row(struct row *row)
{
    const char **columns[COLUMNS] = {&row->file, &row->scenario, &row->licence, &row->sha256,
                                     &row->hard};
    char *rest = row->line;
    for (size_t i = 0; i < COLUMNS; i++) {
        *columns[i] = strsep(&rest, "\t");
        if (!*columns[i] || !**columns[i])
            fail_msg("MANIFEST.tsv, line %zu: %d columns, none of them empty", row_count + 2,
                     COLUMNS);
    }
    assert_null(rest);
}

static int read_manifest(void **state)
{
    (void)state;
    char head[LINE_SIZE];
    FILE *file = fopen(FOLDER "/MANIFEST.tsv", "r");
    if (!file || !fgets(head, sizeof head, file))
        return -1;
    while (row_count < ROWS_MAX && fgets(rows[row_count].line, LINE_SIZE, file)) {
        rows[row_count].line[strcspn(rows[row_count].line, "\n")] = '\0';
        split_row(&rows[row_count]);
        row_count++;
    }
    fclose(file);
    return strcmp(head, "file\tscenario\tlicence\tsha256\twhat is hard about it\n") == 0 ? 0 : -1;
}

static uint8_t *read_file(const char *name, size_t *size)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there; %s", path, AGAIN);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

/* ---- tests ---- */

static void check_scenario(const struct row *row)
{
    static const struct scenario_write_options plain = {0};
    struct scenario *scenario = NULL;
    struct fault fault = {{0}};
    char path[PATH_SIZE];
    size_t size, made_size;
    snprintf(path, sizeof path, "%s/tests/scenarios/%s", TEST_SOURCE_DIR, row->scenario);
    if (!scenario_read(path, &scenario, &fault))
        fail_msg("%s", fault.sentence);
    uint8_t *made = scenario_file(scenario, &plain, &made_size);
    uint8_t *bytes = read_file(row->file, &size);
    if (size != made_size || memcmp(bytes, made, size) != 0)
        fail_msg("%s is not what %s describes; %s", row->file, row->scenario, AGAIN);
    free(bytes);
    free(made);
    scenario_free(scenario);
}

static void each_capture_is_what_its_scenario_describes(void **state)
{
    (void)state;
    assert_true(row_count >= 6);
    for (size_t i = 0; i < row_count; i++)
        check_scenario(&rows[i]);
}

static void each_capture_has_the_hash_that_is_written_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        unsigned digest_size;
        char text[2 * EVP_MAX_MD_SIZE + 1];
        size_t size;
        uint8_t *bytes = read_file(rows[i].file, &size);
        assert_int_equal(EVP_Digest(bytes, size, digest, &digest_size, EVP_sha256(), NULL), 1);
        for (unsigned at = 0; at < digest_size; at++)
            snprintf(text + 2 * at, 3, "%02x", digest[at]);
        if (strcmp(text, rows[i].sha256) != 0)
            fail_msg("%s: its hash is %s; %s", rows[i].file, text, AGAIN);
        free(bytes);
    }
}

static void each_capture_has_the_licence_of_the_project(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++)
        assert_string_equal(rows[i].licence, "Apache-2.0");
}

static bool is_named(const char *file)
{
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].file, file) == 0)
            return true;
    return false;
}

static void no_capture_is_here_that_the_manifest_does_not_name(void **state)
{
    (void)state;
    struct dirent *entry;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        if (strstr(entry->d_name, ".pcap") && !is_named(entry->d_name))
            fail_msg("tests/pcaps/%s is not in MANIFEST.tsv", entry->d_name);
    closedir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_capture_is_what_its_scenario_describes),
        cmocka_unit_test(each_capture_has_the_hash_that_is_written_down),
        cmocka_unit_test(each_capture_has_the_licence_of_the_project),
        cmocka_unit_test(no_capture_is_here_that_the_manifest_does_not_name),
    };
    return cmocka_run_group_tests_name("captures that ship", tests, read_manifest, NULL);
}
