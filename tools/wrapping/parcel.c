/* Opening a frame, and putting bytes before and behind what is in it.
 *
 * See parcel.h. Deliberately understands of the frames it wraps only what must be known to take
 * their link header off: MAC addresses, VLAN tags, and where the IP packet ends. */
#include "parcel.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

enum {
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    MAC_SIZE = 6,
    ETHERNET_SIZE = 14,
    TAG_SIZE = 4,
    IPV4_SIZE = 20,
    IPV6_SIZE = 40
};

/* Made up where a capture has none: locally administered. */
static const uint8_t nobody[2][MAC_SIZE] = {{2, 0, 0, 0, 0, 1}, {2, 0, 0, 0, 0, 2}};

static bool is_tag(uint16_t type)
{
    return type == TYPE_VLAN || type == 0x88a8 || type == 0x9100;
}

static uint16_t type_of_ip(uint8_t first)
{
    return first >> 4 == 4 ? TYPE_IPV4 : first >> 4 == 6 ? TYPE_IPV6 : 0;
}

/* Where the first IP header is in an Ethernet frame; 0: there is none. */
static uint32_t find_ip(const struct bytes *frame)
{
    uint32_t at = ETHERNET_SIZE;
    while (frame->size >= at + 1 && is_tag(load_u16(frame->at + at - 2)))
        at += TAG_SIZE;
    if (frame->size < at + IPV4_SIZE)
        return 0;
    uint16_t type = load_u16(frame->at + at - 2);
    return type && type == type_of_ip(frame->at[at]) ? at : 0;
}

/* The same for both directions of a conversation but for the order of its ends. */
static bool is_upward(const uint8_t *ip, size_t size)
{
    if (ip[0] >> 4 == 4)
        return size < IPV4_SIZE || memcmp(ip + 12, ip + 16, 4) < 0;
    return size < IPV6_SIZE || memcmp(ip + 8, ip + 24, 16) < 0;
}

static void put_raw_in_ethernet(struct parcel *parcel)
{
    struct bytes head = {0};
    uint16_t type = type_of_ip(parcel->bytes.at[0]);
    bytes_add(&head, nobody[parcel->is_up], MAC_SIZE);
    bytes_add(&head, nobody[!parcel->is_up], MAC_SIZE);
    bytes_u16(&head, type);
    parcel_prepend(parcel, &head, CONTENT_ETHERNET, 0);
}

bool parcel_open(struct parcel *parcel, const struct wrap_frame *frame, uint32_t serial)
{
    *parcel = (struct parcel){.wire = frame->original_size, .serial = serial, .is_up = true};
    bytes_add(&parcel->bytes, frame->bytes, frame->captured_size);
    if (frame->link_type == LINK_RAW && frame->captured_size >= IPV4_SIZE) {
        parcel->is_up = is_upward(frame->bytes, frame->captured_size);
        put_raw_in_ethernet(parcel);
    } else if (frame->link_type != LINK_ETHERNET || frame->captured_size < ETHERNET_SIZE) {
        parcel_close(parcel);
        return false;
    }
    uint32_t ip = find_ip(&parcel->bytes);
    if (ip)
        parcel->is_up = is_upward(parcel->bytes.at + ip, parcel->bytes.size - ip);
    memcpy(parcel->destination_mac, parcel->bytes.at, MAC_SIZE);
    memcpy(parcel->source_mac, parcel->bytes.at + MAC_SIZE, MAC_SIZE);
    return true;
}

void parcel_close(struct parcel *parcel)
{
    bytes_free(&parcel->bytes);
}

void parcel_prepend(struct parcel *parcel, struct bytes *head, enum content content, uint16_t type)
{
    parcel->wire += (uint32_t)head->size;
    bytes_add(head, parcel->bytes.at, parcel->bytes.size);
    bytes_free(&parcel->bytes);
    parcel->bytes = *head;
    *head = (struct bytes){0};
    parcel->content = content;
    parcel->type = type;
}

void parcel_append(struct parcel *parcel, uint8_t value, uint32_t size)
{
    if (parcel->bytes.size == parcel->wire)
        bytes_fill(&parcel->bytes, value, size);
    parcel->wire += size;
}

bool parcel_take(struct parcel *parcel, uint32_t size)
{
    if (parcel->bytes.size < size)
        return false;
    parcel->bytes.size -= size;
    parcel->wire -= size;
    memmove(parcel->bytes.at, parcel->bytes.at + size, parcel->bytes.size);
    return true;
}

bool parcel_is_ip(const struct parcel *parcel)
{
    return parcel->content == CONTENT_TYPED && parcel->bytes.size >= IPV4_SIZE &&
           (parcel->type == TYPE_IPV4 || parcel->type == TYPE_IPV6) &&
           parcel->type == type_of_ip(parcel->bytes.at[0]);
}

/* Ethernet pads short frames; other links do not. */
static void drop_padding(struct parcel *parcel)
{
    const uint8_t *ip = parcel->bytes.at;
    uint32_t size = parcel->wire;
    if (!parcel_is_ip(parcel))
        return;
    if (parcel->type == TYPE_IPV4)
        size = load_u16(ip + 2);
    else if (load_u16(ip + 4))
        size = IPV6_SIZE + (uint32_t)load_u16(ip + 4);
    if (!size || size > parcel->wire)
        return; /* left to the network card, or a wrong length that is to stay wrong */
    parcel->wire = size;
    if (parcel->bytes.size > size)
        parcel->bytes.size = size;
}

bool open_whole(struct parcel *parcel, uint32_t unused)
{
    (void)unused;
    parcel->content = CONTENT_ETHERNET;
    return true;
}

bool open_frame(struct parcel *parcel, uint32_t unused)
{
    (void)unused;
    parcel->content = CONTENT_TYPED;
    parcel->type = load_u16(parcel->bytes.at + 2 * MAC_SIZE);
    bool taken = parcel_take(parcel, ETHERNET_SIZE);
    drop_padding(parcel);
    return taken;
}

bool open_ip(struct parcel *parcel, uint32_t unused)
{
    uint32_t ip = find_ip(&parcel->bytes);
    (void)unused;
    if (!ip)
        return false;
    parcel->content = CONTENT_TYPED;
    parcel->type = type_of_ip(parcel->bytes.at[ip]);
    bool taken = parcel_take(parcel, ip);
    drop_padding(parcel);
    return taken;
}

bool close_frame(struct parcel *parcel, uint32_t unused)
{
    struct bytes head = {0};
    (void)unused;
    if (parcel->content != CONTENT_TYPED)
        return false;
    bytes_add(&head, parcel->destination_mac, MAC_SIZE);
    bytes_add(&head, parcel->source_mac, MAC_SIZE);
    bytes_u16(&head, parcel->type);
    parcel_prepend(parcel, &head, CONTENT_ETHERNET, 0);
    return true;
}
