/* The command line, from option.def.
 *
 * The only reader of argv. Turns text into settings and refuses what does not make sense in one
 * sentence; it does not open or look for anything. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/now.h"
#include "capture/live.h"
#include "feed/excerpts.h"
#include "settings.h"

typedef bool (*apply)(struct settings *settings, const char *value, struct fault *fault);

#define FLAG(name)                                                                                 \
    static bool apply_##name(struct settings *settings, const char *value, struct fault *fault)    \
    {                                                                                              \
        (void)value;                                                                               \
        (void)fault;                                                                               \
        settings->name = true;                                                                     \
        return true;                                                                               \
    }
#define WORD(name, field)                                                                          \
    static bool apply_##name(struct settings *settings, const char *value, struct fault *fault)    \
    {                                                                                              \
        (void)fault;                                                                               \
        settings->field = value;                                                                   \
        return true;                                                                               \
    }

FLAG(all_apple)
FLAG(all_runs)
FLAG(decap)
FLAG(follow)
FLAG(help)
FLAG(journal)
FLAG(markdown)
FLAG(no_promiscuous)
FLAG(no_sandbox)
FLAG(quiet)
FLAG(redact)
FLAG(syslog)
FLAG(text)
FLAG(top)
FLAG(version)
FLAG(wide)
FLAG(without_ndpi)
WORD(also, also)
WORD(csv, csv_directory)
WORD(db, database)
WORD(evidence, evidence)
WORD(filter, filter)
WORD(html, html_path)
WORD(json, json_path)
WORD(json_lines, json_lines)
WORD(metrics, metrics)
WORD(output, output_path)
WORD(sensor, sensor)
WORD(site, site)
WORD(trust, trust_path)
WORD(user, user)

static bool add_prefix(struct prefix_list *list, const char *value, const char *option,
                       struct fault *fault)
{
    if (list->count == SETTINGS_PREFIXES_MAX)
        return fault_set(fault, "--%s was given more than %d times; join neighbouring prefixes",
                         option, SETTINGS_PREFIXES_MAX);
    if (!prefix_parse(value, &list->items[list->count]))
        return fault_set(fault,
                         "--%s %s is not an address prefix; write it like 10.0.0.0/8 or "
                         "2001:db8::/32",
                         option, value);
    list->count++;
    return true;
}

/* A whole number from `least` to `most`; *number stays where it is none. */
static bool read_number(const char *value, int64_t least, int64_t most, int64_t *number)
{
    char *end;
    int64_t read = strtoll(value, &end, 10);
    if (!*value || *end || read < least || read > most)
        return false;
    *number = read;
    return true;
}

static bool apply_home_hops(struct settings *settings, const char *value, struct fault *fault)
{
    enum { HOPS_MAX = 63 };
    int64_t hops;
    if (!read_number(value, 0, HOPS_MAX, &hops))
        return fault_set(fault,
                         "--home-hops %s is not a number of hops; 0 is a box on the captured "
                         "segment, each router before it adds one",
                         value);
    settings->has_home_hops = true;
    settings->home_hops = (int16_t)hops;
    return true;
}

static bool apply_home_net(struct settings *settings, const char *value, struct fault *fault)
{
    return add_prefix(&settings->home_nets, value, "home-net", fault);
}

static bool apply_apple_net(struct settings *settings, const char *value, struct fault *fault)
{
    return add_prefix(&settings->apple_nets, value, "apple-net", fault);
}

/* Letters of any script may come in UTF-8; a space, a slash or a colon means something else. */
static bool is_host_name(const char *text)
{
    return *text && *text != '.' && !text[strcspn(text, " \t/:*@,;\"'")];
}

static bool apply_push_domain(struct settings *settings, const char *value, struct fault *fault)
{
    if (settings->push_domain_count == SETTINGS_DOMAINS_MAX)
        return fault_set(fault, "--push-domain was given more than %d times", SETTINGS_DOMAINS_MAX);
    if (!is_host_name(value))
        return fault_set(fault,
                         "--push-domain %s is not a name of DNS; write it like "
                         "push.example.com",
                         value);
    settings->push_domains[settings->push_domain_count++] = value;
    return true;
}

static bool apply_proxy_port(struct settings *settings, const char *value, struct fault *fault)
{
    int64_t port;
    settings->has_proxy_ports = true;
    if (strcmp(value, "none") == 0) {
        settings->proxy_port_count = 0;
        return true;
    }
    if (!read_number(value, 1, UINT16_MAX, &port))
        return fault_set(fault, "--proxy-port %s is not a port; write a number or none", value);
    if (settings->proxy_port_count == SCOPE_FILTER_PROXY_PORTS_MAX)
        return fault_set(fault, "--proxy-port was given more than %d times",
                         SCOPE_FILTER_PROXY_PORTS_MAX);
    settings->proxy_ports[settings->proxy_port_count++] = (uint16_t)port;
    return true;
}

/* The index of `value` among `words`, which end with NULL; -1 where it is none of them. */
static int word_index(const char *value, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -1;
}

static bool apply_hash(struct settings *settings, const char *value, struct fault *fault)
{
    static const char *const words[] = {"auto", "always", "never", NULL};
    int index = word_index(value, words);
    if (index < 0)
        return fault_set(fault, "--hash %s is not one of auto, always, never", value);
    settings->hash = (enum capture_hash)index;
    return true;
}

static bool apply_log_level(struct settings *settings, const char *value, struct fault *fault)
{
    static const char *const words[] = {"error", "notice", "debug", NULL};
    int index = word_index(value, words);
    if (index < 0)
        return fault_set(fault, "--log-level %s is not one of error, notice, debug", value);
    settings->log_level = (enum log_level)index;
    return true;
}

static bool read_time(int64_t *time_ns, const char *value, const char *option, struct fault *fault)
{
    if (clock_parse(value, time_ns))
        return true;
    return fault_set(fault,
                     "--%s %s is not a time; write it like 2026-03-01T08:00 (UTC), with an "
                     "offset like 2026-03-01T10:00+02:00, or as seconds since 1970",
                     option, value);
}

static bool apply_since(struct settings *settings, const char *value, struct fault *fault)
{
    return read_time(&settings->since_ns, value, "since", fault);
}

static bool apply_change(struct settings *settings, const char *value, struct fault *fault)
{
    return read_time(&settings->change_ns, value, "change", fault);
}

static bool apply_until(struct settings *settings, const char *value, struct fault *fault)
{
    return read_time(&settings->until_ns, value, "until", fault);
}

static bool read_minutes(int64_t *span_ns, const char *value, const char *option,
                         struct fault *fault)
{
    if (duration_parse(value, span_ns) && *span_ns >= 60 * NS_PER_S)
        return true;
    return fault_set(fault,
                     "--%s %s is not a time span of a minute or more; write it like 30m or 8h",
                     option, value);
}

static bool apply_idle_limit(struct settings *settings, const char *value, struct fault *fault)
{
    return read_minutes(&settings->idle_limit_ns, value, "idle-limit", fault);
}

static bool apply_keepalive(struct settings *settings, const char *value, struct fault *fault)
{
    return read_minutes(&settings->keepalive_ns, value, "keepalive", fault);
}

static bool apply_duration(struct settings *settings, const char *value, struct fault *fault)
{
    if (duration_parse(value, &settings->duration_ns) && settings->duration_ns > 0)
        return true;
    return fault_set(fault, "--duration %s is not a time span; write it like 90s, 30m or 8h",
                     value);
}

static bool apply_interface(struct settings *settings, const char *value, struct fault *fault)
{
    if (settings->interface_count == SETTINGS_INTERFACES_MAX)
        return fault_set(fault, "--interface was given more than %d times",
                         SETTINGS_INTERFACES_MAX);
    settings->interfaces[settings->interface_count++] = value;
    return true;
}

/* "500", "64K", "32M", "10G": bytes. */
static bool read_size(int64_t *size, const char *value, const char *option, struct fault *fault)
{
    static const char units[] = "KMGT";
    char *end;
    long long number = strtoll(value, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
    bool is_size =
        end != value && number > 0 && (!*end || (unit && !end[1])) && number <= INT64_MAX >> shift;
    if (!is_size)
        return fault_set(fault, "--%s %s is not a size; write it like 64M or 10G", option, value);
    *size = (int64_t)number << shift;
    return true;
}

static bool apply_buffer_size(struct settings *settings, const char *value, struct fault *fault)
{
    int64_t size = 0;
    if (!read_size(&size, value, "buffer-size", fault))
        return false;
    if (size < 1 << 20 || size > 1 << 30)
        return fault_set(fault, "--buffer-size %s: between 1M and 1G", value);
    settings->buffer_size = (size_t)size;
    return true;
}

static bool apply_snaplen(struct settings *settings, const char *value, struct fault *fault)
{
    int64_t size;
    if (strcmp(value, "auto") == 0)
        return true;
    if (!read_number(value, 96, 262144, &size))
        return fault_set(fault, "--snaplen %s: auto, or between 96 and 262144 bytes", value);
    settings->snap_size = (uint32_t)size;
    return true;
}

static bool apply_cpu(struct settings *settings, const char *value, struct fault *fault)
{
    int64_t cpu;
    if (!read_number(value, 0, 1023, &cpu))
        return fault_set(fault, "--cpu %s is not a processor's number", value);
    settings->cpu = (int)cpu;
    return true;
}

static bool apply_workers(struct settings *settings, const char *value, struct fault *fault)
{
    int64_t workers;
    if (!read_number(value, 1, LIVE_WORKERS_MAX, &workers))
        return fault_set(fault, "--workers %s: between 1 and %d", value, LIVE_WORKERS_MAX);
    settings->workers = (unsigned)workers;
    return true;
}

static bool apply_retain(struct settings *settings, const char *value, struct fault *fault)
{
    if (duration_parse(value, &settings->retain_ns) && settings->retain_ns > 0)
        return true;
    return fault_set(fault, "--retain %s is not a time span; write it like 30d or 12h", value);
}

static bool apply_retain_size(struct settings *settings, const char *value, struct fault *fault)
{
    return read_size(&settings->retain_size, value, "retain-size", fault);
}

static bool apply_evidence_size(struct settings *settings, const char *value, struct fault *fault)
{
    return read_size(&settings->evidence_size, value, "evidence-size", fault);
}

static bool apply_statistics(struct settings *settings, const char *value, struct fault *fault)
{
    if (duration_parse(value, &settings->statistics_ns) && settings->statistics_ns > 0)
        return true;
    return fault_set(fault, "--statistics %s is not a time span; write it like 30s or 5m", value);
}

static bool apply_time_stamps(struct settings *settings, const char *value, struct fault *fault)
{
    bool is_auto = strcmp(value, "auto") == 0;
    if (!is_auto && !live_time_stamps_known(value))
        return fault_set(fault,
                         "--time-stamps %s: auto, host, host_hiprec, adapter or adapter_unsynced; "
                         "see pcap-tstamp(7)",
                         value);
    settings->time_stamps = is_auto ? NULL : value;
    return true;
}

static bool apply_replay_speed(struct settings *settings, const char *value, struct fault *fault)
{
    char *end;
    settings->replay_speed = strtod(value, &end);
    if (*value && !*end && settings->replay_speed >= 1 && settings->replay_speed <= 1e6)
        return true;
    return fault_set(fault, "--replay-speed %s is not a factor from 1 on", value);
}

static bool add_id(struct id_list *list, const char *value, const char *option, struct fault *fault)
{
    int64_t id;
    if (!read_number(value, 1, INT64_MAX, &id))
        return fault_set(fault, "--%s %s is not a number; see `apnscope show %ss`", option, value,
                         option);
    if (list->count == SETTINGS_IDS_MAX)
        return fault_set(fault, "--%s was given more than %d times; extract in parts", option,
                         SETTINGS_IDS_MAX);
    list->items[list->count++] = id;
    return true;
}

static bool apply_flow(struct settings *settings, const char *value, struct fault *fault)
{
    return add_id(&settings->flow_ids, value, "flow", fault);
}

static bool apply_finding(struct settings *settings, const char *value, struct fault *fault)
{
    return add_id(&settings->finding_ids, value, "finding", fault);
}

static bool apply_run(struct settings *settings, const char *value, struct fault *fault)
{
    if (read_number(value, 1, INT64_MAX, &settings->run_id))
        return true;
    return fault_set(fault, "--run %s is not a run's number; see `apnscope show runs`", value);
}

static const struct row {
    const char *name;
    const char *argument;
    unsigned commands;
    const char *help;
    apply apply;
} rows[] = {
#define OPTION(id, name, argument, commands, help)                                                 \
    {name, argument, (unsigned)(commands), help, apply_##id},
#include "option.def"
#undef OPTION
};

enum { ROW_COUNT = sizeof rows / sizeof *rows, FIRST_VALUE = 256 };

static size_t option_table(enum command_bit command, struct option *table)
{
    size_t count = 0;
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].commands & (unsigned)command)
            table[count++] =
                (struct option){rows[i].name, rows[i].argument ? required_argument : no_argument,
                                NULL, FIRST_VALUE + i};
    table[count] = (struct option){0};
    return count;
}

/* The short form of --output, where the command has it. */
static bool has_option(enum command_bit command, const char *name)
{
    for (int i = 0; i < ROW_COUNT; i++)
        if (rows[i].commands & (unsigned)command && strcmp(rows[i].name, name) == 0)
            return true;
    return false;
}

static bool refuse(int answer, char **argv, struct fault *fault)
{
    const char *word = argv[optind - 1];
    if (answer == ':')
        return fault_set(fault, "%s needs a value; see --help", word);
    return fault_set(fault, "%s is not an option of this command, or is ambiguous; see --help",
                     word);
}

static const char *short_options(enum command_bit command)
{
    if (has_option(command, "output"))
        return ":hqVo:";
    return has_option(command, "interface") ? ":hqVi:" : ":hqV";
}

bool settings_read(struct settings *settings, enum command_bit command, int argc, char **argv,
                   struct fault *fault)
{
    struct option table[ROW_COUNT + 1];
    *settings = (struct settings){.database = "apnscope.db",
                                  .log_level = LOG_NOTICE,
                                  .cpu = -1,
                                  .statistics_ns = 60 * NS_PER_S,
                                  .evidence_size = EXCERPTS_SIZE_DEFAULT,
                                  .since_ns = TIME_UNKNOWN,
                                  .until_ns = TIME_UNKNOWN};
    option_table(command, table);
    opterr = 0;
    optind = 1;
    int answer;
    while ((answer = getopt_long(argc, argv, short_options(command), table, NULL)) != -1) {
        if (answer == 'h')
            settings->help = true;
        else if (answer == 'V')
            settings->version = true;
        else if (answer == 'o')
            settings->output_path = optarg;
        else if (answer == 'i') {
            if (!apply_interface(settings, optarg, fault))
                return false;
        } else if (answer == 'q')
            settings->quiet = true;
        else if (answer < FIRST_VALUE)
            return refuse(answer, argv, fault);
        else if (!rows[answer - FIRST_VALUE].apply(settings, optarg, fault))
            return false;
    }
    settings->arguments = argv + optind;
    settings->argument_count = (size_t)(argc - optind);
    if (settings->since_ns != TIME_UNKNOWN && settings->until_ns != TIME_UNKNOWN &&
        settings->since_ns >= settings->until_ns)
        return fault_set(fault, "--until must be a later time than --since");
    return true;
}

int64_t settings_end_ns(const struct settings *settings)
{
    int64_t ends_ns;
    bool has_end = settings->duration_ns &&
                   !__builtin_add_overflow(now_monotonic_ns(), settings->duration_ns, &ends_ns);
    return has_end ? ends_ns : INT64_MAX;
}

struct scope_filter settings_scope_filter(const struct settings *settings)
{
    struct scope_filter scope = {.apple_nets = settings->apple_nets.items,
                                 .apple_net_count = settings->apple_nets.count,
                                 .any_dns = settings->push_domain_count > 0,
                                 .also = settings->also,
                                 .filter = settings->filter,
                                 .decapsulate = settings->decap,
                                 .wide = settings->wide};
    size_t common =
        sizeof scope_filter_common_proxy_ports / sizeof *scope_filter_common_proxy_ports;
    scope.proxy_port_count = settings->has_proxy_ports ? settings->proxy_port_count : common;
    memcpy(scope.proxy_ports,
           settings->has_proxy_ports ? settings->proxy_ports : scope_filter_common_proxy_ports,
           scope.proxy_port_count * sizeof scope.proxy_ports[0]);
    return scope;
}

void settings_print_options(enum command_bit command)
{
    for (int i = 0; i < ROW_COUNT; i++) {
        char left[40];
        if (!(rows[i].commands & (unsigned)command))
            continue;
        snprintf(left, sizeof left, "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
                 rows[i].argument ? rows[i].argument : "");
        printf("  %-22s %s\n", left, rows[i].help);
    }
}
