/* A stage for detect/: flows and answers written by hand, told to an engine as track/ would, and
 * what the engine says of them, to be asked by code.
 *
 * Time is in seconds from a fixed start. Every flow gets its own number and frames. */
#ifndef APNSCOPE_TESTS_DETECT_PLAY_H
#define APNSCOPE_TESTS_DETECT_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "detect/detect.h"
#include "detect/judge.h"

#define START_NS INT64_C(1772359200000000000) /* 2026-03-01T10:00:00Z */

enum { PLAY_FINDINGS_MAX = 64, PLAY_DEVICES_MAX = 64 };

struct play {
    struct engine *engine;
    uint64_t flows;
    uint64_t frames;
    uint16_t dns_id;
    struct capture_quality quality;
    struct finding findings[PLAY_FINDINGS_MAX];
    size_t finding_count;
    struct device_record devices[PLAY_DEVICES_MAX];
    size_t device_count;
    struct requirement_record requirements[REQUIREMENT_COUNT];
    size_t requirement_count;
};

static inline int64_t at(double seconds)
{
    return START_NS + (int64_t)(seconds * 1e9);
}

static inline struct address ip(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static inline void play_begin(struct play *play)
{
    memset(play, 0, sizeof *play);
    play->engine = engine_new();
    play->quality.first_ns = at(0);
    play->quality.last_ns = at(3600);
    play->quality.frames = 1000;
    play->quality.flows_tracked = 10;
}

static inline void play_tell(struct play *play, enum event_kind kind, double seconds,
                             const struct flow_record *flow)
{
    struct event event = {
        .kind = kind, .time_ns = at(seconds), .frame = ++play->frames, .flow = flow};
    engine_observe(play->engine, &event);
}

/* A courier's attempt on 5223 at an Apple address of which nothing but the SYN is known. */
static inline struct flow_record attempt(struct play *play, const char *client, const char *server,
                                         uint16_t port, double seconds)
{
    struct flow_record flow = flow_record_blank();
    flow.number = ++play->flows;
    flow.client_ip = ip(client);
    flow.server_ip = ip(server);
    flow.client_port = (uint16_t)(49152 + play->flows);
    flow.server_port = port;
    flow.ip_version = address_is_ipv4(&flow.client_ip) ? 4 : 6;
    flow.server_is_apple = true;
    flow.role = port == 2197 ? ROLE_PROVIDER : port == 2195 ? ROLE_LEGACY_PROVIDER : ROLE_COURIER;
    flow.path = PATH_DIRECT;
    flow.reason = SCOPE_BY_PORT;
    flow.outcome = OUTCOME_UNFINISHED;
    flow.saw = SAW_SYN | SAW_UP;
    flow.syn_count = 1;
    flow.packets_up = 1;
    flow.started_ns = flow.last_ns = flow.last_syn_ns = at(seconds);
    flow.first_frame = flow.syn_frame = flow.last_syn_frame = flow.last_frame = ++play->frames;
    return flow;
}

static inline struct flow_record unanswered(struct play *play, const char *client,
                                            const char *server, uint16_t port, double seconds,
                                            double span)
{
    struct flow_record flow = attempt(play, client, server, port, seconds);
    flow.outcome = OUTCOME_NO_ANSWER;
    flow.ended_by = ENDED_NO_ANSWER;
    flow.syn_count = span > 20 ? 7 : 3;
    flow.last_ns = flow.last_syn_ns = at(seconds + span);
    flow.last_syn_frame = flow.last_frame = ++play->frames;
    return flow;
}

static inline struct flow_record refused(struct play *play, const char *client, const char *server,
                                         uint16_t port, double seconds, int16_t ttl)
{
    struct flow_record flow = attempt(play, client, server, port, seconds);
    flow.outcome = OUTCOME_REFUSED;
    flow.ended_by = ENDED_SERVER_RESET;
    flow.saw |= SAW_RST_DOWN;
    flow.reset_ttl = ttl;
    flow.reset_ns = flow.last_ns = at(seconds + 0.001);
    flow.reset_frame = flow.last_frame = ++play->frames;
    return flow;
}

static inline struct flow_record unreachable(struct play *play, const char *client,
                                             const char *server, uint16_t port, double seconds,
                                             uint8_t type, uint8_t code)
{
    struct flow_record flow = attempt(play, client, server, port, seconds);
    flow.outcome = OUTCOME_UNREACHABLE;
    flow.saw |= SAW_ICMP;
    flow.icmp_type = type;
    flow.icmp_code = code;
    flow.icmp_source = ip(address_is_ipv4(&flow.client_ip) ? "10.0.0.1" : "2001:db8::1");
    flow.icmp_ns = flow.last_ns = at(seconds + 0.002);
    flow.icmp_frame = flow.last_frame = ++play->frames;
    return flow;
}

/* A courier session as a healthy network shows it, `lasting` seconds long, Apple 12 hops away. */
static inline struct flow_record healthy(struct play *play, const char *client, const char *server,
                                         uint16_t port, double seconds, double lasting)
{
    struct flow_record flow = attempt(play, client, server, port, seconds);
    flow.outcome = OUTCOME_ESTABLISHED;
    flow.ended_by = ENDED_CAPTURE_END;
    flow.saw |= SAW_SYN_ACK | SAW_HANDSHAKE | SAW_DOWN | SAW_CLIENT_HELLO | SAW_SERVER_HELLO |
                SAW_APPLICATION_UP | SAW_APPLICATION_DOWN | SAW_CONNECT_MESSAGE | SAW_SERVER_DATA;
    flow.established_ns = at(seconds + 0.02);
    flow.last_ns = flow.last_down_ns = at(seconds + lasting);
    flow.sni = "courier.push.apple.com";
    flow.alpn = "apns-security-v3,apns-pack-v1";
    flow.reason = SCOPE_BY_NAME;
    flow.tls_version = 0x0304;
    flow.ttl_server = 52;
    flow.hops_server = 12;
    flow.packets_up = flow.packets_down = 20;
    flow.hello_frame = ++play->frames;
    flow.last_frame = ++play->frames;
    return flow;
}

/* TCP and the server's TLS flight came through, then the client ended it. */
static inline struct flow_record turned_away(struct play *play, const char *client,
                                             const char *server, uint16_t port, double seconds)
{
    struct flow_record flow = healthy(play, client, server, port, seconds, 0.2);
    flow.saw &= ~(uint32_t)(SAW_APPLICATION_UP | SAW_APPLICATION_DOWN | SAW_CONNECT_MESSAGE);
    flow.saw |= SAW_FIN_UP;
    flow.outcome = OUTCOME_TLS_FAILED;
    flow.ended_by = ENDED_CLIENT_FIN;
    return flow;
}

static inline struct flow_record proxied(struct play *play, const char *client, double seconds,
                                         uint16_t status)
{
    struct flow_record flow = attempt(play, client, "10.0.0.8", 3128, seconds);
    flow.server_is_apple = false;
    flow.role = ROLE_PROXY;
    flow.path = PATH_EXPLICIT_PROXY;
    flow.reason = SCOPE_BY_CONNECT;
    flow.connect_host = "7-courier.push.apple.com:443";
    flow.proxy_status = status;
    flow.proxy_frame = ++play->frames;
    flow.saw |= SAW_SYN_ACK | SAW_HANDSHAKE | SAW_DOWN;
    flow.outcome = status < 300 ? OUTCOME_ESTABLISHED : OUTCOME_PROXY_DENIED;
    flow.established_ns = at(seconds + 0.01);
    flow.last_ns = at(seconds + 1);
    return flow;
}

static inline void play_close(struct play *play, const struct flow_record *flow)
{
    play_tell(play, EVENT_FLOW_CLOSED, (double)(flow->last_ns - START_NS) / 1e9, flow);
}

static inline void play_works(struct play *play, struct flow_record *flow)
{
    flow->told_to_work = true;
    play_tell(play, EVENT_FLOW_WORKS, (double)(flow->established_ns - START_NS) / 1e9, flow);
}

static inline void play_healthy(struct play *play, const char *client, const char *server,
                                uint16_t port, double seconds)
{
    struct flow_record flow = healthy(play, client, server, port, seconds, 10);
    play_works(play, &flow);
    play_close(play, &flow);
}

/* A DNS answer; `answers` are addresses separated by blanks. */
static inline void play_answer(struct play *play, const char *client, const char *name,
                               uint16_t type, uint8_t rcode, const char *answers, double seconds)
{
    struct dns_message dns = {
        .is_response = true, .rcode = rcode, .type = type, .id = ++play->dns_id};
    char list[256];
    snprintf(dns.name, sizeof dns.name, "%s", name);
    snprintf(list, sizeof list, "%s", answers);
    for (char *rest = list, *one; (one = strtok_r(rest, " ", &rest)) != NULL;)
        dns.addresses[dns.address_count++] = ip(one);
    struct event event = {.kind = EVENT_DNS_ANSWER,
                          .time_ns = at(seconds),
                          .frame = ++play->frames,
                          .dns = &dns,
                          .client = ip(client),
                          .resolver = ip("10.0.0.53")};
    engine_observe(play->engine, &event);
}

static inline void play_take_finding(void *context, const struct finding *finding)
{
    struct play *play = context;
    assert_true(play->finding_count < PLAY_FINDINGS_MAX);
    play->findings[play->finding_count++] = *finding;
}

static inline void play_take_device(void *context, const struct device_record *device)
{
    struct play *play = context;
    assert_true(play->device_count < PLAY_DEVICES_MAX);
    play->devices[play->device_count++] = *device;
}

static inline void play_take_requirement(void *context, const struct requirement_record *row)
{
    struct play *play = context;
    assert_true(play->requirement_count < REQUIREMENT_COUNT);
    play->requirements[play->requirement_count++] = *row;
}

/* The capture ends; the engine says what it thinks. */
static inline void play_end(struct play *play)
{
    struct event event = {
        .kind = EVENT_CAPTURE_END, .time_ns = play->quality.last_ns, .quality = &play->quality};
    struct engine_results results = {play, play_take_finding, play_take_device,
                                     play_take_requirement};
    engine_observe(play->engine, &event);
    engine_finish(play->engine, &results);
    engine_free(play->engine);
    play->engine = NULL;
}

static inline const struct finding *play_finding(const struct play *play, const char *code)
{
    for (size_t i = 0; i < play->finding_count; i++)
        if (strcmp(play->findings[i].code, code) == 0)
            return &play->findings[i];
    return NULL;
}

static inline const struct finding *must_find(const struct play *play, const char *code)
{
    const struct finding *finding = play_finding(play, code);
    if (!finding) {
        fail_msg("no %s among %zu findings", code, play->finding_count);
        abort(); /* fail_msg does not return, which the compiler is not told */
    }
    return finding;
}

#define assert_fires(play, code)  must_find(play, code)
#define assert_silent(play, code) assert_null(play_finding(play, code))

static inline void assert_nothing_found(const struct play *play)
{
    if (play->finding_count)
        fail_msg("found %s: %s", play->findings[0].code, play->findings[0].summary);
}

static inline const struct device_record *must_see_device(const struct play *play,
                                                          const char *client)
{
    struct address wanted = ip(client);
    for (size_t i = 0; i < play->device_count; i++)
        if (address_equal(&play->devices[i].ip, &wanted))
            return &play->devices[i];
    fail_msg("no device %s", client);
    abort();
}

#endif
