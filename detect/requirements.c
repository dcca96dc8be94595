/* The audit table: what the capture says of each requirement, R0 to R9.
 *
 * Last step of the engine. "pass" needs something that was seen to work, "fail" and "warn" a
 * finding or a count; anything else is "not observed". Deliberately holds no evidence of its own:
 * the findings do. */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "engine.h"
#include "networks.h"

/* Findings that stand and count against one requirement. */
struct against {
    uint32_t fails;                  /* severity fail, likely or certain */
    uint32_t warns;                  /* the rest that is more than information */
    uint64_t fail_rules, warn_rules; /* bits by place in detector_list: DETECTORS_MAX */
};

static bool is_about(const struct engine *engine, const struct kept_finding *kept,
                     enum requirement_code code)
{
    const struct finding *finding = &kept->finding;
    if (!finding->server_port || !detector_list[kept->rule]->is_of_its_port)
        return true;
    uint32_t id = devices_find(&engine->devices, &finding->client_ip, finding->lane);
    bool is_mdm = id != DEVICE_NONE && device_is_mdm_server(devices_at(&engine->devices, id));
    switch (code) {
    case R1_PORT_5223:
        return finding->server_port == 5223;
    case R2_FALLBACK_443:
        return finding->server_port == 443 && !is_mdm;
    case R6_MDM_SERVER:
        return finding->server_port == 2197 || (finding->server_port == 443 && is_mdm);
    default:
        return true;
    }
}

/* R6 asks for one port of two: a finding about one weighs less where the other works, or may have
 * worked as far as a capture that was cut shows. */
static bool has_another_port(const struct engine *engine, const struct kept_finding *kept,
                             enum requirement_code code)
{
    const struct finding *finding = &kept->finding;
    if (code != R6_MDM_SERVER || !detector_list[kept->rule]->is_of_its_port)
        return false;
    uint32_t id = devices_find(&engine->devices, &finding->client_ip, finding->lane);
    if (id == DEVICE_NONE)
        return false;
    const struct device *device = devices_at(&engine->devices, id);
    enum way other = finding->server_port == 443 ? WAY_PROVIDER_2197 : WAY_PROVIDER_443;
    return device->way[other].worked || device->working_ways & 1u << other || device->maybe_s;
}

static struct against count_against(const struct engine *engine, enum requirement_code code)
{
    struct against against = {0};
    for (uint32_t id = 0; id < findings_count(&engine->findings); id++) {
        const struct kept_finding *kept = findings_at(&engine->findings, id);
        const struct finding *finding = &kept->finding;
        if (kept->is_withdrawn || finding->severity == SEVERITY_INFO ||
            !(detector_list[kept->rule]->requirements & AGAINST(code)) ||
            !is_about(engine, kept, code))
            continue;
        bool is_fail = finding->severity == SEVERITY_FAIL &&
                       finding->confidence >= CONFIDENCE_LIKELY &&
                       !has_another_port(engine, kept, code);
        *(is_fail ? &against.fails : &against.warns) += 1;
        *(is_fail ? &against.fail_rules : &against.warn_rules) |= UINT64_C(1) << kept->rule;
    }
    return against;
}

static void say(struct requirement_record *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct requirement_record *row, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(row->summary, sizeof row->summary, format, list);
    va_end(list);
}

/* The codes of `rules`, up to three in all; returns how many were not named. */
static unsigned add_codes(struct text *out, uint64_t rules, unsigned *named)
{
    enum { NAMED_MAX = 3 };
    unsigned left_out = 0;
    for (size_t rule = 0; rule < detector_count; rule++) {
        if (!(rules >> rule & 1))
            continue;
        if (*named < NAMED_MAX)
            text_format(out, "%s%s", (*named)++ ? ", " : "", detector_list[rule]->code);
        else
            left_out++;
    }
    return left_out;
}

static void add_findings(struct requirement_record *row, const struct against *against)
{
    uint32_t all = against->fails + against->warns;
    unsigned named = 0;
    char sentence[sizeof row->summary];
    struct text out = text_over(sentence, sizeof sentence);
    if (!all)
        return;
    text_format(&out, "%.300s Against it: %s (", row->summary, COUNTED(all, "finding"));
    unsigned left_out = add_codes(&out, against->fail_rules, &named);
    left_out += add_codes(&out, against->warn_rules & ~against->fail_rules, &named);
    if (left_out)
        text_format(&out, " and %u other code%s", left_out, left_out == 1 ? "" : "s");
    text_add(&out, ").");
    memcpy(row->summary, sentence, sizeof sentence);
}

/* Findings decide first; without them what worked passes; nothing seen is "not observed". */
static void decide(struct requirement_record *row, const struct against *against, bool was_seen)
{
    if (against->fails)
        row->status = STATUS_FAIL;
    else if (against->warns)
        row->status = STATUS_WARN;
    else
        row->status = was_seen ? STATUS_PASS : STATUS_NOT_OBSERVED;
    add_findings(row, against);
}

static void add_loss(struct text *out, bool *is_first, const char *what)
{
    text_format(out, "%s%s", *is_first ? ": " : ", ", what);
    *is_first = false;
}

/* Only what is missing. */
static void say_losses(const struct capture_quality *quality, uint64_t lost,
                       struct requirement_record *row)
{
    struct text out = text_over(row->summary, sizeof row->summary);
    bool is_first = true;
    text_format(&out, "%s read, not without loss",
                COUNTED(quality->frames, "packet was|packets were"));
    if (lost)
        add_loss(&out, &is_first, COUNTED(lost, "packet dropped|packets dropped"));
    if (quality->skipped[SKIP_DAMAGED])
        add_loss(&out, &is_first,
                 COUNTED(quality->skipped[SKIP_DAMAGED], "packet damaged|packets damaged"));
    if (quality->gap_bytes)
        add_loss(
            &out, &is_first,
            COUNTED(quality->gap_bytes, "acknowledged byte missing|acknowledged bytes missing"));
    if (quality->push_frames_cut)
        add_loss(&out, &is_first,
                 COUNTED(quality->push_frames_cut,
                         "push packet captured in part|push packets captured in part"));
    if (quality->flows_evicted)
        add_loss(&out, &is_first,
                 COUNTED(quality->flows_evicted,
                         "session given up for want of room|sessions given up for want of room"));
    if (quality->truncated)
        add_loss(&out, &is_first, "the end of the capture cut or damaged");
    text_add(&out, ".");
}

/* R0 */
static void judge_capture(const struct engine *engine, struct requirement_record *row)
{
    const struct capture_quality *quality = &engine->quality;
    struct side_counts sides = engine->site.sides;
    uint32_t one_sided = sides.up_only + sides.down_only;
    uint64_t lost = capture_quality_drops(quality), damaged = quality->skipped[SKIP_DAMAGED];
    row->seen = sides.both + one_sided;
    row->failed = one_sided;
    if (!quality->frames) {
        say(row, "The capture holds no packets.");
        return;
    }
    row->status = STATUS_FAIL;
    if (!quality->flows_tracked && !quality->attempts_summed) {
        row->status = engine->site.answers ? STATUS_WARN : STATUS_FAIL;
        say(row, "None of %s belongs to a session of APNs: %s can be judged.",
            COUNTED(quality->frames, "packet"),
            engine->site.answers ? "nothing but its DNS answers" : "nothing");
    } else if (one_sided && one_sided >= sides.both) {
        say(row,
            "Sessions captured in one direction only: %s of %s; whether they work cannot be "
            "judged.",
            DIGITS(one_sided), DIGITS(one_sided + sides.both));
    } else if (quality->truncated || quality->push_frames_cut || lost || quality->gap_bytes ||
               quality->flows_evicted || damaged) {
        row->status = STATUS_WARN;
        say_losses(quality, lost, row);
    } else {
        row->status = STATUS_PASS;
        say(row, "%s and %s of APNs were read; %s both directions.",
            COUNTED(quality->frames, "packet"), COUNTED(quality->flows_tracked, "session"),
            COUNTED(sides.both, "session shows|sessions show"));
    }
}

static void judge_way(const struct engine *engine, struct requirement_record *row, enum way way,
                      int port)
{
    struct way_counts counts = engine->site.way[way];
    struct against against = count_against(engine, row->code);
    row->seen = counts.worked + counts.failed;
    row->failed = counts.failed;
    if (row->seen)
        say(row, "Courier sessions on port %d: %s of %s worked.", port, DIGITS(counts.worked),
            DIGITS(row->seen));
    else
        say(row, "No courier session on port %d was seen.", port);
    decide(row, &against, counts.worked);
}

static void judge_port_5223(const struct engine *engine, struct requirement_record *row)
{
    judge_way(engine, row, WAY_COURIER_5223, 5223);
}

static void judge_fallback(const struct engine *engine, struct requirement_record *row)
{
    judge_way(engine, row, WAY_COURIER_443, 443);
}

/* R3 */
static void judge_whole_range(const struct engine *engine, struct requirement_record *row)
{
    struct network networks[NETWORKS_MAX];
    uint32_t count = networks_gather(&engine->site, 5223, networks), worked = 0, failed = 0;
    struct against against = count_against(engine, row->code);
    for (uint32_t i = 0; i < count; i++) {
        worked += networks[i].worked > 0;
        failed += !networks[i].worked && networks[i].failed >= 2; /* one failure may be chance */
    }
    row->seen = worked + failed;
    row->failed = failed;
    if (worked >= 2 && !failed)
        say(row, "Sessions on 5223 worked to each of the %u networks of Apple's that were tried.",
            worked);
    else if (worked + failed < 2)
        say(row, "Sessions on 5223 to fewer than two of Apple's networks were seen, too few to "
                 "tell a list from the whole range.");
    else
        say(row, "Of Apple's networks tried on 5223, %u answered and %u did not.", worked, failed);
    decide(row, &against, worked >= 2 && !failed);
}

/* R4 */
static void judge_direct(const struct engine *engine, struct requirement_record *row)
{
    const struct site *site = &engine->site;
    struct against against = count_against(engine, row->code);
    uint32_t others = site->diverted_worked;
    uint32_t proxied = site->way[WAY_COURIER_PROXY].worked + site->way[WAY_PROVIDER_PROXY].worked;
    row->seen = site->direct_worked + proxied + against.fails;
    row->failed = proxied + against.fails;
    if (row->seen)
        say(row,
            "Sessions that worked: %s straight to Apple's addresses, %s through a proxy%s%s%s.",
            DIGITS(site->direct_worked), DIGITS(proxied), others ? ", " : "",
            others ? DIGITS(others) : "", others ? " answered by somebody else" : "");
    else
        say(row, "No session that works was seen.");
    decide(row, &against, site->direct_worked && !proxied);
}

/* R5 */
static void judge_persists(const struct engine *engine, struct requirement_record *row)
{
    const struct site *site = &engine->site;
    struct against against = count_against(engine, row->code);
    char longest[DURATION_TEXT_SIZE], silence[DURATION_TEXT_SIZE], survived[64] = "";
    char keepalive[DURATION_TEXT_SIZE];
    duration_text(site->keepalive_s * NS_PER_S, keepalive);
    row->seen = site->lasting + against.fails;
    row->failed = against.fails;
    if (site->silence_s)
        snprintf(survived, sizeof survived, "; the longest silence survived was %s",
                 duration_text(site->silence_s * NS_PER_S, silence));
    if (site->lasting)
        say(row, "%s lasted longer than %s and still worked, the longest %s%s.",
            COUNTED(site->lasting, "courier session"), keepalive,
            duration_text(site->longest_ns, longest), survived);
    else
        say(row, "No courier session was seen to work for longer than %s%s.", keepalive, survived);
    decide(row, &against, site->lasting);
}

/* R6 */
static void judge_mdm_server(const struct engine *engine, struct requirement_record *row)
{
    const struct site *site = &engine->site;
    struct against against = count_against(engine, row->code);
    uint32_t worked = 0, failed = 0;
    for (enum way way = WAY_PROVIDER_443; way < WAY_COUNT; way++) {
        worked += site->way[way].worked;
        failed += site->way[way].failed;
    }
    row->seen = worked + failed;
    row->failed = failed;
    if (row->seen)
        say(row, "Sessions of MDM servers: %s of %s worked (443: %u, 2197: %u).", DIGITS(worked),
            DIGITS(row->seen), site->way[WAY_PROVIDER_443].worked,
            site->way[WAY_PROVIDER_2197].worked);
    else if (site->legacy)
        say(row, "MDM servers were seen on the retired ports 2195 and 2196 only (%s).",
            COUNTED(site->legacy, "attempt"));
    else
        say(row, "No session of an MDM server was seen.");
    decide(row, &against, worked);
}

/* R7 */
static void judge_outbound_only(const struct engine *engine, struct requirement_record *row)
{
    const struct site *site = &engine->site;
    struct against against = count_against(engine, row->code);
    row->seen = site->opened_inside + against.warns;
    row->failed = against.warns;
    if (row->seen)
        say(row, "Sessions opened from inside: %s; from Apple's ranges: %s.",
            DIGITS(site->opened_inside), DIGITS(site->inbound));
    else
        say(row, "No session was seen from its opening.");
    decide(row, &against, site->opened_inside);
}

/* R8 */
static void judge_dns(const struct engine *engine, struct requirement_record *row)
{
    const struct site *site = &engine->site;
    struct against against = count_against(engine, row->code);
    row->seen = site->answers;
    row->failed = site->answers - site->answers_good;
    if (row->seen)
        say(row, "DNS answers for push names: %s of %s gave addresses of Apple's only.",
            DIGITS(site->answers_good), DIGITS(site->answers));
    else
        say(row, "No DNS answer for a push name was seen.");
    decide(row, &against, site->answers_good);
}

/* R9 */
static void judge_ipv6(const struct engine *engine, struct requirement_record *row)
{
    const struct way_counts *ipv4 = &engine->site.family[0], *ipv6 = &engine->site.family[1];
    struct against against = count_against(engine, row->code);
    row->seen = ipv6->worked + ipv6->failed;
    row->failed = ipv6->failed;
    if (!row->seen) {
        say(row, "No courier session over IPv6 was seen.");
        decide(row, &against, false);
        return;
    }
    say(row, "Courier sessions over IPv6: %s of %s worked; over IPv4: %s of %s.",
        DIGITS(ipv6->worked), DIGITS(row->seen), DIGITS(ipv4->worked),
        DIGITS(ipv4->worked + ipv4->failed));
    decide(row, &against, ipv6->worked && ipv6->worked >= ipv6->failed);
    /* IPv6 fails again and again where IPv4 works; where both fail it is not IPv6's matter */
    if (row->status == STATUS_NOT_OBSERVED && ipv4->worked && ipv6->failed >= 2)
        row->status = ipv6->worked ? STATUS_WARN : STATUS_FAIL;
}

void requirements_judge(const struct engine *engine, void *context,
                        void (*row)(void *context, const struct requirement_record *row))
{
    static void (*const judges[REQUIREMENT_COUNT])(const struct engine *,
                                                   struct requirement_record *) = {
        [R0_CAPTURE] = judge_capture,
        [R1_PORT_5223] = judge_port_5223,
        [R2_FALLBACK_443] = judge_fallback,
        [R3_WHOLE_RANGE] = judge_whole_range,
        [R4_DIRECT] = judge_direct,
        [R5_PERSISTS] = judge_persists,
        [R6_MDM_SERVER] = judge_mdm_server,
        [R7_OUTBOUND_ONLY] = judge_outbound_only,
        [R8_DNS] = judge_dns,
        [R9_IPV6] = judge_ipv6,
    };
    for (int code = 0; code < REQUIREMENT_COUNT; code++) {
        struct requirement_record record = {.code = (enum requirement_code)code,
                                            .status = STATUS_NOT_OBSERVED};
        judges[code](engine, &record);
        row(context, &record);
    }
}
