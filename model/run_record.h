/* The rows around flows and findings: the run, its devices and its requirements. */
#ifndef APNSCOPE_MODEL_RUN_RECORD_H
#define APNSCOPE_MODEL_RUN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "model/vocabulary.h"

/* Provenance: enough to do the run again and to know that it is the same. Strings belong to the
 * caller; NULL: not known. */
struct run_record {
    bool is_live;
    const char *site;
    const char *sensor;
    const char *source;       /* file names as given, "; " between several */
    char sha256[65];          /* of the file's bytes; of several: of their hashes in order; "": no */
    char fingerprint[65];     /* SHA-256 over size and samples of large files; "": no */
    uint64_t source_size;     /* bytes of all files as stored; 0: not known */
    const char *tool_version;
    const char *libraries;    /* "libpcap 1.10.3; nDPI 4.2.0; SQLite 3.40.1 ..." */
    const char *options;      /* the options that change the judgement, canonical text */
    const char *capture_notes; /* hardware, OS, application and comments found in the capture */
    int64_t analyzed_ns;      /* wall clock */
    int64_t stored_ns;        /* of a live run: wall clock of this record */
    int64_t first_ns;
    int64_t last_ns;
    uint64_t packets;
    uint64_t bytes;
    uint64_t packets_dropped; /* kernel and interface; meaningful with drops_known */
    bool drops_known;
    enum run_state state;
    const char *damage;       /* NULL: none */
};

struct device_record {
    uint64_t number;          /* within the run, from 1, in the order in which they are told */
    struct address ip;
    uint32_t lane;
    uint8_t mac[6];
    bool has_mac;
    enum device_role role;
    enum device_verdict verdict;
    char works_on[64];        /* "5223", "5223,443", "proxy"; "": nowhere */
    char reason[200];         /* one sentence: why this verdict */
    uint32_t sessions;
    int64_t first_ns;
    int64_t last_ns;
};

struct requirement_record {
    enum requirement_code code;
    enum requirement_status status;
    uint32_t seen;            /* observations that bear on it */
    uint32_t failed;          /* of them, against it */
    char summary[400];
};

/* Half-open attempts beyond the flow table's cap, summed: a flood is numbers, not rows. */
struct attempt_sum {
    struct prefix server_prefix; /* /16 (IPv4) or /48 */
    uint16_t server_port;
    enum flow_outcome outcome;
    int64_t minute_ns;
    uint64_t attempts;
    uint64_t syns;
};

#endif
