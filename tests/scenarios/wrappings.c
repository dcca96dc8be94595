/* Wraps one capture in the forms of tools/wrap and demands the plain one's story of each:
 * `wrappings FILE.scn|CAPTURE [FORM]`.
 *
 * Findings, flows with all that is known of them, devices and requirements must be the same; frame
 * numbers, MAC addresses and tags may differ. Where a form takes something away, less is asked, and
 * what is not asked stands in the table below. With APNSCOPE_EVERY_WRAPPING (tools/check sets it)
 * every form is tried; otherwise each capture tries a quarter of them, not always the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <ftw.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/reader.h"
#include "base/table.h"
#include "base/text.h"
#include "capture/capture.h"
#include "judgement.h"
#include "tests/support/scenario.h"
#include "tools/wrapping/wrapping.h"

enum { PATH_SIZE = 512, ETHERTYPE_VLAN = 0x8100 };

/* Forms upon forms, besides each alone. */
static const char *const combinations[] = {
    "vxlan,pcapng-sections,zstd",
    "qinq,erspan3,pcap-big-ns,gzip",
    "mixed,pcapng-clocks,rotated",
    "gtp-u,vlan,interleaved,lz4",
    "offloaded,mpls,pcapng-big",
    "pppoe-vlan,erspan2,snoop",
    "l2tp2,802.1ad,erf,xz",
    "doubled,gre-key,pcapng",
    "ip-in-ip6,vxlan,rotated=30",
    "capwap-cisco,vlan,fcs,erf",
    "snap=60",
    "snap=256",
    "snap=400",
    "snap=640",
};

#define WITHOUT_MACS "forms without MAC addresses"

/* What is not asked, and why. */
static const struct {
    const char *form;
    const char *capture; /* NULL: of none */
    const char *why;
} excused[] = {
    {"doubled-tagged", "copies-behind-a-router-in-its-vlan.scn",
     "bare acknowledgements without marks cannot be told from their copies"},
    {"doubled-routed", "copies-behind-a-router-in-its-vlan.scn", "as above"},
    {"doubled", "copies-behind-a-router-in-its-vlan.scn", "as above"},
    {"ah", "segments-in-fragments.scn", "nobody authenticates fragments one by one"},
    {"doubled-tagged", "two-sites-on-an-asymmetric-trunk.scn",
     "a copy in a third VLAN may be of either site"},
    {WITHOUT_MACS, "ipv6-out-for-a-while.scn",
     "the address without a session is then not known to be of the machine that works"},
    {WITHOUT_MACS, "blocked-5223-works-by-ipv6.scn",
     "the address without a session is then not known to be of the machine that works"},
    {"fragmented", "lossy-path.scn", "the two parts of a datagram count as two segments"},
    {"fragmented", "fast-open.scn", "the rest of a SYN's data passes for the client's answer"},
    {"l2tp3", "segments-merged-by-the-network-card.scn",
     "L2TPv3 has no mark of its own: it is believed where a frame ends with it, without a trailer"},
    {"l2tp3-udp", "segments-merged-by-the-network-card.scn", "as above"},
};

enum { SHARE = 4 }; /* one form in so many, where not all are asked for */

static const char *subject_path;
static const char *only_form;
static char wrapped_path[PATH_SIZE];
static struct wrap_frames frames;
static bool has_tags;
static bool is_in_order; /* by time */
static bool is_fit;      /* the capture says nothing but by its frames */
static struct judgement plain, wrapped;
static unsigned wrong;

/* ---- the subject ---- */

static void take_frame(const struct wrap_frame *frame)
{
    is_in_order =
        is_in_order && (!frames.count || frame->time_ns >= frames.items[frames.count - 1].time_ns);
    wrap_frames_add(&frames, frame);
    is_fit = is_fit && (frame->link_type == 1 || frame->link_type == 101);
    if (frame->link_type == 1 && frame->captured_size >= 14 &&
        load_u16(frame->bytes + 12) == ETHERTYPE_VLAN)
        has_tags = true;
}

static void take_scenario(const struct scenario *scenario)
{
    const struct scenario_capture *capture = &scenario->capture;
    is_fit = !capture->truncated_at && !capture->has_statistics;
    for (size_t i = 0; i < scenario->frame_count; i++) {
        const struct scenario_frame *frame = &scenario->frames[i];
        uint32_t size = frame->captured_size;
        if (capture->snap_size && capture->snap_size < size)
            size = capture->snap_size;
        take_frame(&(struct wrap_frame){.bytes = frame->bytes,
                                        .captured_size = size,
                                        .original_size = frame->original_size,
                                        .time_ns = frame->time_ns / NS_PER_US * NS_PER_US,
                                        .link_type = capture->link_type});
    }
}

static bool take_capture(const char *path, struct fault *fault)
{
    struct frame batch[CAPTURE_BATCH_MAX];
    struct capture *capture;
    size_t got;
    struct capture_options options = {.names = names_new(1 << 20),
                                      .hash = CAPTURE_HASH_NEVER,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    bool opened = capture_open(&capture, &path, 1, &options, fault);
    is_fit = true;
    while (opened && (got = capture_next(capture, batch, CAPTURE_BATCH_MAX)) != 0)
        for (size_t i = 0; i < got; i++)
            take_frame(&(struct wrap_frame){.bytes = (uint8_t *)(uintptr_t)batch[i].bytes,
                                            .captured_size = batch[i].captured_size,
                                            .original_size = batch[i].original_size,
                                            .time_ns = batch[i].time_ns / NS_PER_US * NS_PER_US,
                                            .link_type = batch[i].link_type});
    if (opened)
        capture_close(capture);
    names_free(options.names);
    return opened;
}

static int read_subject(void **state)
{
    struct fault fault = {{0}};
    struct scenario *scenario;
    (void)state;
    const char *slash = strrchr(subject_path, '/');
    snprintf(wrapped_path, sizeof wrapped_path, "%s.wrapped", slash ? slash + 1 : subject_path);
    bool good;
    is_in_order = true;
    if (text_ends_with_nocase(subject_path, ".scn")) {
        good = scenario_read(subject_path, &scenario, &fault);
        if (good)
            take_scenario(scenario);
        scenario_free(good ? scenario : NULL);
    } else {
        good = take_capture(subject_path, &fault);
    }
    if (!good)
        print_error("%s\n", fault.sentence);
    return good ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

/* A file, or a folder of files. */
static void remove_wrapped(void)
{
    (void)nftw(wrapped_path, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

static int forget_subject(void **state)
{
    (void)state;
    remove_wrapped();
    wrap_frames_free(&frames);
    return 0;
}

/* ---- comparing ---- */

static void judge_in(const char *specification, struct judgement *judgement)
{
    struct fault fault = {{0}};
    remove_wrapped();
    if (!wrap_write(&frames, specification, wrapped_path, &fault))
        fail_msg("%s: %s", specification, fault.sentence);
    judgement_of(wrapped_path, CAPTURE_BATCH_MAX, judgement);
    if (!judgement->readable)
        fail_msg("%s: %s", specification, judgement->sentence);
}

/* The first line in which two texts differ. */
static void show_difference(const char *form, const char *wanted, const char *found)
{
    while (*wanted && *wanted == *found) {
        const char *end = strchrnul(wanted, '\n');
        if (strncmp(wanted, found, (size_t)(end - wanted) + 1) != 0)
            break;
        found += end - wanted + (*end != 0);
        wanted = end + (*end != 0);
    }
    print_error("%s in the form %s:\n  wanted: %.*s\n  found:  %.*s\n", subject_path, form,
                (int)strcspn(wanted, "\n"), wanted, (int)strcspn(found, "\n"), found);
    wrong++;
}

static void check_same(const char *form, const char *wanted, const char *found)
{
    if (strcmp(wanted, found) != 0)
        show_difference(form, wanted, found);
}

/* Where the certificate or the refusal is cut away, what is left shows the box that made them, or
 * what it breaks: one cause, told by what still shows. */
static bool is_left_of_another(const char *line)
{
    static const char *const pairs[][2] = {{"transparent-proxy ", "tls-intercepted "},
                                           {"transparent-proxy ", "tls-rejected-by-client "},
                                           {"bag-unreachable ", "tls-intercepted "}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char whole[128];
        size_t length = strlen(pairs[i][0]);
        if (strncmp(line, pairs[i][0], length) != 0)
            continue;
        snprintf(whole, sizeof whole, "%s%.*s", pairs[i][1], (int)strcspn(line + length, "\n"),
                 line + length);
        if (strstr(plain.findings, whole))
            return true;
    }
    return false;
}

/* Every line of `found` is one of `wanted`, but for those. */
static void check_no_more(const char *form, const char *wanted, const char *found)
{
    for (const char *line = found; *line;) {
        size_t length = (size_t)(strchrnul(line, '\n') - line) + 1;
        bool is_known = false;
        for (const char *at = wanted; *at && !is_known; at = strchrnul(at, '\n') + 1)
            is_known = strncmp(at, line, length) == 0;
        is_known = is_known || is_left_of_another(line);
        if (!is_known) {
            print_error("%s in the form %s: only there: %.*s", subject_path, form, (int)length,
                        line);
            wrong++;
        }
        line += length;
    }
}

static unsigned losses_of(const char *specification)
{
    unsigned losses = 0;
    for (size_t i = 0; i < wrap_form_count(); i++) {
        struct wrap_form form = wrap_form_at(i);
        size_t length = strlen(form.name);
        for (const char *word = specification; word; word = strchr(word, ',')) {
            word += *word == ',';
            if (strncmp(word, form.name, length) == 0 && strchr(",=", word[length]))
                losses |= form.loses;
        }
    }
    return losses;
}

static bool is_excused(const char *form)
{
    for (size_t i = 0; i < sizeof excused / sizeof *excused; i++)
        if (strcmp(excused[i].form, form) == 0 &&
            (!excused[i].capture || text_ends_with_nocase(subject_path, excused[i].capture)))
            return true;
    return false;
}

static bool is_this_captures_turn(size_t form)
{
    const char *slash = strrchr(subject_path, '/');
    const char *name = slash ? slash + 1 : subject_path;
    return getenv("APNSCOPE_EVERY_WRAPPING") ||
           (hash_bytes(name, strlen(name), 0) + form) % SHARE == 0;
}

/* Only by its MAC address are a device's IPv4 and IPv6 addresses known to be one device's. */
static bool misses_macs(void)
{
    bool needs_macs = strstr(plain.findings, "ipv6-broken") || is_excused(WITHOUT_MACS);
    return needs_macs && strcmp(plain.macs, wrapped.macs) != 0;
}

/* Files that are merged by time have no order where their clock was set, or times are damaged. */
static bool misses_order(const char *form, unsigned losses)
{
    bool is_merged = losses & LOSES_ORDER || strstr(form, "rotated");
    return is_merged &&
           (plain.quality.largest_step_back_ns > NS_PER_S || plain.quality.stray_times > 0);
}

static void check_form(const char *form)
{
    unsigned losses = losses_of(form);
    if (misses_order(form, losses))
        return;
    if (!only_form && (is_excused(form) || (has_tags && losses & LOSES_TAGS)))
        return;
    judge_in(form, &wrapped);
    if (losses & LOSES_BYTES) {
        check_no_more(form, plain.findings, wrapped.findings);
        return;
    }
    check_same(form, plain.details, wrapped.details);
    if (!(losses & LOSES_COUNT))
        check_same(form, plain.counts, wrapped.counts);
    if (misses_macs())
        return;
    check_same(form, plain.findings, wrapped.findings);
    check_no_more(form, plain.verdicts, wrapped.verdicts); /* in an order that depends on tags */
    check_no_more(form, wrapped.verdicts, plain.verdicts);
}

static void every_form_tells_the_same_story(void **state)
{
    (void)state;
    if (!is_fit)
        skip(); /* the file itself is part of the story, or of a link that cannot be wrapped */
    judge_in("pcap", &plain);
    if (only_form) {
        check_form(only_form);
        assert_int_equal(wrong, 0);
        return;
    }
    for (size_t i = 0; i < wrap_form_count(); i++)
        if (is_this_captures_turn(i))
            check_form(wrap_form_at(i).name);
    for (size_t i = 0; i < sizeof combinations / sizeof *combinations; i++)
        if (is_this_captures_turn(i))
            check_form(combinations[i]);
    assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_form_tells_the_same_story)};
    if (argc < 2) {
        fputs("usage: wrappings FILE.scn|CAPTURE [FORM]\n", stderr);
        return 2;
    }
    subject_path = argv[1];
    only_form = argc > 2 ? argv[2] : NULL;
    return cmocka_run_group_tests_name(subject_path, tests, read_subject, forget_subject);
}
