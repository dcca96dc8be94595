/* Frames wait here until everything that could come before them has passed. Of tests/fleet.
 * Deliberately classic pcap with nanoseconds, which can be written into a pipe. */
#include "mirror.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { COPY_GAP_NS = 400000 }; /* a second mirror port, or the way through a router */

static void write_bytes(struct mirror *mirror, struct bytes *bytes)
{
    fwrite(bytes->at, 1, bytes->size, mirror->out);
    bytes_free(bytes);
}

/* draft-ietf-opsawg-pcap section 4; the magic number of nanoseconds */
void mirror_begin(struct mirror *mirror)
{
    struct bytes header = {0};
    bytes_u32_le(&header, 0xa1b23c4d);
    bytes_u16_le(&header, 2);
    bytes_u16_le(&header, 4);
    bytes_fill(&header, 0, 8);
    bytes_u32_le(&header, mirror->snap_size ? mirror->snap_size : 262144);
    bytes_u32_le(&header, LINK_ETHERNET);
    write_bytes(mirror, &header);
}

static void deliver(struct mirror *mirror, int64_t at_ns, const struct link_header *link,
                    const struct bytes *packet)
{
    if (mirror->hides[!link->is_outgoing] ||
        (mirror->lost_part > 0 && draw_chance(&mirror->draw, mirror->lost_part)))
        return;
    struct bytes *frame = support_allocate(sizeof *frame);
    *frame = (struct bytes){0};
    wire_frame(frame, LINK_ETHERNET, link, packet->at, packet->size);
    if (mirror->delay_ns && draw_chance(&mirror->draw, mirror->delayed_part))
        at_ns += draw_between(&mirror->draw, 0, mirror->delay_ns);
    agenda_add(&mirror->waiting, &(struct appointment){.at_ns = at_ns, .subject = frame});
}

/* Few devices share an address, so that no two of their ports meet at one courier. */
static void translate(struct bytes *packet, bool is_outgoing)
{
    enum { ADDRESS = 12, PORT = 20, LOWEST = 1024, PRIME = 64507, SPREAD = 40503 };
    const uint8_t *ip = packet->at + ADDRESS + (is_outgoing ? 0 : 4);
    const uint8_t *port = packet->at + PORT + (is_outgoing ? 0 : 2);
    if (packet->size < PORT + 4)
        return;
    const uint8_t outside[4] = {203, 0, 113, ip[3]};
    uint32_t number = (uint32_t)(ip[2] << 16 | port[0] << 8 | port[1]);
    wire_translate(packet->at, packet->size, is_outgoing, outside,
                   (uint16_t)(LOWEST + (uint64_t)number * SPREAD % PRIME));
}

/* What leaves is translated behind the router, what comes before it. */
static void see_translated(struct mirror *mirror, int64_t at_ns, const struct link_header *link,
                           struct bytes *packet)
{
    struct bytes other = {0};
    bytes_add(&other, packet->at, packet->size);
    wire_pass_router(link->is_outgoing ? other.at : packet->at, packet->size);
    translate(&other, link->is_outgoing);
    struct bytes *first = link->is_outgoing ? packet : &other;
    struct bytes *second = link->is_outgoing ? &other : packet;
    deliver(mirror, at_ns, link, first);
    deliver(mirror, at_ns + draw_between(&mirror->draw, 1000, COPY_GAP_NS), link, second);
    bytes_free(&other);
}

void mirror_see(struct mirror *mirror, int64_t at_ns, const struct link_header *link,
                struct bytes *packet)
{
    static const uint8_t behind[2][6] = {{2, 0, 0, 0, 1, 1}, {2, 0, 0, 0, 1, 2}};
    struct link_header copy = *link;
    if (at_ns < 0) { /* not begun */
        bytes_free(packet);
        return;
    }
    if (mirror->copies == COPIES_TRANSLATED) {
        see_translated(mirror, at_ns, link, packet);
        bytes_free(packet);
        return;
    }
    deliver(mirror, at_ns, link, packet);
    if (mirror->copies == COPIES_ROUTED) {
        memcpy(copy.source_mac, behind[!link->is_outgoing], 6);
        memcpy(copy.destination_mac, behind[link->is_outgoing], 6);
        wire_pass_router(packet->at, packet->size);
    }
    if (mirror->copies != COPIES_NONE)
        deliver(mirror, at_ns + draw_between(&mirror->draw, 1000, COPY_GAP_NS), &copy, packet);
    bytes_free(packet);
}

static void write_frame(struct mirror *mirror, int64_t at_ns, struct bytes *frame)
{
    int64_t time_ns = mirror->start_ns + at_ns;
    uint32_t original_size = (uint32_t)frame->size;
    struct bytes header = {0};
    if (at_ns >= mirror->set_ns)
        time_ns -= mirror->set_back_ns;
    if (mirror->snap_size && frame->size > mirror->snap_size)
        frame->size = mirror->snap_size;
    bytes_u32_le(&header, (uint32_t)(time_ns / NS_PER_S));
    bytes_u32_le(&header, (uint32_t)(time_ns % NS_PER_S));
    bytes_u32_le(&header, (uint32_t)frame->size);
    bytes_u32_le(&header, original_size);
    write_bytes(mirror, &header);
    write_bytes(mirror, frame);
    free(frame);
    mirror->frames++;
}

void mirror_write(struct mirror *mirror, int64_t now_ns)
{
    struct appointment first;
    while (agenda_due(&mirror->waiting, now_ns) && agenda_next(&mirror->waiting, &first))
        write_frame(mirror, first.at_ns, first.subject);
}

bool mirror_end(struct mirror *mirror)
{
    mirror_write(mirror, INT64_MAX);
    agenda_free(&mirror->waiting);
    return fflush(mirror->out) == 0 && !ferror(mirror->out);
}
