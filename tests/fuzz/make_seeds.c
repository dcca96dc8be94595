/* make_seeds SCENARIO CORPUS: what a scenario's capture holds, as seeds of the fuzz targets.
 *
 * Writes into the folders of CORPUS the capture itself (pcap and pcapng, and a short one), frames
 * of different sizes, IP fragments, the byte streams that are TLS or HTTP, DNS messages, and
 * certificate lists, each in the form that its target reads. tools/make-pcaps runs it. Keeps seeds small: a fuzzer
 * makes long inputs of short ones by itself. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "dissect/dissect.h"
#include "dissect/tls.h"
#include "tests/support/scenario.h"

enum {
    STREAMS_MAX = 64,
    STREAM_MAX = 4096,
    FRAMES_MAX = 5,
    FRAME_MAX = 700,
    SHORT_CAPTURE_SIZE = 1500,
    PATH_SIZE = 1024
};

/* One direction of a connection, as far as it is in order and fits. */
struct stream {
    struct address source, destination;
    uint16_t source_port, destination_port;
    uint32_t next_sequence;
    size_t size;
    uint8_t bytes[1 + STREAM_MAX]; /* the first byte is the target's */
};

struct maker {
    const char *corpus;
    char stem[128];
    unsigned number;
    unsigned frame_count;
    uint32_t frame_sizes[FRAMES_MAX];
    size_t fragments_size;
    uint8_t fragments[STREAM_MAX];
    size_t stream_count;
    struct stream streams[STREAMS_MAX];
};

static struct maker maker;

static void write_seed(const char *folder, const uint8_t *bytes, size_t size)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s/%s-%u", maker.corpus, folder, maker.stem, maker.number++);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(3);
    }
}

/* ---- captures ---- */

static void write_capture(const struct scenario *scenario, const char *folder,
                          uint64_t truncated_at)
{
    struct scenario_write_options options = {.truncated_at = truncated_at};
    size_t size;
    uint8_t *bytes = scenario_file(scenario, &options, &size);
    write_seed(folder, bytes, size);
    free(bytes);
}

static void write_captures(struct scenario *scenario)
{
    write_capture(scenario, "program", 0);
    scenario->capture.is_pcapng = false;
    write_capture(scenario, "capture", SHORT_CAPTURE_SIZE);
    scenario->capture.is_pcapng = true;
    write_capture(scenario, "capture", SHORT_CAPTURE_SIZE);
}

/* ---- frames ---- */

/* Link type, size of the check sequence, frame: the form of fuzz_frame.c. */
static void keep_frame(const struct frame *frame)
{
    uint8_t bytes[3 + FRAME_MAX] = {(uint8_t)(frame->link_type >> 8), (uint8_t)frame->link_type, 0};
    if (frame->captured_size > FRAME_MAX || maker.frame_count == FRAMES_MAX)
        return;
    for (unsigned i = 0; i < maker.frame_count; i++)
        if (maker.frame_sizes[i] == frame->captured_size)
            return;
    maker.frame_sizes[maker.frame_count++] = frame->captured_size;
    memcpy(bytes + 3, frame->bytes, frame->captured_size);
    write_seed("frame", bytes, 3 + frame->captured_size);
}

/* Two bytes of length before each packet: the form of fuzz_fragments.c. */
static void keep_fragment(const struct packet *packet)
{
    size_t size = (size_t)(packet->payload - packet->ip) + packet->payload_captured;
    if (maker.fragments_size + 2 + size > sizeof maker.fragments)
        return;
    uint8_t *at = maker.fragments + maker.fragments_size;
    at[0] = (uint8_t)(size >> 8);
    at[1] = (uint8_t)size;
    memcpy(at + 2, packet->ip, size);
    maker.fragments_size += 2 + size;
}

/* ---- streams ---- */

static bool is_stream_of(const struct stream *stream, const struct packet *packet)
{
    return stream->source_port == packet->source_port &&
           stream->destination_port == packet->destination_port &&
           address_equal(&stream->source, &packet->source) &&
           address_equal(&stream->destination, &packet->destination);
}

static struct stream *stream_of(const struct packet *packet)
{
    for (size_t i = 0; i < maker.stream_count; i++)
        if (is_stream_of(&maker.streams[i], packet))
            return &maker.streams[i];
    if (maker.stream_count == STREAMS_MAX)
        return NULL;
    struct stream *stream = &maker.streams[maker.stream_count++];
    stream->source = packet->source;
    stream->destination = packet->destination;
    stream->source_port = packet->source_port;
    stream->destination_port = packet->destination_port;
    stream->next_sequence = packet->sequence;
    return stream;
}

static void keep_payload(const struct packet *packet)
{
    struct stream *stream = packet->payload_captured ? stream_of(packet) : NULL;
    if (!stream || packet->sequence != stream->next_sequence)
        return;
    size_t room = STREAM_MAX - stream->size;
    size_t count = packet->payload_captured < room ? packet->payload_captured : room;
    memcpy(stream->bytes + 1 + stream->size, packet->payload, count);
    stream->size += count;
    stream->next_sequence += packet->payload_size;
}

/* Three bytes of length before each: the form of fuzz_certificate.c. */
static void keep_certificates(void *context, const struct tls_item *item)
{
    uint8_t bytes[STREAM_MAX * 2];
    size_t size = 0;
    (void)context;
    for (size_t i = 0; item->certificates && i < item->certificates->count; i++) {
        size_t der_size = item->certificates->certificates[i].size;
        if (size + 3 + der_size > sizeof bytes)
            break;
        bytes[size++] = (uint8_t)(der_size >> 16);
        bytes[size++] = (uint8_t)(der_size >> 8);
        bytes[size++] = (uint8_t)der_size;
        memcpy(bytes + size, item->certificates->certificates[i].der, der_size);
        size += der_size;
    }
    if (size)
        write_seed("certificate", bytes, size);
}

static void write_stream(struct stream *stream, struct tls_buffers *buffers)
{
    const uint8_t *payload = stream->bytes + 1;
    if (payload[0] == 0x16) { /* RFC 8446 section 5.1: handshake */
        struct tls_stream tls = {.tls13 = false};
        stream->bytes[0] = 14; /* pieces of 8 bytes, TLS 1.2: fuzz_tls.c */
        write_seed("tls", stream->bytes, 1 + stream->size);
        tls_feed(&tls, buffers, payload, stream->size, keep_certificates, NULL);
        tls_close(&tls, buffers);
    } else if (payload[0] >= 'A' && payload[0] <= 'Z') {
        stream->bytes[0] = 20; /* split after 20 bytes: fuzz_http.c */
        size_t size = stream->size < 600 ? stream->size : 600;
        write_seed("http", stream->bytes, 1 + size);
    }
}

static void write_streams(void)
{
    struct tls_buffers *buffers = tls_buffers_new(1 << 20);
    for (size_t i = 0; i < maker.stream_count; i++)
        write_stream(&maker.streams[i], buffers);
    tls_buffers_free(buffers);
}

static void read_frames(const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->frame_count; i++) {
        const struct scenario_frame *from = &scenario->frames[i];
        struct frame frame = {.number = i + 1,
                              .time_ns = from->time_ns,
                              .captured_size = from->captured_size,
                              .original_size = from->original_size,
                              .link_type = scenario->capture.link_type,
                              .bytes = from->bytes,
                              .process = {.name = NULL, .id = -1}};
        struct packet packet;
        keep_frame(&frame);
        if (dissect_frame(&frame, &packet) != SKIP_NONE)
            continue;
        if (packet.kind == PACKET_TCP)
            keep_payload(&packet);
        else if (packet.kind == PACKET_FRAGMENT)
            keep_fragment(&packet);
        else if (packet.kind == PACKET_DNS)
            write_seed("dns", packet.payload, packet.payload_captured);
    }
}

int main(int argc, char **argv)
{
    struct scenario *scenario = NULL;
    struct fault fault = {""};
    if (argc != 3) {
        fputs("usage: make_seeds SCENARIO CORPUS\n", stderr);
        return 2;
    }
    if (!scenario_read(argv[1], &scenario, &fault)) {
        fprintf(stderr, "make_seeds: %s\n", fault.sentence);
        return 3;
    }
    const char *slash = strrchr(argv[1], '/');
    snprintf(maker.stem, sizeof maker.stem, "%s", slash ? slash + 1 : argv[1]);
    maker.stem[strcspn(maker.stem, ".")] = '\0';
    maker.corpus = argv[2];
    read_frames(scenario);
    if (maker.fragments_size)
        write_seed("fragments", maker.fragments, maker.fragments_size);
    write_streams();
    write_captures(scenario);
    scenario_free(scenario);
    return 0;
}
