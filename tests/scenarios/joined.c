/* Each scenario's capture joined to itself, as cat joins files: `joined FILE.scn...`.
 *
 * The second time around, the clock stands where it stood before and all packets are copies of
 * those of the first. A copy begins no session: none may be without packets. Deliberately asks
 * nothing of what is found, because a clock that is set back hides things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/capture.h"
#include "judgement.h"
#include "tests/support/scenario.h"

static int path_count;
static char **paths;
static struct judgement judgement;

static void judge_joined(const struct scenario *scenario)
{
    static const struct scenario_write_options plain = {0};
    char path[64];
    size_t size;
    uint8_t *bytes = scenario_file(scenario, &plain, &size);
    snprintf(path, sizeof path, "joined-%d.capture", (int)getpid());
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    judgement_of(path, CAPTURE_BATCH_MAX, &judgement);
    unlink(path);
    free(bytes);
}

static void a_capture_joined_to_itself_has_no_session_without_packets(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (int i = 0; i < path_count; i++) {
        struct fault fault = {{0}};
        struct scenario *scenario;
        assert_true(scenario_read(paths[i], &scenario, &fault));
        if (!scenario->capture.truncated_at) {
            judge_joined(scenario);
            const char *empty = strstr(judgement.counts, " 0 packets up, 0 again, 0 down");
            if (!judgement.readable || empty)
                print_error("%s: %.40s\n", paths[i], empty ? empty : judgement.sentence);
            wrong += !judgement.readable || empty;
        }
        scenario_free(scenario);
    }
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capture_joined_to_itself_has_no_session_without_packets),
    };
    path_count = argc - 1;
    paths = argv + 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
