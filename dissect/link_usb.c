/* Ethernet over USB: a tethered phone, a dock's network adapter, captured on the bus.
 *
 * From link.c's table, and back to link_ethernet. Bulk transfers only. A bus does not say what its
 * devices are, so a transfer is believed to be a network frame only where an Ethernet frame with
 * an IP packet begins at one of the places that network classes use and ends with the transfer.
 * Deliberately takes the first frame of a transfer that joins several. */
#include "link.h"

enum {
    USB_LINUX_SIZE = 48,
    USB_LINUX_MAPPED_SIZE = 64,
    USB_WINDOWS_SIZE = 27,
    USB_DARWIN_SIZE = 32
};

/* "NCMH" and "NCM0" read as little-endian numbers: USB CDC NCM 1.0 sections 3.2.1 and 3.3.1. */
#define NCM_HEADER   UINT32_C(0x484d434e)
#define NCM_POINTERS UINT32_C(0x304d434e)

/* Microsoft RNDIS, section 2.2.14: message type 1, length, offset of the data from this field. */
static uint32_t rndis_data_at(const struct walk *walk)
{
    enum { PACKET_MESSAGE = 1, OFFSET_AT = 8, HEADER_SIZE = 44 };
    if (!walk_has(walk, HEADER_SIZE) || load_u32_le(walk->at) != PACKET_MESSAGE)
        return 0;
    uint32_t offset = load_u32_le(walk->at + OFFSET_AT);
    return offset < walk->wire ? OFFSET_AT + offset : 0;
}

/* NCM: the block's header says where the table is, the table where the first frame is. */
static uint32_t ncm_data_at(const struct walk *walk, uint32_t *size)
{
    if (!walk_has(walk, 12) || load_u32_le(walk->at) != NCM_HEADER)
        return 0;
    uint32_t table = load_u16_le(walk->at + 10);
    if (!walk_has(walk, table + 12) || load_u32_le(walk->at + table) != NCM_POINTERS)
        return 0;
    *size = load_u16_le(walk->at + table + 10);
    return load_u16_le(walk->at + table + 8);
}

static bool ethernet_at(const struct walk *walk, uint32_t at, struct walk *inner)
{
    *inner = *walk;
    if (!walk_has(walk, at))
        return false;
    walk_skip(inner, at);
    return link_ethernet_fits(inner);
}

/* CDC ECM puts the frame into the transfer as it is; iPhones put two bytes before it. */
static enum skip_reason usb_carry(struct walk *walk)
{
    struct walk inner;
    uint32_t ncm_size = 0;
    uint32_t ncm_at = ncm_data_at(walk, &ncm_size);
    if (ncm_at && walk_has(walk, ncm_at)) {
        walk_skip(walk, ncm_at);
        walk_shorten(walk, ncm_size);
        return link_ethernet_fits(walk) ? link_ethernet(walk) : SKIP_NOT_IP;
    }
    const uint32_t places[] = {0, 2, rndis_data_at(walk)};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (ethernet_at(walk, places[i], &inner))
            return link_ethernet(&inner);
    return SKIP_NOT_IP;
}

static enum skip_reason usb_pass(struct walk *walk, uint32_t size, bool is_bulk)
{
    if (!is_bulk)
        return SKIP_NOT_IP;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, size);
    return usb_carry(walk);
}

/* LINKTYPE_USB_LINUX: id 8, type 1, transfer 1 (3 is bulk) ... */
static enum skip_reason usb_linux(struct walk *walk, uint32_t size)
{
    if (!walk_has(walk, USB_LINUX_SIZE))
        return walk_lack(walk, USB_LINUX_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    return usb_pass(walk, size, walk->at[9] == 3);
}

enum skip_reason link_usb_linux(struct walk *walk)
{
    return usb_linux(walk, USB_LINUX_SIZE);
}

enum skip_reason link_usb_linux_mapped(struct walk *walk)
{
    return usb_linux(walk, USB_LINUX_MAPPED_SIZE);
}

/* LINKTYPE_USBPCAP: header length 2, request 8, status 4, function 2, direction 1, bus 2, device 2,
 * endpoint 1, transfer 1 (3 is bulk), data length 4; little endian. */
enum skip_reason link_usb_windows(struct walk *walk)
{
    if (!walk_has(walk, USB_WINDOWS_SIZE))
        return walk_lack(walk, USB_WINDOWS_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = load_u16_le(walk->at);
    return size < USB_WINDOWS_SIZE ? SKIP_LINK_BAD : usb_pass(walk, size, walk->at[22] == 3);
}

/* LINKTYPE_USB_DARWIN: version 2, header length 1, submit or complete 1, lengths and status 12,
 * id 8, location 4, speed 1, address 1, endpoint 1, its type 1 (2 is bulk). */
enum skip_reason link_usb_darwin(struct walk *walk)
{
    if (!walk_has(walk, USB_DARWIN_SIZE))
        return walk_lack(walk, USB_DARWIN_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = walk->at[2];
    return size < USB_DARWIN_SIZE ? SKIP_LINK_BAD : usb_pass(walk, size, walk->at[31] == 2);
}
