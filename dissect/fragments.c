/* Fragments of IP datagrams and CAPWAP frames, put together again: see fragments.h.
 *
 * Each datagram has a buffer of the largest size there is, so that what comes out stands in one
 * piece behind its IP header; memory that no datagram is long enough to need is never touched. */
#include "dissect/fragments.h"

#include <assert.h>
#include <stdlib.h>

#include "base/table.h"
#include "network.h"
#include "tunnel.h"

enum {
    DATAGRAM_SIZE_MAX = 65535,
    UNIT = 8, /* fragments begin at multiples of eight bytes, RFC 791 section 3.1 */
    UNITS = DATAGRAM_SIZE_MAX / UNIT + 1,
    HEADER_ROOM = 256 /* IPv6 with extension headers before the fragment header */
};

enum datagram_state {
    DATAGRAM_FREE,
    DATAGRAM_WAITS,
    DATAGRAM_DONE,    /* complete and told; kept to know copies of its fragments */
    DATAGRAM_REFUSED, /* overlapping */
    DATAGRAM_PARTIAL  /* never to be whole; its first fragment, if it came, was told */
};

struct datagram {
    enum datagram_state state;
    uint8_t kind;     /* enum fragment_kind */
    uint8_t protocol; /* IPv4: also tells datagrams apart */
    bool has_first;
    uint32_t id;
    uint32_t lane;
    struct address source;
    struct address destination;
    int64_t started_ns;
    uint32_t received;
    uint32_t total; /* 0: the last fragment has not come */
    uint32_t header_size;
    struct buffer *buffer;
    uint64_t seen[UNITS / 64]; /* by unit: it has come */
};

struct buffer {
    uint8_t header_room[HEADER_ROOM]; /* the first fragment's header stands at its end */
    uint8_t bytes[UNITS * UNIT];
};

struct fragments {
    struct buffer *buffers;      /* NULL before the first fragment */
    const struct datagram *busy; /* its bytes are being read */
    bool has_begun;
    bool has_later;   /* a fragment that is not the first of its datagram was captured */
    int64_t begun_ns; /* the first of all */
    struct fragment_counts counts;
    uint64_t hashes[FRAGMENTS_DATAGRAMS];
    struct datagram datagrams[FRAGMENTS_DATAGRAMS];
};

/* One fragment, as its header describes it. */
struct piece {
    uint32_t id;
    uint32_t offset;
    uint32_t size;
    bool is_last;
    bool is_cut;
    uint8_t protocol; /* of the first header in the datagram */
    const uint8_t *bytes;
    const uint8_t *header;
    uint32_t header_size;
};

struct fragments *fragments_new(void)
{
    struct fragments *fragments = (struct fragments *)calloc(1, sizeof *fragments);
    assert(fragments); /* small, at start-up */
    return fragments;
}

void fragments_free(struct fragments *fragments)
{
    if (!fragments)
        return;
    free(fragments->buffers);
    free(fragments);
}

struct fragment_counts fragments_count(const struct fragments *fragments)
{
    struct fragment_counts counts = fragments->counts;
    for (size_t i = 0; i < FRAGMENTS_DATAGRAMS; i++)
        counts.incomplete += fragments->datagrams[i].state == DATAGRAM_WAITS;
    return counts;
}

/* ---- reading a fragment ---- */

/* RFC 791 section 3.1: identification 16, flags 3 (the third: more follow), offset 13. */
static void read_ipv4(const struct packet *packet, struct piece *piece)
{
    uint16_t field = load_u16(packet->ip + 6);
    piece->id = load_u16(packet->ip + 4);
    piece->offset = (uint32_t)(field & 0x1fff) * UNIT;
    piece->is_last = (field & 0x2000) == 0;
    piece->protocol = packet->ip[9];
    piece->bytes = packet->payload;
    piece->header_size = (uint32_t)(packet->payload - packet->ip);
}

/* RFC 8200 section 4.5: next header 8, reserved 8, offset 13, reserved 2, more 1, identification
 * 32. It stands right before the payload. */
static void read_ipv6(const struct packet *packet, struct piece *piece)
{
    enum { FRAGMENT_HEADER_SIZE = 8 };
    const uint8_t *header = packet->payload - FRAGMENT_HEADER_SIZE;
    uint16_t field = load_u16(header + 2);
    piece->id = load_u32(header + 4);
    piece->offset = field & 0xfff8;
    piece->is_last = (field & 1) == 0;
    piece->protocol = header[0];
    piece->bytes = packet->payload;
    piece->header_size = (uint32_t)(header - packet->ip);
}

/* RFC 5415 section 4.3; the payload begins with CAPWAP's header, whose length was checked. */
static void read_capwap(const struct packet *packet, struct piece *piece)
{
    const uint8_t *header = packet->payload;
    piece->id = load_u16(header + 4);
    piece->offset = load_u16(header + 6) & 0xfff8;
    piece->is_last = (load_u16(header + 2) & CAPWAP_LAST) != 0;
    piece->bytes = header + capwap_header_size(header);
    piece->header_size = 0;
}

static struct piece read_piece(const struct packet *packet)
{
    static void (*const readers[])(const struct packet *packet, struct piece *piece) = {
        [FRAGMENT_IPV4] = read_ipv4, [FRAGMENT_IPV6] = read_ipv6, [FRAGMENT_CAPWAP] = read_capwap};
    struct piece piece = {.header = packet->ip};
    readers[packet->fragment_kind](packet, &piece);
    uint32_t before = (uint32_t)(piece.bytes - packet->payload);
    piece.size = packet->payload_size - before;
    piece.is_cut = packet->payload_captured < packet->payload_size;
    return piece;
}

/* ---- finding its datagram ---- */

static uint64_t hash_of(const struct packet *packet, const struct piece *piece)
{
    uint64_t rest = (uint64_t)piece->id << 32 | packet->lane;
    uint64_t hash = hash_bytes(packet->source.byte, sizeof packet->source.byte, rest);
    return hash_bytes(packet->destination.byte, sizeof packet->destination.byte, hash);
}

static bool is_same(const struct datagram *datagram, const struct packet *packet,
                    const struct piece *piece)
{
    bool is_ipv4 = packet->fragment_kind == FRAGMENT_IPV4;
    return datagram->kind == packet->fragment_kind && datagram->id == piece->id &&
           datagram->lane == packet->lane && (!is_ipv4 || datagram->protocol == piece->protocol) &&
           address_equal(&datagram->source, &packet->source) &&
           address_equal(&datagram->destination, &packet->destination);
}

static bool is_over(const struct datagram *datagram, int64_t time_ns)
{
    int64_t age_ns;
    return __builtin_sub_overflow(time_ns, datagram->started_ns, &age_ns) ||
           age_ns > FRAGMENTS_PATIENCE_NS || age_ns < -FRAGMENTS_PATIENCE_NS;
}

static struct datagram *find(struct fragments *fragments, uint64_t hash,
                             const struct packet *packet, const struct piece *piece)
{
    for (size_t i = 0; i < FRAGMENTS_DATAGRAMS; i++) {
        struct datagram *datagram = &fragments->datagrams[i];
        if (fragments->hashes[i] == hash && datagram->state != DATAGRAM_FREE &&
            is_same(datagram, packet, piece))
            return datagram;
    }
    return NULL;
}

/* How willingly a datagram's place is given away: free, then settled ones, then waiting ones. */
static int claim(const struct datagram *datagram, int64_t time_ns)
{
    if (datagram->state == DATAGRAM_FREE)
        return 2;
    return datagram->state != DATAGRAM_WAITS || is_over(datagram, time_ns);
}

static struct datagram *make_room(struct fragments *fragments, int64_t time_ns)
{
    struct datagram *best = NULL;
    int best_claim = 0;
    for (size_t i = 0; i < FRAGMENTS_DATAGRAMS && best_claim < 2; i++) {
        struct datagram *datagram = &fragments->datagrams[i];
        int own = claim(datagram, time_ns);
        if (datagram == fragments->busy)
            continue;
        if (!best || own > best_claim ||
            (own == best_claim && datagram->started_ns < best->started_ns)) {
            best = datagram;
            best_claim = own;
        }
    }
    return best;
}

static void begin(struct fragments *fragments, struct datagram *datagram, uint64_t hash,
                  const struct packet *packet, const struct piece *piece)
{
    fragments->counts.incomplete += datagram->state == DATAGRAM_WAITS;
    size_t place = (size_t)(datagram - fragments->datagrams);
    fragments->hashes[place] = hash;
    *datagram = (struct datagram){
        .state = DATAGRAM_WAITS,
        .kind = packet->fragment_kind,
        .protocol = piece->protocol,
        .id = piece->id,
        .lane = packet->lane,
        .source = packet->source,
        .destination = packet->destination,
        .started_ns = packet->time_ns,
        .buffer = &fragments->buffers[place],
    };
}

/* ---- putting it in its place ---- */

/* Of the units that a piece covers: how many there are, and how many were there before. */
static void count_units(const struct datagram *datagram, const struct piece *piece,
                        uint32_t *covered, uint32_t *before)
{
    uint32_t first = piece->offset / UNIT;
    *covered = (piece->size + UNIT - 1) / UNIT;
    *before = 0;
    for (uint32_t unit = first; unit < first + *covered; unit++)
        *before += datagram->seen[unit / 64] >> unit % 64 & 1;
}

static bool has_same_bytes(const struct datagram *datagram, const struct piece *piece)
{
    return memcmp(datagram->buffer->bytes + piece->offset, piece->bytes, piece->size) == 0;
}

/* RFC 791 section 3.1: a piece ends within the largest datagram, and but for the last one with a
 * whole unit; the pieces agree on where the end is. */
static bool is_sound(const struct datagram *datagram, const struct piece *piece)
{
    uint32_t end = piece->offset + piece->size;
    if (piece->size == 0 || piece->header_size > HEADER_ROOM ||
        end + piece->header_size > DATAGRAM_SIZE_MAX)
        return false;
    if (!piece->is_last && piece->size % UNIT != 0)
        return false;
    if (datagram->total && (end > datagram->total || (piece->is_last && end != datagram->total)))
        return false;
    return true;
}

static void keep_header(struct datagram *datagram, const struct piece *piece)
{
    datagram->has_first = true;
    datagram->header_size = piece->header_size;
    memcpy(datagram->buffer->header_room + HEADER_ROOM - piece->header_size, piece->header,
           piece->header_size);
}

static void keep(struct datagram *datagram, const struct piece *piece, uint32_t covered)
{
    uint32_t first = piece->offset / UNIT;
    for (uint32_t unit = first; unit < first + covered; unit++)
        datagram->seen[unit / 64] |= UINT64_C(1) << unit % 64;
    memcpy(datagram->buffer->bytes + piece->offset, piece->bytes, piece->size);
    datagram->received += piece->size;
    if (piece->is_last)
        datagram->total = piece->offset + piece->size;
    if (piece->offset == 0)
        keep_header(datagram, piece);
}

static void refuse(struct fragments *fragments, struct datagram *datagram)
{
    datagram->state = DATAGRAM_REFUSED;
    fragments->counts.refused++;
}

/* Where a capture's filter names ports, only first fragments pass it: nothing else will come. */
static bool tells_first_only(const struct fragments *fragments, int64_t time_ns)
{
    int64_t age_ns;
    return !fragments->has_later &&
           (__builtin_sub_overflow(time_ns, fragments->begun_ns, &age_ns) ||
            age_ns > FRAGMENTS_PATIENCE_NS);
}

/* True: the piece is new and in its place, or all that there will be. */
static bool place(struct fragments *fragments, struct datagram *datagram, const struct piece *piece,
                  int64_t time_ns)
{
    uint32_t covered, before;
    if (datagram->state != DATAGRAM_WAITS)
        return false;
    if (piece->is_cut || tells_first_only(fragments, time_ns)) {
        datagram->state = DATAGRAM_PARTIAL;
        fragments->counts.incomplete++;
        return piece->offset == 0;
    }
    if (!is_sound(datagram, piece)) {
        refuse(fragments, datagram);
        return false;
    }
    count_units(datagram, piece, &covered, &before);
    if (before == 0) {
        keep(datagram, piece, covered);
        if (datagram->total && datagram->received > datagram->total)
            refuse(fragments, datagram); /* a piece from beyond the end came before it */
        return datagram->state == DATAGRAM_WAITS;
    }
    if (before < covered || !has_same_bytes(datagram, piece))
        refuse(fragments, datagram);
    return false;
}

/* A fragment with the numbers of a datagram that is done: its copy, or another datagram's. */
static bool is_copy(const struct datagram *datagram, const struct piece *piece)
{
    return !piece->is_cut && piece->offset + piece->size <= datagram->total &&
           has_same_bytes(datagram, piece);
}

/* ---- telling ---- */

static struct walk walk_on(const struct packet *packet, const struct frame *frame,
                           struct packet *told)
{
    return (struct walk){
        .lane = packet->lane,
        .vlan = packet->vlan,
        .depth = packet->depth,
        .is_bounded = true,
        .source_mac = packet->has_mac ? packet->source_mac : NULL,
        .destination_mac = packet->has_mac ? packet->destination_mac : NULL,
        .process = packet->process,
        .frame = frame,
        .packet = told,
    };
}

static enum skip_reason resume(const struct packet *packet, struct walk *walk, uint8_t protocol)
{
    if (packet->fragment_kind == FRAGMENT_CAPWAP)
        return tunnel_capwap_payload(walk, packet->payload);
    return network_resume(walk, protocol);
}

/* What the first fragment says by itself. A message that is not TCP says nothing in part. */
static enum skip_reason tell_first(const struct packet *packet, const struct piece *piece,
                                   struct packet *told)
{
    struct frame frame = {.number = packet->frame, .time_ns = packet->time_ns};
    struct walk walk = walk_on(packet, &frame, told);
    walk.at = piece->bytes;
    walk.end = packet->payload + packet->payload_captured;
    walk.wire = piece->size;
    walk.ip = packet->ip;
    walk.is_fragment = true;
    enum skip_reason reason = resume(packet, &walk, piece->protocol);
    return reason == SKIP_NONE && told->kind != PACKET_TCP ? SKIP_FRAGMENT : reason;
}

/* RFC 791 section 3.1, RFC 8200 section 4.5: the header as the sender had it, but for a checksum
 * (bytes 10 and 11 of IPv4's), which was of the first fragment's. */
static const uint8_t *whole_header(struct datagram *datagram)
{
    uint8_t *ip = datagram->buffer->header_room + HEADER_ROOM - datagram->header_size;
    uint32_t size = datagram->header_size + datagram->total;
    if (datagram->kind == FRAGMENT_IPV4) {
        ip[2] = (uint8_t)(size >> 8);
        ip[3] = (uint8_t)size;
        ip[6] &= 0x40;
        ip[7] = 0;
        ip[10] = ip[11] = 0;
    } else if (datagram->kind == FRAGMENT_IPV6) {
        size -= IPV6_HEADER_SIZE;
        ip[4] = (uint8_t)(size >> 8);
        ip[5] = (uint8_t)size;
        if (ip[6] == PROTOCOL_FRAGMENT)
            ip[6] = datagram->protocol;
    }
    return ip;
}

static enum skip_reason tell_whole(struct datagram *datagram, const struct packet *packet,
                                   struct packet *told)
{
    struct frame frame = {.number = packet->frame, .time_ns = packet->time_ns};
    struct walk walk = walk_on(packet, &frame, told);
    datagram->state = DATAGRAM_DONE;
    walk.at = datagram->buffer->bytes;
    walk.end = walk.at + datagram->total;
    walk.wire = datagram->total;
    walk.ip = datagram->kind == FRAGMENT_CAPWAP ? packet->ip : whole_header(datagram);
    return resume(packet, &walk, datagram->protocol);
}

static bool is_complete(const struct datagram *datagram)
{
    return datagram->state == DATAGRAM_WAITS && datagram->has_first && datagram->total &&
           datagram->received == datagram->total;
}

static enum skip_reason take_one(struct fragments *fragments, const struct packet *packet,
                                 struct packet *told)
{
    struct piece piece = read_piece(packet);
    uint64_t hash = hash_of(packet, &piece);
    if (!fragments->has_begun)
        fragments->begun_ns = packet->time_ns;
    fragments->has_begun = true;
    fragments->has_later |= piece.offset != 0;
    struct datagram *datagram = find(fragments, hash, packet, &piece);
    bool is_new = !datagram || is_over(datagram, packet->time_ns) ||
                  (datagram->state == DATAGRAM_DONE && !is_copy(datagram, &piece));
    if (!datagram)
        datagram = make_room(fragments, packet->time_ns);
    if (is_new)
        begin(fragments, datagram, hash, packet, &piece);
    if (!place(fragments, datagram, &piece, packet->time_ns))
        return SKIP_FRAGMENT;
    fragments->busy = datagram;
    if (datagram->state == DATAGRAM_PARTIAL)
        return tell_first(packet, &piece, told);
    return is_complete(datagram) ? tell_whole(datagram, packet, told) : SKIP_FRAGMENT;
}

enum skip_reason fragments_take(struct fragments *fragments, const struct packet *fragment,
                                struct packet *told)
{
    struct packet inner;
    if (!fragments->buffers)
        fragments->buffers =
            (struct buffer *)calloc(FRAGMENTS_DATAGRAMS, sizeof *fragments->buffers);
    if (!fragments->buffers)
        return SKIP_FRAGMENT;
    fragments->busy = NULL;
    for (;;) {
        enum skip_reason reason = take_one(fragments, fragment, told);
        if (reason != SKIP_NONE || told->kind != PACKET_FRAGMENT)
            return reason;
        inner = *told; /* a fragment in a fragmented tunnel packet: one level deeper */
        fragment = &inner;
    }
}
