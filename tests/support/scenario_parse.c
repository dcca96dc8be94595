/* Reads a scenario: its declarations, then its lines in time, then its frames in order.
 *
 * Of tests/support: the outermost part of the language. Each line is one word table's business;
 * a line with a word that nobody asked for is an error. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "script.h"

static void free_const(const void *memory)
{
    union {
        const void *in;
        void *out;
    } pointer = {.in = memory};
    free(pointer.out);
}

void scenario_free(struct scenario *scenario)
{
    if (!scenario)
        return;
    for (size_t i = 0; i < scenario->proves_count; i++)
        free_const(scenario->proves[i]);
    for (size_t i = 0; i < scenario->spares_count; i++)
        free_const(scenario->spares[i]);
    for (size_t i = 0; i < scenario->host_count; i++)
        free_const(scenario->hosts[i].name);
    for (size_t i = 0; i < scenario->flow_count; i++)
        free_const(scenario->flows[i].name);
    for (size_t i = 0; i < scenario->frame_count; i++)
        free(scenario->frames[i].bytes);
    expectations_free(scenario);
    free_const(scenario->path);
    free_const(scenario->title);
    free(scenario->proves);
    free(scenario->spares);
    free(scenario->hosts);
    free(scenario->flows);
    free(scenario->frames);
    free(scenario);
}

const struct scenario_host *scenario_host(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->host_count; i++)
        if (strcmp(scenario->hosts[i].name, name) == 0)
            return &scenario->hosts[i];
    return NULL;
}

const struct scenario_flow *scenario_flow(const struct scenario *scenario, const char *name)
{
    for (size_t i = 0; i < scenario->flow_count; i++)
        if (strcmp(scenario->flows[i].name, name) == 0)
            return &scenario->flows[i];
    return NULL;
}

/* --- declarations --------------------------------------------------------------------------- */

static bool take_title(struct script *script, struct words *words)
{
    char title[400];
    struct text text = text_over(title, sizeof title);
    for (size_t i = 1; i < words->count; i++) {
        struct word *word = &words->word[i];
        text_format(&text, "%s%s%s%s", i > 1 ? " " : "", word->key ? word->key : "",
                    word->key ? "=" : "", word->text);
        word->is_used = true;
    }
    free_const(script->scenario->title);
    script->scenario->title = support_copy(title);
    return true;
}

static void add_code(const char ***codes, size_t *count, const char *code)
{
    *codes = support_reallocate(*codes, (*count + 1) * sizeof **codes);
    (*codes)[(*count)++] = support_copy(code);
}

static bool take_proves(struct script *script, struct words *words)
{
    const char *code;
    for (size_t i = 1; (code = words_plain(words, i)); i++)
        add_code(&script->scenario->proves, &script->scenario->proves_count, code);
    return true;
}

static bool take_spares(struct script *script, struct words *words)
{
    const char *code;
    for (size_t i = 1; (code = words_plain(words, i)); i++) {
        if (strcmp(code, "all") == 0)
            script->scenario->spares_all = true;
        else
            add_code(&script->scenario->spares, &script->scenario->spares_count, code);
    }
    return true;
}

static bool take_start(struct script *script, struct words *words)
{
    const char *text = words_plain(words, 1);
    if (!text || !clock_parse(text, &script->scenario->start_ns))
        return words_fault(words, script->fault, "start wants a time like 2026-03-01T08:00:00Z");
    return true;
}

static bool take_habits(struct script *script, struct words *words, struct host *host)
{
    static const char *const names[] = {"running", "zero", "random"};
    const char *habit = words_value_or(words, "ipid", "running");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], habit) == 0) {
            host->id_habit = (enum id_habit)i;
            host->timestamps = strcmp(words_value_or(words, "timestamps", "on"), "off") != 0;
            return true;
        }
    return words_fault(words, script->fault, "ipid=%s is none of running, zero, random", habit);
}

static bool take_host(struct script *script, struct words *words)
{
    const char *name = words_plain(words, 1);
    const char *address_text_given = words_plain(words, 2);
    struct address address;
    if (!name || !address_text_given || !address_parse(address_text_given, &address))
        return words_fault(words, script->fault, "host wants NAME ADDRESS");
    if (stage_host(&script->stage, name))
        return words_fault(words, script->fault, "there is a host \"%s\" already", name);
    struct host *host = stage_add_host(&script->stage, name, &address);
    int64_t ttl = host->ttl;
    int64_t hops = host->hops;
    int64_t mss = host->mss;
    const char *mac = words_value(words, "mac");
    if (mac && !script_mac(mac, host->mac))
        return words_fault(words, script->fault, "mac=%s is not like 02:00:00:00:00:01", mac);
    if (!script_number(script, words, "ttl", 1, 255, &ttl) ||
        !script_number(script, words, "hops", 0, ttl - 1, &hops) ||
        !script_number(script, words, "mss", 20, 65000, &mss))
        return false;
    host->ttl = (uint8_t)ttl;
    host->hops = (uint8_t)hops;
    host->mss = (uint16_t)mss;
    return take_habits(script, words, host);
}

static struct host *endpoint(struct script *script, const char *text, uint16_t *port)
{
    char name[64] = "";
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t number;
    if (!colon || (size_t)(colon - text) >= sizeof name || !words_integer(colon + 1, &number) ||
        number < 1 || number > 65535)
        return NULL;
    memcpy(name, text, (size_t)(colon - text));
    *port = (uint16_t)number;
    return stage_host(&script->stage, name);
}

/* process=apsd:123 */
static bool take_process(struct script *script, struct words *words, struct flow *flow)
{
    const char *text = words_value(words, "process");
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t id;
    flow->process_id = -1;
    if (!text)
        return true;
    if (!colon || !words_integer(colon + 1, &id) || id < 0 || id > INT32_MAX)
        return words_fault(words, script->fault, "process=%s is not NAME:ID", text);
    flow->process_id = (int32_t)id;
    flow->process = support_copy(text);
    flow->process[colon - text] = '\0';
    return true;
}

/* vlan= is both directions', vlan-down= the server's alone. */
static bool take_flow_vlans(struct script *script, struct words *words, struct flow *flow)
{
    struct side *up = &flow->side[UPWARD], *down = &flow->side[DOWNWARD];
    bool given;
    if (!script_vlan(script, words, "vlan", &up->vlan, &up->outer_vlan, &given))
        return false;
    down->vlan = up->vlan;
    down->outer_vlan = up->outer_vlan;
    return script_vlan(script, words, "vlan-down", &down->vlan, &down->outer_vlan, &given);
}

static bool take_flow(struct script *script, struct words *words)
{
    uint16_t client_port;
    uint16_t server_port;
    const char *name = words_plain(words, 1);
    struct host *client = endpoint(script, words_plain(words, 2), &client_port);
    const char *arrow = words_plain(words, 3);
    struct host *server = endpoint(script, words_plain(words, 4), &server_port);
    if (!name || !client || !server || strcmp(arrow, "->") != 0)
        return words_fault(words, script->fault, "flow wants NAME HOST:PORT -> HOST:PORT");
    if (stage_flow(&script->stage, name) || stage_host(&script->stage, name))
        return words_fault(words, script->fault, "the name \"%s\" is taken", name);
    if (address_is_ipv4(&client->address) != address_is_ipv4(&server->address))
        return words_fault(words, script->fault, "the two hosts are of different IP versions");
    struct flow *flow =
        stage_add_flow(&script->stage, name, client, client_port, server, server_port);
    return words_duration(words, "rtt", &flow->rtt_ns, script->fault) &&
           words_duration(words, "client-rtt", &flow->client_rtt_ns, script->fault) &&
           take_flow_vlans(script, words, flow) && take_process(script, words, flow);
}

static bool take_capture_words(struct script *script, struct words *words)
{
    struct scenario_capture *capture = &script->scenario->capture;
    const char *link_type = words_value(words, "linktype");
    const char *format = words_value_or(words, "format", "pcap");
    const char *one_sided = words_value(words, "one-sided");
    if (link_type && !wire_link_type(link_type, &capture->link_type))
        return words_fault(words, script->fault, "linktype=%s is not one that can be built",
                           link_type);
    if (strcmp(format, "pcap") != 0 && strcmp(format, "pcapng") != 0)
        return words_fault(words, script->fault, "format=%s is neither pcap nor pcapng", format);
    if (one_sided && strcmp(one_sided, "up") != 0 && strcmp(one_sided, "down") != 0)
        return words_fault(words, script->fault, "one-sided=%s is neither up nor down", one_sided);
    if (strcmp(format, "pcapng") == 0)
        capture->is_pcapng = true;
    if (one_sided)
        script->only_way = one_sided[0] == 'u' ? UPWARD : DOWNWARD;
    return true;
}

static bool take_capture(struct script *script, struct words *words)
{
    struct scenario_capture *capture = &script->scenario->capture;
    int64_t snap_size = capture->snap_size;
    int64_t truncated_at = (int64_t)capture->truncated_at;
    int64_t dropped_kernel = (int64_t)capture->dropped_kernel;
    int64_t dropped_interface = (int64_t)capture->dropped_interface;
    int64_t trailer_size = capture->trailer_size;
    bool given;
    if (words_value(words, "drops") || words_value(words, "interface-drops"))
        capture->has_statistics = true;
    if (!script_number(script, words, "snaplen", 1, 262144, &snap_size) ||
        !script_number(script, words, "truncated-at", 1, INT32_MAX, &truncated_at) ||
        !script_number(script, words, "trailer", 0, 64, &trailer_size) ||
        !script_number(script, words, "drops", 0, INT32_MAX, &dropped_kernel) ||
        !script_number(script, words, "interface-drops", 0, INT32_MAX, &dropped_interface) ||
        !words_duration(words, "routed", &script->stage.routed_ns, script->fault) ||
        !words_duration(words, "from", &script->from_ns, script->fault) ||
        !words_duration(words, "until", &script->until_ns, script->fault) ||
        !words_duration(words, "copied", &script->stage.copied_ns, script->fault) ||
        !script_vlan(script, words, "copy-vlan", &script->stage.copy_vlan,
                     &script->stage.copy_outer_vlan, &script->stage.has_copy_vlan) ||
        !script_vlan(script, words, "vlan", &script->stage.vlan, &script->stage.outer_vlan, &given))
        return false;
    capture->snap_size = (uint32_t)snap_size;
    capture->trailer_size = (uint32_t)trailer_size;
    capture->truncated_at = (uint64_t)truncated_at;
    capture->dropped_kernel = (uint64_t)dropped_kernel;
    capture->dropped_interface = (uint64_t)dropped_interface;
    if (!take_capture_words(script, words))
        return false;
    if (capture->has_statistics && !capture->is_pcapng)
        return words_fault(words, script->fault, "drops are told by format=pcapng only");
    return true;
}

/* What the user says of the network: --home-net and --home-hops. */
static bool take_home(struct script *script, struct words *words)
{
    struct scenario *scenario = script->scenario;
    int64_t hops = 0;
    const char *nets = words_value(words, "net");
    scenario->has_home_hops |= words_value(words, "hops") != NULL;
    if (!script_number(script, words, "hops", 0, 63, &hops))
        return false;
    if (words_value(words, "hops"))
        scenario->home_hops = (int16_t)hops;
    if (!nets)
        return true;
    if (scenario->home_net_count == SCENARIO_HOME_NETS_MAX ||
        !prefix_parse(nets, &scenario->home_nets[scenario->home_net_count]))
        return words_fault(words, script->fault, "net=%s is not a prefix, or one too many", nets);
    scenario->home_net_count++;
    return true;
}

static const struct declaration {
    const char *name;
    bool (*take)(struct script *script, struct words *words);
} declarations[] = {
    {"title", take_title},     {"proves", take_proves},      {"spares", take_spares},
    {"start", take_start},     {"host", take_host},          {"flow", take_flow},
    {"capture", take_capture}, {"expect", expectation_take}, {"home", take_home},
};

/* --- lines ---------------------------------------------------------------------------------- */

/* "1.000" from the start, "+0.020" after the last packet of the line before; false: no time. */
static bool take_time(struct script *script, const char *text)
{
    bool relative = *text == '+';
    int64_t ns;
    if (!words_time(text + relative, &ns))
        return false;
    script->stage.now_ns = relative ? script->stage.last_ns + ns : ns;
    script->stage.last_ns = script->stage.now_ns;
    return true;
}

static bool take_words(struct script *script, struct words *words)
{
    const char *first = words_plain(words, 0);
    script->stage.line = words->line;
    if (!first)
        return words_fault(words, script->fault, "a line begins with a word or a time");
    for (size_t i = 0; i < sizeof declarations / sizeof declarations[0]; i++)
        if (strcmp(declarations[i].name, first) == 0)
            return declarations[i].take(script, words);
    if (!take_time(script, first))
        return words_fault(words, script->fault, "\"%s\" is neither a time nor a declaration",
                           first);
    struct words rest = {words->file, words->line, words->word + 1, words->count - 1};
    return line_play(script, &rest);
}

static bool take_line(struct script *script, unsigned line, const char *text, size_t size)
{
    struct words words;
    bool good = words_split(script->scenario->path, line, text, size, &words, script->fault);
    if (good && words.count > 0)
        good = take_words(script, &words) && words_all_used(&words, script->fault);
    words_free(&words);
    return good;
}

static bool take_lines(struct script *script, const char *text, size_t size)
{
    const char *end = text + size;
    for (unsigned line = 1; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        if (!take_line(script, line, text, length))
            return false;
        text += length + 1;
    }
    return true;
}

/* --- from the stage to the capture ------------------------------------------------------------ */

static int by_time(const void *a, const void *b)
{
    const struct staged_frame *one = a;
    const struct staged_frame *other = b;
    if (one->time_ns != other->time_ns)
        return one->time_ns < other->time_ns ? -1 : 1;
    return one->order < other->order ? -1 : 1;
}

static bool is_captured(const struct script *script, const struct staged_frame *frame)
{
    if (script->only_way != NO_WAY && frame->way != NO_WAY && frame->way != script->only_way)
        return false;
    return frame->time_ns >= script->from_ns && frame->time_ns <= script->until_ns;
}

static void capture_frame(const struct script *script, const struct staged_frame *staged)
{
    struct scenario *scenario = script->scenario;
    struct bytes bytes = {0};
    wire_frame(&bytes, scenario->capture.link_type, &staged->link, staged->packet, staged->size);
    bytes_random(&bytes, scenario->capture.trailer_size, bytes.size);
    uint32_t size = (uint32_t)bytes.size;
    uint32_t snap = scenario->capture.snap_size;
    scenario->frames[scenario->frame_count++] = (struct scenario_frame){
        .bytes = bytes.at,
        .captured_size = snap > 0 && snap < size ? snap : size,
        .original_size = size,
        .time_ns = scenario->start_ns + staged->time_ns + staged->shift_ns,
        .line = staged->line,
    };
}

static void capture_frames(struct script *script)
{
    struct stage *stage = &script->stage;
    if (stage->frame_count > 0)
        qsort(stage->frames, stage->frame_count, sizeof *stage->frames, by_time);
    script->scenario->frames =
        support_allocate(stage->frame_count * sizeof *script->scenario->frames);
    for (size_t i = 0; i < stage->frame_count; i++)
        if (is_captured(script, &stage->frames[i]))
            capture_frame(script, &stage->frames[i]);
}

static void publish_cast(struct script *script)
{
    struct scenario *scenario = script->scenario;
    const struct stage *stage = &script->stage;
    scenario->hosts = support_allocate(stage->host_count * sizeof *scenario->hosts);
    scenario->flows = support_allocate(stage->flow_count * sizeof *scenario->flows);
    for (size_t i = 0; i < stage->host_count; i++) {
        struct scenario_host *host = &scenario->hosts[scenario->host_count++];
        host->name = support_copy(stage->hosts[i]->name);
        host->address = stage->hosts[i]->address;
        memcpy(host->mac, stage->hosts[i]->mac, 6);
    }
    for (size_t i = 0; i < stage->flow_count; i++) {
        const struct side *side = stage->flows[i]->side;
        scenario->flows[scenario->flow_count++] = (struct scenario_flow){
            .name = support_copy(stage->flows[i]->name),
            .client_ip = side[UPWARD].host->address,
            .server_ip = side[DOWNWARD].host->address,
            .client_port = side[UPWARD].port,
            .server_port = side[DOWNWARD].port,
        };
    }
}

bool scenario_parse(const char *name, const char *text, size_t size, struct scenario **scenario,
                    struct fault *fault)
{
    struct script script = {.fault = fault, .only_way = NO_WAY, .until_ns = INT64_MAX};
    script.scenario = support_allocate(sizeof *script.scenario);
    script.scenario->path = support_copy(name);
    script.scenario->title = support_copy("");
    script.scenario->capture.link_type = LINK_ETHERNET;
    script.scenario->start_ns = INT64_C(1772352000) * NS_PER_S; /* 2026-03-01T08:00:00Z */
    bool good = take_lines(&script, text, size);
    if (good) {
        capture_frames(&script);
        publish_cast(&script);
    } else {
        scenario_free(script.scenario);
        script.scenario = NULL;
    }
    *scenario = script.scenario;
    stage_clear(&script.stage);
    return good;
}

bool scenario_read(const char *path, struct scenario **scenario, struct fault *fault)
{
    struct bytes text = {0};
    char block[4096];
    size_t got;
    FILE *file = fopen(path, "rb");
    *scenario = NULL;
    if (!file)
        return fault_set(fault, "cannot open %s: %s", path, strerror(errno));
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        bytes_add(&text, block, got);
    bool read_all = !ferror(file);
    fclose(file);
    bool good = read_all ? scenario_parse(path, text.size ? (const char *)text.at : "", text.size,
                                          scenario, fault)
                         : fault_set(fault, "cannot read %s: %s", path, strerror(errno));
    bytes_free(&text);
    return good;
}
