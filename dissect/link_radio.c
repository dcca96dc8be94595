/* 802.11 frames, and the radio headers that capturing machines put before them.
 *
 * Clear-text data frames only: between link.c's table (or CAPWAP, or an access point's GRE) and
 * LLC. Deliberately decrypts nothing; a protected frame is counted as encrypted. */
#include "link.h"
#include "network.h"

/* IEEE 802.11-2020 section 9.2.4.1, frame control as a little-endian number. */
enum {
    CONTROL_VERSION = 0x0003,
    CONTROL_TYPE = 0x000c,
    CONTROL_TYPE_DATA = 0x0008,
    CONTROL_NO_DATA = 0x0040, /* subtype bits, table 9-1 */
    CONTROL_QOS = 0x0080,
    CONTROL_TO_DS = 0x0100,
    CONTROL_FROM_DS = 0x0200,
    CONTROL_MORE_FRAGMENTS = 0x0400,
    CONTROL_PROTECTED = 0x4000,
    CONTROL_ORDER = 0x8000 /* of QoS frames: an HT control field follows, section 9.2.4.1.10 */
};

enum { RADIO_HEADER_SIZE = 24, AMSDU_HEADER_SIZE = 14 };

static uint32_t radio_header_size(uint16_t control)
{
    bool has_four_addresses = (control & CONTROL_TO_DS) && (control & CONTROL_FROM_DS);
    bool is_qos = (control & CONTROL_QOS) != 0;
    return RADIO_HEADER_SIZE + (has_four_addresses ? MAC_SIZE : 0U) + (is_qos ? 2U : 0U) +
           (is_qos && (control & CONTROL_ORDER) ? 4U : 0U);
}

/* IEEE 802.11-2020 table 9-30: which of the four addresses are destination and source. */
static void radio_mac(struct walk *walk, uint16_t control)
{
    const uint8_t *frame = walk->at;
    bool to_ds = (control & CONTROL_TO_DS) != 0;
    bool from_ds = (control & CONTROL_FROM_DS) != 0;
    walk->destination_mac = frame + (to_ds ? 16 : 4);
    walk->source_mac = frame + (!from_ds ? 10 : to_ds ? 24 : 16);
}

/* Section 9.3.2.2.2: the first of the aggregated frames; destination, source, length. */
static enum skip_reason radio_aggregate(struct walk *walk)
{
    if (!walk_has(walk, AMSDU_HEADER_SIZE))
        return walk_lack(walk, AMSDU_HEADER_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk->destination_mac = walk->at;
    walk->source_mac = walk->at + MAC_SIZE;
    uint16_t size = load_u16(walk->at + 12);
    walk_skip(walk, AMSDU_HEADER_SIZE);
    walk_shorten(walk, size);
    return link_llc(walk);
}

/* How the frame was written down. */
enum radio_form {
    RADIO_PLAIN,
    RADIO_PADDED, /* the driver rounded the header up to four bytes (radiotap flag 0x20) */
    RADIO_SWAPPED /* frame and sequence control have their bytes exchanged */
};

static enum skip_reason radio_data(struct walk *walk, uint16_t control, enum radio_form form)
{
    if ((control & CONTROL_VERSION) != 0)
        return SKIP_LINK_BAD;
    if ((control & CONTROL_TYPE) != CONTROL_TYPE_DATA || (control & CONTROL_NO_DATA))
        return SKIP_NOT_IP;
    if (control & CONTROL_PROTECTED)
        return SKIP_ENCRYPTED;
    uint32_t size = radio_header_size(control);
    uint32_t padded = form == RADIO_PADDED ? (size + 3) & ~UINT32_C(3) : size;
    if (!walk_has(walk, padded))
        return walk_lack(walk, padded, SKIP_LINK_CUT, SKIP_LINK_BAD);
    const uint8_t *sequence = walk->at + 22; /* low four bits: fragment, section 9.2.4.4 */
    if (sequence[form == RADIO_SWAPPED ? 1 : 0] & 0x0f)
        return SKIP_FRAGMENT;
    if (control & CONTROL_MORE_FRAGMENTS)
        walk->is_fragment = true;
    radio_mac(walk, control);
    uint32_t qos_at = size - (control & CONTROL_ORDER ? 6 : 2);
    /* An access point that exchanges bytes has taken aggregates apart before. */
    bool is_aggregate =
        form != RADIO_SWAPPED && (control & CONTROL_QOS) && (walk->at[qos_at] & 0x80);
    walk_skip(walk, padded);
    return is_aggregate ? radio_aggregate(walk) : link_llc(walk);
}

enum skip_reason link_80211(struct walk *walk)
{
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    return radio_data(walk, load_u16_le(walk->at), RADIO_PLAIN);
}

/* Cisco's access points exchange the bytes of frame and sequence control inside CAPWAP. The version
 * is always 0 and every infrastructure data frame has a DS bit, which lands on the version when
 * exchanged: so the version tells which it is. Wrong only for ad-hoc frames, which no controller
 * sees. */
enum skip_reason link_80211_swapped(struct walk *walk)
{
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint16_t control = load_u16_le(walk->at);
    if (control & CONTROL_VERSION)
        return radio_data(walk, load_u16(walk->at), RADIO_SWAPPED);
    return radio_data(walk, control, RADIO_PLAIN);
}

/* https://www.radiotap.org: the flags field is the second, after the 64-bit time stamp; fields are
 * aligned to their size from the header's beginning; bit 31 of a presence word announces another.
 */
#define RADIOTAP_EXTENDED UINT32_C(0x80000000)
enum {
    RADIOTAP_TSFT = 0x01,
    RADIOTAP_FLAGS = 0x02,
    RADIOTAP_FLAG_FCS = 0x10,
    RADIOTAP_FLAG_PADDED = 0x20,
    RADIOTAP_FLAG_BAD_FCS = 0x40
};

static uint8_t radiotap_flags(struct reader header)
{
    const uint8_t *start = header.at;
    reader_skip(&header, 4);
    uint32_t first = reader_u32_le(&header);
    uint32_t present = first;
    while ((present & RADIOTAP_EXTENDED) && !header.failed)
        present = reader_u32_le(&header);
    if (first & RADIOTAP_TSFT) {
        reader_skip(&header, (8 - (size_t)(header.at - start) % 8) % 8);
        reader_skip(&header, 8);
    }
    return first & RADIOTAP_FLAGS ? reader_u8(&header) : 0;
}

/* Version 1, pad 1, length 2 (little endian), presence 4 ... A frame that failed its check
 * sequence is noise, whatever it seems to say. */
enum skip_reason link_radiotap(struct walk *walk)
{
    if (!walk_has(walk, 8))
        return walk_lack(walk, 8, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = load_u16_le(walk->at + 2);
    if (walk->at[0] != 0 || size < 8)
        return SKIP_LINK_BAD;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint8_t flags = radiotap_flags(reader_over(walk->at, size));
    if (flags & RADIOTAP_FLAG_BAD_FCS)
        return SKIP_LINK_BAD;
    walk_skip(walk, size);
    if ((flags & RADIOTAP_FLAG_FCS) && walk->wire >= 4)
        walk_bound(walk, walk->wire - 4);
    if (!walk_has(walk, 2))
        return walk_lack(walk, 2, SKIP_LINK_CUT, SKIP_LINK_BAD);
    enum radio_form form = flags & RADIOTAP_FLAG_PADDED ? RADIO_PADDED : RADIO_PLAIN;
    return radio_data(walk, load_u16_le(walk->at), form);
}

/* AVS: magic 0x8021100x and length, both in network order (LINKTYPE_IEEE802_11_AVS). */
#define AVS_MAGIC UINT32_C(0x80211000)
enum { AVS_SIZE_MIN = 8 };

static bool is_avs(const struct walk *walk)
{
    return walk_has(walk, AVS_SIZE_MIN) && (load_u32(walk->at) & UINT32_C(0xfffffff0)) == AVS_MAGIC;
}

static enum skip_reason pass_radio_header(struct walk *walk, uint32_t size)
{
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, size);
    return link_80211(walk);
}

enum skip_reason link_avs(struct walk *walk)
{
    if (!walk_has(walk, AVS_SIZE_MIN))
        return walk_lack(walk, AVS_SIZE_MIN, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = load_u32(walk->at + 4);
    return is_avs(walk) && size >= AVS_SIZE_MIN ? pass_radio_header(walk, size) : SKIP_LINK_BAD;
}

/* Prism: message code (0x41, 0x44) and length in the capturing machine's order; some drivers write
 * AVS under this link type (LINKTYPE_IEEE802_11_PRISM). */
enum skip_reason link_prism(struct walk *walk)
{
    if (is_avs(walk))
        return link_avs(walk);
    if (!walk_has(walk, 8))
        return walk_lack(walk, 8, SKIP_LINK_CUT, SKIP_LINK_BAD);
    bool is_little = walk->at[0] != 0;
    uint32_t size = is_little ? load_u32_le(walk->at + 4) : load_u32(walk->at + 4);
    return size >= 8 ? pass_radio_header(walk, size) : SKIP_LINK_BAD;
}

/* PPI header specification 1.0.10: version 1, flags 1, length 2, link type 4, little endian. */
enum skip_reason link_ppi(struct walk *walk)
{
    if (!walk_has(walk, 8))
        return walk_lack(walk, 8, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = load_u16_le(walk->at + 2);
    walk_step inner = link_step_of(load_u32_le(walk->at + 4));
    if (walk->at[0] != 0 || size < 8)
        return SKIP_LINK_BAD;
    if (!inner)
        return SKIP_LINK_TYPE;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (!walk_deeper(walk))
        return SKIP_TOO_DEEP;
    walk_skip(walk, size);
    return inner(walk);
}
