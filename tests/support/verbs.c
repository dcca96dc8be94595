/* The payload verbs of the scenario language: words to bytes.
 *
 * Of tests/support: a table of verbs, each a function from its words to payload. Deliberately
 * sends nothing: lines.c does. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "certificate_payload.h"
#include "script.h"
#include "tls_payload.h"

uint64_t verb_seed(const struct script *script, const struct flow *flow)
{
    uint64_t place = script->stage.frame_count;
    return hash_bytes(&place, sizeof place, flow->seed);
}

/* The number that follows a verb: `data 900`. */
static bool plain_number(struct script *script, struct words *words, int64_t highest,
                         int64_t *value)
{
    const char *text = words_plain(words, 1);
    if (!text || !words_integer(text, value) || *value < 0 || *value > highest)
        return words_fault(words, script->fault, "\"%s\" wants a number up to %lld",
                           words_plain(words, 0), (long long)highest);
    return true;
}

/* "none" takes a default away. */
static const char *unless_none(const char *value)
{
    return value && strcmp(value, "none") == 0 ? NULL : value;
}

static void choose_session_id(struct flow *flow, bool wanted)
{
    struct bytes id = {0};
    flow->session_id_size = wanted ? 32 : 0;
    bytes_random(&id, sizeof flow->session_id, flow->seed + 1);
    memcpy(flow->session_id, id.at, sizeof flow->session_id);
    bytes_free(&id);
}

/* RFC 8446 section 4.1.2: the second ClientHello after a retry has the same random; so the seed
 * is the flow's alone. */
bool verb_client_hello(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out)
{
    int64_t at_least = 0;
    bool is_12 = strcmp(words_value_or(words, "version", ""), "1.2") == 0; /* of a macro */
    if (!script_number(script, words, "pad", 0, 60000, &at_least))
        return false;
    struct client_hello hello = {
        .sni = unless_none(words_value_or(words, "sni", "courier.push.apple.com")),
        .alpn = unless_none(words_value_or(words, "alpn", "apns-security-v3,apns-pack-v1")),
        .versions = words_value_or(words, "versions", is_12 ? "1.2" : "1.3"),
        .at_least = (size_t)at_least,
        .post_quantum = words_flag(words, "post-quantum"),
        .resumes = words_flag(words, "psk"),
        .early_data = words_flag(words, "early-data"),
        .encrypted_hello = words_flag(words, "ech"),
        .without_grease = words_flag(words, "no-grease"),
        .seed = flow->seed,
    };
    hello.after_retry = flow->was_retried;
    choose_session_id(flow, strstr(hello.versions, "1.3") || hello.resumes);
    hello.session_id = flow->session_id;
    hello.session_id_size = flow->session_id_size;
    payload_client_hello(out, &hello);
    return true;
}

bool verb_server_hello(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out)
{
    int64_t cipher = 0;
    const char *version = words_value_or(words, "version", "1.3");
    struct server_hello hello = {.seed = flow->seed, .session_id = flow->session_id};
    if (!payload_version_of(version, &hello.version))
        return words_fault(words, script->fault, "version=%s is none of 1.0 to 1.3", version);
    if (!script_number(script, words, "cipher", 0, 65535, &cipher))
        return false;
    hello.cipher = (unsigned)cipher;
    hello.is_retry = words_flag(words, "retry");
    hello.selects_psk = words_flag(words, "psk");
    hello.after_retry = flow->was_retried;
    flow->was_retried = hello.is_retry;
    hello.alpn = unless_none(words_value(words, "chosen-alpn"));
    bool echoes = hello.version == VERSION_TLS13 || hello.selects_psk;
    hello.session_id_size = echoes ? flow->session_id_size : 0;
    flow->hello_version = hello.version;
    payload_server_hello(out, &hello);
    return true;
}

static bool parse_day(struct script *script, struct words *words, const char *key, int64_t *seconds)
{
    const char *text = words_value(words, key);
    int64_t time_ns;
    if (!text)
        return true;
    if (!clock_parse(text, &time_ns))
        return words_fault(words, script->fault, "%s=%s is not a date", key, text);
    *seconds = time_ns / NS_PER_S;
    return true;
}

/* Without arguments: the chain that Apple's couriers show, by its names (wire.md section 2). */
bool verb_certificate(struct script *script, struct flow *flow, struct words *words,
                      struct bytes *out)
{
    int64_t padding = 0;
    struct certificate_chain chain = {
        .subject = words_value_or(words, "subject",
                                  "CN=courier.push.apple.com,O=Apple Inc.,ST=California,C=US"),
        .issuer = words_value_or(words, "issuer",
                                 "CN=Apple Server Authentication CA,OU=Certification Authority,"
                                 "O=Apple Inc.,C=US"),
        .root = words_value_or(
            words, "root", "CN=Apple Root CA,OU=Apple Certification Authority,O=Apple Inc.,C=US"),
        .dns_names =
            unless_none(words_value_or(words, "dns", "courier.push.apple.com,*.push.apple.com")),
        .has_markers = !words_value(words, "issuer") || words_flag(words, "markers"),
        .sends_root = words_flag(words, "send-root"),
        .leaf_only = words_flag(words, "leaf-only"),
        .has_broken_link = words_flag(words, "broken-link"),
        .not_before_s = script->scenario->start_ns / NS_PER_S - 90 * INT64_C(86400),
        .not_after_s = script->scenario->start_ns / NS_PER_S + 300 * INT64_C(86400),
    };
    (void)flow;
    if (words_flag(words, "no-markers"))
        chain.has_markers = false;
    if (!script_number(script, words, "certificate-pad", 0, 30000, &padding) ||
        !parse_day(script, words, "not-before", &chain.not_before_s) ||
        !parse_day(script, words, "not-after", &chain.not_after_s))
        return false;
    chain.padding = (size_t)padding;
    if (!payload_certificate(out, &chain))
        return words_fault(words, script->fault,
                           "a name is not of the form \"CN=...,O=...,C=...\"");
    return true;
}

static bool build_data(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out)
{
    int64_t size;
    if (!plain_number(script, words, 10000000, &size))
        return false;
    if (size < 6)
        return words_fault(words, script->fault, "a record has at least 6 bytes");
    payload_application_data(out, (size_t)size, verb_seed(script, flow));
    return true;
}

static bool build_noise(struct script *script, struct flow *flow, struct words *words,
                        struct bytes *out)
{
    int64_t size;
    if (!plain_number(script, words, 10000000, &size))
        return false;
    bytes_random(out, (size_t)size, verb_seed(script, flow));
    return true;
}

static bool build_zeroes(struct script *script, struct flow *flow, struct words *words,
                         struct bytes *out)
{
    int64_t size;
    (void)flow;
    if (!plain_number(script, words, 10000000, &size))
        return false;
    bytes_fill(out, 0, (size_t)size);
    return true;
}

/* The quoted words, one after the other. */
static bool build_text(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out)
{
    (void)flow;
    for (size_t i = 0; i < words->count; i++)
        if (words->word[i].is_quoted && !words->word[i].key) {
            words->word[i].is_used = true;
            bytes_add(out, words->word[i].text, words->word[i].text_size);
        }
    if (out->size == 0)
        return words_fault(words, script->fault, "text wants its bytes in quotes");
    return true;
}

/* RFC 9112: the quoted words are lines, and an empty line ends the head. */
static bool build_http(struct script *script, struct flow *flow, struct words *words,
                       struct bytes *out)
{
    (void)script;
    (void)flow;
    for (size_t i = 0; i < words->count; i++)
        if (words->word[i].is_quoted && !words->word[i].key) {
            words->word[i].is_used = true;
            bytes_add(out, words->word[i].text, words->word[i].text_size);
            bytes_add(out, "\r\n", 2);
        }
    bytes_add(out, "\r\n", 2);
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool build_hex(struct script *script, struct flow *flow, struct words *words,
                      struct bytes *out)
{
    const char *at = words_plain(words, 1);
    (void)flow;
    while (at && *at) {
        if (*at == ' ') {
            at++;
            continue;
        }
        if (hex_value(at[0]) < 0 || hex_value(at[1]) < 0)
            return words_fault(words, script->fault, "hex wants pairs of lower-case hex digits");
        bytes_u8(out, (unsigned)(hex_value(at[0]) << 4 | hex_value(at[1])));
        at += 2;
    }
    return true;
}

static const struct {
    const char *name;
    int64_t number;
} alert_words[] = {
    /* RFC 8446 section 6 */
    {"warning", 1},
    {"fatal", 2},
    {"close_notify", 0},
    {"unexpected_message", 10},
    {"handshake_failure", 40},
    {"bad_certificate", 42},
    {"certificate_expired", 45},
    {"certificate_unknown", 46},
    {"unknown_ca", 48},
    {"access_denied", 49},
    {"protocol_version", 70},
    {"internal_error", 80},
    {"unrecognized_name", 112},
};

static bool alert_number(struct script *script, struct words *words, const char *key,
                         int64_t otherwise, int64_t *number)
{
    const char *text = words_value(words, key);
    *number = otherwise;
    if (!text)
        return true;
    for (size_t i = 0; i < sizeof alert_words / sizeof alert_words[0]; i++)
        if (strcmp(alert_words[i].name, text) == 0) {
            *number = alert_words[i].number;
            return true;
        }
    return words_number(words, key, number, script->fault);
}

static bool build_alert(struct script *script, struct flow *flow, struct words *words,
                        struct bytes *out)
{
    int64_t level;
    int64_t description;
    if (!alert_number(script, words, "level", 2, &level) ||
        !alert_number(script, words, "description", 40, &description))
        return false;
    if (!words_flag(words, "encrypted"))
        payload_alert(out, (unsigned)level, (unsigned)description);
    else if (flow->hello_version == VERSION_TLS13)
        payload_application_data(out, ENCRYPTED_ALERT_SIZE, verb_seed(script, flow));
    else
        payload_encrypted_alert(out, verb_seed(script, flow));
    return true;
}

static bool build_change_cipher_spec(struct script *script, struct flow *flow, struct words *words,
                                     struct bytes *out)
{
    (void)script;
    (void)flow;
    (void)words;
    payload_change_cipher_spec(out);
    return true;
}

static bool build_server_hello_done(struct script *script, struct flow *flow, struct words *words,
                                    struct bytes *out)
{
    (void)script;
    (void)flow;
    (void)words;
    payload_server_hello_done(out);
    return true;
}

#define SEEDED_VERB(noun)                                                                          \
    static bool build_##noun(struct script *script, struct flow *flow, struct words *words,        \
                             struct bytes *out)                                                    \
    {                                                                                              \
        (void)words;                                                                               \
        payload_##noun(out, verb_seed(script, flow));                                              \
        return true;                                                                               \
    }
SEEDED_VERB(server_key_exchange)
SEEDED_VERB(client_key_exchange)
SEEDED_VERB(session_ticket)
SEEDED_VERB(finished)

/* A record header that announces what it likes: for what is not quite TLS. */
static bool build_record(struct script *script, struct flow *flow, struct words *words,
                         struct bytes *out)
{
    int64_t type = 23;
    int64_t version = VERSION_TLS12;
    int64_t announced = 0;
    int64_t size = -1;
    if (!script_number(script, words, "type", 0, 255, &type) ||
        !script_number(script, words, "record-version", 0, 65535, &version) ||
        !script_number(script, words, "announced", 0, 65535, &announced) ||
        !script_number(script, words, "size", 0, 65535, &size))
        return false;
    bytes_u8(out, (unsigned)type);
    bytes_u16(out, (unsigned)version);
    bytes_u16(out, (unsigned)announced);
    bytes_random(out, (size_t)(size >= 0 ? size : announced), verb_seed(script, flow));
    return true;
}

/* RFC 7766 section 8: over TCP a message has its length in front. */
static bool build_dns(struct script *script, struct flow *flow, struct words *words,
                      struct bytes *out)
{
    bool query = strcmp(words_plain(words, 0), "dns-query") == 0;
    const struct host *client = flow->side[UPWARD].host;
    const struct host *resolver = flow->side[DOWNWARD].host;
    size_t opened = bytes_open(out, 2);
    bool good = query ? dns_lines_query(script, client, resolver, words, 1, out)
                      : dns_lines_answer(script, client, resolver, words, out);
    bytes_close(out, opened, 2);
    return good;
}

static const struct verb {
    const char *name;
    bool (*build)(struct script *script, struct flow *flow, struct words *words, struct bytes *out);
} verbs[] = {
    {"data", build_data},
    {"noise", build_noise},
    {"zeroes", build_zeroes},
    {"text", build_text},
    {"http", build_http},
    {"hex", build_hex},
    {"client-hello", verb_client_hello},
    {"server-hello", verb_server_hello},
    {"certificate", verb_certificate},
    {"server-key-exchange", build_server_key_exchange},
    {"server-hello-done", build_server_hello_done},
    {"client-key-exchange", build_client_key_exchange},
    {"session-ticket", build_session_ticket},
    {"change-cipher-spec", build_change_cipher_spec},
    {"finished", build_finished},
    {"alert", build_alert},
    {"record", build_record},
    {"dns-query", build_dns},
    {"dns-answer", build_dns},
};

bool verb_payload(struct script *script, struct flow *flow, enum way way, struct words *words,
                  struct bytes *out)
{
    const char *name = words_plain(words, 0);
    (void)way;
    for (size_t i = 0; name && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return verbs[i].build(script, flow, words, out);
    return words_fault(words, script->fault, "\"%s\" is no verb", name ? name : "");
}
