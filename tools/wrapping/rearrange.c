/* Forms that make other frames: doubled, fragmented, cut, left to the network card.
 *
 * See form.h. Each frame's descendants follow it, and times never run backwards. */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "form.h"

enum { ETHERNET_SIZE = 14, IPV4_SIZE = 20, IPV6_SIZE = 40, FRAGMENT_SIZE = 8, MAC_SIZE = 6 };

static void add_bytes(struct wrap_frames *out, const struct wrap_frame *like, struct bytes *bytes,
                      uint32_t original_size)
{
    struct wrap_frame frame = *like;
    frame.bytes = bytes->at;
    frame.captured_size = (uint32_t)bytes->size;
    frame.original_size = original_size;
    wrap_frames_add(out, &frame);
}

/* ---- doubled ---- */

static bool is_plain_ip(const struct wrap_frame *frame)
{
    if (frame->link_type != 1 || frame->captured_size < ETHERNET_SIZE + IPV6_SIZE)
        return false;
    uint16_t type = load_u16(frame->bytes + 12);
    return type == TYPE_IPV4 || type == TYPE_IPV6;
}

/* What a router changes: RFC 1812 section 5.3.1 (the sum: RFC 1624), RFC 8200 section 3. */
static void route(struct wrap_frame *copy)
{
    static const uint8_t router[2 * MAC_SIZE] = {2, 0, 0, 0, 3, 1, 2, 0, 0, 0, 3, 2};
    uint8_t *ip = copy->bytes + ETHERNET_SIZE;
    if (!is_plain_ip(copy))
        return;
    memcpy(copy->bytes, router, sizeof router);
    if (ip[0] >> 4 == 6) {
        ip[7]--;
        return;
    }
    uint32_t sum = load_u16(ip + 10) + 0x100U;
    sum = (sum & 0xffff) + (sum >> 16);
    ip[8]--;
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

static void add_tagged(struct wrap_frames *out, const struct wrap_frame *frame)
{
    struct bytes bytes = {0};
    bytes_add(&bytes, frame->bytes, 2 * MAC_SIZE);
    bytes_u16(&bytes, TYPE_VLAN);
    bytes_u16(&bytes, 200);
    bytes_add(&bytes, frame->bytes + 2 * MAC_SIZE, frame->captured_size - 2 * MAC_SIZE);
    add_bytes(out, frame, &bytes, frame->original_size + 4);
    bytes_free(&bytes);
}

void double_frames(const struct wrap_frames *in, uint32_t style, struct wrap_frames *out)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct wrap_frame *frame = &in->items[i];
        wrap_frames_add(out, frame);
        if (style == DOUBLE_TAGGED && frame->link_type == 1 &&
            frame->captured_size >= ETHERNET_SIZE) {
            add_tagged(out, frame);
            continue;
        }
        wrap_frames_add(out, frame);
        if (style == DOUBLE_ROUTED)
            route(&out->items[out->count - 1]);
    }
}

/* ---- cut, offloaded, mixed ---- */

void snap_frames(const struct wrap_frames *in, uint32_t size, struct wrap_frames *out)
{
    for (size_t i = 0; i < in->count; i++) {
        struct wrap_frame frame = in->items[i];
        if (frame.captured_size > size)
            frame.captured_size = size;
        wrap_frames_add(out, &frame);
    }
}

/* A length of zero: the card was to cut the data into segments. Only of frames without padding, in
 * which nothing but the IP header says how long the packet is. */
void offload_frames(const struct wrap_frames *in, uint32_t unused, struct wrap_frames *out)
{
    (void)unused;
    for (size_t i = 0; i < in->count; i++) {
        wrap_frames_add(out, &in->items[i]);
        struct wrap_frame *frame = &out->items[out->count - 1];
        uint8_t *ip = frame->bytes + ETHERNET_SIZE;
        if (!is_plain_ip(frame))
            continue;
        uint8_t *length = ip + (ip[0] >> 4 == 4 ? 2 : 4);
        uint32_t header = ip[0] >> 4 == 4 ? 0 : IPV6_SIZE;
        if (header + load_u16(length) == frame->original_size - ETHERNET_SIZE)
            length[0] = length[1] = 0;
    }
}

void mix_links(const struct wrap_frames *in, uint32_t unused, struct wrap_frames *out)
{
    static const char *const names[] = {"ethernet", "sll2", "raw", "null", "pktap"};
    enum { COUNT = sizeof names / sizeof *names };
    (void)unused;
    for (size_t i = 0; i < in->count; i++) {
        uint32_t argument;
        const char *name = names[i % COUNT];
        struct wrap_frames one = {.items = &in->items[i], .count = 1};
        form_wrap(form_find(name, strlen(name), &argument), &one, out);
    }
}

/* ---- fragments: RFC 791 section 3.2, RFC 8200 section 4.5 ---- */

struct whole {
    const struct wrap_frame *frame;
    const uint8_t *ip;
    uint32_t header_size;
    const uint8_t *payload;
    uint32_t payload_size;
    uint32_t serial;
};

/* False: not IP, already a fragment, cut, or of an unclear length. */
static bool find_whole(const struct wrap_frame *frame, uint32_t serial, struct whole *whole)
{
    if (!is_plain_ip(frame) || frame->captured_size != frame->original_size)
        return false;
    const uint8_t *ip = frame->bytes + ETHERNET_SIZE;
    bool is_v4 = ip[0] >> 4 == 4;
    uint32_t header_size = is_v4 ? (ip[0] & 0x0fU) * 4 : IPV6_SIZE;
    uint32_t total = is_v4 ? load_u16(ip + 2) : IPV6_SIZE + (uint32_t)load_u16(ip + 4);
    bool is_fragment = is_v4 ? (load_u16(ip + 6) & 0x3fff) != 0 : ip[6] == 44;
    if (is_fragment || header_size < IPV4_SIZE || total <= header_size ||
        total > frame->captured_size - ETHERNET_SIZE)
        return false;
    *whole = (struct whole){frame, ip, header_size, ip + header_size, total - header_size, serial};
    return true;
}

static void add_fragment(const struct whole *whole, uint32_t at, uint32_t size,
                         struct wrap_frames *out)
{
    struct bytes bytes = {0};
    bool is_v4 = whole->ip[0] >> 4 == 4;
    bool is_last = at + size == whole->payload_size;
    bytes_add(&bytes, whole->frame->bytes, ETHERNET_SIZE + whole->header_size);
    if (is_v4) { /* the sum is left out: capturing machines see that of unsent packets too */
        bytes_set_u16(&bytes, ETHERNET_SIZE + 2, whole->header_size + size);
        bytes_set_u16(&bytes, ETHERNET_SIZE + 6, at / 8 | (is_last ? 0U : 0x2000U));
        bytes_set_u16(&bytes, ETHERNET_SIZE + 10, 0);
    } else {
        bytes_set_u16(&bytes, ETHERNET_SIZE + 4, FRAGMENT_SIZE + size);
        bytes_u8(&bytes, whole->ip[6]);
        bytes.at[ETHERNET_SIZE + 6] = 44;
        bytes_u8(&bytes, 0);
        bytes_u16(&bytes, at | (is_last ? 0U : 1U));
        bytes_u32(&bytes, whole->serial + 1);
    }
    bytes_add(&bytes, whole->payload + at, size);
    add_bytes(out, whole->frame, &bytes, (uint32_t)bytes.size);
    bytes_free(&bytes);
}

void fragment_frames(const struct wrap_frames *in, uint32_t size, struct wrap_frames *out)
{
    bool is_reversed = (size & FRAGMENT_REVERSED) != 0;
    uint32_t piece = size & 0xfff8;
    for (size_t i = 0; i < in->count; i++) {
        struct whole whole;
        if (!piece || !find_whole(&in->items[i], (uint32_t)i, &whole) ||
            whole.payload_size <= piece) {
            wrap_frames_add(out, &in->items[i]);
            continue;
        }
        uint32_t count = (whole.payload_size + piece - 1) / piece;
        for (uint32_t k = 0; k < count; k++) {
            uint32_t at = (is_reversed ? count - 1 - k : k) * piece;
            uint32_t left = whole.payload_size - at;
            add_fragment(&whole, at, left < piece ? left : piece, out);
        }
    }
}
