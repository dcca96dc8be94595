/* nDPI behind four functions: what is really spoken on a tracked flow, and what is risky about it.
 *
 * track/ feeds the first packets with payload and stores the answer beside the program's own. Five
 * protocols are enabled of nDPI's 282: they give the same answers for what is met on push ports and
 * leave most of its parsers, and of its past memory faults, out of reach. Each packet is rebuilt in
 * an own buffer with room behind it, so that nDPI never sees, nor reads past, captured bytes.
 * Deliberately takes no name, certificate or fingerprint from nDPI: dissect/tls.h reads those. */
#include "dissect/protocol.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <ndpi_api.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/reader.h"
#include "base/text.h"
#include "dissect/tls.h"

enum {
    SESSIONS_MAX = 4096,
    /* Two packets label every flow that the five protocols can label; a handshake in small pieces
     * takes a few more. nDPI itself stops at 32. */
    PACKETS_MAX = 8,
    PAYLOAD_MAX = 4096, /* a ClientHello with a post-quantum key share takes about 1800 bytes */
    RECORD_HEADER = 5,  /* RFC 8446 section 5.1 */
    PADDING = 256,      /* zeros behind the packet, for parsers that look too far */
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_HEADER = 20,
    PACKET_MAX = IPV6_HEADER + TCP_HEADER + PAYLOAD_MAX
};

struct protocol_session {
    uint32_t id; /* in the pool */
    uint8_t packet_count;
    bool looks_like_tls;  /* a payload began like a TLS record */
    ndpi_protocol answer; /* the latest */
    struct ndpi_flow_struct flow;
    uint32_t next_sequence;
    uint32_t hello_have;
    uint8_t hello[PAYLOAD_MAX]; /* the beginning of a ClientHello over several segments */
};

/* An answer of nDPI's in our words: a capture has few, and finding them takes long. */
struct said {
    uint64_t answer;
    const char *words;
};

enum { SAID_MAX = 16 };

struct protocol_engine {
    struct names *names;
    struct said protocols_said[SAID_MAX];
    struct said risks_said[SAID_MAX];
    struct ndpi_detection_module_struct *module; /* NULL until a flow needs it */
    struct pool sessions;
    size_t packet_dirty; /* bytes of `packet` that are not zero from the last use */
    uint8_t packet[PACKET_MAX + PADDING];
};

/* Names of nDPI's risks as published in flow.ndpi_risks: ours, since nDPI rewords its own between
 * versions. Those without a name say nothing about a push session: "known protocol on non-standard
 * port" is true of every courier connection (TLS on 5223), and so is "TLS not carrying HTTPS";
 * "risky domain" and the like rest on lists that are not loaded. */
static const struct {
    ndpi_risk_enum risk;
    const char *name;
} risk_names[] = {
    {NDPI_BINARY_APPLICATION_TRANSFER, "binary-application-transfer"},
    {NDPI_TLS_SELFSIGNED_CERTIFICATE, "tls-self-signed-certificate"},
    {NDPI_TLS_OBSOLETE_VERSION, "tls-obsolete-version"},
    {NDPI_TLS_WEAK_CIPHER, "tls-weak-cipher"},
    {NDPI_TLS_CERTIFICATE_EXPIRED, "tls-certificate-expired"},
    {NDPI_TLS_CERTIFICATE_MISMATCH, "tls-certificate-mismatch"},
    {NDPI_HTTP_SUSPICIOUS_USER_AGENT, "http-suspicious-user-agent"},
    {NDPI_HTTP_NUMERIC_IP_HOST, "http-numeric-host"},
    {NDPI_HTTP_SUSPICIOUS_URL, "http-suspicious-url"},
    {NDPI_HTTP_SUSPICIOUS_HEADER, "http-suspicious-header"},
    {NDPI_SUSPICIOUS_DGA_DOMAIN, "suspicious-generated-domain"},
    {NDPI_MALFORMED_PACKET, "malformed-packet"},
    {NDPI_TLS_SUSPICIOUS_ESNI_USAGE, "tls-suspicious-esni"},
    {NDPI_UNSAFE_PROTOCOL, "unsafe-protocol"},
    {NDPI_DNS_SUSPICIOUS_TRAFFIC, "dns-suspicious"},
    {NDPI_TLS_MISSING_SNI, "tls-missing-sni"},
    {NDPI_HTTP_SUSPICIOUS_CONTENT, "http-suspicious-content"},
    {NDPI_MALICIOUS_JA3, "tls-malicious-ja3"},
    {NDPI_MALICIOUS_SHA1_CERTIFICATE, "tls-malicious-certificate"},
    {NDPI_TLS_UNCOMMON_ALPN, "tls-uncommon-alpn"},
    {NDPI_TLS_CERT_VALIDITY_TOO_LONG, "tls-certificate-validity-too-long"},
    {NDPI_TLS_SUSPICIOUS_EXTENSION, "tls-suspicious-extension"},
    {NDPI_TLS_FATAL_ALERT, "tls-fatal-alert"},
    {NDPI_SUSPICIOUS_ENTROPY, "suspicious-entropy"},
    {NDPI_CLEAR_TEXT_CREDENTIALS, "clear-text-credentials"},
    {NDPI_DNS_LARGE_PACKET, "dns-large-packet"},
    {NDPI_INVALID_CHARACTERS, "invalid-characters"},
    {NDPI_POSSIBLE_EXPLOIT, "possible-exploit"},
    {NDPI_TLS_CERTIFICATE_ABOUT_TO_EXPIRE, "tls-certificate-about-to-expire"},
};

struct protocol_engine *protocol_engine_new(struct names *names)
{
    struct protocol_engine *engine = calloc(1, sizeof *engine);
    assert(engine);
    engine->names = names;
    pool_init(&engine->sessions, sizeof(struct protocol_session), SESSIONS_MAX);
    return engine;
}

static void session_end(struct protocol_engine *engine, struct protocol_session **session)
{
    ndpi_free_flow_data(&(*session)->flow);
    pool_give(&engine->sessions, (*session)->id);
    *session = NULL;
}

void protocol_engine_free(struct protocol_engine *engine)
{
    if (!engine)
        return;
    if (engine->module)
        ndpi_exit_detection_module(engine->module);
    pool_free(&engine->sessions);
    free(engine);
}

const char *protocol_library_version(void)
{
    return ndpi_revision();
}

/* Neither Tor's address list nor libgcrypt (used for QUIC only) is wanted. */
static void start_module(struct protocol_engine *engine)
{
    static const uint16_t spoken[] = {NDPI_PROTOCOL_TLS, NDPI_PROTOCOL_HTTP, NDPI_PROTOCOL_DNS,
                                      NDPI_PROTOCOL_SOCKS, NDPI_PROTOCOL_APPLE_PUSH};
    assert(ndpi_detection_get_sizeof_ndpi_flow_struct() == sizeof(struct ndpi_flow_struct));
    engine->module =
        ndpi_init_detection_module(ndpi_dont_load_tor_hosts | ndpi_dont_init_libgcrypt);
    assert(engine->module);
    NDPI_PROTOCOL_BITMASK enabled;
    NDPI_BITMASK_RESET(enabled);
    for (size_t i = 0; i < sizeof spoken / sizeof *spoken; i++)
        NDPI_BITMASK_ADD(enabled, spoken[i]);
    ndpi_set_protocol_detection_bitmask2(engine->module, &enabled);
    ndpi_finalize_initialization(engine->module);
}

static struct protocol_session *session_begin(struct protocol_engine *engine)
{
    uint32_t id;
    struct protocol_session *session = pool_take(&engine->sessions, &id);
    if (!session)
        return NULL;
    if (!engine->module)
        start_module(engine);
    memset(session, 0, offsetof(struct protocol_session, hello));
    session->id = id;
    return session;
}

/* -- the packet as nDPI wants it ---------------------------------------------------------- */

static void put_u16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value >> 16);
    put_u16(at + 2, value);
}

/* RFC 791 section 3.1, without options. */
static size_t put_ipv4(uint8_t *at, const struct packet *packet, size_t payload_size)
{
    memset(at, 0, IPV4_HEADER);
    at[0] = 0x45;
    put_u16(at + 2, (uint32_t)(IPV4_HEADER + TCP_HEADER + payload_size));
    put_u16(at + 4, packet->ip_id);
    at[8] = packet->ttl;
    at[9] = IPPROTO_TCP;
    memcpy(at + 12, packet->source.byte + 12, 4);
    memcpy(at + 16, packet->destination.byte + 12, 4);
    return IPV4_HEADER;
}

/* RFC 8200 section 3. */
static size_t put_ipv6(uint8_t *at, const struct packet *packet, size_t payload_size)
{
    memset(at, 0, IPV6_HEADER);
    at[0] = 0x60;
    put_u16(at + 4, (uint32_t)(TCP_HEADER + payload_size));
    at[6] = IPPROTO_TCP;
    at[7] = packet->ttl;
    memcpy(at + 8, packet->source.byte, 16);
    memcpy(at + 24, packet->destination.byte, 16);
    return IPV6_HEADER;
}

/* RFC 9293 section 3.1, without options. */
static size_t put_tcp(uint8_t *at, const struct packet *packet)
{
    memset(at, 0, TCP_HEADER);
    put_u16(at, packet->source_port);
    put_u16(at + 2, packet->destination_port);
    put_u32(at + 4, packet->sequence);
    put_u32(at + 8, packet->acknowledgement);
    at[12] = (TCP_HEADER / 4) << 4;
    at[13] = packet->tcp_flags;
    put_u16(at + 14, packet->window);
    return TCP_HEADER;
}

static uint16_t build_packet(struct protocol_engine *engine, const struct packet *packet)
{
    uint8_t *at = engine->packet;
    size_t payload =
        packet->payload_captured < PAYLOAD_MAX ? packet->payload_captured : PAYLOAD_MAX;
    size_t size =
        packet->ip_version == 4 ? put_ipv4(at, packet, payload) : put_ipv6(at, packet, payload);
    size += put_tcp(at + size, packet);
    memcpy(at + size, packet->payload, payload);
    size += payload;
    /* What an earlier, longer packet left behind this one would read like more of it. */
    if (size < engine->packet_dirty)
        memset(at + size, 0, engine->packet_dirty - size);
    engine->packet_dirty = size;
    return (uint16_t)size;
}

/* -- the answer --------------------------------------------------------------------------- */

/* The words for this answer, if they are among those said lately; NULL: they are not, and *place is
 * where they belong. */
static const char *said_lately(struct said *said, uint64_t answer, struct said **place)
{
    *place = &said[(answer ^ answer >> 16 ^ answer >> 32) % SAID_MAX];
    return (*place)->answer == answer ? (*place)->words : NULL;
}

static const char *say(struct protocol_engine *engine, struct said *place, uint64_t answer,
                       const char *words)
{
    *place = (struct said){answer, names_keep(engine->names, words)};
    return place->words;
}

static const char *keep_protocol(struct protocol_engine *engine, ndpi_protocol answer)
{
    char name[64];
    struct said *place;
    uint64_t both = (uint64_t)answer.master_protocol << 16 | answer.app_protocol;
    if (answer.master_protocol == NDPI_PROTOCOL_UNKNOWN &&
        answer.app_protocol == NDPI_PROTOCOL_UNKNOWN)
        return NULL;
    const char *words = said_lately(engine->protocols_said, both, &place);
    if (words)
        return words;
    ndpi_protocol2name(engine->module, answer, name, sizeof name);
    return say(engine, place, both, name);
}

static const char *keep_risks(struct protocol_engine *engine, ndpi_risk risks)
{
    char buffer[512];
    struct said *place;
    const char *words = said_lately(engine->risks_said, risks, &place);
    if (words)
        return words;
    struct text text = text_over(buffer, sizeof buffer);
    for (size_t i = 0; i < sizeof risk_names / sizeof *risk_names; i++)
        if (risks >> risk_names[i].risk & 1)
            text_format(&text, "%s%s", text.length ? "," : "", risk_names[i].name);
    return text.length ? say(engine, place, risks, buffer) : NULL;
}

static bool begins_like_tls(const struct packet *packet)
{
    return packet->payload_captured >= 3 && packet->payload[0] >= 20 && packet->payload[0] <= 23 &&
           packet->payload[1] == 3 && packet->payload[2] <= 4;
}

/* nDPI 4.2 says `ApplePush` of anything on port 5223 or 2197 of 17.0.0.0/8: no byte is read. */
static bool answer_rests_on_address(ndpi_protocol answer)
{
    return answer.master_protocol == NDPI_PROTOCOL_UNKNOWN &&
           answer.app_protocol == NDPI_PROTOCOL_APPLE_PUSH;
}

static bool answer_is_final(const struct protocol_engine *engine,
                            const struct protocol_session *session)
{
    if (session->packet_count >= PACKETS_MAX)
        return true;
    return ndpi_is_protocol_detected(engine->module, session->answer) &&
           (session->looks_like_tls || !answer_rests_on_address(session->answer));
}

/* nDPI gives up on a ClientHello in two segments (a post-quantum key share makes it so long), so
 * its beginning waits here for the rest. True while more is to come; afterwards `*joined` is the
 * packet to show, in place of this one. Segments out of order are shown as they are. */
static bool join_hello(struct protocol_session *session, const struct packet *packet,
                       struct packet *joined)
{
    bool is_first = session->packet_count == 0 && session->hello_have == 0;
    bool is_next = session->hello_have > 0 && packet->sequence == session->next_sequence;
    *joined = *packet;
    if (session->hello_have > 0 &&
        packet->payload_size <= session->next_sequence - packet->sequence)
        return true; /* sent again */
    if ((!is_first || !tls_may_be_client_hello(packet->payload, packet->payload_captured)) &&
        !is_next)
        return false;
    size_t room = PAYLOAD_MAX - session->hello_have;
    size_t size = packet->payload_captured < room ? packet->payload_captured : room;
    memcpy(session->hello + session->hello_have, packet->payload, size);
    session->hello_have += (uint32_t)size;
    session->next_sequence = packet->sequence + packet->payload_size;
    joined->sequence = session->next_sequence - session->hello_have;
    joined->payload = session->hello;
    joined->payload_captured = session->hello_have;
    size_t record = RECORD_HEADER + load_u16(session->hello + 3);
    return session->hello_have < record && session->hello_have < PAYLOAD_MAX &&
           packet->payload_captured == packet->payload_size;
}

bool protocol_observe(struct protocol_engine *engine, struct protocol_session **session,
                      const struct packet *packet, bool from_client, const char **protocol,
                      const char **risks)
{
    *protocol = NULL;
    *risks = NULL;
    if (packet->kind != PACKET_TCP || packet->payload_captured == 0)
        return false;
    if (!*session && !(*session = session_begin(engine)))
        return true;

    struct packet joined = *packet;
    (*session)->looks_like_tls |= begins_like_tls(packet);
    if (from_client && join_hello(*session, packet, &joined))
        return false;
    (*session)->hello_have = 0;
    (*session)->packet_count++;
    uint16_t size = build_packet(engine, &joined);
    uint64_t time_ms = packet->time_ns > 0 ? (uint64_t)(packet->time_ns / NS_PER_MS) : 0;
    (*session)->answer = ndpi_detection_process_packet(engine->module, &(*session)->flow,
                                                       engine->packet, size, time_ms);
    if (!answer_is_final(engine, *session))
        return false;
    protocol_finish(engine, session, protocol, risks);
    return true;
}

void protocol_finish(struct protocol_engine *engine, struct protocol_session **session,
                     const char **protocol, const char **risks)
{
    *protocol = NULL;
    *risks = NULL;
    if (!*session)
        return;
    if ((*session)->looks_like_tls || !answer_rests_on_address((*session)->answer))
        *protocol = keep_protocol(engine, (*session)->answer);
    *risks = keep_risks(engine, (*session)->flow.risk);
    session_end(engine, session);
}
