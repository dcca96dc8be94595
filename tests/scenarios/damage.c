/* Bytes of healthy captures are changed at random, and no fault may be found: `damage FILE.scn...`.
 *
 * As a bad disk, a broken copy or a network card does it: every byte of every frame with the same
 * small probability, at several rates, several times each, always the same ones. The capture
 * without changes must be free of faults, so that what is found is made of nothing else.
 * Deliberately leaves the records' headers alone: damaged files are pcaps_limits' matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "judgement.h"
#include "tests/support/scenario.h"

enum { PATH_SIZE = 512, SEEDS = 3 };

/* Of a million bytes. From 2,000 on a first flight never comes whole; beyond the last one there are
 * senders none of whose packets is right, and nothing can be known of them. */
static const uint32_t rates[] = {200, 500, 1000, 2000, 5000, 10000};

static int path_count;
static char **paths;
static uint64_t randomness;
static struct judgement judgement;

/* splitmix64: the same on every machine. */
static uint64_t next_random(void)
{
    uint64_t word = (randomness += UINT64_C(0x9e3779b97f4a7c15));
    word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
    return word ^ word >> 31;
}

static void change_bytes(const struct scenario *scenario, uint32_t rate)
{
    for (size_t i = 0; i < scenario->frame_count; i++)
        for (size_t at = 0; at < scenario->frames[i].captured_size; at++)
            if (next_random() % 1000000 < rate)
                scenario->frames[i].bytes[at] = (uint8_t)next_random();
}

static void judge(const char *path, uint32_t rate, uint64_t seed)
{
    struct fault fault = {{0}};
    struct scenario *scenario;
    const struct scenario_write_options options = {.doubled = false};
    char capture[PATH_SIZE];
    snprintf(capture, sizeof capture, "damage-%d.capture", (int)getpid());
    assert_true(scenario_read(path, &scenario, &fault));
    randomness = seed * 1000000 + rate;
    change_bytes(scenario, rate);
    assert_true(scenario_write_pcap(scenario, capture, &options, &fault));
    judgement_of(capture, 64, &judgement);
    unlink(capture);
    scenario_free(scenario);
    assert_true(judgement.readable);
}

static void healthy_captures_have_no_fault_before_they_are_damaged(void **state)
{
    (void)state;
    for (int i = 0; i < path_count; i++) {
        judge(paths[i], 0, 0);
        if (judgement.faults || judgement.quality.skipped[SKIP_DAMAGED])
            fail_msg("%s: %s", paths[i], judgement.findings);
    }
}

static void no_fault_is_made_of_damaged_bytes(void **state)
{
    unsigned wrong = 0;
    uint64_t damaged = 0;
    (void)state;
    for (int i = 0; i < path_count; i++)
        for (size_t rate = 0; rate < sizeof rates / sizeof rates[0]; rate++)
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                judge(paths[i], rates[rate], seed);
                damaged += judgement.quality.skipped[SKIP_DAMAGED];
                wrong += judgement.faults > 0;
                if (judgement.faults)
                    print_error("%s, %u of a million, seed %u: %s", paths[i], rates[rate],
                                (unsigned)seed, judgement.findings);
            }
    assert_int_equal(wrong, 0);
    assert_true(damaged > 1000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(healthy_captures_have_no_fault_before_they_are_damaged),
        cmocka_unit_test(no_fault_is_made_of_damaged_bytes),
    };
    path_count = argc - 1;
    paths = argv + 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
