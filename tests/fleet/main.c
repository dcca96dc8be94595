/* fleet: a capture of a synthetic site, and beside it what really happened to each device.
 *
 *     fleet [--devices N] [--hours N] [--fault NAME] [--truth FILE] CAPTURE.pcap
 *
 * "-" writes to standard output. Deliberately judges nothing: tests/fleet/check.py holds what
 * apnscope finds against the truth. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "courier.h"
#include "device.h"
#include "fault.h"

enum { DAY_HOURS = 24, START_HOUR = 0 };

struct arguments {
    long devices, hours, seed;
    double hit_part;
    struct mirror mirror;
    const char *truth;
    const struct fault *fault;
};

/* ---- the site ---- */

static struct station station_at(struct fleet *fleet, struct address address, uint8_t ttl)
{
    struct station station = {.address = address, .ttl = ttl, .timestamps = true};
    static const uint8_t router[6] = {2, 0, 0, 0, 0, 1};
    memcpy(station.mac, router, 6);
    station.mss = address_is_ipv4(&address) ? 1460 : 1440;
    station.next_id = (uint16_t)draw_bits(&fleet->draw);
    station.clock_ms = (uint32_t)draw_bits(&fleet->draw);
    return station;
}

static struct address v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const uint8_t four[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};
    return address_from_ipv4(four);
}

static struct address v6(unsigned a, unsigned b, unsigned c, uint32_t host)
{
    const uint8_t sixteen[16] = {(uint8_t)(a >> 8),
                                 (uint8_t)a,
                                 (uint8_t)(b >> 8),
                                 (uint8_t)b,
                                 (uint8_t)(c >> 8),
                                 (uint8_t)c,
                                 0,
                                 0,
                                 0,
                                 0,
                                 0,
                                 0,
                                 (uint8_t)(host >> 24),
                                 (uint8_t)(host >> 16),
                                 (uint8_t)(host >> 8),
                                 (uint8_t)host};
    return address_from_ipv6(sixteen);
}

static void set_servers(struct fleet *fleet)
{
    static const unsigned networks[4][2] = {{57, 144}, {188, 168}, {249, 20}, {252, 108}};
    fleet->servers = support_allocate(SERVERS_ALL * sizeof *fleet->servers);
    for (unsigned i = 0; i < SERVERS_ALL; i++) {
        const unsigned *network = networks[i % 4];
        struct address address = v4(17, network[0], network[1], 4 + i);
        if (i >= FIRST_V6)
            address = v6(0x2620, 0x149, 0xa44, 0x10 + i);
        if (i >= FIRST_BAG)
            address = v4(17, 248, 200, 10 + i);
        if (i >= FIRST_PROVIDER)
            address = v4(17, 188, 182, i);
        struct station *server = &fleet->servers[i];
        *server = station_at(fleet, address, (uint8_t)(64 - 10 - i % 5));
        server->counts_ids = i % 3 != 0;
    }
    fleet->resolver = station_at(fleet, v4(10, 0, 0, 53), 63);
    fleet->proxy = station_at(fleet, v4(10, 0, 0, 80), 63);
    fleet->elsewhere = station_at(fleet, v4(10, 9, 9, 9), 63);
    fleet->router = station_at(fleet, v4(10, 0, 0, 1), 64);
    fleet->router_v6 = v6(0x2001, 0xdb8, 1, 1);
}

/* ---- devices ---- */

static void set_stations(struct device *device, uint32_t number)
{
    static const uint8_t maker[3] = {0xa4, 0x83, 0xe7};
    struct fleet *fleet = device->fleet;
    device->v4 = station_at(fleet, v4(10, 20, number >> 8, number & 255), 64);
    device->v6 = station_at(fleet, v6(0x2001, 0xdb8, 1, 0x1000 + number), 64);
    memcpy(device->v4.mac, maker, 3);
    for (int i = 0; i < 3; i++)
        device->v4.mac[3 + i] = (uint8_t)(number >> (8 * (2 - i)));
    memcpy(device->v6.mac, device->v4.mac, 6);
    device->v4.counts_ids = draw_chance(&device->draw, 0.3);
    device->v4.timestamps = device->v6.timestamps = draw_chance(&device->draw, 0.9);
}

/* Of so many machines one is an MDM server, always there. */
static bool is_number_of_server(uint32_t number)
{
    enum { ONE_IN = 250, FIRST = 25 };
    return number % ONE_IN == FIRST;
}

static void set_habits(struct device *device)
{
    static const int64_t heartbeats_s[] = {600, 900, 900, 1800};
    struct draw *draw = &device->draw;
    struct fleet *fleet = device->fleet;
    device->loss = fleet->loss_low + draw_part(draw) * (fleet->loss_high - fleet->loss_low);
    device->near_ns = draw_between(draw, 300, 4000) * NS_PER_US;
    device->far_ns = draw_between(draw, 4, 60) * NS_PER_MS;
    device->heartbeat_ns = heartbeats_s[draw_between(draw, 0, 4)] * NS_PER_S;
    device->has_v6 = draw_chance(draw, 0.3);
    device->names_courier = draw_chance(draw, 0.7);
    device->is_tls12 = draw_chance(draw, 0.1);
    device->is_post_quantum = draw_chance(draw, 0.4);
    device->next_port = (uint16_t)draw_between(draw, 49152, 65535);
    if (device->is_mdm_server)
        device->has_v6 = device->is_post_quantum = false;
}

/* Some are always there, most come for the working day, some for a few hours. */
static void set_day(struct device *device)
{
    struct draw *draw = &device->draw;
    double kind = draw_part(draw);
    int64_t length_ns = device->fleet->length_ns;
    int64_t day_ns = length_ns < DAY_HOURS * HOUR_NS ? length_ns : DAY_HOURS * HOUR_NS;
    device->leaves_ns = length_ns;
    if (kind < 0.3 || device->is_mdm_server) {
        device->arrives_ns = draw_between(draw, -HOUR_NS, 10 * MINUTE_NS);
    } else if (kind < 0.85) {
        device->arrives_ns = draw_between(draw, day_ns * 7 / 24, day_ns * 10 / 24);
        device->leaves_ns = draw_between(draw, day_ns * 15 / 24, day_ns * 20 / 24);
    } else {
        device->arrives_ns = draw_between(draw, 0, day_ns * 18 / 24);
        device->leaves_ns = device->arrives_ns + draw_between(draw, HOUR_NS, 5 * HOUR_NS);
    }
}

static void set_fault(struct device *device)
{
    const struct fault *fault = device->fleet->fault;
    bool is_chosen = draw_chance(&device->draw, device->fleet->hit_part);
    if (!fault || fault->hits_servers != device->is_mdm_server ||
        (fault->can_hit && !fault->can_hit(device)))
        return;
    device->is_hit = is_chosen || fault->whole_site || fault->whole_kind;
    if (device->is_hit && fault->loss > 0)
        device->loss = fault->loss;
}

static void set_devices(struct fleet *fleet)
{
    size_t size = fleet->device_count * sizeof *fleet->devices;
    fleet->devices = support_allocate(size);
    memset(fleet->devices, 0, size);
    for (uint32_t i = 0; i < fleet->device_count; i++) {
        struct device *device = &fleet->devices[i];
        device->fleet = fleet;
        device->draw.state = draw_bits(&fleet->draw);
        device->is_mdm_server = is_number_of_server(i);
        set_stations(device, i);
        set_habits(device);
        set_day(device);
        set_fault(device);
        device_begin(device);
    }
}

/* ---- the day ---- */

static void run(struct fleet *fleet)
{
    struct appointment appointment;
    while (agenda_next(&fleet->agenda, &appointment) && appointment.at_ns < fleet->length_ns) {
        fleet->now_ns = appointment.at_ns;
        mirror_write(&fleet->mirror, fleet->now_ns);
        appointment.keep(appointment.subject, appointment.detail);
    }
    agenda_free(&fleet->agenda);
}

/* Of a loss that is the fault: those devices that said enough for it to show. */
static uint32_t bites_of(const struct device *device)
{
    enum { SAID_ENOUGH = 190 };
    const struct fault *fault = device->fleet->fault;
    if (!fault || fault->loss <= 0)
        return device->bites;
    return device->is_hit && device->said[DOWN] >= SAID_ENOUGH;
}

static bool write_truth(const struct fleet *fleet, const char *path)
{
    FILE *file = fopen(path, "w");
    char text[2][ADDRESS_TEXT_SIZE];
    if (!file)
        return false;
    fprintf(file, "ip\tip6\tserver\thit\tbites\tattempts\tsessions\tworked\tworked_5223\t"
                  "worked6\tworked6_5223\tfallbacks\tsaid_up\trepeated_up\tsaid_down\t"
                  "repeated_down\n");
    for (size_t i = 0; i < fleet->device_count; i++) {
        const struct device *device = &fleet->devices[i];
        fprintf(file, "%s\t%s\t%d\t%d\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n",
                address_text(&device->v4.address, text[0]),
                address_text(&device->v6.address, text[1]), device->is_mdm_server, device->is_hit,
                bites_of(device), device->attempts, device->sessions, device->worked[0],
                device->worked_5223[0], device->worked[1], device->worked_5223[1],
                device->fallbacks, device->said[UP], device->repeated[UP], device->said[DOWN],
                device->repeated[DOWN]);
    }
    return fclose(file) == 0;
}

static void list_faults(void)
{
    for (size_t i = 0; i < fault_count; i++)
        printf("%s\t%s\t%u\t%s\t%s\t%s\n", faults[i].name, faults[i].code, faults[i].bites_needed,
               faults[i].whole_site ? "site" : "device", faults[i].also,
               faults[i].instead ? faults[i].instead : "");
}

static void free_fleet(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->device_count; i++)
        courier_free(fleet->devices[i].sessions_kept);
    free(fleet->devices);
    free(fleet->servers);
}

static int usage(void)
{
    fputs(
        "fleet [--devices N] [--hours N] [--seed N] [--fault NAME] [--hit PART]\n"
        "      [--copies none|same|routed|translated] [--delay MILLISECONDS] [--half up|down]\n"
        "      [--mirror-loss PART] [--snap BYTES] [--set-back SECONDS] [--truth FILE] CAPTURE|-\n"
        "fleet --list\n",
        stderr);
    return 2;
}

static bool take(struct arguments *arguments, int option, const char *value)
{
    static const char *const copies[COPIES_COUNT] = {"none", "same", "routed", "translated"};
    switch (option) {
    case 'n':
        arguments->devices = strtol(value, NULL, 10);
        return arguments->devices > 0 && arguments->devices < 65536;
    case 't':
        arguments->hours = strtol(value, NULL, 10);
        return arguments->hours > 0;
    case 's':
        arguments->seed = strtol(value, NULL, 10);
        return true;
    case 'f':
        arguments->fault = fault_named(value);
        return arguments->fault != NULL;
    case 'p':
        arguments->hit_part = strtod(value, NULL);
        return arguments->hit_part > 0;
    case 'd':
        arguments->mirror.delay_ns = strtol(value, NULL, 10) * NS_PER_MS;
        return arguments->mirror.delay_ns >= 0;
    case 'h':
        arguments->mirror.hides[UP] = strcmp(value, "down") == 0;
        arguments->mirror.hides[DOWN] = strcmp(value, "up") == 0;
        return arguments->mirror.hides[UP] || arguments->mirror.hides[DOWN];
    case 'm':
        arguments->mirror.lost_part = strtod(value, NULL);
        return arguments->mirror.lost_part > 0;
    case 'b':
        arguments->mirror.snap_size = (uint32_t)strtoul(value, NULL, 10);
        return arguments->mirror.snap_size > 0;
    case 'k':
        arguments->mirror.set_back_ns = strtol(value, NULL, 10) * NS_PER_S;
        return arguments->mirror.set_back_ns > 0;
    case 'o':
        arguments->truth = value;
        return true;
    case 'c':
        for (int i = 0; i < COPIES_COUNT; i++)
            if (strcmp(copies[i], value) == 0) {
                arguments->mirror.copies = (enum copies)i;
                return true;
            }
        return false;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"devices", 1, NULL, 'n'},  {"hours", 1, NULL, 't'},  {"seed", 1, NULL, 's'},
        {"fault", 1, NULL, 'f'},    {"hit", 1, NULL, 'p'},    {"delay", 1, NULL, 'd'},
        {"truth", 1, NULL, 'o'},    {"copies", 1, NULL, 'c'}, {"list", 0, NULL, 'l'},
        {"half", 1, NULL, 'h'},     {"snap", 1, NULL, 'b'},   {"mirror-loss", 1, NULL, 'm'},
        {"set-back", 1, NULL, 'k'}, {NULL, 0, NULL, 0}};
    struct arguments arguments = {.devices = 100, .hours = 24, .seed = 1, .hit_part = 0.1};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'l') {
            list_faults();
            return 0;
        }
        if (!take(&arguments, option, optarg))
            return usage();
    }
    if (optind != argc - 1)
        return usage();
    bool to_stdout = strcmp(argv[optind], "-") == 0;
    struct fleet fleet = {.device_count = (size_t)arguments.devices,
                          .length_ns = arguments.hours * HOUR_NS,
                          .hit_part = arguments.hit_part,
                          .loss_low = 0.01,
                          .loss_high = 0.05,
                          .fault = arguments.fault,
                          .draw = {(uint64_t)arguments.seed},
                          .now_ns = -HOUR_NS,
                          .outage_ns = arguments.hours * HOUR_NS / 2};
    fleet.mirror = arguments.mirror;
    fleet.mirror.out = to_stdout ? stdout : fopen(argv[optind], "wb");
    fleet.mirror.start_ns = INT64_C(1772409600) * NS_PER_S; /* 2026-03-02 */
    fleet.mirror.set_ns = fleet.length_ns * 2 / 5;
    fleet.mirror.delayed_part = 0.1;
    fleet.mirror.draw.state = (uint64_t)arguments.seed + 1;
    if (!fleet.mirror.out) {
        perror(argv[optind]);
        return 3;
    }
    mirror_begin(&fleet.mirror);
    set_servers(&fleet);
    set_devices(&fleet);
    run(&fleet);
    bool good = mirror_end(&fleet.mirror) && (to_stdout || fclose(fleet.mirror.out) == 0);
    if (arguments.truth)
        good = write_truth(&fleet, arguments.truth) && good;
    if (!good)
        perror("fleet");
    free_fleet(&fleet);
    return good ? 0 : 3;
}
