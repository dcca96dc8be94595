/* Hosts, flows and the frames they have sent. Of tests/support. Deliberately reads no text. */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/table.h"

/* The router between the inside and Apple, seen as the sender of all that comes from outside. */
static const uint8_t router_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x00, 0x01};

static void clear_side(struct side *side)
{
    for (size_t i = 0; i < side->said_count; i++) {
        for (size_t k = 0; k < side->said[i].count; k++)
            free(side->said[i].segments[k].payload);
        free(side->said[i].segments);
        free(side->said[i].verb);
    }
    free(side->said);
    free(side->last_packet);
}

void stage_clear(struct stage *stage)
{
    for (size_t i = 0; i < stage->host_count; i++) {
        free(stage->hosts[i]->name);
        free(stage->hosts[i]);
    }
    for (size_t i = 0; i < stage->flow_count; i++) {
        clear_side(&stage->flows[i]->side[UPWARD]);
        clear_side(&stage->flows[i]->side[DOWNWARD]);
        free(stage->flows[i]->name);
        free(stage->flows[i]->process);
        free(stage->flows[i]);
    }
    for (size_t i = 0; i < stage->frame_count; i++)
        free(stage->frames[i].packet);
    for (size_t i = 0; i < stage->query_count; i++)
        free(stage->queries[i].name);
    free(stage->queries);
    free(stage->hosts);
    free(stage->flows);
    free(stage->frames);
    *stage = (struct stage){0};
}

struct host *stage_host(const struct stage *stage, const char *name)
{
    for (size_t i = 0; i < stage->host_count; i++)
        if (strcmp(stage->hosts[i]->name, name) == 0)
            return stage->hosts[i];
    return NULL;
}

struct flow *stage_flow(const struct stage *stage, const char *name)
{
    for (size_t i = 0; i < stage->flow_count; i++)
        if (strcmp(stage->flows[i]->name, name) == 0)
            return stage->flows[i];
    return NULL;
}

static uint64_t seed_of(const char *name)
{
    return hash_bytes(name, strlen(name), UINT64_C(0x5ce7a910));
}

struct host *stage_add_host(struct stage *stage, const char *name, const struct address *address)
{
    struct host *host = support_allocate(sizeof *host);
    bool inside = address_is_private(address);
    host->name = support_copy(name);
    host->address = *address;
    memcpy(host->mac, router_mac, sizeof router_mac);
    if (inside) {
        const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)(stage->host_count + 1)};
        memcpy(host->mac, mac, sizeof mac);
    }
    host->ttl = 64;
    host->hops = inside ? 0 : 12;
    host->seed = seed_of(name);
    host->next_id = (uint16_t)host->seed;
    host->next_port = (uint16_t)(49152 + host->seed % 8192);
    host->timestamps = true;
    host->clock_ms = (uint32_t)(host->seed >> 32);
    host->mss = address_is_ipv4(address) ? 1460 : 1440;
    host->window_scale = inside ? 6 : 7;
    stage->hosts =
        support_reallocate(stage->hosts, (stage->host_count + 1) * sizeof(struct host *));
    stage->hosts[stage->host_count++] = host;
    return host;
}

static void set_up_side(struct side *side, struct host *host, uint16_t port, uint64_t seed)
{
    side->host = host;
    side->port = port;
    side->first_sequence = (uint32_t)seed;
    side->next = side->delivered = side->first_sequence;
    side->announced_mss = host->mss;
}

struct flow *stage_add_flow(struct stage *stage, const char *name, struct host *client,
                            uint16_t client_port, struct host *server, uint16_t server_port)
{
    struct flow *flow = support_allocate(sizeof *flow);
    flow->name = support_copy(name);
    flow->seed = seed_of(name);
    flow->rtt_ns = 20000000;
    flow->client_rtt_ns = 300000;
    flow->hello_version = 0x0304;
    set_up_side(&flow->side[UPWARD], client, client_port, flow->seed);
    set_up_side(&flow->side[DOWNWARD], server, server_port, flow->seed >> 32);
    for (int way = UPWARD; way <= DOWNWARD; way++) {
        flow->side[way].vlan = stage->vlan;
        flow->side[way].outer_vlan = stage->outer_vlan;
    }
    stage->flows =
        support_reallocate(stage->flows, (stage->flow_count + 1) * sizeof(struct flow *));
    stage->flows[stage->flow_count++] = flow;
    return flow;
}

struct shape shape_ordinary(void)
{
    return (struct shape){.ttl = -1, .id = -1, .window = -1, .mss = -1};
}

static uint16_t next_id(struct host *host)
{
    if (host->id_habit == ID_ZERO)
        return 0;
    host->next_id++;
    if (host->id_habit == ID_RANDOM)
        return (uint16_t)hash_bytes(&host->next_id, sizeof host->next_id, host->seed);
    return host->next_id;
}

struct ip_header stage_ip_header(struct host *from, const struct address *to,
                                 const struct shape *shape)
{
    struct ip_header ip = {.source = from->address, .destination = *to};
    ip.ttl = shape->ttl >= 0 ? (uint8_t)shape->ttl : (uint8_t)(from->ttl - from->hops);
    if (shape->id >= 0)
        ip.id = (uint16_t)shape->id;
    else if (!shape->forged)
        ip.id = next_id(from);
    return ip;
}

struct link_header stage_link(const struct host *from, const struct host *to,
                              const struct shape *shape)
{
    struct link_header link = {.vlan = shape->vlan, .outer_vlan = shape->outer_vlan};
    memcpy(link.source_mac, shape->has_mac ? shape->mac : from->mac, 6);
    memcpy(link.destination_mac, to->mac, 6);
    /* Two hosts outside, or a forged sender that is its own target: any other address will do. */
    if (memcmp(link.source_mac, link.destination_mac, 6) == 0)
        link.destination_mac[5] ^= 0x80;
    link.ether_type = address_is_ipv4(&from->address) ? 0x0800 : 0x86dd;
    link.process_id = -1;
    return link;
}

static struct staged_frame *add_frame(struct stage *stage, const struct bytes *packet, enum way way,
                                      const struct link_header *link, int64_t time_ns)
{
    struct staged_frame frame = {
        .time_ns = time_ns,
        .shift_ns = stage->clock_shift_ns,
        .order = stage->frame_count,
        .way = way,
        .link = *link,
        .size = packet->size,
        .line = stage->line,
    };
    frame.packet = support_allocate(packet->size);
    memcpy(frame.packet, packet->at, packet->size);
    stage->frames = support_reallocate(stage->frames, (stage->frame_count + 1) * sizeof frame);
    stage->frames[stage->frame_count] = frame;
    return &stage->frames[stage->frame_count++];
}

/* The same packet from another port of the mirror. */
static struct staged_frame *add_copy(struct stage *stage, const struct bytes *packet, enum way way,
                                     const struct link_header *link, int64_t time_ns)
{
    struct staged_frame *frame = add_frame(stage, packet, way, link, time_ns);
    if (stage->has_copy_vlan) {
        frame->link.vlan = stage->copy_vlan;
        frame->link.outer_vlan = stage->copy_outer_vlan;
    }
    return frame;
}

/* Behind the router: one hop further, from the router's other interface. */
static void add_routed_frame(struct stage *stage, const struct bytes *packet, enum way way,
                             const struct link_header *link, int64_t time_ns)
{
    static const uint8_t inner_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x00, 0x02};
    static const uint8_t next_mac[6] = {0x02, 0x00, 0x5e, 0x00, 0x00, 0x03};
    struct staged_frame *frame = add_copy(stage, packet, way, link, time_ns + stage->routed_ns);
    wire_pass_router(frame->packet, frame->size);
    memcpy(frame->link.source_mac, inner_mac, sizeof inner_mac);
    memcpy(frame->link.destination_mac, next_mac, sizeof next_mac);
}

static void emit_copies(struct stage *stage, const struct bytes *packet, enum way way,
                        const struct link_header *link, const struct shape *shape, int64_t late_ns)
{
    for (unsigned copy = 0; copy <= shape->copies; copy++) {
        int64_t time_ns = stage->now_ns + shape->delay_ns + late_ns + copy * INT64_C(10000);
        add_frame(stage, packet, way, link, time_ns)->shift_ns += shape->stamp_ns;
        if (stage->routed_ns > 0 && way != NO_WAY)
            add_routed_frame(stage, packet, way, link, time_ns);
        if (stage->copied_ns > 0 && way != NO_WAY)
            add_copy(stage, packet, way, link, time_ns + stage->copied_ns);
    }
}

/* The same bytes of the datagram, but in the second fragment other ones where it overlaps. */
static void add_fragment(struct bytes *out, const struct bytes *packet, size_t index,
                         const struct shape *shape)
{
    enum { OVERLAP = 8, IPV4_HEADER = 20, IPV6_HEADER = 40 };
    bool six = packet->at[0] >> 4 == 6;
    size_t header_size = six ? IPV6_HEADER : IPV4_HEADER;
    size_t at = index * shape->fragment_size;
    size_t left = packet->size - header_size - at;
    size_t size = left < shape->fragment_size ? left : shape->fragment_size;
    size_t overlap = shape->fragments_overlap && index == 1 ? OVERLAP : 0;
    uint32_t id = (uint32_t)hash_bytes(packet->at, packet->size, 0);
    wire_fragment(out, packet->at, packet->size, at - overlap, size + overlap, id);
    if (overlap)
        out->at[out->size - size - overlap] ^= 0xff;
}

static void emit_fragments(struct stage *stage, const struct bytes *packet, enum way way,
                           const struct link_header *link, const struct shape *shape)
{
    enum { GAP_NS = 1000 };
    size_t header_size = packet->at[0] >> 4 == 6 ? 40 : 20;
    size_t count = (packet->size - header_size + shape->fragment_size - 1) / shape->fragment_size;
    for (size_t i = 0; i < count; i++) {
        size_t index = shape->fragments_reversed ? count - 1 - i : i;
        struct bytes fragment = {0};
        add_fragment(&fragment, packet, index, shape);
        if (index + 1 != shape->lost_fragment)
            emit_copies(stage, &fragment, way, link, shape, (int64_t)i * GAP_NS);
        bytes_free(&fragment);
    }
}

void stage_emit(struct stage *stage, struct bytes *packet, enum way way,
                const struct link_header *link, const struct shape *shape)
{
    if (shape->fragment_size > 0)
        emit_fragments(stage, packet, way, link, shape);
    else
        emit_copies(stage, packet, way, link, shape, 0);
    bytes_free(packet);
}
