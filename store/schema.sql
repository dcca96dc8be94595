-- Migration 1: the tables of apnscope. What each column means: docs/schema.md.
--
-- Published: a column may be added by a later migration, never renamed. Times are nanoseconds since
-- the epoch (_ns); words are those of model/*.def. The secondary index of `flow` is not here: the
-- writer builds it after the rows (finish.c).

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('file', 'live')),
    site TEXT,
    sensor TEXT,
    source TEXT,
    sha256 TEXT,
    tool_version TEXT,
    options TEXT,
    first_ns INTEGER,
    last_ns INTEGER,
    packets INTEGER,
    bytes INTEGER,
    packets_dropped INTEGER,
    state TEXT NOT NULL CHECK (state IN ('running', 'complete', 'truncated', 'interrupted')),
    fingerprint TEXT,
    source_size INTEGER,
    libraries TEXT,
    capture_notes TEXT,
    damage TEXT,
    analyzed_ns INTEGER,
    rows_lost INTEGER NOT NULL,
    writer TEXT,
    flow_base INTEGER NOT NULL,
    device_base INTEGER NOT NULL,
    finding_base INTEGER NOT NULL
) STRICT;

CREATE TABLE flow (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    client_ip TEXT,
    client_port INTEGER,
    client_mac TEXT,
    server_ip TEXT,
    server_port INTEGER,
    vlan INTEGER,
    ip_version INTEGER,
    role TEXT,
    path TEXT,
    outcome TEXT,
    ended_by TEXT,
    started_ns INTEGER,
    established_ns INTEGER,
    last_ns INTEGER,
    syn_count INTEGER,
    packets_up INTEGER,
    packets_down INTEGER,
    bytes_up INTEGER,
    bytes_down INTEGER,
    retransmissions_up INTEGER,
    retransmissions_down INTEGER,
    rtt_server_us INTEGER,
    rtt_client_us INTEGER,
    tls_hello_us INTEGER,
    tls_version TEXT,
    sni TEXT,
    alpn TEXT,
    ja3 TEXT,
    ja4 TEXT,
    cert_subject TEXT,
    cert_issuer TEXT,
    cert_sha256 TEXT,
    ndpi_protocol TEXT,
    ndpi_risks TEXT,
    ttl_client INTEGER,
    ttl_server INTEGER,
    hops_server INTEGER,
    process_name TEXT,
    process_id INTEGER,
    first_frame INTEGER,
    last_frame INTEGER,
    community_id TEXT,
    number INTEGER NOT NULL,
    reason TEXT,
    alpn_chosen TEXT,
    connect_host TEXT,
    proxy_status INTEGER,
    out_of_order INTEGER,
    client_isn INTEGER,
    hello_random TEXT,
    lane INTEGER NOT NULL
) STRICT;

CREATE TABLE device (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    ip TEXT,
    mac TEXT,
    role TEXT,
    verdict TEXT,
    works_on TEXT,
    sessions INTEGER,
    first_ns INTEGER,
    last_ns INTEGER,
    reason TEXT,
    lane INTEGER NOT NULL,
    UNIQUE (run_id, ip, lane)
) STRICT;

CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    confidence TEXT NOT NULL,
    scope TEXT NOT NULL,
    device_id INTEGER REFERENCES device (id) ON DELETE SET NULL,
    flow_id INTEGER REFERENCES flow (id) ON DELETE SET NULL,
    client_ip TEXT,
    server_ip TEXT,
    server_port INTEGER,
    first_ns INTEGER,
    last_ns INTEGER,
    count INTEGER,
    summary TEXT,
    evidence TEXT,
    blocker_ip TEXT,
    blocker_hops INTEGER,
    display_filter TEXT,
    flow_number INTEGER,
    lane INTEGER NOT NULL
) STRICT;
CREATE INDEX finding_by_run ON finding (run_id);
CREATE INDEX finding_by_device ON finding (device_id); -- both also serve the foreign keys
CREATE INDEX finding_by_flow ON finding (flow_id);

CREATE TABLE requirement (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    status TEXT NOT NULL,
    seen INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    summary TEXT,
    PRIMARY KEY (run_id, code)
) STRICT;

CREATE TABLE dns_answer (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    client_ip TEXT,
    resolver_ip TEXT,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    rcode TEXT NOT NULL,
    answer TEXT,
    first_ns INTEGER,
    last_ns INTEGER,
    count INTEGER NOT NULL,
    UNIQUE (run_id, client_ip, resolver_ip, name, type, rcode, answer)
) STRICT;

CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    server_prefix TEXT NOT NULL,
    server_port INTEGER NOT NULL,
    outcome TEXT,
    minute_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    syns INTEGER NOT NULL,
    UNIQUE (run_id, server_prefix, server_port, outcome, minute_ns)
) STRICT;

CREATE TABLE skipped (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (run_id, reason)
) STRICT;

CREATE TABLE capture_quality (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value INTEGER,
    text TEXT,
    PRIMARY KEY (run_id, name)
) STRICT;
