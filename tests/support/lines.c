/* Lines that begin with a time: who says what to whom, and how it departs from the ordinary.
 *
 * Of tests/support, between the words of a line and the stage. Deliberately knows no payload:
 * those are verbs.c's. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "script.h"

enum { IPV4_QUOTE = 28, IPV6_QUOTE = 1232, FLAG_ACK = 0x10, FLAG_PSH = 0x08 };

bool script_address(const struct script *script, const char *text, struct address *address)
{
    const struct host *host = stage_host(&script->stage, text);
    if (host) {
        *address = host->address;
        return true;
    }
    return address_parse(text, address);
}

bool script_mac(const char *text, uint8_t mac[6])
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(text) != 17)
        return false;
    for (int i = 0; i < 6; i++) {
        const char *high = strchr(digits, text[3 * i]);
        const char *low = strchr(digits, text[3 * i + 1]);
        if (!high || !low || (i < 5 && text[3 * i + 2] != ':'))
            return false;
        mac[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

bool script_number(struct script *script, struct words *words, const char *key, int64_t lowest,
                   int64_t highest, int64_t *value)
{
    int64_t given = *value;
    if (!words_value(words, key))
        return true;
    if (!words_number(words, key, &given, script->fault))
        return false;
    if (given < lowest || given > highest)
        return words_fault(words, script->fault, "%s=%lld is not between %lld and %lld", key,
                           (long long)given, (long long)lowest, (long long)highest);
    *value = given;
    return true;
}

bool script_vlan(struct script *script, struct words *words, const char *key, uint16_t *vlan,
                 uint16_t *outer_vlan, bool *given)
{
    const char *text = words_value(words, key);
    char first[8] = "";
    int64_t outer = 0;
    int64_t inner;
    if (!text)
        return true;
    size_t length = strcspn(text, ".");
    memcpy(first, text, length < sizeof first ? length : sizeof first - 1);
    if (text[length] == '.' && !words_integer(first, &outer))
        inner = -1;
    else if (!words_integer(text[length] == '.' ? text + length + 1 : text, &inner))
        inner = -1;
    if (inner < 0 || inner > 4094 || outer < 0 || outer > 4094)
        return words_fault(words, script->fault, "%s=%s is neither ID nor OUTER.INNER", key, text);
    *vlan = (uint16_t)inner;
    *outer_vlan = (uint16_t)outer;
    *given = true;
    return true;
}

/* seq= and ack=: 5 counts from the first sequence number, +5 and -5 from the ordinary one. */
static bool take_numbering(struct script *script, struct words *words, const char *key,
                           enum number_mode *mode, int64_t *value)
{
    const char *text = words_value(words, key);
    if (!text)
        return true;
    *mode = *text == '+' || *text == '-' ? NUMBER_SHIFTED : NUMBER_FROM_START;
    return words_number(words, key, value, script->fault);
}

static bool take_mac(struct script *script, struct words *words, struct shape *shape)
{
    const char *text = words_value(words, "mac");
    if (text && !script_mac(text, shape->mac))
        return words_fault(words, script->fault, "mac=%s is not like 02:00:00:00:00:01", text);
    shape->has_mac = text != NULL;
    return true;
}

static bool take_ttl(struct script *script, struct words *words, const struct host *speaker,
                     struct shape *shape)
{
    int64_t ttl = -1;
    int64_t hops = -1;
    if (!script_number(script, words, "ttl", 0, 255, &ttl) ||
        !script_number(script, words, "hops", 0, speaker->ttl, &hops))
        return false;
    shape->ttl = (int)(hops >= 0 ? speaker->ttl - hops : ttl);
    return true;
}

static bool take_sizes(struct script *script, struct words *words, struct shape *shape)
{
    int64_t split = 0;
    int64_t segment_size = 0;
    int64_t segment = 0;
    int64_t copies = words_flag(words, "duplicate") ? 1 : 0;
    if (!script_number(script, words, "split", 2, 100, &split) ||
        !script_number(script, words, "segment-size", 1, 65000, &segment_size) ||
        !script_number(script, words, "segment", 1, 100, &segment) ||
        !script_number(script, words, "copies", 1, 100, &copies))
        return false;
    shape->split = (unsigned)split;
    shape->segment_size = (size_t)segment_size;
    shape->only_segment = (int)segment;
    shape->copies = (unsigned)copies;
    return true;
}

static bool take_fragments(struct script *script, struct words *words, struct shape *shape)
{
    int64_t size = 0;
    int64_t lost = 0;
    if (!script_number(script, words, "fragment", 8, 65000, &size) ||
        !script_number(script, words, "fragment-lost", 1, 100, &lost))
        return false;
    if (size % 8 != 0)
        return words_fault(words, script->fault, "fragment=%lld is no multiple of eight",
                           (long long)size);
    shape->fragment_size = (size_t)size;
    shape->lost_fragment = (unsigned)lost;
    shape->fragments_reversed = words_flag(words, "fragments-reversed");
    shape->fragments_overlap = words_flag(words, "fragments-overlap");
    return true;
}

/* stamp=+68000h: the time in the capture is off by that. */
static bool take_stamp(struct script *script, struct words *words, struct shape *shape)
{
    const char *text = words_value(words, "stamp");
    if (!text)
        return true;
    if ((*text != '+' && *text != '-') || !words_time(text + 1, &shape->stamp_ns))
        return words_fault(words, script->fault, "stamp=%s is neither +TIME nor -TIME", text);
    if (*text == '-')
        shape->stamp_ns = -shape->stamp_ns;
    return true;
}

static bool take_fields(struct script *script, struct words *words, struct shape *shape)
{
    int64_t id = -1;
    if (!script_number(script, words, "ipid", 0, 65535, &id) ||
        !script_number(script, words, "win", 0, 65535, &shape->window) ||
        !script_number(script, words, "mss", 0, 65535, &shape->mss) ||
        !words_duration(words, "delay", &shape->delay_ns, script->fault))
        return false;
    shape->id = (int)id;
    return take_numbering(script, words, "seq", &shape->sequence_mode, &shape->sequence) &&
           take_numbering(script, words, "ack", &shape->acknowledgement_mode,
                          &shape->acknowledgement);
}

bool script_shape(struct script *script, struct words *words, const struct host *speaker,
                  struct shape *shape)
{
    *shape = shape_ordinary();
    bool lost = words_flag(words, "lost");
    shape->unseen = words_flag(words, "unseen") || lost;
    shape->dropped = words_flag(words, "dropped") || lost;
    shape->forged = words_flag(words, "forged");
    shape->wrong_checksum = words_flag(words, "bad-checksum");
    return take_ttl(script, words, speaker, shape) && take_fields(script, words, shape) &&
           take_sizes(script, words, shape) && take_fragments(script, words, shape) &&
           take_stamp(script, words, shape) && take_mac(script, words, shape) &&
           script_vlan(script, words, "vlan", &shape->vlan, &shape->outer_vlan, &shape->has_vlan);
}

/* "SA", "FPA": the letters of RFC 9293's flags. */
static bool flags_of(const char *text, uint8_t *flags)
{
    static const char letters[] = "FSRPAU"; /* from bit 0 up */
    *flags = 0;
    for (const char *at = text; *at; at++) {
        const char *found = strchr(letters, *at);
        if (!found)
            return false;
        *flags |= (uint8_t)(1u << (found - letters));
    }
    return *text != '\0';
}

/* The payloads between `+` words, one after the other. */
static bool take_payloads(struct script *script, struct flow *flow, enum way way,
                          struct words *words, size_t first, struct bytes *payload)
{
    while (first < words->count) {
        size_t end = first;
        while (end < words->count &&
               (words->word[end].key || strcmp(words->word[end].text, "+") != 0))
            end++;
        struct words part = {words->file, words->line, words->word + first, end - first};
        if (!verb_payload(script, flow, way, &part, payload))
            return false;
        if (end < words->count)
            words->word[end].is_used = true;
        first = end + 1;
    }
    return true;
}

static void acknowledge(struct script *script, struct flow *flow, enum way way)
{
    struct shape shape = shape_ordinary();
    script->stage.now_ns += way == UPWARD ? flow->client_rtt_ns : flow->rtt_ns;
    conversation_say(&script->stage, flow, way, "A", FLAG_ACK, NULL, 0, &shape);
}

static bool say_payloads(struct script *script, struct flow *flow, enum way way,
                         struct words *words, const struct shape *shape)
{
    struct bytes payload = {0};
    uint8_t flags = FLAG_PSH | FLAG_ACK;
    const char *flags_text = words_value(words, "flags");
    if (flags_text && !flags_of(flags_text, &flags))
        return words_fault(words, script->fault, "flags=%s are not of FSRPAU", flags_text);
    bool good = take_payloads(script, flow, way, words, 2, &payload);
    if (good)
        conversation_say(&script->stage, flow, way, words_plain(words, 2), flags, payload.at,
                         payload.size, shape);
    bytes_free(&payload);
    return good;
}

static bool repeat(struct script *script, struct flow *flow, enum way way, struct words *words,
                   const char *verb, const struct shape *shape)
{
    if (!conversation_repeat(&script->stage, flow, way, verb, shape))
        return words_fault(words, script->fault, "%s has not said that before", flow->name);
    return true;
}

/* `FLOW > VERB ...`: words 0 to 2 are the flow, the arrow and the verb. */
static bool play_flow_line(struct script *script, struct flow *flow, enum way way,
                           struct words *words)
{
    struct side *self = &flow->side[way];
    const char *verb = words_plain(words, 2);
    struct shape shape;
    uint8_t flags;
    bool good = true;
    if (!verb)
        return words_fault(words, script->fault, "what does %s say?", flow->name);
    bool acked = words_flag(words, "acked");
    bool again = words_flag(words, "again") && strcmp(verb, "again") != 0;
    if (!script_shape(script, words, self->host, &shape))
        return false;
    if (strcmp(verb, "again") == 0)
        good = repeat(script, flow, way, words, NULL, &shape);
    else if (again)
        good = repeat(script, flow, way, words, verb, &shape);
    else if (strcmp(verb, "keepalive") == 0)
        conversation_probe(&script->stage, flow, way, &shape);
    else if (flags_of(verb, &flags))
        conversation_say(&script->stage, flow, way, verb, flags, NULL, 0, &shape);
    else
        good = say_payloads(script, flow, way, words, &shape);
    if (good && acked)
        acknowledge(script, flow, way == UPWARD ? DOWNWARD : UPWARD);
    return good;
}

/* `icmp FLOW from=ADDRESS type=N code=N [mtu=N] [of=server]`: quotes the last packet of that side.
 */
static bool play_icmp(struct script *script, struct words *words)
{
    const char *name = words_plain(words, 1);
    const char *from_text = words_value(words, "from");
    struct flow *flow = name ? stage_flow(&script->stage, name) : NULL;
    enum way quoted =
        strcmp(words_value_or(words, "of", "client"), "server") == 0 ? DOWNWARD : UPWARD;
    struct host sender = {.ttl = 64, .hops = 1, .mac = {2, 0, 0x5e, 0, 0, 1}};
    int64_t type = -1;
    int64_t code = -1;
    int64_t mtu = 0;
    if (!flow || !from_text || !script_address(script, from_text, &sender.address))
        return words_fault(words, script->fault, "icmp wants FLOW from=ADDRESS type=N code=N");
    const struct side *side = &flow->side[quoted];
    bool four = address_is_ipv4(&side->host->address);
    if (!side->last_packet || four != address_is_ipv4(&sender.address))
        return words_fault(words, script->fault, "%s has sent nothing that %s could quote",
                           flow->name, from_text);
    struct shape shape;
    int64_t quote = four ? IPV4_QUOTE : IPV6_QUOTE;
    if (!script_number(script, words, "type", 0, 255, &type) ||
        !script_number(script, words, "code", 0, 255, &code) ||
        !script_number(script, words, "mtu", 0, 65535, &mtu) ||
        !script_number(script, words, "quote", 0, 1500, &quote) ||
        !script_shape(script, words, &sender, &shape))
        return false;
    if (type < 0 || code < 0)
        return words_fault(words, script->fault, "icmp wants a type and a code");
    if (!shape.has_vlan) {
        const struct side *answering = &flow->side[quoted == UPWARD ? DOWNWARD : UPWARD];
        shape.vlan = answering->vlan;
        shape.outer_vlan = answering->outer_vlan;
    }
    struct bytes packet = {0};
    struct ip_header ip = stage_ip_header(&sender, &side->host->address, &shape);
    struct link_header link = stage_link(&sender, side->host, &shape);
    size_t size = (size_t)quote < side->last_packet_size ? (size_t)quote : side->last_packet_size;
    wire_icmp(&packet, &ip, (uint8_t)type, (uint8_t)code, (uint32_t)mtu, side->last_packet, size);
    stage_emit(&script->stage, &packet, quoted == UPWARD ? DOWNWARD : UPWARD, &link, &shape);
    return true;
}

/* "phone:50001" */
static struct host *take_endpoint(struct script *script, const char *text, uint16_t *port)
{
    char name[64] = "";
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t number;
    if (!colon || (size_t)(colon - text) >= sizeof name || !words_integer(colon + 1, &number) ||
        number < 1 || number > 65535)
        return NULL;
    memcpy(name, text, (size_t)(colon - text));
    *port = (uint16_t)number;
    return stage_host(&script->stage, name);
}

/* `udp HOST:PORT > HOST:PORT size=N`: traffic that is none of ours. */
static bool play_udp(struct script *script, struct words *words)
{
    uint16_t from_port;
    uint16_t to_port;
    int64_t size = 100;
    struct host *from = take_endpoint(script, words_plain(words, 1), &from_port);
    const char *arrow = words_plain(words, 2);
    struct host *to = take_endpoint(script, words_plain(words, 3), &to_port);
    struct shape shape;
    if (!from || !to || strcmp(arrow, ">") != 0)
        return words_fault(words, script->fault, "udp wants HOST:PORT > HOST:PORT");
    if (!script_number(script, words, "size", 0, 1400, &size) ||
        !script_shape(script, words, from, &shape))
        return false;
    struct bytes payload = {0};
    struct bytes packet = {0};
    bytes_random(&payload, (size_t)size, from->seed + script->stage.frame_count);
    struct ip_header ip = stage_ip_header(from, &to->address, &shape);
    struct link_header link = stage_link(from, to, &shape);
    wire_udp(&packet, &ip, from_port, to_port, payload.at, payload.size);
    stage_emit(&script->stage, &packet, address_is_private(&from->address) ? UPWARD : DOWNWARD,
               &link, &shape);
    bytes_free(&payload);
    return true;
}

/* `arp HOST ADDRESS`: who has it? (RFC 826). A frame that is not IP. */
static bool play_arp(struct script *script, struct words *words)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0, 1};
    const char *name = words_plain(words, 1);
    const char *target_text = words_plain(words, 2);
    const struct host *host = name ? stage_host(&script->stage, name) : NULL;
    struct address target;
    struct shape shape = shape_ordinary();
    if (!host || !target_text || !script_address(script, target_text, &target))
        return words_fault(words, script->fault, "arp wants HOST ADDRESS");
    struct bytes packet = {0};
    struct link_header link = stage_link(host, host, &shape);
    memset(link.destination_mac, 0xff, 6);
    link.ether_type = 0x0806;
    bytes_add(&packet, head, sizeof head);
    bytes_add(&packet, host->mac, 6);
    bytes_add(&packet, host->address.byte + 12, 4);
    bytes_fill(&packet, 0, 6);
    bytes_add(&packet, target.byte + 12, 4);
    stage_emit(&script->stage, &packet, NO_WAY, &link, &shape);
    return true;
}

/* `clock -3s`: from here on the capture's clock shows so much less. */
static bool play_clock(struct script *script, struct words *words)
{
    const char *text = words_plain(words, 1);
    int64_t ns;
    if (!text || (*text != '+' && *text != '-') || !words_time(text + 1, &ns))
        return words_fault(words, script->fault, "clock wants +TIME or -TIME");
    script->stage.clock_shift_ns += *text == '-' ? -ns : ns;
    return true;
}

static const struct stage_verb {
    const char *name;
    bool (*play)(struct script *script, struct words *words);
} stage_verbs[] = {
    {"icmp", play_icmp}, {"dns", dns_lines_play}, {"udp", play_udp},
    {"arp", play_arp},   {"clock", play_clock},
};

bool line_play(struct script *script, struct words *words)
{
    const char *name = words_plain(words, 0);
    const char *second = words_plain(words, 1);
    bool known = false;
    if (!name)
        return words_fault(words, script->fault, "nothing happens at this time");
    for (size_t i = 0; i < sizeof stage_verbs / sizeof stage_verbs[0]; i++)
        if (strcmp(stage_verbs[i].name, name) == 0)
            return stage_verbs[i].play(script, words);
    struct flow *flow = stage_flow(&script->stage, name);
    if (!flow || !second)
        return words_fault(words, script->fault, "\"%s\" is no flow of this scenario", name);
    if (script->stage.now_ns < flow->last_ns)
        return words_fault(words, script->fault,
                           "%s has already spoken later than this; use delay= to reorder", name);
    if (strcmp(second, ">") == 0 || strcmp(second, "<") == 0)
        return play_flow_line(script, flow, *second == '>' ? UPWARD : DOWNWARD, words);
    if (!macro_play(script, flow, second, words, &known))
        return false;
    if (!known)
        return words_fault(words, script->fault, "\"%s\" is neither >, < nor a macro", second);
    return true;
}
