/* Rows in SQLite: reading runs back, for reports.
 *
 * Read-only; never alters a file. Rows are given one by one to a callback in a stable order; text
 * columns are NULL where the database has NULL, integers ROW_NULL. Strings live for the call. */
#ifndef APNSCOPE_STORE_ARCHIVE_H
#define APNSCOPE_STORE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

#define ROW_NULL INT64_MIN

struct archive;

/* Which rows: 0, NULL or ROW_NULL do not narrow. Without run_id and site: the newest run. */
struct archive_range {
    int64_t run_id;
    const char *site; /* every run of that site */
    bool all_runs;
    int64_t since_ns;
    int64_t until_ns;
    int64_t flow_id; /* of steps only: those of that session, whatever the rest says */
    bool is_brief;   /* only what a summary speaks of: the other columns of sessions, devices and
                        findings are as if they were not known */
    const char *const *columns; /* only these, of the one table that is read, and NULL behind them:
                                   the others are as if they were not known; NULL: all */
};

struct run_row {
    int64_t id;
    const char *kind, *site, *sensor, *source, *sha256, *fingerprint, *tool_version, *libraries;
    const char *options, *capture_notes, *state, *damage;
    int64_t analyzed_ns, stored_ns, interrupted_ns;
    int64_t first_ns, last_ns, packets, bytes, packets_dropped, source_size;
};

struct flow_row {
    int64_t id, run_id, number;
    const char *client_ip, *client_mac, *server_ip, *role, *path, *outcome, *ended_by, *reason;
    int64_t client_port, server_port, vlan, ip_version;
    int64_t started_ns, established_ns, last_ns;
    int64_t syn_count, packets_up, packets_down, bytes_up, bytes_down;
    int64_t retransmissions_up, retransmissions_down, out_of_order;
    int64_t silence_survived_s, silence_lethal_s;
    int64_t rtt_server_us, rtt_client_us, tls_hello_us;
    const char *tls_version, *sni, *alpn, *alpn_chosen, *ja3, *ja4;
    const char *cert_subject, *cert_issuer, *cert_sha256, *ndpi_protocol, *ndpi_risks;
    int64_t ttl_client, ttl_server, hops_server, process_id;
    const char *process_name, *connect_host, *community_id;
    int64_t first_frame, last_frame, proxy_status, client_isn;
    const char *hello_random;
};

struct device_row {
    int64_t id, run_id;
    const char *ip, *mac, *role, *verdict, *works_on, *reason;
    int64_t sessions, first_ns, last_ns;
};

struct finding_row {
    int64_t id, run_id;
    const char *code, *severity, *confidence, *scope;
    int64_t device_id, flow_id;
    const char *client_ip, *server_ip;
    int64_t server_port, first_ns, last_ns, count;
    const char *summary, *evidence /* JSON */, *blocker_ip, *display_filter;
    int64_t blocker_hops;
};

struct step_row { /* a packet of a session */
    int64_t run_id, flow_id, number, time_ns, frame;
    const char *direction, *flags, *what, *sender_ip;
    int64_t ttl, payload_size, is_repeat, skipped;
};

struct requirement_row {
    int64_t run_id;
    const char *code, *title, *status, *summary;
    int64_t seen, failed;
};

struct quality_row { /* of table capture_quality: one named count or sentence per row */
    int64_t run_id;
    const char *name;
    int64_t value; /* ROW_NULL where it is a sentence */
    const char *text;
};

struct skipped_row {
    int64_t run_id;
    const char *reason;
    int64_t count;
};

struct dns_row {
    int64_t run_id;
    const char *client_ip, *resolver_ip, *name, *type, *rcode, *answer;
    int64_t first_ns, last_ns, count;
};

struct attempts_row {
    int64_t run_id;
    const char *server_prefix, *outcome;
    int64_t server_port, minute_ns, attempts, syns;
};

MUST_USE bool archive_open(struct archive **archive, const char *path, struct fault *fault);
void archive_close(struct archive *archive);

/* Each calls `each` per row, in the order of ids (requirements by code); a false return of `each`
 * stops early and is not an error. False with a sentence when the database cannot be read. */
#define ARCHIVE_READ(table, row_type)                                                              \
    MUST_USE bool archive_##table(struct archive *archive, const struct archive_range *range,      \
                                  bool (*each)(void *context, const struct row_type *row),         \
                                  void *context, struct fault *fault)
ARCHIVE_READ(runs, run_row);
ARCHIVE_READ(flows, flow_row);
ARCHIVE_READ(devices, device_row);
ARCHIVE_READ(findings, finding_row);
ARCHIVE_READ(steps, step_row);
ARCHIVE_READ(requirements, requirement_row);
ARCHIVE_READ(quality, quality_row);
ARCHIVE_READ(skipped, skipped_row);
ARCHIVE_READ(dns, dns_row);
ARCHIVE_READ(attempts, attempts_row);
#undef ARCHIVE_READ

#endif
