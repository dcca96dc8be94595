/* Whole conversations by one word: `a handshake`, `a tls version=1.2`, `a courier`, `a close`.
 *
 * Of tests/support. Each macro is made of the same pieces that single lines are made of; times
 * between its packets are the flow's rtt and client-rtt. Deliberately plays the ordinary course
 * only: what departs from it is written out in the scenario. */
#include <string.h>

#include "script.h"
#include "tls_payload.h"

enum { FLAG_FIN = 0x01, FLAG_SYN = 0x02, FLAG_PSH = 0x08, FLAG_ACK = 0x10 };

static void wait_for(struct script *script, int64_t ns)
{
    script->stage.now_ns += ns;
}

static void speak(struct script *script, struct flow *flow, enum way way, const char *verb,
                  uint8_t flags, struct bytes *payload)
{
    struct shape shape = shape_ordinary();
    conversation_say(&script->stage, flow, way, verb, flags, payload ? payload->at : NULL,
                     payload ? payload->size : 0, &shape);
    if (payload)
        bytes_free(payload);
}

static void acknowledge(struct script *script, struct flow *flow, enum way way)
{
    speak(script, flow, way, "A", FLAG_ACK, NULL);
}

static void say_data(struct script *script, struct flow *flow, enum way way, size_t size)
{
    struct bytes payload = {0};
    payload_application_data(&payload, size, verb_seed(script, flow));
    speak(script, flow, way, "data", FLAG_PSH | FLAG_ACK, &payload);
}

static bool macro_handshake(struct script *script, struct flow *flow, struct words *words)
{
    if (!words_duration(words, "rtt", &flow->rtt_ns, script->fault) ||
        !words_duration(words, "client-rtt", &flow->client_rtt_ns, script->fault))
        return false;
    speak(script, flow, UPWARD, "S", FLAG_SYN, NULL);
    wait_for(script, flow->rtt_ns);
    speak(script, flow, DOWNWARD, "SA", FLAG_SYN | FLAG_ACK, NULL);
    wait_for(script, flow->client_rtt_ns);
    acknowledge(script, flow, UPWARD);
    return true;
}

static bool say_client_hello(struct script *script, struct flow *flow, struct words *words)
{
    struct bytes payload = {0};
    wait_for(script, flow->client_rtt_ns);
    if (!verb_client_hello(script, flow, words, &payload)) {
        bytes_free(&payload);
        return false;
    }
    speak(script, flow, UPWARD, "client-hello", FLAG_PSH | FLAG_ACK, &payload);
    return true;
}

/* RFC 8446 section 2.1, with the ChangeCipherSpec of appendix D.4. */
static void say_retry(struct script *script, struct flow *flow)
{
    struct bytes payload = {0};
    struct server_hello hello = {.version = VERSION_TLS13,
                                 .is_retry = true,
                                 .session_id = flow->session_id,
                                 .session_id_size = flow->session_id_size};
    wait_for(script, flow->rtt_ns);
    flow->was_retried = true;
    payload_server_hello(&payload, &hello);
    payload_change_cipher_spec(&payload);
    speak(script, flow, DOWNWARD, "server-hello", FLAG_PSH | FLAG_ACK, &payload);
}

static bool tls13(struct script *script, struct flow *flow, struct words *words)
{
    bool resumes = words_flag(words, "psk");
    int64_t flight = resumes ? 140 : 2900; /* EncryptedExtensions to Finished */
    struct bytes payload = {0};
    struct server_hello hello = {.version = VERSION_TLS13,
                                 .selects_psk = resumes,
                                 .seed = flow->seed,
                                 .session_id = flow->session_id};
    if (!script_number(script, words, "flight", 24, 60000, &flight))
        return false;
    if (words_flag(words, "retry")) {
        say_retry(script, flow);
        if (!say_client_hello(script, flow, words))
            return false;
    }
    hello.session_id_size = flow->session_id_size;
    hello.after_retry = flow->was_retried;
    flow->was_retried = false;
    wait_for(script, flow->rtt_ns);
    acknowledge(script, flow, DOWNWARD);
    wait_for(script, 1000000);
    payload_server_hello(&payload, &hello);
    payload_change_cipher_spec(&payload);
    payload_application_data(&payload, (size_t)flight, verb_seed(script, flow));
    speak(script, flow, DOWNWARD, "server-hello", FLAG_PSH | FLAG_ACK, &payload);
    wait_for(script, flow->client_rtt_ns);
    acknowledge(script, flow, UPWARD);
    wait_for(script, 2000000); /* the client checks the chain */
    payload_change_cipher_spec(&payload);
    payload_application_data(&payload, 74, verb_seed(script, flow)); /* Finished, SHA-384 */
    speak(script, flow, UPWARD, "finished", FLAG_PSH | FLAG_ACK, &payload);
    return true;
}

/* RFC 5246 section 7.3, full handshake with a session ticket (RFC 5077). */
static bool tls12(struct script *script, struct flow *flow, struct words *words)
{
    struct bytes payload = {0};
    struct server_hello hello = {.version = VERSION_TLS12, .seed = flow->seed};
    hello.alpn = words_value_or(words, "chosen-alpn", "apns-pack-v1:4096:4096");
    wait_for(script, flow->rtt_ns);
    acknowledge(script, flow, DOWNWARD);
    wait_for(script, 1000000);
    payload_server_hello(&payload, &hello);
    if (!verb_certificate(script, flow, words, &payload)) {
        bytes_free(&payload);
        return false;
    }
    payload_server_key_exchange(&payload, verb_seed(script, flow));
    payload_server_hello_done(&payload);
    speak(script, flow, DOWNWARD, "server-hello", FLAG_PSH | FLAG_ACK, &payload);
    wait_for(script, flow->client_rtt_ns);
    acknowledge(script, flow, UPWARD);
    wait_for(script, 2000000);
    payload_client_key_exchange(&payload, verb_seed(script, flow));
    payload_change_cipher_spec(&payload);
    payload_finished(&payload, verb_seed(script, flow));
    speak(script, flow, UPWARD, "finished", FLAG_PSH | FLAG_ACK, &payload);
    wait_for(script, flow->rtt_ns);
    payload_session_ticket(&payload, verb_seed(script, flow));
    payload_change_cipher_spec(&payload);
    payload_finished(&payload, verb_seed(script, flow));
    speak(script, flow, DOWNWARD, "finished", FLAG_PSH | FLAG_ACK, &payload);
    return true;
}

static bool macro_tls(struct script *script, struct flow *flow, struct words *words)
{
    const char *version = words_value_or(words, "version", "1.3");
    if (!payload_version_of(version, &flow->hello_version) || flow->hello_version < VERSION_TLS12)
        return words_fault(words, script->fault, "version=%s is neither 1.2 nor 1.3", version);
    if (!say_client_hello(script, flow, words))
        return false;
    return flow->hello_version == VERSION_TLS13 ? tls13(script, flow, words)
                                                : tls12(script, flow, words);
}

/* The device's Connect message and the server's answer (wire.md section 2). */
static bool macro_connect_message(struct script *script, struct flow *flow, struct words *words)
{
    int64_t size = 980;
    if (!script_number(script, words, "connect-size", 6, 16000, &size))
        return false;
    wait_for(script, flow->client_rtt_ns);
    say_data(script, flow, UPWARD, (size_t)size);
    wait_for(script, flow->rtt_ns);
    acknowledge(script, flow, DOWNWARD);
    wait_for(script, 5000000);
    say_data(script, flow, DOWNWARD, 120);
    wait_for(script, flow->client_rtt_ns);
    acknowledge(script, flow, UPWARD);
    return true;
}

static bool macro_courier(struct script *script, struct flow *flow, struct words *words)
{
    return macro_handshake(script, flow, words) && macro_tls(script, flow, words) &&
           macro_connect_message(script, flow, words);
}

/* wire.md section 3: one small record from the server; the client's TCP acknowledges it. */
static bool macro_heartbeat(struct script *script, struct flow *flow, struct words *words)
{
    int64_t size = 32;
    if (!script_number(script, words, "size", 6, 16000, &size))
        return false;
    say_data(script, flow, DOWNWARD, (size_t)size);
    wait_for(script, flow->client_rtt_ns);
    acknowledge(script, flow, UPWARD);
    return true;
}

static bool macro_push(struct script *script, struct flow *flow, struct words *words)
{
    int64_t size = 420;
    if (!script_number(script, words, "size", 6, 16000, &size))
        return false;
    say_data(script, flow, DOWNWARD, (size_t)size);
    wait_for(script, flow->client_rtt_ns);
    say_data(script, flow, UPWARD, 60); /* the device's own acknowledgement */
    wait_for(script, flow->rtt_ns);
    acknowledge(script, flow, DOWNWARD);
    return true;
}

static void close_from(struct script *script, struct flow *flow, enum way way)
{
    int64_t there = way == UPWARD ? flow->rtt_ns : flow->client_rtt_ns;
    int64_t back = way == UPWARD ? flow->client_rtt_ns : flow->rtt_ns;
    struct bytes payload = {0};
    if (flow->hello_version == VERSION_TLS13)
        payload_application_data(&payload, ENCRYPTED_ALERT_SIZE, verb_seed(script, flow));
    else
        payload_encrypted_alert(&payload, verb_seed(script, flow));
    speak(script, flow, way, "alert", FLAG_PSH | FLAG_ACK, &payload);
    wait_for(script, 50000);
    speak(script, flow, way, "FA", FLAG_FIN | FLAG_ACK, NULL);
    wait_for(script, there);
    speak(script, flow, way == UPWARD ? DOWNWARD : UPWARD, "FA", FLAG_FIN | FLAG_ACK, NULL);
    wait_for(script, back);
    acknowledge(script, flow, way);
}

static bool macro_close(struct script *script, struct flow *flow, struct words *words)
{
    (void)words;
    close_from(script, flow, UPWARD);
    return true;
}

static bool macro_server_close(struct script *script, struct flow *flow, struct words *words)
{
    (void)words;
    close_from(script, flow, DOWNWARD);
    return true;
}

static const struct macro {
    const char *name;
    bool (*play)(struct script *script, struct flow *flow, struct words *words);
} macros[] = {
    {"handshake", macro_handshake}, {"tls", macro_tls},
    {"courier", macro_courier},     {"connect-message", macro_connect_message},
    {"heartbeat", macro_heartbeat}, {"push", macro_push},
    {"close", macro_close},         {"server-close", macro_server_close},
};

bool macro_play(struct script *script, struct flow *flow, const char *name, struct words *words,
                bool *known)
{
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
        if (strcmp(macros[i].name, name) == 0) {
            *known = true;
            return macros[i].play(script, flow, words);
        }
    *known = false;
    return true;
}
