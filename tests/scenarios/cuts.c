/* A capture in every kind of file, cut at every byte and with bytes changed: `cuts FILE.scn
 * [FRAMES]`.
 *
 * Without a number: a few frames, and every third byte changed, so that it takes seconds.
 * Of a file that was cut, all records before the cut must be read, and it must be said where it
 * ends, by byte and packet; of one that cannot be read at all, what to do. Changed bytes may change
 * what is read from there on, and nothing before; what a check sum covers must not change unsaid.
 * Deliberately judges nothing: who reads the same frames says the same of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/table.h"
#include "capture/capture.h"
#include "tests/support/scenario.h"
#include "tools/wrapping/wrapping.h"

enum { PATH_SIZE = 64, FRAMES_MAX = 512 };

/* What was read of a file: a hash of all frames up to each. */
struct reading {
    bool readable;
    char sentence[512]; /* why not */
    size_t count;
    uint64_t hashes[FRAMES_MAX];
    struct capture_quality quality;
};

static char **arguments;
static struct wrap_frames frames;
static struct names *names;
static char path[PATH_SIZE];

/* Of the form at hand. */
static const char *form;
static bool is_compressed;
static uint8_t *bytes;
static size_t size;
static struct reading whole, part;
static size_t ends[FRAMES_MAX]; /* how many bytes it takes to read so many frames */

static uint64_t hash_frame(const struct frame *frame, uint64_t before)
{
    uint64_t facts[] = {before, (uint64_t)frame->time_ns, frame->captured_size,
                        frame->original_size, frame->link_type};
    return hash_bytes(frame->bytes, frame->captured_size, hash_bytes(facts, sizeof facts, 0));
}

static void take_batch(const struct frame *batch, size_t count, struct reading *reading)
{
    for (size_t i = 0; i < count && reading->count < FRAMES_MAX; i++) {
        uint64_t before = reading->count ? reading->hashes[reading->count - 1] : 0;
        reading->hashes[reading->count++] = hash_frame(&batch[i], before);
    }
}

static void read_back(struct reading *reading)
{
    struct fault fault = {{0}};
    struct capture *capture;
    struct frame batch[CAPTURE_BATCH_MAX];
    const char *paths[] = {path};
    size_t got;
    struct capture_options options = {.names = names,
                                      .hash = CAPTURE_HASH_NEVER,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    memset(reading, 0, sizeof *reading);
    reading->readable = capture_open(&capture, paths, 1, &options, &fault);
    memcpy(reading->sentence, fault.sentence, sizeof reading->sentence);
    if (!reading->readable)
        return;
    while ((got = capture_next(capture, batch, CAPTURE_BATCH_MAX)) != 0)
        take_batch(batch, got, reading);
    capture_quality_of(capture, &reading->quality);
    capture_close(capture);
}

/* ---- files ---- */

static void save(size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void load(void)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
}

static void begin_form(const char *name, bool compressed)
{
    struct fault fault = {{0}};
    form = name;
    is_compressed = compressed;
    if (!wrap_write(&frames, form, path, &fault))
        fail_msg("%s: %s", form, fault.sentence);
    load();
    read_back(&whole);
    assert_true(whole.readable && whole.count > 3 && whole.count < FRAMES_MAX);
    assert_false(whole.quality.truncated);
    memset(ends, 0, sizeof ends);
}

static void end_form(void)
{
    free(bytes);
    unlink(path);
}

/* Every kind of file; folders of several are no kind of their own. */
static void for_each_form(void (*check)(void))
{
    for (size_t i = 0; i < wrap_form_count(); i++) {
        struct wrap_form row = wrap_form_at(i);
        bool compressed = strcmp(row.group, "Compression") == 0;
        if (!compressed && (strcmp(row.group, "Files") != 0 || row.loses))
            continue;
        begin_form(row.name, compressed);
        check();
        end_form();
    }
}

/* ---- cut ---- */

/* As many frames as both give alike. */
static size_t alike(void)
{
    size_t count = 0;
    while (count < part.count && count < whole.count && part.hashes[count] == whole.hashes[count])
        count++;
    return count;
}

static void check_sentence(size_t cut)
{
    char packet[32];
    snprintf(packet, sizeof packet, "packet %zu", part.count + 1);
    if (!strstr(part.quality.damage, packet) || !strstr(part.quality.damage, "byte "))
        fail_msg("%s cut at byte %zu: after %zu packets it is said: %s", form, cut, part.count,
                 part.quality.damage);
}

static void check_refusal(size_t cut)
{
    if (part.sentence[0] == '\0' || !strstr(part.sentence, path) || !strchr(part.sentence, ';'))
        fail_msg("%s cut at byte %zu: %s", form, cut, part.sentence);
}

/* Two layouts share this magic number, and records tell which it is: four bytes behind a single one
 * may be what the other puts before the packet. */
static bool is_ambiguous(void)
{
    return strcmp(form, "pcap-modified") == 0 && part.count < 3 && alike() != part.count;
}

/* Cuts that are seen to be none: between two records, or two compressed members. */
static size_t unseen_cuts;

static void check_cut(size_t cut)
{
    save(cut);
    size_t before = part.count;
    read_back(&part);
    if (!part.readable) {
        check_refusal(cut);
        return;
    }
    if (is_ambiguous())
        return;
    if (part.count < before || alike() != part.count)
        fail_msg("%s cut at byte %zu: %zu packets, of which %zu are as they were", form, cut,
                 part.count, alike());
    for (size_t i = part.count; i > before; i--)
        ends[i - 1] = cut;
    if (part.quality.truncated)
        check_sentence(cut);
    else
        unseen_cuts++;
}

/* A record is read as soon as it is there, and then nothing is missing. */
static void check_ends(void)
{
    size_t missing = 0;
    for (size_t i = 0; i + 1 < whole.count; i++)
        missing += ends[i] == 0 || (i && ends[i] == ends[i - 1]);
    if (missing || unseen_cuts < whole.count - 1)
        fail_msg("%s: %zu records are not read where they end, and %zu cuts not seen", form,
                 missing, unseen_cuts);
}

static void check_cuts(void)
{
    unseen_cuts = 0;
    memset(&part, 0, sizeof part);
    for (size_t cut = 0; cut < size; cut++)
        check_cut(cut);
    if (!is_compressed)
        check_ends();
}

/* ---- changed ---- */

/* How many frames end before a byte, or as many of them as are read without looking ahead: ERF has
 * no magic number, and of the pcap variants some are told by their first records. */
static size_t untouched(size_t byte)
{
    enum { LOOKED_AT = 3 };
    size_t count = 0;
    while (count < whole.count && ends[count] && ends[count] <= byte)
        count++;
    return count < LOOKED_AT ? 0 : count;
}

/* Check sums cover all that zlib and liblzma unpack. */
static bool is_checked(void)
{
    return strncmp(form, "gzip", 4) == 0 || strncmp(form, "xz", 2) == 0;
}

static void check_change(size_t byte, uint8_t mask)
{
    bytes[byte] ^= mask;
    save(size);
    read_back(&part);
    bytes[byte] ^= mask;
    if (!part.readable)
        check_refusal(byte);
    size_t wanted = is_compressed ? 0 : untouched(byte);
    if (alike() < wanted)
        fail_msg("%s: byte %zu changed by %02x: of %zu packets before it %zu are as they were",
                 form, byte, mask, wanted, alike());
    bool is_same = part.count == whole.count && alike() == whole.count;
    if (is_checked() && part.readable && !is_same && !part.quality.truncated)
        fail_msg("%s: byte %zu changed by %02x: other packets, and nothing is said", form, byte,
                 mask);
}

/* The cuts come first: they show where records end. */
static void check_form(void)
{
    size_t step = arguments[2] ? 1 : 3;
    check_cuts();
    for (size_t byte = 0; byte < size; byte += step)
        check_change(byte, byte % 2 ? 0xff : (uint8_t)(1u << byte / 2 % 8));
}

static void cuts_and_changed_bytes_leave_what_is_before_them(void **state)
{
    (void)state;
    for_each_form(check_form);
}

/* ---- the subject ---- */

/* A few of its frames, unless another number is given. */
static int read_subject(void **state)
{
    (void)state;
    struct fault fault = {{0}};
    struct scenario *scenario;
    snprintf(path, sizeof path, "cuts-%d.capture", (int)getpid());
    names = names_new(1 << 20);
    if (!scenario_read(arguments[1], &scenario, &fault)) {
        print_error("%s\n", fault.sentence);
        return -1;
    }
    size_t wanted = arguments[2] ? strtoul(arguments[2], NULL, 10) : 4;
    for (size_t i = 0; i < scenario->frame_count && i < wanted; i++) {
        const struct scenario_frame *frame = &scenario->frames[i];
        wrap_frames_add(&frames, &(struct wrap_frame){.bytes = frame->bytes,
                                                      .captured_size = frame->captured_size,
                                                      .original_size = frame->original_size,
                                                      .time_ns = frame->time_ns,
                                                      .link_type = scenario->capture.link_type});
    }
    scenario_free(scenario);
    return 0;
}

static int forget_subject(void **state)
{
    (void)state;
    wrap_frames_free(&frames);
    names_free(names);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_and_changed_bytes_leave_what_is_before_them),
    };
    if (argc != 2 && argc != 3) {
        fputs("usage: cuts SCENARIO.scn [NUMBER OF FRAMES]\n", stderr);
        return 2;
    }
    arguments = argv;
    return cmocka_run_group_tests(tests, read_subject, forget_subject);
}
