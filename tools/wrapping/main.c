/* wrap: a capture in another wrapping, for Wireshark or for a test. See wrapping.h. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/names.h"
#include "capture/capture.h"
#include "wrapping.h"

static const char usage[] =
    "usage: wrap FORM[,FORM…] CAPTURE… OUTPUT\n"
    "       wrap --list\n"
    "\n"
    "Reads captures (Ethernet or raw IP) and writes the same packets in another wrapping. Forms "
    "are\n"
    "applied from left to right: frames, then links and tunnels, then files and compression:\n"
    "\n"
    "    tools/wrap vxlan,pcapng,zstd capture.pcap wrapped.pcapng.zst\n"
    "    tools/wrap fragmented=576,gre,snap=200 capture.pcap wrapped.pcap\n";

static void print_list(void)
{
    const char *group = "";
    for (size_t i = 0; i < wrap_form_count(); i++) {
        struct wrap_form form = wrap_form_at(i);
        if (strcmp(group, form.group) != 0)
            printf("%s%s\n", *group ? "\n" : "", form.group);
        group = form.group;
        printf("  %-20s %s\n", form.name, form.what);
    }
}

static bool read_frames(const char *const *paths, size_t count, struct wrap_frames *frames,
                        struct fault *fault)
{
    struct frame batch[CAPTURE_BATCH_MAX];
    struct capture *capture;
    size_t got;
    struct capture_options options = {.names = names_new(1 << 20),
                                      .hash = CAPTURE_HASH_NEVER,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    bool opened = capture_open(&capture, paths, count, &options, fault);
    while (opened && (got = capture_next(capture, batch, CAPTURE_BATCH_MAX)) != 0)
        for (size_t i = 0; i < got; i++) {
            struct wrap_frame frame = {.bytes = (uint8_t *)(uintptr_t)batch[i].bytes,
                                       .captured_size = batch[i].captured_size,
                                       .original_size = batch[i].original_size,
                                       .time_ns = batch[i].time_ns,
                                       .link_type = batch[i].link_type};
            wrap_frames_add(frames, &frame);
        }
    if (opened)
        capture_close(capture);
    names_free(options.names);
    return opened;
}

int main(int argc, char **argv)
{
    struct wrap_frames frames = {0};
    struct fault fault = {{0}};
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        print_list();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc < 4) {
        fputs(usage, stderr);
        return 2;
    }
    bool done = read_frames((const char *const *)argv + 2, (size_t)argc - 3, &frames, &fault) &&
                wrap_write(&frames, argv[1], argv[argc - 1], &fault);
    wrap_frames_free(&frames);
    if (!done)
        fprintf(stderr, "wrap: %s\n", fault.sentence);
    return done ? 0 : 3;
}
