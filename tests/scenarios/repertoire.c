/* The repertoire as a whole: `repertoire FOLDER`. Each rule has a play in which it fires and one in
 * which it stays silent, and each play opens with a comment and a title.
 *
 * Beside play.c, which judges one scenario at a time. Deliberately plays nothing itself. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "detect/detect.h"
#include "detect/detector.h"
#include "tests/support/scenario.h"

enum { PLAYS_MAX = 1024, PATTERN_SIZE = 4096 };

static const char *folder;
static struct scenario *plays[PLAYS_MAX];
static size_t play_count;

static int read_plays(void **state)
{
    struct fault fault = {{0}};
    char pattern[PATTERN_SIZE];
    glob_t found;
    (void)state;
    snprintf(pattern, sizeof pattern, "%s/*.scn", folder);
    if (glob(pattern, 0, NULL, &found) != 0 || found.gl_pathc > PLAYS_MAX)
        return -1;
    for (size_t i = 0; i < found.gl_pathc; i++, play_count++)
        if (!scenario_read(found.gl_pathv[i], &plays[play_count], &fault)) {
            print_error("%s\n", fault.sentence);
            return -1;
        }
    globfree(&found);
    return 0;
}

static int forget_plays(void **state)
{
    (void)state;
    for (size_t i = 0; i < play_count; i++)
        scenario_free(plays[i]);
    return 0;
}

static bool names_code(const char *const *codes, size_t count, const char *code)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(codes[i], code) == 0)
            return true;
    return false;
}

static bool expects_finding(const struct scenario *play, const char *code)
{
    for (size_t i = 0; i < play->expectation_count; i++)
        if (play->expectations[i].kind == EXPECT_FINDING &&
            strcmp(play->expectations[i].subject, code) == 0 &&
            !expectation_value(&play->expectations[i], "absent"))
            return true;
    return false;
}

static void every_rule_has_a_play_where_it_fires(void **state)
{
    unsigned missing = 0;
    (void)state;
    for (size_t rule = 0; rule < detector_count; rule++) {
        bool found = false;
        for (size_t i = 0; i < play_count && !found; i++)
            found = names_code(plays[i]->proves, plays[i]->proves_count, detector_list[rule]->code);
        if (!found)
            print_error("no scenario proves %s\n", detector_list[rule]->code);
        missing += !found;
    }
    assert_int_equal(missing, 0);
}

/* Named outright: `spares all` is the claim of every healthy play and no twin of one rule. */
static void every_rule_has_a_play_where_it_stays_silent(void **state)
{
    unsigned missing = 0;
    (void)state;
    for (size_t rule = 0; rule < detector_count; rule++) {
        bool found = false;
        for (size_t i = 0; i < play_count && !found; i++)
            found = names_code(plays[i]->spares, plays[i]->spares_count, detector_list[rule]->code);
        if (!found)
            print_error("no scenario spares %s by name\n", detector_list[rule]->code);
        missing += !found;
    }
    assert_int_equal(missing, 0);
}

static void what_a_play_proves_it_also_describes(void **state)
{
    unsigned missing = 0;
    (void)state;
    for (size_t i = 0; i < play_count; i++)
        for (size_t k = 0; k < plays[i]->proves_count; k++)
            if (!expects_finding(plays[i], plays[i]->proves[k])) {
                print_error("%s: proves %s, but expects nothing of it\n", plays[i]->path,
                            plays[i]->proves[k]);
                missing++;
            }
    assert_int_equal(missing, 0);
}

static void every_play_opens_with_a_comment_and_has_a_title(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < play_count; i++) {
        FILE *file = fopen(plays[i]->path, "r");
        assert_non_null(file);
        bool is_good = fgetc(file) == '#' && plays[i]->title && plays[i]->title[0];
        if (!is_good)
            print_error("%s: no comment at its top, or no title\n", plays[i]->path);
        wrong += !is_good;
        fclose(file);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_a_play_where_it_fires),
        cmocka_unit_test(every_rule_has_a_play_where_it_stays_silent),
        cmocka_unit_test(what_a_play_proves_it_also_describes),
        cmocka_unit_test(every_play_opens_with_a_comment_and_has_a_title),
    };
    if (argc != 2) {
        fputs("usage: repertoire FOLDER\n", stderr);
        return 2;
    }
    folder = argv[1];
    return cmocka_run_group_tests_name("repertoire", tests, read_plays, forget_plays);
}
