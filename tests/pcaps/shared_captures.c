/* Other people's captures through the whole program: real push traffic is recognised, everything
 * else is left alone, and nothing that is broken breaks us.
 *
 * The captures are not part of the project. They are looked for in "$APNSCOPE_SHARED_PCAPS" or in
 * "../shared/pcaps" beside the tree; without them the tests are skipped and say so. What is
 * expected of each is what its origin and Wireshark say, not what this program once answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/pipeline.h"
#include "shared_folder.h"

#define DATABASE "pcaps_shared.db"

enum { ANSWER_SIZE = 1024 };

/* The processor time that a capture of at most some megabytes may take. */
#ifdef __SANITIZE_ADDRESS__
static const double longest_s = 10;
#else
static const double longest_s = 1;
#endif

static unsigned wrong;       /* in this test */
static unsigned files_tried; /* in this test */

static void complain(const char *path, const char *what, const char *detail)
{
    print_error("%s: %s%s\n", path, what, detail);
    wrong++;
}

/* ---- one capture ---- */

static void remove_database(void)
{
    unlink(DATABASE);
    unlink(DATABASE "-wal");
    unlink(DATABASE "-shm");
}

/* False with the sentence where there is nothing to judge. */
static bool analyze(const char *path, struct pipeline_result *result, struct fault *fault)
{
    struct settings settings = {
        .database = DATABASE, .since_ns = TIME_UNKNOWN, .until_ns = TIME_UNKNOWN};
    struct pipeline_hooks hooks = {0};
    remove_database();
    clock_t begun = clock();
    bool done = pipeline_run(&settings, &path, 1, 0, &hooks, result, fault);
    double took_s = (double)(clock() - begun) / CLOCKS_PER_SEC;
    files_tried++;
    if (took_s > longest_s)
        complain(path, "takes longer than it may", "");
    return done;
}

/* The rows of the query in lines, columns separated by "|". */
static void ask(const char *query, char *answer, size_t size)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    struct text text = text_over(answer, size);
    assert_int_equal(sqlite3_open_v2(DATABASE, &database, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(database));
    while (sqlite3_step(statement) == SQLITE_ROW) {
        text_add(&text, text.length ? "\n" : "");
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const unsigned char *value = sqlite3_column_text(statement, i);
            text_format(&text, "%s%s", i ? "|" : "", value ? (const char *)value : "-");
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
}

static void check_answer(const char *path, const char *query, const char *wanted)
{
    char answer[ANSWER_SIZE];
    ask(query, answer, sizeof answer);
    if (strcmp(answer, wanted) == 0)
        return;
    complain(path, query, "");
    print_error("  wanted: %s\n  found:  %s\n", wanted, answer);
}

/* As many packets as its index (made with Wireshark's tools) says. */
static void check_packet_count(const char *path, const struct pipeline_result *result)
{
    uint64_t packets;
    char detail[64];
    if (!shared_packet_count(path, &packets) || packets == result->quality.frames)
        return;
    snprintf(detail, sizeof detail, "%llu packets, not %llu",
             (unsigned long long)result->quality.frames, (unsigned long long)packets);
    complain(path, detail, "");
}

static void begin(void)
{
    wrong = files_tried = 0;
    if (shared_folder())
        return;
    print_message("no folder of shared captures: name one in APNSCOPE_SHARED_PCAPS\n");
    skip();
}

static void end(void)
{
    remove_database();
    assert_int_equal(wrong, 0);
    assert_true(files_tried > 0);
}

/* ---- real push traffic ---- */

#define COURIER_FLOWS                                                                              \
    "SELECT role, path, outcome, client_ip, server_ip, server_port FROM flow ORDER BY number"
#define FLOWS "SELECT count(*) FROM flow"
#define FINDINGS_ABOVE_INFO                                                                        \
    "SELECT code, summary FROM finding WHERE severity <> 'info' ORDER BY code"

/* What INDEX.md and Wireshark say of each. "Nothing above info" is asked of every one besides. */
static const struct {
    const char *file;
    const char *query;
    const char *answer;
} known[] = {
    /* Apple's own: a Mac inside Apple. Both ends are in 17/8, TLS 1.2 shows the certificate. */
    {"apple-radar-33413692.pcap", COURIER_FLOWS,
     "courier|direct|established|17.226.21.12|17.249.12.159|5223"},
    {"apple-radar-33413692.pcap", "SELECT sni, alpn, alpn_chosen, tls_version FROM flow",
     "courier.push.apple.com|apns-security-v3,apns-pack-v1|apns-pack-v1:4096:4096|TLS 1.2"},
    {"apple-radar-33413692.pcap", "SELECT cert_issuer FROM flow",
     "CN=Apple Server Authentication CA,OU=Certification Authority,O=Apple Inc.,C=US"},
    {"apple-radar-33413692.pcap",
     "SELECT DISTINCT name, answer FROM dns_answer WHERE type = 'A' ORDER BY name",
     "1-courier.push.apple.com|17.249.12.159\n"
     "1-courier.sandbox.push.apple.com|17.188.165.207\n"
     "36-courier.push.apple.com|17.249.12.159"},
    {"apple-radar-33413692.pcap", "SELECT verdict, works_on FROM device", "works|5223"},

    /* Sessions that began before the capture: not a handshake in sight, and no fault either. */
    {"ndpi-skype.pcap", COURIER_FLOWS, "courier|direct|midstream|192.168.1.34|17.143.160.22|5223"},
    {"ndpi-skype.pcap", "SELECT sni, tls_version, established_ns FROM flow", "-|-|-"},
    {"ndpi-wa_voice.pcap", COURIER_FLOWS,
     "courier|direct|midstream|192.168.2.12|17.242.60.84|5223"},
    /* Two packets, in a file glued of two whose times are 183 million seconds apart. */
    {"zeek-smtp.pcap", COURIER_FLOWS,
     "courier|direct|midstream|192.168.133.100|17.172.238.21|5223"},
    {"zeek-smtp.pcap", "SELECT packets_up, packets_down FROM flow", "1|1"},

    /* Names without sessions. */
    {"ndpi-dns_ambiguous_names.pcap", FLOWS, "0"},
    {"ndpi-dns_ambiguous_names.pcap",
     "SELECT name, type, rcode, count(*), min(answer), max(answer) FROM dns_answer",
     "41-courier.push.apple.com|A|NOERROR|8|17.57.146.132|17.57.146.139"},
    /* A question that nobody answers in the capture is no answer. */
    {"zeek-raw_packets.pcap", FLOWS, "0"},
    {"zeek-raw_packets.pcap", "SELECT count(*) FROM dns_answer", "0"},

    /* Other HTTPS of Apple's is counted, not stored, whatever happens to it: retransmitted FINs,
     * fast open, a lone SYN-ACK, a lone ClientHello, ICMP errors about port 80. */
    {"ndpi-iphone.pcap", FLOWS, "0"},
    {"ndpi-android.pcap", FLOWS, "0"},
    {"zeek-fin_retransmission.pcap", FLOWS, "0"},
    {"suricata-tfo-09.pcap", FLOWS, "0"},
    {"suricata-tfo-10.pcap", FLOWS, "0"},
    {"suricata-tls-alpn.pcap", FLOWS, "0"},
    {"suricata-empty-sack.pcap", FLOWS, "0"},
    {"pcapflowlab-ch-icloud.pcap", FLOWS, "0"},
    {"tcpflow-icmp-unreach-17.pcap", FLOWS, "0"},

    /* Port 5223 and 2195 of others, and 17/8 as somebody's private addresses. */
    {"neg-5223-jabber.pcap", FLOWS, "0"},
    {"neg-5223-hpvirtgrp.pcap", FLOWS, "0"},
    {"neg-5223-huawei-cloudflare-warp.pcap", FLOWS, "0"},
    {"neg-2195-ncp.pcap", FLOWS, "0"},
    {"neg-h323-17-internal.pcap", FLOWS, "0"},
};

static void check_known(const char *path)
{
    const char *slash = strrchr(path, '/');
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].file, slash + 1) == 0)
            check_answer(path, known[i].query, known[i].answer);
}

static void check_healthy_capture(const char *path)
{
    struct pipeline_result result;
    struct fault fault = {{0}};
    if (!analyze(path, &result, &fault)) {
        complain(path, "cannot be analysed: ", fault.sentence);
        return;
    }
    check_packet_count(path, &result);
    check_answer(path, FINDINGS_ABOVE_INFO, "");
    check_known(path);
}

static void push_traffic_is_recognised_and_nothing_else_is(void **state)
{
    (void)state;
    begin();
    shared_files("apns", check_healthy_capture);
    end();
}

/* ---- no false alarm ---- */

/* None of these holds push traffic, so nothing can be wrong with it: not CONNECT to other hosts,
 * not interception, resets, ICMP errors and silence of other people's sessions. */
static void proxies_and_resets_of_others_raise_nothing(void **state)
{
    (void)state;
    begin();
    shared_files("proxy", check_healthy_capture);
    end();
}

static void link_types_and_tunnels_raise_nothing(void **state)
{
    (void)state;
    begin();
    shared_files("encap", check_healthy_capture);
    end();
}

static void general_traffic_raises_nothing(void **state)
{
    (void)state;
    begin();
    shared_files("bulk", check_healthy_capture);
    end();
}

/* ---- broken files ---- */

/* Ends well, or with a sentence that names the file; frames are accounted for; and since no frame
 * of these is a fault of a network, none is found. */
static void check_broken_capture(const char *path)
{
    struct pipeline_result result;
    struct fault fault = {{0}};
    uint64_t skipped = 0;
    if (!analyze(path, &result, &fault)) {
        if (!strstr(fault.sentence, strrchr(path, '/') + 1))
            complain(path, "the sentence does not name it: ", fault.sentence);
        return;
    }
    for (int reason = 0; reason < SKIP_COUNT; reason++)
        skipped += result.quality.skipped[reason];
    if (result.quality.frames == 0 || skipped > result.quality.frames)
        complain(path, "frames are not accounted for", "");
    check_answer(path, FINDINGS_ABOVE_INFO, "");
    check_answer(path, "PRAGMA integrity_check", "ok");
}

static void broken_captures_do_no_harm(void **state)
{
    (void)state;
    begin();
    shared_files("bad", check_broken_capture);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_traffic_is_recognised_and_nothing_else_is),
        cmocka_unit_test(proxies_and_resets_of_others_raise_nothing),
        cmocka_unit_test(link_types_and_tunnels_raise_nothing),
        cmocka_unit_test(general_traffic_raises_nothing),
        cmocka_unit_test(broken_captures_do_no_harm),
    };
    return cmocka_run_group_tests_name("shared captures", tests, NULL, NULL);
}
