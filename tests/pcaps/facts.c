/* What capture/ and dissect/ find in captures, in numbers that tshark can be asked for as well:
 * `facts FILE…` prints a line of JSON for each (agreement.py compares).
 *
 * The program itself keeps APNs sessions alone; here every TCP packet counts. Streams are put in
 * order by track/stream and read by dissect/tls, as in the program. What a flow is follows
 * Wireshark's tcp.stream: addresses and ports alone, whatever the VLAN or tunnel, and a SYN with
 * another sequence number begins a new one. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/table.h"
#include "capture/capture.h"
#include "dissect/dissect.h"
#include "dissect/fragments.h"
#include "dissect/tls.h"
#include "track/stream.h"

enum { NAMES_BYTES = 1 << 20, TLS_BYTES = 16 << 20 };

struct key {
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
};

struct half {
    struct stream stream;
    struct tls_stream tls;
    bool has_base;
    uint32_t base; /* sequence number of its SYN */
};

struct flow {
    struct key key;
    struct half halves[2];
};

struct facts {
    struct flow *flows;
    uint32_t flow_count;
    uint32_t flow_room;
    struct table table;
    struct pool blocks;
    struct tls_buffers *buffers;
    struct fragments *fragments;
    uint64_t frame; /* being read */
    uint64_t tcp;
    uint64_t resets;
    json_t *hellos;
};

/* ---- flows ---- */

static bool is_same(const void *context, uint32_t item, const void *key)
{
    const struct facts *facts = context;
    return memcmp(&facts->flows[item].key, key, sizeof(struct key)) == 0;
}

/* `is_high`: the sender is the end that sorts later. */
static struct key key_of(const struct packet *packet, bool *is_high)
{
    struct key key;
    memset(&key, 0, sizeof key);
    int order = memcmp(packet->source.byte, packet->destination.byte, 16);
    *is_high = order > 0 || (order == 0 && packet->source_port > packet->destination_port);
    const struct address *low = *is_high ? &packet->destination : &packet->source;
    const struct address *high = *is_high ? &packet->source : &packet->destination;
    memcpy(key.low, low->byte, sizeof key.low);
    memcpy(key.high, high->byte, sizeof key.high);
    key.low_port = *is_high ? packet->destination_port : packet->source_port;
    key.high_port = *is_high ? packet->source_port : packet->destination_port;
    return key;
}

static struct flow *add_flow(struct facts *facts, const struct key *key)
{
    if (facts->flow_count == facts->flow_room) {
        facts->flow_room = 2 * facts->flow_room + 64;
        facts->flows = realloc(facts->flows, facts->flow_room * sizeof *facts->flows);
        assert(facts->flows);
    }
    struct flow *flow = &facts->flows[facts->flow_count++];
    *flow = (struct flow){.key = *key,
                          .halves = {{.stream = stream_fresh()}, {.stream = stream_fresh()}}};
    return flow;
}

static void close_half(struct facts *facts, struct half *half)
{
    stream_close(&half->stream, &facts->blocks);
    tls_close(&half->tls, facts->buffers);
}

static bool begins_anew(const struct half *half, const struct packet *packet)
{
    bool is_syn = (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    return is_syn && half->has_base && half->base != packet->sequence;
}

/* The sender's half of a packet's flow. */
static struct half *half_of(struct facts *facts, const struct packet *packet)
{
    bool is_high;
    struct key key = key_of(packet, &is_high);
    uint64_t hash = hash_bytes(&key, sizeof key, 0);
    uint32_t item = table_find(&facts->table, hash, is_same, facts, &key);
    struct flow *flow = item == TABLE_NONE ? NULL : &facts->flows[item];
    if (flow && begins_anew(&flow->halves[is_high], packet)) {
        close_half(facts, &flow->halves[0]);
        close_half(facts, &flow->halves[1]);
        table_remove(&facts->table, hash, item);
        flow = NULL;
    }
    if (!flow) {
        table_insert(&facts->table, hash, facts->flow_count);
        flow = add_flow(facts, &key);
    }
    return &flow->halves[is_high];
}

/* ---- hellos ---- */

static void on_item(void *context, const struct tls_item *item)
{
    struct facts *facts = context;
    if (item->kind != TLS_ITEM_CLIENT_HELLO || item->malformed)
        return;
    const struct tls_client_hello *hello = item->client_hello;
    json_array_append_new(facts->hellos, json_pack("[I,s,s]", (json_int_t)facts->frame,
                                                   hello->has_sni ? hello->sni : "", hello->alpn));
}

struct feeding {
    struct facts *facts;
    struct half *half;
};

static void on_bytes(void *context, const uint8_t *bytes, uint32_t size)
{
    struct feeding *feeding = context;
    tls_feed(&feeding->half->tls, feeding->facts->buffers, bytes, size, on_item, feeding->facts);
}

/* A stream that begins in the middle is read from its first segment on, and one that turns to TLS
 * later (CONNECT, STARTTLS) from the segment on that looks like a hello. */
static void take_payload(struct facts *facts, struct half *half, const struct packet *packet)
{
    bool may_be_hello = tls_may_be_client_hello(packet->payload, packet->payload_captured);
    stream_start(&half->stream, packet->sequence);
    if (may_be_hello && (half->stream.broken || half->tls.not_tls)) {
        close_half(facts, half);
        half->stream = stream_fresh();
        half->tls = (struct tls_stream){0};
        stream_start(&half->stream, packet->sequence);
    }
    struct feeding feeding = {facts, half};
    stream_take(&half->stream, &facts->blocks, packet->sequence, packet->payload,
                packet->payload_captured, packet->payload_size, on_bytes, &feeding);
}

/* What came in fragments is told in two parts, of which only the first has its payload right behind
 * the header; tshark counts a datagram once. */
static bool is_rest_of_a_datagram(const struct packet *packet)
{
    return packet->payload_captured &&
           packet->payload > packet->tcp_options + packet->tcp_options_size;
}

static void take_packet(struct facts *facts, const struct packet *packet)
{
    struct packet told;
    if (packet->kind == PACKET_FRAGMENT) {
        if (fragments_take(facts->fragments, packet, &told) == SKIP_NONE)
            take_packet(facts, &told);
        return;
    }
    if (packet->kind != PACKET_TCP)
        return;
    struct half *half = half_of(facts, packet);
    bool is_syn = (packet->tcp_flags & TCP_SYN) != 0;
    if (!is_rest_of_a_datagram(packet)) {
        facts->tcp++;
        facts->resets += (packet->tcp_flags & TCP_RST) != 0;
    }
    facts->frame = packet->frame;
    if (!half->has_base) {
        half->has_base = true;
        half->base = packet->sequence - !is_syn;
    }
    if (is_syn)
        stream_start(&half->stream, packet->sequence + 1);
    uint32_t first = packet->sequence + is_syn; /* fast open: RFC 7413 */
    struct packet data = *packet;
    data.sequence = first;
    if (packet->payload_captured)
        take_payload(facts, half, &data);
}

/* ---- files ---- */

static void read_capture(struct facts *facts, struct capture *capture)
{
    struct frame frames[CAPTURE_BATCH_MAX];
    struct packet packet;
    size_t count;
    while ((count = capture_next(capture, frames, CAPTURE_BATCH_MAX)) != 0)
        for (size_t i = 0; i < count; i++)
            if (dissect_frame(&frames[i], &packet) == SKIP_NONE)
                take_packet(facts, &packet);
}

static void begin(struct facts *facts)
{
    *facts = (struct facts){.buffers = tls_buffers_new(TLS_BYTES),
                            .fragments = fragments_new(),
                            .hellos = json_array()};
    table_init(&facts->table, 1024);
    stream_blocks_init(&facts->blocks);
}

static void end(struct facts *facts)
{
    for (uint32_t i = 0; i < facts->flow_count; i++) {
        close_half(facts, &facts->flows[i].halves[0]);
        close_half(facts, &facts->flows[i].halves[1]);
    }
    tls_buffers_free(facts->buffers);
    fragments_free(facts->fragments);
    pool_free(&facts->blocks);
    table_free(&facts->table);
    free(facts->flows);
}

static json_t *facts_of(const char *path)
{
    struct fault fault = {{0}};
    struct capture *capture;
    struct facts facts;
    struct capture_quality quality = {.first_ns = TIME_UNKNOWN, .last_ns = TIME_UNKNOWN};
    struct capture_options options = {.names = names_new(NAMES_BYTES),
                                      .hash = CAPTURE_HASH_NEVER,
                                      .since_ns = TIME_UNKNOWN,
                                      .until_ns = TIME_UNKNOWN};
    if (!capture_open(&capture, &path, 1, &options, &fault)) {
        names_free(options.names);
        return json_pack("{s:s,s:s}", "path", path, "error", fault.sentence);
    }
    begin(&facts);
    read_capture(&facts, capture);
    capture_quality_of(capture, &quality);
    json_t *line = json_pack("{s:s,s:I,s:I,s:I,s:I,s:o,s:b}", "path", path, "frames",
                             (json_int_t)quality.frames, "tcp", (json_int_t)facts.tcp, "flows",
                             (json_int_t)facts.flow_count, "resets", (json_int_t)facts.resets,
                             "hellos", facts.hellos, "damaged", quality.truncated);
    end(&facts);
    capture_close(capture);
    names_free(options.names);
    return line;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        json_t *line = facts_of(argv[i]);
        assert(line);
        json_dumpf(line, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(line);
    }
    return 0;
}
