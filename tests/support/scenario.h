/* A scenario: a capture written as a play, and what the program must say about it.
 *
 * docs/scenarios.md describes the language; tests/scenarios/ holds the plays. Reading one gives
 * frames, byte for byte the same on every machine, and the expectations for whoever runs the
 * pipeline over them. Deliberately runs nothing itself: it depends on base/ and libcrypto alone,
 * so that a wrong packet cannot hide behind the code that reads it. */
#ifndef APNSCOPE_TESTS_SUPPORT_SCENARIO_H
#define APNSCOPE_TESTS_SUPPORT_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/fault.h"

enum { SCENARIO_HOME_NETS_MAX = 4 };

/* One captured frame, in the order of the capture. */
struct scenario_frame {
    uint8_t *bytes;
    uint32_t captured_size;
    uint32_t original_size;
    int64_t time_ns;
    unsigned line; /* of the scenario's text */
};

struct scenario_host {
    const char *name;
    struct address address;
    uint8_t mac[6];
};

/* A session as the scenario declares it, so that a runner can find its row. */
struct scenario_flow {
    const char *name;
    struct address client_ip;
    struct address server_ip;
    uint16_t client_port;
    uint16_t server_port;
};

struct scenario_pair {
    const char *key;   /* "confidence"; of a plain word the word itself ("absent") */
    const char *value; /* "certain"; "" of a plain word */
};

enum expectation_kind {
    EXPECT_FINDING,     /* subject: the code */
    EXPECT_FLOW,        /* subject: the flow's name in the scenario */
    EXPECT_LADDER,      /* subject: the flow's name; steps="..." */
    EXPECT_DEVICE,      /* subject: the host's name in the scenario */
    EXPECT_REQUIREMENT, /* subject: "R1" */
    EXPECT_SKIPPED,     /* no subject; pairs: reason=count */
    EXPECT_QUALITY,     /* no subject; pairs: fact=number */
    EXPECT_RUN,         /* no subject; pairs: columns of the run, and exit= */
    EXPECT_KIND_COUNT
};

struct expectation {
    enum expectation_kind kind;
    const char *subject; /* "" without */
    const struct scenario_pair *pairs;
    size_t pair_count;
    unsigned line;
};

struct scenario_capture {
    uint16_t link_type;
    uint32_t snap_size;    /* 0: whole frames */
    uint64_t truncated_at; /* the file ends after so many bytes; 0: whole */
    uint32_t trailer_size; /* bytes behind each Ethernet frame: a check sequence, a switch's stamp */
    bool is_pcapng;
    bool has_statistics; /* pcapng: an Interface Statistics Block with the two counts below */
    uint64_t dropped_kernel;
    uint64_t dropped_interface;
};

struct scenario {
    const char *path;
    const char *title;
    const char **proves; /* findings that must be there */
    size_t proves_count;
    const char **spares; /* findings that must not */
    size_t spares_count;
    struct prefix home_nets[SCENARIO_HOME_NETS_MAX]; /* "home": what the user says of the network */
    size_t home_net_count;
    bool has_home_hops;
    int16_t home_hops;
    bool spares_all; /* nothing above severity info */
    int64_t start_ns;
    struct scenario_capture capture;
    struct scenario_host *hosts;
    size_t host_count;
    struct scenario_flow *flows;
    size_t flow_count;
    struct scenario_frame *frames;
    size_t frame_count;
    struct expectation *expectations;
    size_t expectation_count;
};

/* False with "file:line: what is wrong". The scenario is freed by scenario_free, which takes NULL.
 */
MUST_USE bool scenario_read(const char *path, struct scenario **scenario, struct fault *fault);
MUST_USE bool scenario_parse(const char *name, const char *text, size_t size,
                             struct scenario **scenario, struct fault *fault);
void scenario_free(struct scenario *scenario);

/* By the names that the scenario gave; NULL: no such. */
const struct scenario_host *scenario_host(const struct scenario *scenario, const char *name);
const struct scenario_flow *scenario_flow(const struct scenario *scenario, const char *name);

const char *expectation_kind_name(enum expectation_kind kind); /* "finding" ... */
/* The value of a key; NULL: the expectation does not name it. */
const char *expectation_value(const struct expectation *expectation, const char *key);

/* How to write a capture file; zeroes are the scenario's own wishes. */
struct scenario_write_options {
    bool doubled;          /* every frame twice, as a mirror of both ports gives it */
    uint64_t truncated_at; /* the file ends after so many bytes */
    uint32_t snap_size;
};

/* The capture file's bytes, to be freed by the caller. Never fails. */
uint8_t *scenario_file(const struct scenario *scenario,
                       const struct scenario_write_options *options, size_t *size);
MUST_USE bool scenario_write_pcap(const struct scenario *scenario, const char *path,
                                  const struct scenario_write_options *options,
                                  struct fault *fault);

#endif
