/* Link headers that no wire has seen: the capturing machine makes them up.
 *
 * Linux cooked (the "any" device), BSD loopback, netfilter and packet-filter logs, Juniper's, and
 * Apple's PKTAP, which names the process of each packet. Between link.c's table and network.c. Byte
 * order is that of the machine that captured, which is not always known: where both are possible,
 * the one that makes sense is taken. */
#include "base/table.h"
#include "base/text.h"
#include "link.h"
#include "network.h"

/* Linux <linux/if_arp.h>; LINKTYPE_LINUX_SLL and SLL2 name the ones that change the meaning of the
 * protocol field. */
enum {
    ARPHRD_ETHERNET = 1,
    ARPHRD_FRAME_RELAY = 770,
    ARPHRD_80211 = 801,
    ARPHRD_80211_PRISM = 802,
    ARPHRD_80211_RADIOTAP = 803,
    ARPHRD_NETLINK = 824
};

/* LINKTYPE_LINUX_SLL: values of the protocol field that are no EtherType. */
enum { COOKED_LLC = 4, COOKED_TYPE_MIN = 0x0600 };

enum { COOKED_SIZE = 16, COOKED2_SIZE = 20 };

/* Only the sender's address is recorded, in a field of eight bytes; its stated length may be more
 * (Infiniband) and says nothing then. */
static void cooked_mac(struct walk *walk, uint16_t hardware, uint32_t size, const uint8_t *mac)
{
    bool is_mac =
        size == MAC_SIZE && (hardware == ARPHRD_ETHERNET || hardware == ARPHRD_80211 ||
                             hardware == ARPHRD_80211_PRISM || hardware == ARPHRD_80211_RADIOTAP);
    walk->source_mac = is_mac ? mac : NULL;
    walk->destination_mac = NULL;
}

static enum skip_reason cooked_carry(struct walk *walk, uint16_t hardware, uint16_t protocol)
{
    switch (hardware) {
    case ARPHRD_80211:
        return link_80211(walk);
    case ARPHRD_80211_PRISM:
        return link_prism(walk);
    case ARPHRD_80211_RADIOTAP:
        return link_radiotap(walk);
    case ARPHRD_FRAME_RELAY:
    case ARPHRD_NETLINK:
        return SKIP_NOT_IP;
    default:
        break;
    }
    if (protocol == COOKED_LLC)
        return link_llc(walk);
    return protocol >= COOKED_TYPE_MIN ? link_carry(walk, protocol) : SKIP_NOT_IP;
}

/* LINKTYPE_LINUX_SLL: packet type 2, hardware type 2, address length 2, address 8, protocol 2. */
enum skip_reason link_cooked(struct walk *walk)
{
    if (!walk_has(walk, COOKED_SIZE))
        return walk_lack(walk, COOKED_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    const uint8_t *header = walk->at;
    uint16_t hardware = load_u16(header + 2);
    cooked_mac(walk, hardware, load_u16(header + 4), header + 6);
    walk_skip(walk, COOKED_SIZE);
    return cooked_carry(walk, hardware, load_u16(header + 14));
}

/* LINKTYPE_LINUX_SLL2: protocol 2, reserved 2, interface 4, hardware type 2, packet type 1,
 * address length 1, address 8. */
enum skip_reason link_cooked2(struct walk *walk)
{
    if (!walk_has(walk, COOKED2_SIZE))
        return walk_lack(walk, COOKED2_SIZE, SKIP_LINK_CUT, SKIP_LINK_BAD);
    const uint8_t *header = walk->at;
    uint16_t hardware = load_u16(header + 8);
    cooked_mac(walk, hardware, header[11], header + 12);
    walk_skip(walk, COOKED2_SIZE);
    return cooked_carry(walk, hardware, load_u16(header));
}

/* AF_INET, and AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin (LINKTYPE_NULL). */
static bool is_ip_family(uint32_t family)
{
    return family == 2 || family == 10 || family == 24 || family == 28 || family == 30;
}

/* LINKTYPE_NULL and LINKTYPE_LOOP: the family in the capturing machine's or in network order. */
enum skip_reason link_null(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
    bool is_ip = is_ip_family(load_u32_le(walk->at)) || is_ip_family(load_u32(walk->at));
    walk_skip(walk, 4);
    return is_ip ? network_ip(walk) : SKIP_NOT_IP;
}

/* LINKTYPE_ENC: family 4, security parameter index 4, flags 4. */
enum skip_reason link_enc(struct walk *walk)
{
    if (!walk_has(walk, 12))
        return walk_lack(walk, 12, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, 12);
    return network_ip(walk);
}

/* LINKTYPE_PFLOG: length 1, family 1 ...; padded to four bytes, which the length leaves out. */
enum skip_reason link_pflog(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
    uint32_t size = ((uint32_t)walk->at[0] + 3) & ~UINT32_C(3);
    if (size < 4 || !is_ip_family(walk->at[1]))
        return SKIP_NOT_IP;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, size);
    return network_ip(walk);
}

/* LINKTYPE_JUNIPER_ETHERNET: "MGC", flags 1; with 0x80 the extensions' length 2 and so many bytes;
 * with 0x02 there is no link layer, but four bytes and an IP packet. */
enum skip_reason link_juniper(struct walk *walk)
{
    enum { HAS_EXTENSIONS = 0x80, HAS_NO_LINK = 0x02 };
    if (!walk_has(walk, 6))
        return walk_lack(walk, 6, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (load_u24(walk->at) != 0x4d4743)
        return SKIP_LINK_BAD;
    uint8_t flags = walk->at[3];
    uint32_t size = 4;
    if (flags & HAS_EXTENSIONS)
        size += 2 + (uint32_t)load_u16(walk->at + 4);
    if (flags & HAS_NO_LINK)
        size += 4;
    if (!walk_has(walk, size))
        return walk_lack(walk, size, SKIP_LINK_CUT, SKIP_LINK_BAD);
    walk_skip(walk, size);
    return flags & HAS_NO_LINK ? network_ip(walk) : link_ethernet(walk);
}

typedef uint16_t (*load_16)(const uint8_t *bytes);

/* The payload among the type-length-value blocks, each padded to four bytes: LINKTYPE_NFLOG. Their
 * lengths include their own four bytes; type 9 is NFULA_PAYLOAD, the last one. */
static bool find_nflog_payload(struct walk *walk, load_16 load)
{
    while (walk_has(walk, 4)) {
        uint32_t size = load(walk->at);
        bool is_payload = load(walk->at + 2) == 9;
        if (size < 4)
            return false;
        if (is_payload) {
            walk_shorten(walk, size);
            walk_skip(walk, 4);
            return true;
        }
        uint32_t padded = (size + 3) & ~UINT32_C(3);
        if (!walk_has(walk, padded))
            return false;
        walk_skip(walk, padded);
    }
    return false;
}

/* LINKTYPE_NFLOG: family 1, version 1 (0), resource 2. */
enum skip_reason link_nflog(struct walk *walk)
{
    if (!walk_has(walk, 4))
        return walk_lack(walk, 4, SKIP_LINK_CUT, SKIP_LINK_BAD);
    if (walk->at[1] != 0)
        return SKIP_LINK_BAD;
    if (!is_ip_family(walk->at[0]))
        return SKIP_NOT_IP;
    walk_skip(walk, 4);
    struct walk little = *walk;
    if (find_nflog_payload(&little, load_u16_le))
        return network_ip(&little);
    struct walk big = *walk;
    if (find_nflog_payload(&big, load_u16))
        return network_ip(&big);
    return walk_captured(walk) < walk->wire ? SKIP_LINK_CUT : SKIP_LINK_BAD;
}

/* Apple's <net/pktap.h>, little endian. Version 1 is a fixed structure; version 2 begins with
 * one-byte offsets. Both have the flags at 36. */
enum {
    PKTAP_SIZE_MIN = 108,
    PKTAP2_SIZE_MIN = 40,
    PKTAP_NAME_SIZE = 17,
    PKTAP_TYPE_PACKET = 1,
    PKTAP_FLAG_V2 = 0x80000
};

struct pktap {
    uint32_t size;
    uint32_t link_type;
    bool has_packet;
    int32_t process_id;
    const uint8_t *name; /* NULL: none */
    uint32_t name_room;
};

static void read_pktap1(const uint8_t *header, struct pktap *pktap)
{
    bool has_name = header[56] != 0;
    pktap->size = load_u32_le(header);
    pktap->has_packet = load_u32_le(header + 4) == PKTAP_TYPE_PACKET;
    pktap->link_type = load_u32_le(header + 8);
    /* Where the process itself is not known, the one it works for. */
    pktap->process_id = (int32_t)load_u32_le(header + (has_name ? 52 : 84));
    pktap->name = header + (has_name ? 56 : 88);
    pktap->name_room = PKTAP_NAME_SIZE;
}

static void read_pktap2(const uint8_t *header, struct pktap *pktap)
{
    bool has_name = header[4] != 0;
    uint32_t name = header[has_name ? 4 : 5];
    pktap->size = header[0];
    pktap->has_packet = true;
    pktap->link_type = load_u16_le(header + 6);
    pktap->process_id = (int32_t)load_u32_le(header + (has_name ? 28 : 32));
    bool is_inside = name >= PKTAP2_SIZE_MIN && name < pktap->size;
    pktap->name = is_inside ? header + name : NULL;
    pktap->name_room = is_inside ? pktap->size - name : 0;
}

/* False: no such header here, or not all of it. */
static bool read_pktap(const struct walk *walk, struct pktap *pktap)
{
    if (!walk_has(walk, PKTAP2_SIZE_MIN))
        return false;
    bool is_v2 = (load_u32_le(walk->at + 36) & PKTAP_FLAG_V2) != 0;
    uint32_t size_min = is_v2 ? PKTAP2_SIZE_MIN : PKTAP_SIZE_MIN;
    if (!walk_has(walk, size_min))
        return false;
    if (is_v2)
        read_pktap2(walk->at, pktap);
    else
        read_pktap1(walk->at, pktap);
    return pktap->size >= size_min && walk_has(walk, pktap->size);
}

/* Process names live as long as the run (model/frame.h) but PKTAP writes them into every frame, so
 * each is kept once. Apple's kernel cuts them at 16 bytes; a machine has some hundreds. Past the
 * cap, names are left out and process ids stay. Each thread has its own, so that none waits. */
enum { KEPT_NAMES = 1024, KEPT_NAMES_MAX = 768, KEPT_NAME_SIZE = 4 * PKTAP_NAME_SIZE };

static _Thread_local char kept_names[KEPT_NAMES][KEPT_NAME_SIZE];
static _Thread_local uint32_t kept_name_count;

static const char *keep_process_name(const uint8_t *bytes, size_t size)
{
    char name[KEPT_NAME_SIZE];
    size_t length = text_printable(name, sizeof name, bytes, size);
    uint32_t slot = (uint32_t)hash_bytes(name, length, 0) % KEPT_NAMES;
    for (; kept_names[slot][0] != 0; slot = (slot + 1) % KEPT_NAMES)
        if (strcmp(kept_names[slot], name) == 0)
            return kept_names[slot];
    if (kept_name_count == KEPT_NAMES_MAX)
        return NULL;
    kept_name_count++;
    memcpy(kept_names[slot], name, length + 1);
    return kept_names[slot];
}

static void take_process(struct walk *walk, const struct pktap *pktap)
{
    if (pktap->process_id < 0 || !pktap->name)
        return;
    size_t room = pktap->name_room < PKTAP_NAME_SIZE ? pktap->name_room : PKTAP_NAME_SIZE;
    size_t size = strnlen((const char *)pktap->name, room);
    if (size == 0)
        return;
    walk->process.id = pktap->process_id;
    walk->process.name = keep_process_name(pktap->name, size);
}

static enum skip_reason pktap_carry(struct walk *walk, const struct pktap *pktap)
{
    walk_step inner = link_step_of(pktap->link_type);
    if (!pktap->has_packet)
        return SKIP_NOT_IP;
    if (!inner)
        return SKIP_LINK_TYPE;
    if (!walk_deeper(walk))
        return SKIP_TOO_DEEP;
    take_process(walk, pktap);
    walk_skip(walk, pktap->size);
    return inner(walk);
}

enum skip_reason link_pktap(struct walk *walk)
{
    struct pktap pktap;
    if (!read_pktap(walk, &pktap))
        return walk_lack(walk, PKTAP_SIZE_MIN, SKIP_LINK_CUT, SKIP_LINK_BAD);
    return pktap_carry(walk, &pktap);
}

/* LINKTYPE_USER2: anyone's. It is Apple's where the header is sound and names a link type that
 * exists; a private format would have to imitate four fields to be misread. */
enum skip_reason link_pktap_or_user2(struct walk *walk)
{
    struct pktap pktap;
    bool is_pktap = read_pktap(walk, &pktap) && pktap.has_packet && link_step_of(pktap.link_type);
    return is_pktap ? pktap_carry(walk, &pktap) : SKIP_LINK_TYPE;
}
