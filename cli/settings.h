/* What the command line asks for. Filled by options.c, read by the commands. */
#ifndef APNSCOPE_CLI_SETTINGS_H
#define APNSCOPE_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/fault.h"
#include "capture/capture.h"
#include "capture/scope_filter.h"
#include "command_bit.h"

enum {
    SETTINGS_INTERFACES_MAX = 16,
    SETTINGS_PREFIXES_MAX = 64,
    SETTINGS_DOMAINS_MAX = 32,
    SETTINGS_IDS_MAX = 256
};

enum log_level { LOG_ERROR, LOG_NOTICE, LOG_DEBUG };

struct prefix_list {
    struct prefix items[SETTINGS_PREFIXES_MAX];
    size_t count;
};

struct id_list {
    int64_t items[SETTINGS_IDS_MAX];
    size_t count;
};

struct settings {
    const char *database;
    const char *site;
    const char *sensor;
    const char *trust_path;
    const char *user;   /* NULL: the service user, or whoever runs it */
    const char *filter; /* NULL: none */
    const char *also;   /* an expression: frames to take besides those of the scope */
    const char *html_path;
    const char *json_path;
    const char *time_stamps; /* live: libpcap's word; NULL: automatic */
    const char *evidence;    /* live: a folder for excerpts; NULL: none */
    int64_t evidence_size;   /* bytes on disk */
    const char *metrics;     /* live: where metrics are served; NULL: nowhere */
    const char *json_lines;  /* live: a file, "-" or "unix:PATH"; NULL: none */
    const char *csv_directory;
    const char *output_path;
    struct id_list flow_ids;
    struct id_list finding_ids;
    const char *interfaces[SETTINGS_INTERFACES_MAX];
    size_t interface_count;
    size_t buffer_size;    /* bytes of the kernel's ring; 0: the default */
    uint32_t snap_size;    /* bytes; 0: automatic */
    int cpu;               /* -1: any */
    unsigned workers;      /* for each interface; 0: 1 */
    int64_t retain_ns;     /* 0: for ever */
    int64_t retain_size;   /* bytes; 0: no limit */
    int64_t statistics_ns; /* between statistics; 0: none */
    double replay_speed;   /* for tests: the traffic is a replay, so many times faster; 0: 1 */
    struct prefix_list home_nets;
    bool has_home_hops;
    int16_t home_hops;
    struct prefix_list apple_nets;
    const char *push_domains[SETTINGS_DOMAINS_MAX];
    size_t push_domain_count;
    uint16_t proxy_ports[SCOPE_FILTER_PROXY_PORTS_MAX];
    size_t proxy_port_count;
    bool has_proxy_ports; /* given; otherwise the common ones */
    enum capture_hash hash;
    enum log_level log_level;
    int64_t since_ns;
    int64_t until_ns;
    int64_t change_ns;     /* 0: none */
    int64_t duration_ns;   /* 0: no limit */
    int64_t idle_limit_ns; /* 0: the default */
    int64_t keepalive_ns;  /* 0: the default */
    int64_t run_id;
    bool all_apple, all_runs, decap, follow, journal, markdown, no_promiscuous, no_sandbox, quiet;
    bool redact, syslog, text, top, wide, without_ndpi;
    bool help, version;
    char *const *arguments; /* what is left after the options */
    size_t argument_count;
};

/* Reads options of the command with that bit. False: a usage error, with its sentence. */
MUST_USE bool settings_read(struct settings *settings, enum command_bit command, int argc,
                            char **argv, struct fault *fault);
/* When --duration, counted from now, is over, by now_monotonic_ns; INT64_MAX: never. */
int64_t settings_end_ns(const struct settings *settings);
/* The kernel's filter that the options ask for. The pointers are the settings'. */
struct scope_filter settings_scope_filter(const struct settings *settings);
/* The option lines of --help for a command. */
void settings_print_options(enum command_bit command);

#endif
