/* Databases for the report's tests, filled through the store as the program fills them.
 *
 * Included by each test of tests/unit/report; every database lies in a folder of its own that
 * fill_remove takes away. */
#ifndef APNSCOPE_TESTS_REPORT_FILL_H
#define APNSCOPE_TESTS_REPORT_FILL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "store/store.h"

#define FILL_START_NS INT64_C(1772359200000000000) /* 2026-03-01T10:00:00Z */

struct fill {
    char directory[64];
    char database[96];
    struct store *store;
    struct run_record run;
    struct capture_quality quality;
    uint64_t flows;
    uint64_t findings;
};

static const struct report_code fill_codes[] = {
    {"dns-blocked", "Push names do not resolve", "Devices cannot find the push service.",
     "DNS answers", "dns", "A bare courier name has no address.",
     "Let the resolver answer for push.apple.com and all names below it.", "fail", 1u << R8_DNS,
     PLACE_AT_RESOLVER},
    {"fallback-443", "Devices fall back to TCP 443",
     "Devices could not use TCP 5223 and used 443 instead. Push works, later and with less margin.",
     "A courier session on 443 within 60 s of a failure on 5223.", "tcp.port == 443",
     "A device that uses 443 without having failed on 5223 does not count.",
     "Open TCP 5223 outbound to 17.0.0.0/8.", "warn", 1u << R1_PORT_5223, PLACE_UNKNOWN},
    {"port-blocked-silent", "TCP 5223 is blocked without an answer",
     "Connection attempts of devices vanish: something on the way drops them silently.",
     "At least three SYNs over 3 s, none answered.", "tcp.flags.syn == 1",
     "A device that goes to sleep stops repeating its SYN and does not count.",
     "Allow outbound TCP 5223 to 17.0.0.0/8 from the device networks, without inspection.", "fail",
     1u << R1_PORT_5223, PLACE_ON_THE_WAY},
    {"tls-intercepted", "TLS inspection on push connections",
     "A box shows its own certificate. Devices accept only Apple's, so they never connect.",
     "The certificate's chain.", "tls.handshake.certificate",
     "An old public chain of Apple's is known and does not count.",
     "Exempt 17.0.0.0/8 and *.push.apple.com from TLS inspection.", "fail", 1u << R4_DIRECT,
     PLACE_UNKNOWN},
};

static inline struct report_options fill_options(const struct fill *fill)
{
    return (struct report_options){
        .database = fill->database,
        .catalogue = {fill_codes, sizeof fill_codes / sizeof fill_codes[0]}};
}

static inline struct address fill_address(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static inline void fill_begin(struct fill *fill)
{
    struct fault fault = {0};
    *fill = (struct fill){.quality = {.frames = 48213, .bytes = 9120344, .drops_known = true}};
    snprintf(fill->directory, sizeof fill->directory, "/tmp/report-test-XXXXXX");
    assert_non_null(mkdtemp(fill->directory));
    snprintf(fill->database, sizeof fill->database, "%s/apnscope.db", fill->directory);
    fill->run = (struct run_record){.site = "Hamburg school 12",
                                    .sensor = "core switch, mirror of uplink",
                                    .source = "uplink-2026-03-01.pcapng",
                                    .tool_version = "apnscope 0.1.0",
                                    .libraries = "libpcap 1.10.3; nDPI 4.2; SQLite 3.40.1",
                                    .options = "home-net=private",
                                    .capture_notes = "Dumpcap (Wireshark) 4.0.17",
                                    .analyzed_ns = FILL_START_NS,
                                    .stored_ns = TIME_UNKNOWN,
                                    .first_ns = FILL_START_NS,
                                    .last_ns = FILL_START_NS + 3600 * NS_PER_S,
                                    .packets = 48213,
                                    .bytes = 9120344,
                                    .source_size = 9500000,
                                    .drops_known = true,
                                    .state = RUN_COMPLETE};
    memset(fill->run.sha256, 'a', 64);
    if (!store_open(&fill->store, fill->database, STORE_WAIT, &fault) ||
        !store_begin(fill->store, &fill->run, &fault))
        fail_msg("%s", fault.sentence);
}

static inline void fill_end(struct fill *fill)
{
    struct fault fault = {0};
    int64_t run_id = 0;
    fill->quality.first_ns = fill->run.first_ns;
    fill->quality.last_ns = fill->run.last_ns;
    if (!store_finish(fill->store, &fill->run, &fill->quality, &run_id, &fault))
        fail_msg("%s", fault.sentence);
    store_close(fill->store);
}

/* A run of another site in the same database. */
static inline void fill_next_site(struct fill *fill, const char *site)
{
    struct fault fault = {0};
    fill->run.site = site;
    fill->run.sha256[0]++;
    fill->flows = 0;
    if (!store_open(&fill->store, fill->database, STORE_WAIT, &fault) ||
        !store_begin(fill->store, &fill->run, &fault))
        fail_msg("%s", fault.sentence);
}

static inline void fill_remove(const struct fill *fill)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", fill->directory);
    assert_int_equal(system(command), 0);
}

/* A session that starts `second` s into the capture; refine and give it to store_flow. */
static inline struct flow_record fill_flow(struct fill *fill, const char *client,
                                           const char *server, uint16_t port, unsigned second)
{
    struct flow_record flow = flow_record_blank();
    flow.number = ++fill->flows;
    flow.client_ip = fill_address(client);
    flow.server_ip = fill_address(server);
    flow.client_port = (uint16_t)(49152 + fill->flows % 16000);
    flow.server_port = port;
    flow.ip_version = strchr(client, ':') ? 6 : 4;
    flow.role = port == 443 || port == 5223 ? ROLE_COURIER : ROLE_PROVIDER;
    flow.path = PATH_DIRECT;
    flow.reason = SCOPE_BY_PORT;
    flow.started_ns = FILL_START_NS + (int64_t)second * NS_PER_S;
    flow.last_ns = flow.started_ns;
    flow.syn_count = 1;
    flow.packets_up = 1;
    flow.first_frame = 100 + 40 * fill->flows;
    flow.last_frame = flow.first_frame + 30;
    return flow;
}

static inline void fill_working(struct fill *fill, const char *client, const char *server,
                                uint16_t port, unsigned second, unsigned seconds)
{
    struct flow_record flow = fill_flow(fill, client, server, port, second);
    flow.outcome = OUTCOME_ESTABLISHED;
    flow.ended_by = second + seconds >= 3600 ? ENDED_CAPTURE_END : ENDED_CLIENT_FIN;
    flow.rtt_server_us = 23400;
    flow.rtt_client_us = 420;
    flow.established_ns = flow.started_ns + 24 * NS_PER_MS;
    flow.last_ns = flow.started_ns + (int64_t)seconds * NS_PER_S;
    flow.tls_version = 0x0304;
    flow.tls_hello_us = 25100;
    flow.sni = "courier.push.apple.com";
    flow.alpn = "apns-security-v3,apns-pack-v1";
    flow.hops_server = 12;
    flow.packets_up = 41;
    flow.packets_down = 38;
    flow.bytes_up = 5120;
    flow.bytes_down = 7230;
    store_flow(fill->store, &flow);
}

static inline void fill_unanswered(struct fill *fill, const char *client, const char *server,
                                   uint16_t port, unsigned second)
{
    struct flow_record flow = fill_flow(fill, client, server, port, second);
    flow.outcome = OUTCOME_NO_ANSWER;
    flow.ended_by = ENDED_NO_ANSWER;
    flow.syn_count = 5;
    flow.packets_up = 5;
    flow.last_ns = flow.started_ns + 15 * NS_PER_S;
    store_flow(fill->store, &flow);
}

static inline void fill_device(struct fill *fill, const char *ip, enum device_verdict verdict,
                               const char *works_on, const char *reason, uint32_t sessions)
{
    struct device_record device = {.ip = fill_address(ip),
                                   .mac = {0x3c, 0x22, 0xfb, 0x10, 0x20, 0x30},
                                   .has_mac = true,
                                   .role = DEVICE_ROLE_DEVICE,
                                   .verdict = verdict,
                                   .sessions = sessions,
                                   .first_ns = FILL_START_NS,
                                   .last_ns = FILL_START_NS + 3500 * NS_PER_S};
    snprintf(device.works_on, sizeof device.works_on, "%s", works_on);
    snprintf(device.reason, sizeof device.reason, "%s", reason);
    store_device(fill->store, &device);
}

static inline struct finding fill_finding(struct fill *fill, const char *code,
                                          enum severity severity, const char *client,
                                          const char *summary)
{
    struct finding finding = {.number = ++fill->findings,
                              .code = code,
                              .severity = severity,
                              .confidence = CONFIDENCE_CERTAIN,
                              .scope = SCOPE_DEVICE,
                              .client_ip = fill_address(client),
                              .server_ip = fill_address("17.57.144.84"),
                              .server_port = 5223,
                              .first_ns = FILL_START_NS + 12 * NS_PER_S,
                              .last_ns = FILL_START_NS + 3400 * NS_PER_S,
                              .count = 9,
                              .blocker_hops = -1,
                              .frame_count = 2};
    snprintf(finding.summary, sizeof finding.summary, "%s", summary);
    snprintf(finding.reasoning, sizeof finding.reasoning,
             "The device repeated its SYN and never acknowledged an answer.");
    snprintf(finding.display_filter, sizeof finding.display_filter,
             "ip.addr == %s && tcp.port == 5223", client);
    finding.frames[0] = (struct finding_frame){1042, finding.first_ns, "SYN"};
    finding.frames[1] =
        (struct finding_frame){1187, finding.first_ns + 3 * NS_PER_S, "SYN again, no answer"};
    return finding;
}

static inline void fill_requirement(struct fill *fill, enum requirement_code code,
                                    enum requirement_status status, uint32_t seen, uint32_t failed,
                                    const char *summary)
{
    struct requirement_record requirement = {
        .code = code, .status = status, .seen = seen, .failed = failed};
    snprintf(requirement.summary, sizeof requirement.summary, "%s", summary);
    store_requirement(fill->store, &requirement);
}

static inline void fill_dns(struct fill *fill, const char *client, const char *name, uint8_t rcode,
                            const char *answer)
{
    struct dns_message dns = {.is_response = true, .rcode = rcode, .type = DNS_A};
    snprintf(dns.name, sizeof dns.name, "%s", name);
    if (answer)
        dns.addresses[dns.address_count++] = fill_address(answer);
    struct event event = {.kind = EVENT_DNS_ANSWER,
                          .time_ns = FILL_START_NS + NS_PER_S,
                          .frame = 7,
                          .dns = &dns,
                          .client = fill_address(client),
                          .resolver = fill_address("10.20.0.2")};
    store_dns(fill->store, &event);
}

/* A school where TCP 5223 is dropped for two networks; one device is inspected; three are well. */
static inline void fill_faulty(struct fill *fill)
{
    fill_begin(fill);
    for (unsigned i = 0; i < 3; i++) {
        char client[32];
        snprintf(client, sizeof client, "10.20.30.%u", 11 + i);
        for (unsigned round = 0; round < 3; round++) {
            fill_unanswered(fill, client, "17.57.144.84", 5223, 12 + 90 * i + 1100 * round);
            fill_working(fill, client, "17.57.144.20", 443, 28 + 90 * i + 1100 * round, 1000);
        }
        fill_device(fill, client, VERDICT_DEGRADED, "443",
                    "TCP 5223 gets no answer; it works on 443.", 6);
        struct finding blocked =
            fill_finding(fill, "port-blocked-silent", SEVERITY_FAIL, client,
                         "TCP 5223 to Apple gets no answer: 5 SYNs over 15 s, no reply.");
        blocked.flow_number = 1 + 6 * i;
        store_finding(fill->store, &blocked);
        struct finding fallback = fill_finding(fill, "fallback-443", SEVERITY_WARN, client,
                                               "Used TCP 443 after 16 s without TCP 5223.");
        fallback.server_port = 443;
        store_finding(fill->store, &fallback);
    }
    struct flow_record inspected = fill_flow(fill, "10.20.40.7", "17.57.144.85", 5223, 300);
    inspected.outcome = OUTCOME_TLS_FAILED;
    inspected.ended_by = ENDED_CLIENT_RESET;
    inspected.established_ns = inspected.started_ns + NS_PER_MS;
    inspected.rtt_server_us = 800;
    inspected.sni = "courier.push.apple.com";
    inspected.tls_version = 0x0303;
    inspected.last_ns = inspected.started_ns + NS_PER_S;
    store_flow(fill->store, &inspected);
    fill_device(fill, "10.20.40.7", VERDICT_BROKEN, "", "TLS is opened on the way.", 1);
    struct finding opened =
        fill_finding(fill, "tls-intercepted", SEVERITY_FAIL, "10.20.40.7",
                     "The certificate shown for courier.push.apple.com is from \"Proxy CA\".");
    opened.confidence = CONFIDENCE_LIKELY;
    opened.blocker_ip = fill_address("10.20.0.1");
    opened.blocker_hops = 2;
    snprintf(opened.limits, sizeof opened.limits, "The chain was cut by the snap length.");
    store_finding(fill->store, &opened);
    for (unsigned i = 0; i < 3; i++) {
        char client[32];
        snprintf(client, sizeof client, "10.20.50.%u", 21 + i);
        fill_working(fill, client, "17.57.144.21", 5223, 5 + i, 3594 - i);
        fill_device(fill, client, VERDICT_WORKS, "5223", "Its session on 5223 stayed up.", 1);
    }
    fill_dns(fill, "10.20.50.21", "36-courier.push.apple.com", DNS_NOERROR, "17.57.144.21");
    fill_dns(fill, "10.20.50.22", "7-courier.push.apple.com", DNS_NXDOMAIN, NULL);
    fill_requirement(fill, R0_CAPTURE, STATUS_PASS, 25, 0, "Both directions of all sessions.");
    fill_requirement(fill, R1_PORT_5223, STATUS_FAIL, 12, 9,
                     "3 of 7 devices do not reach Apple on TCP 5223.");
    fill_requirement(fill, R2_FALLBACK_443, STATUS_PASS, 9, 0, "3 devices connected on 443.");
    fill_requirement(fill, R4_DIRECT, STATUS_FAIL, 10, 1, "TLS inspection for 1 device.");
    fill_requirement(fill, R5_PERSISTS, STATUS_PASS, 3, 0, "The longest session: 59 min 54 s.");
    fill_requirement(fill, R8_DNS, STATUS_WARN, 2, 1, "1 of 2 answers was not an address.");
    fill->quality.flows_tracked = fill->flows;
    fill->quality.skipped[SKIP_NOT_IP] = 312;
    fill->quality.skipped[SKIP_FRAGMENT] = 4;
    fill->quality.gap_bytes = 1460;
    fill_end(fill);
}

static inline void fill_healthy(struct fill *fill)
{
    fill_begin(fill);
    fill_working(fill, "10.20.50.21", "17.57.144.21", 5223, 5, 3594);
    fill_device(fill, "10.20.50.21", VERDICT_WORKS, "5223", "Its session on 5223 stayed up.", 1);
    fill_requirement(fill, R0_CAPTURE, STATUS_PASS, 1, 0, "Both directions of all sessions.");
    fill_requirement(fill, R1_PORT_5223, STATUS_PASS, 1, 0, "1 device connected on 5223.");
    fill_end(fill);
}

/* Names as an attacker would choose them. */
static const char *const fill_hostile_names[] = {
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\ttab first",
    "\rreturn first",
    "\033[2J\033]0;owned\007",
    "abc\xe2\x80\xae"
    "gpj.exe",
    "\xff\xfe not UTF-8",
    "\"quoted\", with 'comma' & <b>, \r\nand a line",
    "%s%n",
    "</title></style><img src=x onerror=alert(1)>",
};
enum { FILL_HOSTILE_COUNT = sizeof fill_hostile_names / sizeof fill_hostile_names[0] };

static inline void fill_hostile(struct fill *fill)
{
    static char longest[256];
    memset(longest, 'A', sizeof longest - 1);
    fill_begin(fill);
    for (size_t i = 0; i <= FILL_HOSTILE_COUNT; i++) {
        const char *name = i < FILL_HOSTILE_COUNT ? fill_hostile_names[i] : longest;
        struct flow_record flow = fill_flow(fill, "10.0.0.9", "17.57.144.9", 5223, (unsigned)i);
        flow.outcome = OUTCOME_ESTABLISHED;
        flow.sni = flow.alpn = flow.process_name = flow.connect_host = flow.ndpi_protocol = name;
        store_flow(fill->store, &flow);
        struct finding finding =
            fill_finding(fill, "tls-intercepted", SEVERITY_FAIL, "10.0.0.9", name);
        snprintf(finding.reasoning, sizeof finding.reasoning, "%s", name);
        snprintf(finding.display_filter, sizeof finding.display_filter, "%.230s", name);
        snprintf(finding.frames[0].shows, sizeof finding.frames[0].shows, "%.50s", name);
        store_finding(fill->store, &finding);
        fill_dns(fill, "10.0.0.9", name, DNS_NOERROR, NULL);
    }
    fill_device(fill, "10.0.0.9", VERDICT_BROKEN, "<i>5223", fill_hostile_names[0], 3);
    fill_requirement(fill, R0_CAPTURE, STATUS_PASS, 1, 0, fill_hostile_names[7]);
    fill->run.capture_notes = fill_hostile_names[10];
    fill_end(fill);
}

/* The file's text, NUL-terminated, to be freed. */
static inline char *fill_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long length = ftell(file);
    rewind(file);
    char *text = malloc((size_t)length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)length, file), length);
    fclose(file);
    text[length] = '\0';
    if (size)
        *size = (size_t)length;
    return text;
}

/* Fails unless `text` is what tests/golden/report/`name` holds. APNSCOPE_UPDATE_GOLDEN=1 writes
 * the file instead. */
static inline void fill_assert_golden(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tests/golden/report/%s", TEST_SOURCE_DIR, name);
    if (getenv("APNSCOPE_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
    }
    char *golden = fill_read(path, NULL);
    assert_string_equal(text, golden);
    free(golden);
}

/* Three sites with the same private addresses: one blocked, one healthy, one without a name. */
static inline void fill_sites(struct fill *fill)
{
    fill_begin(fill);
    fill_unanswered(fill, "10.0.0.4", "17.57.144.4", 5223, 5);
    fill_device(fill, "10.0.0.4", VERDICT_BROKEN, "", "No answer.", 1);
    fill_device(fill, "10.0.0.5", VERDICT_DEGRADED, "443", "It fell back.", 1);
    fill_requirement(fill, R1_PORT_5223, STATUS_FAIL, 1, 1, "No answer.");
    struct finding finding = fill_finding(fill, "port-blocked-silent", SEVERITY_FAIL, "10.0.0.4",
                                          "TCP 5223 to Apple gets no answer.");
    store_finding(fill->store, &finding);
    fill_end(fill);
    fill_next_site(fill, "Bonn <b>");
    fill_working(fill, "10.0.0.4", "17.57.144.4", 5223, 5, 100);
    fill_device(fill, "10.0.0.4", VERDICT_WORKS, "5223", "It works.", 1);
    fill_requirement(fill, R1_PORT_5223, STATUS_PASS, 1, 0, "It works.");
    fill_end(fill);
    fill_next_site(fill, NULL);
    fill_end(fill);
}

#endif
