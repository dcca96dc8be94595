/* Samples of what a live run tells, some of it hostile. */
#ifndef APNSCOPE_TESTS_UNIT_FEED_SAMPLE_H
#define APNSCOPE_TESTS_UNIT_FEED_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "feed/sink.h"

#define SAMPLE_NS (INT64_C(1767225600) * NS_PER_S) /* 2026-01-01T00:00:00Z */

/* Quotes, a line's end, an escape sequence, a bidirectional mark, a bracket, a bare byte. */
#define HOSTILE                                                                                    \
    "a\"b\\c\nd\033[31m]e\xe2\x80\xae"                                                             \
    "f\xff"

static char sample_said[1024];

static inline void sample_say(void *context, const char *line)
{
    (void)context;
    snprintf(sample_said, sizeof sample_said, "%s", line);
}

static inline const char *sample_title(const char *code)
{
    return strcmp(code, "port-refused") == 0 ? "Port refused" : NULL;
}

static inline struct feed_origin sample_origin(void)
{
    sample_said[0] = '\0';
    return (struct feed_origin){.version = "1.2.3",
                                .host = "sensor1",
                                .interfaces = "eth1",
                                .began_ns = SAMPLE_NS,
                                .title_of = sample_title,
                                .speaker = {.say = sample_say}};
}

static inline struct address sample_address(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static inline struct finding sample_finding(void)
{
    struct finding finding = {.number = 17,
                              .code = "port-refused",
                              .severity = SEVERITY_FAIL,
                              .confidence = CONFIDENCE_CERTAIN,
                              .scope = SCOPE_DEVICE,
                              .client_ip = sample_address("10.0.0.5"),
                              .server_ip = sample_address("17.1.2.3"),
                              .server_port = 5223,
                              .first_ns = SAMPLE_NS,
                              .last_ns = SAMPLE_NS + NS_PER_S,
                              .count = 2,
                              .blocker_hops = 1,
                              .summary = "10.0.0.5 was refused",
                              .reasoning = "because",
                              .display_filter = "tcp.port == 5223",
                              .frame_count = 1};
    finding.frames[0] =
        (struct finding_frame){.number = 4, .time_ns = SAMPLE_NS, .shows = "RST, TTL 63"};
    return finding;
}

static inline struct flow_record sample_flow(void)
{
    struct flow_record flow = flow_record_blank();
    flow.number = 9;
    flow.client_ip = sample_address("10.0.0.5");
    flow.server_ip = sample_address("17.1.2.3");
    flow.client_port = 50000;
    flow.server_port = 5223;
    flow.role = ROLE_COURIER;
    flow.outcome = OUTCOME_ESTABLISHED;
    flow.started_ns = SAMPLE_NS;
    flow.last_ns = SAMPLE_NS + 90 * NS_PER_S;
    flow.packets_up = 5;
    flow.packets_down = 6;
    flow.bytes_up = 700;
    flow.bytes_down = 8000;
    flow.saw = SAW_CLIENT_HELLO | SAW_SERVER_HELLO;
    flow.tls_version = 0x0304;
    flow.sni = "courier.push.apple.com";
    return flow;
}

/* A folder of its own for each test. */
static inline int sample_setup(void **state)
{
    char *folder = strdup("/tmp/apnscope-feed-XXXXXX");
    *state = folder && mkdtemp(folder) ? folder : NULL;
    return *state ? 0 : -1;
}

static inline int sample_teardown(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    int status = system(command);
    free(*state);
    return status;
}

static inline const char *sample_path(void **state, const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", (char *)*state, name);
    return path;
}

/* The file's bytes, NUL-terminated; "" where it is not there. */
static inline const char *sample_read(const char *path)
{
    static char bytes[1 << 16];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, sizeof bytes - 1, file) : 0;
    if (file)
        fclose(file);
    bytes[size] = '\0';
    return bytes;
}

#endif
