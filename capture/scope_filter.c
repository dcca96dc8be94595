/* The scope as an expression of pcap-filter(7).
 *
 * See scope_filter.h. A table of clauses, joined with `or`, and said three times: for frames
 * without a tag, with one, and with two, because `vlan` moves the offsets of all that follows it.
 * libpcap reads `tcp[...]` and `udp[...]` in IPv4 only, so IPv6 is written by offsets; what comes
 * behind extension headers passes by its address or not at all. Deliberately written as text, not
 * as instructions: everybody can read it, and try it with tcpdump. */
#include "capture/scope_filter.h"

#include "model/apple.h"

const uint16_t scope_filter_common_proxy_ports[2] = {3128, 8080};

/* A whole clause each. Lengths and offsets: RFC 791, RFC 8200 (40 bytes, next header at 6), RFC
 * 9293 section 3.1 (header size in the upper half of byte 12). */
static const char *const every_session[] = {
    /* model/push_port.def: few others use these ports, and off Apple's addresses they matter too */
    "tcp port 5223", "tcp portrange 2195-2197",
    /* DNS over TCP is rare, and its message may begin anywhere */
    "tcp port 53"};

/* RFC 792; RFC 4443 section 2.1: errors are below 128. */
static const char *const icmp_errors[] = {
    "(icmp and (icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 11 or icmp[0] = 12))",
    "(ip6[6] = 58 and ip6[40] < 128)"};

/* The first bytes of a payload. RFC 8446 section 5.1: type 22, version 3.x, two bytes of length,
 * and section 4: message 1. "CONNECT " of RFC 9110 section 9.3.6. */
#define V4 "((tcp[12] & 0xf0) >> 2)"
#define V6 "40 + ((ip6[52] & 0xf0) >> 2)"
static const char *const first_bytes[] = {
    "(tcp[" V4 ":2] = 0x1603 and tcp[" V4 " + 5] = 1)",
    "(tcp[" V4 ":4] = 0x434f4e4e and tcp[" V4 " + 4:4] = 0x45435420)",
    "(ip6[6] = 6 and ip6[" V6 ":2] = 0x1603 and ip6[" V6 " + 5] = 1)",
    "(ip6[6] = 6 and ip6[" V6 ":4] = 0x434f4e4e and ip6[" V6 " + 4:4] = 0x45435420)"};
#undef V4
#undef V6

/* Where the labels of the first question stand: RFC 1035 section 4.1.2, behind a header of twelve
 * bytes. The name is a push host's when its first, second or third label is "push" (push.apple.com,
 * N-courier.push.apple.com, api.sandbox.push.apple.com), or the second is "courier-push-apple" and
 * its like under akadns.net, known by its length and first letters. Letters in any case. */
#define L1_V4           "udp[20]"
#define L2_V4           "udp[21 + " L1_V4 "]"
#define L1_V6           "ip6[60]"
#define L2_V6           "ip6[61 + " L1_V6 "]"
#define IS_PUSH         " & 0xffdfdfdf = 0x04505553"
#define IS_COURIER_PUSH " & 0xffdfdfdf = 0x12434f55"
static const char *const push_names[] = {
    "(udp port 53 and (udp[20:4]" IS_PUSH " or udp[21 + " L1_V4 ":4]" IS_PUSH " or udp[22 + " L1_V4
    " + " L2_V4 ":4]" IS_PUSH " or udp[21 + " L1_V4 ":4]" IS_COURIER_PUSH "))",
    "(ip6[6] = 17 and (ip6[40:2] = 53 or ip6[42:2] = 53) and (ip6[60:4]" IS_PUSH
    " or ip6[61 + " L1_V6 ":4]" IS_PUSH " or ip6[62 + " L1_V6 " + " L2_V6 ":4]" IS_PUSH
    " or ip6[61 + " L1_V6 ":4]" IS_COURIER_PUSH "))"};
#undef L1_V4
#undef L2_V4
#undef L1_V6
#undef L2_V6
#undef IS_PUSH
#undef IS_COURIER_PUSH

static const char *const any_dns[] = {"udp port 53"};
static const char *const everything[] = {"tcp", "ip[6:2] & 0x1fff != 0", "ip6 proto 44"};

/* What dissect/ looks into: protocols of IP, ports of UDP, and the rest of fragmented packets. */
static const char *const tunnels[] = {"ip proto 4",    "ip proto 41",    "ip proto 47",
                                      "ip proto 97",   "ip proto 115",   "ip proto 137",
                                      "ip6 proto 4",   "ip6 proto 41",   "ip6 proto 47",
                                      "ip6 proto 97",  "ip6 proto 115",  "ip6 proto 137",
                                      "ip6 proto 143", "ip proto 51",    "ip6 proto 51",
                                      "udp port 1701", "udp port 2152",  "udp port 3544",
                                      "udp port 4754", "udp port 4789",  "udp port 4790",
                                      "udp port 5247", "udp port 6081",  "udp port 6635",
                                      "udp port 8472", "udp port 37008", "(ip[6:2] & 0x1fff != 0)",
                                      "ip6 proto 44"};

/* The EtherTypes of dissect/link.h that libpcap's `vlan` and `ip` do not pass: bridged Ethernet,
 * PPP, MPLS, PPPoE, MACsec, PBB, the tags of Cisco's, HSR, E-TAG, NSH, old QinQ. */
static const char *const link_tunnels[] = {
    "ether proto 0x6558", "ether proto 0x880b", "ether proto 0x8847", "ether proto 0x8848",
    "ether proto 0x8864", "ether proto 0x88e5", "ether proto 0x88e7", "ether proto 0x8905",
    "ether proto 0x8909", "ether proto 0x8926", "ether proto 0x892f", "ether proto 0x893f",
    "ether proto 0x894f", "ether proto 0x8988", "ether proto 0x9200"};

static void add(struct text *text, const char *clause)
{
    if (text->length)
        text_add(text, " or ");
    text_add(text, clause);
}

static void add_all(struct text *text, const char *const *clauses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(text, clauses[i]);
}

#define ADD_ALL(text, clauses) add_all(text, clauses, sizeof(clauses) / sizeof *(clauses))

static void add_prefix(struct text *text, const struct prefix *prefix)
{
    char name[PREFIX_TEXT_SIZE], clause[PREFIX_TEXT_SIZE + 16];
    struct text one = text_over(clause, sizeof clause);
    text_format(&one, "%s net %s", address_is_ipv4(&prefix->base) ? "ip" : "ip6",
                prefix_text(prefix, name));
    add(text, clause);
}

/* The widest of Apple's ranges, and the NAT64 prefixes with 17.0.0.0/8 in them (model/apple.h); of
 * the local-use one the network's own prefix may lie anywhere in it. */
static void add_apple(const struct scope_filter *scope, struct text *text)
{
    static const char *const texts[] = {
#define APPLE_RANGE(prefix, is_listed, note) prefix,
#include "model/apple_range.def"
#undef APPLE_RANGE
        "64:ff9b::1100:0/104", "64:ff9b:1::/48"};
    struct prefix eight, prefix;
    bool parsed = prefix_parse("17.0.0.0/8", &eight);
    for (size_t i = 0; parsed && i < sizeof texts / sizeof *texts; i++)
        if (prefix_parse(texts[i], &prefix) && (i == 0 || !prefix_contains(&eight, &prefix.base)))
            add_prefix(text, &prefix);
    for (size_t i = 0; i < scope->apple_net_count; i++)
        add_prefix(text, &scope->apple_nets[i]);
}

static void add_proxies(const struct scope_filter *scope, struct text *text)
{
    for (size_t i = 0; i < scope->proxy_port_count; i++) {
        char clause[32];
        struct text one = text_over(clause, sizeof clause);
        text_format(&one, "tcp port %u", scope->proxy_ports[i]);
        add(text, clause);
    }
}

/* What passes of plain frames, without regard to tags. What looks at payloads comes last: a look
 * beyond the end of the packet ends the whole program, and the packet is dropped. */
static void write_scope(const struct scope_filter *scope, struct text *text)
{
    add_apple(scope, text);
    add_proxies(scope, text);
    ADD_ALL(text, every_session);
    if (scope->also)
        text_format(text, " or (%s)", scope->also);
    if (scope->wide)
        ADD_ALL(text, everything);
    if (scope->any_dns || scope->wide)
        ADD_ALL(text, any_dns);
    if (!scope->wide)
        ADD_ALL(text, first_bytes);
    if (!scope->any_dns && !scope->wide)
        ADD_ALL(text, push_names);
}

/* An ICMP error passes in any case, since it belongs to the packet that it quotes, and so do
 * tunnels: what is inside is looked at later. */
static void write_plain(const struct scope_filter *scope, bool has_link_header, struct text *text)
{
    char buffer[SCOPE_FILTER_SIZE / 4];
    struct text own = text_over(buffer, sizeof buffer);
    write_scope(scope, &own);
    ADD_ALL(text, icmp_errors);
    if (scope->decapsulate)
        ADD_ALL(text, tunnels);
    if (scope->decapsulate && has_link_header)
        ADD_ALL(text, link_tunnels);
    if (scope->filter)
        text_format(text, " or ((%s) and (%s))", scope->filter, buffer);
    else
        text_format(text, " or %s", buffer);
}

void scope_filter_write(const struct scope_filter *scope, bool has_link_header, struct text *text)
{
    char plain[SCOPE_FILTER_SIZE / 3];
    struct text one = text_over(plain, sizeof plain);
    write_plain(scope, has_link_header, &one);
    if (has_link_header)
        text_format(text, "(%s) or (vlan and ((%s) or (vlan and (%s))))", plain, plain, plain);
    else
        text_add(text, plain);
}

/* ---- the same question, asked of a packet ---- */

static bool is_apple(const struct scope_filter *scope, const struct address *address)
{
    if (apple_owns(address))
        return true;
    for (size_t i = 0; i < scope->apple_net_count; i++)
        if (prefix_contains(&scope->apple_nets[i], address))
            return true;
    return false;
}

static bool is_followed_port(const struct scope_filter *scope, uint16_t port)
{
    if (port == 5223 || port == 53 || (port >= 2195 && port <= 2197))
        return true;
    for (size_t i = 0; i < scope->proxy_port_count; i++)
        if (scope->proxy_ports[i] == port)
            return true;
    return false;
}

bool scope_filter_follows(const struct scope_filter *scope, const struct packet *packet)
{
    return scope->wide || packet->kind != PACKET_TCP || is_apple(scope, &packet->source) ||
           is_apple(scope, &packet->destination) || is_followed_port(scope, packet->source_port) ||
           is_followed_port(scope, packet->destination_port);
}
