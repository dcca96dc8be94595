/* Runs into the database: every column, ids, replacement, and what the finished file is like. */
#include "store_sample.h"

#include "base/clock.h"

#define FIRST_SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct certificate_facts certificate = {
    .subject = "CN=courier.push.apple.com,O=Apple Inc.,C=US",
    .issuer = "CN=Apple Server Authentication CA,O=Apple Inc.,C=US",
    .sha256 = FIRST_SHA,
};

static struct flow_record full_flow(void)
{
    struct flow_record flow = sample_flow(3);
    flow.vlan = 120;
    flow.lane = 77;
    flow.has_client_mac = true;
    memcpy(flow.client_mac, (const uint8_t[]){0, 0x1a, 0x2b, 0x3c, 0x4d, 0xfe}, 6);
    flow.ended_by = ENDED_SERVER_RESET;
    flow.reason = SCOPE_BY_DNS;
    flow.started_ns = 1, flow.established_ns = 2, flow.last_ns = 3;
    flow.syn_count = 4, flow.packets_up = 5, flow.packets_down = 6;
    flow.bytes_up = 7, flow.bytes_down = UINT64_MAX;
    flow.retransmissions_up = 9, flow.retransmissions_down = 10, flow.out_of_order = 11;
    flow.saw = SAW_SYN, flow.client_isn = 7, flow.hello_random = 0x0102030405060708;
    flow.rtt_server_us = 12, flow.rtt_client_us = 13, flow.tls_hello_us = 0;
    flow.tls_version = 0x0304;
    flow.sni = "courier.push.apple.com", flow.alpn = "apns-security-v3,apns-pack-v1";
    flow.ja3 = "ja3", flow.ja4 = "ja4", flow.alpn_chosen = "apns-pack-v1";
    flow.certificate = &certificate;
    flow.ndpi_protocol = "ApplePush", flow.ndpi_risks = "Known Proto on Non Std Port";
    flow.ttl_client = 64, flow.ttl_server = 50, flow.hops_server = 14;
    flow.process_name = "apsd", flow.process_id = 120;
    flow.first_frame = 1000, flow.last_frame = 2000;
    flow.connect_host = "7-courier.push.apple.com:443", flow.proxy_status = 403;
    flow.survived_s = 1800;
    flow.lethal_s = 1860;
    return flow;
}

static void every_column_of_a_flow_comes_back(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = full_flow();
    store_flow(store, &flow);
    sample_end(store, &run);
    assert_string_equal(
        sample_ask(path, "SELECT * FROM flow"),
        "1|1|10.0.0.5|40003|00:1a:2b:3c:4d:fe|17.57.144.10|5223|120|4|courier|direct|established|"
        "server-reset|1|2|3|4|5|6|7|9223372036854775807|9|10|12|13|0|TLS 1.3|"
        "courier.push.apple.com|apns-security-v3,apns-pack-v1|ja3|ja4|"
        "CN=courier.push.apple.com,O=Apple Inc.,C=US|"
        "CN=Apple Server Authentication CA,O=Apple Inc.,C=US|" FIRST_SHA "|ApplePush|"
        "Known Proto on Non Std Port|64|50|14|apsd|120|1000|2000|"
        "1:c3BsNnCK1275CX/xVOGvgxMAsh8=|3|dns|apns-pack-v1|7-courier.push.apple.com:443|403|11|"
        "7|0102030405060708|77|1800|1860");
}

static void what_is_unknown_is_null(void **state)
{
    static const char *const unknown[] = {"client_ip",
                                          "client_mac",
                                          "server_ip",
                                          "vlan",
                                          "ip_version",
                                          "role",
                                          "outcome",
                                          "ended_by",
                                          "started_ns",
                                          "established_ns",
                                          "last_ns",
                                          "rtt_server_us",
                                          "rtt_client_us",
                                          "tls_hello_us",
                                          "tls_version",
                                          "sni",
                                          "alpn",
                                          "ja3",
                                          "ja4",
                                          "cert_subject",
                                          "cert_issuer",
                                          "cert_sha256",
                                          "ndpi_protocol",
                                          "ndpi_risks",
                                          "ttl_client",
                                          "ttl_server",
                                          "hops_server",
                                          "process_name",
                                          "process_id",
                                          "first_frame",
                                          "last_frame",
                                          "reason",
                                          "alpn_chosen",
                                          "connect_host",
                                          "proxy_status",
                                          "community_id",
                                          NULL};
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record full = full_flow(), blank = flow_record_blank(), again = full;
    blank.number = 4;
    again.number = 5;
    again.tls_version = 0x7f1c;
    store_flow(store, &full); /* nothing of a full row may stay in the next */
    store_flow(store, &blank);
    store_flow(store, &again);
    sample_end(store, &run);
    for (const char *const *column = unknown; *column; column++) {
        char question[128];
        snprintf(question, sizeof question, "SELECT %s FROM flow WHERE number = 4", *column);
        if (strcmp(sample_ask(path, question), "NULL") != 0)
            fail_msg("%s is %s", *column, sample_ask(path, question));
    }
    assert_string_equal(sample_ask(path, "SELECT client_ip, ja4, tls_version, last_frame FROM flow"
                                         " WHERE number = 5"),
                        "10.0.0.5|ja4|0x7f1c|2000");
}

static void the_rows_around_flows_come_back(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    struct finding finding = {.number = 1,
                              .code = "port-refused",
                              .severity = SEVERITY_FAIL,
                              .confidence = CONFIDENCE_LIKELY,
                              .scope = SCOPE_DEVICE,
                              .flow_number = 1,
                              .client_ip = flow.client_ip,
                              .server_ip = flow.server_ip,
                              .server_port = 5223,
                              .first_ns = 10,
                              .last_ns = 20,
                              .count = 3,
                              .blocker_ip = sample_address("fd00::1"),
                              .blocker_hops = 2,
                              .summary = "Refused.",
                              .reasoning = "A reset answered.",
                              .display_filter = "tcp.port == 5223"};
    struct device_record device = {.ip = flow.client_ip,
                                   .has_mac = true,
                                   .mac = {2, 0, 0, 0, 0, 9},
                                   .role = DEVICE_ROLE_DEVICE,
                                   .verdict = VERDICT_BROKEN,
                                   .reason = "Nothing worked.",
                                   .sessions = 5,
                                   .first_ns = 10,
                                   .last_ns = 20};
    struct requirement_record requirement = {
        .code = R1_PORT_5223, .status = STATUS_FAIL, .seen = 5, .failed = 5, .summary = "Never."};
    store_finding(store, &finding); /* before its device and its session: found all the same */
    finding.number = 2;
    finding.scope = SCOPE_SITE;
    finding.flow_number = 99;
    finding.client_ip = (struct address){{0}};
    finding.server_port = 0;
    finding.blocker_hops = -1;
    finding.display_filter[0] = '\0';
    store_finding(store, &finding);
    store_device(store, &device);
    store_requirement(store, &requirement);
    store_flow(store, &flow);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT * FROM finding WHERE id = 1"),
                        "1|1|port-refused|fail|likely|device|1|1|10.0.0.5|17.57.144.10|5223|10|20|"
                        "3|Refused.|{\"frames\":[],\"reasoning\":\"A reset answered.\"}|fd00::1|2|"
                        "tcp.port == 5223|1|0");
    assert_string_equal(sample_ask(path, "SELECT device_id, flow_id, client_ip, server_port,"
                                         " blocker_hops, display_filter FROM finding WHERE id = 2"),
                        "NULL|NULL|NULL|NULL|NULL|NULL");
    assert_string_equal(sample_ask(path, "SELECT * FROM device"),
                        "1|1|10.0.0.5|02:00:00:00:00:09|device|broken|NULL|5|10|20|Nothing "
                        "worked.|0");
    assert_string_equal(sample_ask(path, "SELECT * FROM requirement"),
                        "1|R1|Devices reach APNs outbound on TCP 5223|fail|5|5|Never.");
}

static void quality_and_skipped_frames_come_back(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct fault fault;
    int64_t run_id;
    struct capture_quality quality = {.frames = 100, .gap_bytes = 7, .truncated = true};
    quality.skipped[SKIP_NOT_IP] = 4;
    strcpy(quality.damage, "cut at byte 12");
    assert_true(store_finish(store, &run, &quality, &run_id, &fault));
    store_close(store);
    assert_string_equal(sample_ask(path, "SELECT group_concat(reason || count) FROM skipped"),
                        "not-ip4");
    assert_string_equal(sample_ask(path, "SELECT value, text FROM capture_quality"
                                         " WHERE name = 'frames'"),
                        "100|NULL");
    assert_string_equal(sample_ask(path, "SELECT value, text FROM capture_quality"
                                         " WHERE name = 'damage'"),
                        "NULL|cut at byte 12");
    assert_string_equal(sample_ask(path, "SELECT value, text FROM capture_quality"
                                         " WHERE name = 'dropped_kernel'"),
                        "NULL|NULL");
}

static void see_dns(struct store *store, const char *answer, int64_t time_ns, uint8_t rcode)
{
    struct dns_message dns = {.is_response = true, .rcode = rcode, .type = DNS_A};
    struct event event = {.kind = EVENT_DNS_ANSWER,
                          .time_ns = time_ns,
                          .dns = &dns,
                          .client = sample_address("10.0.0.5"),
                          .resolver = sample_address("10.0.0.1")};
    strcpy(dns.name, "7-courier.push.apple.com");
    if (answer)
        dns.addresses[dns.address_count++] = sample_address(answer);
    store_dns(store, &event);
    event.kind = EVENT_DNS_QUERY;
    store_dns(store, &event);
}

static void equal_dns_answers_are_one_row(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    see_dns(store, "17.57.144.10", 30, DNS_NOERROR);
    see_dns(store, "17.57.144.10", 10, DNS_NOERROR);
    see_dns(store, "17.57.144.11", 20, DNS_NOERROR);
    see_dns(store, NULL, 40, DNS_NXDOMAIN);
    see_dns(store, NULL, 50, DNS_NXDOMAIN);
    see_dns(store, NULL, 60, 9);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT group_concat(coalesce(answer, '-') || ' ' || rcode"
                                         " || ' ' || count || ' ' || first_ns || ' ' || last_ns)"
                                         " FROM dns_answer"),
                        "17.57.144.10 NOERROR 2 10 30,17.57.144.11 NOERROR 1 20 20,"
                        "- NXDOMAIN 2 40 50,- RCODE9 1 60 60");
    assert_string_equal(sample_ask(path, "SELECT client_ip, resolver_ip, name, type"
                                         " FROM dns_answer"),
                        "10.0.0.5|10.0.0.1|7-courier.push.apple.com|A");
}

static void sums_of_attempts_add_up(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct attempt_sum sum = {.server_port = 5223,
                              .outcome = OUTCOME_NO_ANSWER,
                              .minute_ns = 60,
                              .attempts = 10,
                              .syns = 30};
    assert_true(prefix_parse("17.57.144.0/24", &sum.server_prefix));
    store_attempts(store, &sum);
    store_attempts(store, &sum);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT * FROM attempts"),
                        "1|1|17.57.144.0/24|5223|no-answer|60|20|60");
}

static void the_run_row_is_the_final_record(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    run.sha256[0] = '\0';
    struct store *store = sample_begin(path, &run);
    assert_string_equal(sample_ask(path, "SELECT state, packets, sha256 FROM run"),
                        "running|0|NULL");
    run = sample_run('a');
    run.site = "Berlin", run.sensor = "s1", run.first_ns = 5, run.last_ns = 6, run.packets = 7;
    run.bytes = 8, run.drops_known = true, run.packets_dropped = 9, run.state = RUN_TRUNCATED;
    run.damage = "cut", run.libraries = "l", run.capture_notes = "n", run.analyzed_ns = 10;
    run.source_size = 11;
    strcpy(run.fingerprint, "f");
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT id, kind, site, sensor, source, sha256,"
                                         " tool_version, options, first_ns, last_ns, packets,"
                                         " bytes, packets_dropped, state, fingerprint, source_size,"
                                         " libraries, capture_notes, damage, analyzed_ns, rows_lost"
                                         " FROM run"),
                        "1|file|Berlin|s1|a.pcap|" FIRST_SHA "|0.1.0|home-net=default|5|6|7|8|9|"
                        "truncated|f|11|l|n|cut|10|0");
}

static void hostile_names_are_stored_as_they_are(void **state)
{
    static const char hostile[] = "'); DROP TABLE flow; --\"\n\x1b[31m=1+1<script>\xe2\x80\xae";
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    run.site = run.source = hostile;
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    flow.sni = flow.process_name = hostile;
    store_flow(store, &flow);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT sni FROM flow"), hostile);
    assert_string_equal(sample_ask(path, "SELECT site FROM run"), hostile);
}

static void a_flow_stored_again_is_updated(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    store_flow(store, &flow);
    flow.packets_up = 500;
    flow.ended_by = ENDED_CLIENT_FIN;
    store_flow(store, &flow);
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), packets_up, ended_by FROM flow"),
                        "1|500|client-fin");
}

static void sessions_are_in_the_order_of_their_ends(void **state)
{
    enum { FLOWS = 30000 };
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    for (uint64_t i = 0; i < FLOWS; i++) {
        struct flow_record flow = sample_flow(i * 7919 % FLOWS + 1);
        store_flow(store, &flow);
    }
    sample_end(store, &run);
    assert_string_equal(sample_ask(path, "SELECT count(*), min(id), max(id),"
                                         " count(DISTINCT number),"
                                         " sum((id - 1) * 7919 % 30000 + 1 = number) FROM flow"),
                        "30000|1|30000|30000|30000");
    assert_string_equal(sample_ask(path, "PRAGMA integrity_check"), "ok");
}

static void the_finished_file_is_one_durable_file(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct stat facts;
    size_t size;
    sample_write(path, &run, 5000);
    assert_int_equal(sample_files(state), 1);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    char *bytes = sample_read_file(path, &size);
    const char *copy = sample_path(state, "copy.db");
    sample_write_file(copy, bytes, size);
    free(bytes);
    assert_int_equal(sample_count(copy, "SELECT count(*) FROM flow"), 5000);
    assert_string_equal(sample_ask(copy, "PRAGMA integrity_check"), "ok");
    assert_string_equal(sample_ask(copy, "PRAGMA journal_mode"), "wal");
    assert_string_equal(sample_ask(copy, "PRAGMA application_id"), "1095782003");
    assert_string_equal(sample_ask(copy, "PRAGMA user_version"), "3");
    assert_string_equal(sample_ask(copy, "PRAGMA foreign_key_check"), "");
    assert_string_equal(sample_ask(copy, "SELECT name FROM sqlite_schema WHERE type = 'index'"
                                         " AND tbl_name = 'flow'"),
                        "flow_by_client");
}

static void the_same_file_analysed_again_replaces_its_run(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record first = sample_run('a'), other = sample_run('b');
    assert_int_equal(sample_write(path, &first, 10), 1);
    assert_int_equal(sample_write(path, &other, 5), 2);
    assert_int_equal(sample_write(path, &first, 20), 3);
    assert_string_equal(sample_ask(path, "SELECT group_concat(id) FROM run"), "2,3");
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow"), 25);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM capture_quality WHERE run_id = 1"),
                     0);
    first.options = "idle-limit=900"; /* other options: another run */
    assert_int_equal(sample_write(path, &first, 1), 4);
    assert_string_equal(sample_ask(path, "SELECT group_concat(id) FROM run"), "2,3,4");
    assert_string_equal(sample_ask(path, "PRAGMA foreign_key_check"), "");
}

static void without_a_hash_the_fingerprint_tells_the_file(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    strcpy(run.fingerprint, "f1");
    sample_write(path, &run, 1);
    run.sha256[0] = '\0';
    sample_write(path, &run, 2);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow"), 2);
    run.fingerprint[0] = '\0'; /* nothing is known of the file: nothing is replaced */
    sample_write(path, &run, 4);
    sample_write(path, &run, 8);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow"), 14);
}

static void live_and_interrupted_runs_replace_nothing(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    sample_write(path, &run, 1);
    run.state = RUN_INTERRUPTED;
    sample_write(path, &run, 2);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM run"), 2);
    run.state = RUN_COMPLETE;
    run.is_live = true;
    sample_write(path, &run, 4);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM run"), 3);
    run.is_live = false;
    sample_write(path, &run, 8); /* a complete one does, also of an interrupted one */
    assert_string_equal(sample_ask(path, "SELECT group_concat(kind || ' ' || state) FROM run"),
                        "live complete,file complete");
}

static void ids_count_on_from_run_to_run(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record one = sample_run('a'), two = sample_run('b');
    sample_write(path, &one, 3);
    sample_write(path, &two, 2);
    assert_string_equal(sample_ask(path, "SELECT group_concat(id || '=' || run_id || '/' || number)"
                                         " FROM flow"),
                        "1=1/1,2=1/2,3=1/3,4=2/1,5=2/2");
}

static void a_large_run_into_a_used_database_has_its_index_again(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record one = sample_run('a'), two = sample_run('b');
    sample_write(path, &one, 100);
    sample_write(path, &two, 25000);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow WHERE run_id = 2"), 25000);
    assert_string_equal(sample_ask(path, "SELECT name FROM sqlite_schema WHERE type = 'index'"
                                         " AND tbl_name = 'flow'"),
                        "flow_by_client");
    assert_string_equal(sample_ask(path, "PRAGMA integrity_check"), "ok");
}

static void a_run_that_is_not_finished_is_interrupted(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct store *store = sample_begin(path, &run);
    struct flow_record flow = sample_flow(1);
    store_flow(store, &flow);
    store_close(store);
    assert_string_equal(sample_ask(path, "SELECT state FROM run"), "interrupted");
    assert_int_equal(sample_count(path, "SELECT (SELECT unixepoch()) * 1000000000 - interrupted_ns"
                                        " BETWEEN 0 AND 60000000000 FROM run"),
                     1);
    assert_int_equal(sample_count(path, "SELECT count(*) FROM flow"), 1);
    assert_int_equal(sample_files(state), 1);
}

static void live_rows_are_written_within_seconds(void **state)
{
    const char *path = sample_path(state, "a.db");
    struct run_record run = sample_run('a');
    struct fault fault = {""};
    run.is_live = true;
    struct store *store = sample_open(path, STORE_DROP);
    assert_true(store_begin(store, &run, &fault));
    struct flow_record flow = sample_flow(1);
    store_flow(store, &flow);
    long long rows = 0;
    for (int tenths = 0; tenths < 100 && rows == 0; tenths++) {
        usleep(100000);
        rows = sample_count(path, "SELECT count(*) FROM flow");
    }
    assert_int_equal(rows, 1);
    sample_end(store, &run);
}

#define ROUND(test) cmocka_unit_test_setup_teardown(test, sample_setup, sample_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUND(every_column_of_a_flow_comes_back),
        ROUND(what_is_unknown_is_null),
        ROUND(the_rows_around_flows_come_back),
        ROUND(quality_and_skipped_frames_come_back),
        ROUND(equal_dns_answers_are_one_row),
        ROUND(sums_of_attempts_add_up),
        ROUND(the_run_row_is_the_final_record),
        ROUND(hostile_names_are_stored_as_they_are),
        ROUND(a_flow_stored_again_is_updated),
        ROUND(sessions_are_in_the_order_of_their_ends),
        ROUND(the_finished_file_is_one_durable_file),
        ROUND(the_same_file_analysed_again_replaces_its_run),
        ROUND(without_a_hash_the_fingerprint_tells_the_file),
        ROUND(live_and_interrupted_runs_replace_nothing),
        ROUND(ids_count_on_from_run_to_run),
        ROUND(a_large_run_into_a_used_database_has_its_index_again),
        ROUND(a_run_that_is_not_finished_is_interrupted),
        ROUND(live_rows_are_written_within_seconds),
    };
    return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
