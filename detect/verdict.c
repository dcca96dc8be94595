/* Whether APNs works for one device, in a word and a sentence.
 *
 * Last step of the engine, from the counts of devices.c and the findings that stand. Absence is
 * never a fault: a device of which too little was seen is "unknown", and nothing worked is
 * "broken" only when a finding says so. Deliberately knows no rule by name. */
#include "devices.h"

#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"

static const char *const way_words[WAY_COUNT] = {
    [WAY_COURIER_5223] = "5223", [WAY_COURIER_443] = "443",    [WAY_COURIER_PROXY] = "proxy",
    [WAY_PROVIDER_443] = "443",  [WAY_PROVIDER_2197] = "2197", [WAY_PROVIDER_PROXY] = "proxy",
};

struct tally {
    uint32_t worked, failed;
    enum way first, end; /* the ways that count for this kind of device */
};

static bool way_works(const struct device *device, enum way way)
{
    return device->way[way].worked || device->working_ways & 1u << way;
}

static struct tally tally_of(const struct device *device, bool is_mdm)
{
    struct tally tally = {.first = is_mdm ? WAY_PROVIDER_443 : WAY_COURIER_5223,
                          .end = is_mdm ? WAY_COUNT : WAY_PROVIDER_443};
    for (enum way way = tally.first; way < tally.end; way++) {
        uint32_t worked = device->way[way].worked;
        tally.worked += worked ? worked : way_works(device, way);
        tally.failed += device->way[way].failed;
    }
    return tally;
}

static void list_ways(const struct device *device, const struct tally *tally,
                      struct device_record *record)
{
    struct text text = text_over(record->works_on, sizeof record->works_on);
    for (enum way way = tally->first; way < tally->end; way++)
        if (way_works(device, way))
            text_format(&text, "%s%s", text.length ? "," : "", way_words[way]);
}

static void judge_working(const struct device *device, const struct tally *tally,
                          const char *fail_code, struct device_record *record)
{
    struct text reason = text_over(record->reason, sizeof record->reason);
    bool has_straight_way =
        record->role == DEVICE_ROLE_MDM_SERVER
            ? way_works(device, WAY_PROVIDER_443) || way_works(device, WAY_PROVIDER_2197)
            : way_works(device, WAY_COURIER_5223);
    record->verdict = has_straight_way && !fail_code ? VERDICT_WORKS : VERDICT_DEGRADED;
    text_format(&reason, "%s worked on %s", COUNTED(tally->worked, "session"), record->works_on);
    if (tally->failed)
        text_format(&reason, ", %u failed", tally->failed);
    if (fail_code)
        text_format(&reason, "; %s stands", fail_code);
    else if (!has_straight_way && record->role == DEVICE_ROLE_MDM_SERVER)
        text_add(&reason, "; no direct session was seen to work");
    else if (!has_straight_way)
        text_format(&reason, "; %s on 5223",
                    device->way[WAY_COURIER_5223].failed ? "nothing worked" : "nothing was tried");
}

/* A session of which one direction was captured may well work; not one among so many that fail. */
enum { ONE_SIDED_DOUBT = 20 };

static void judge_silent(const struct device *device, const struct tally *tally,
                         const char *fail_code, struct device_record *record)
{
    struct text reason = text_over(record->reason, sizeof record->reason);
    bool is_in_doubt = device->one_sided * ONE_SIDED_DOUBT > tally->failed;
    if (fail_code && !is_in_doubt) {
        record->verdict = VERDICT_BROKEN;
        text_add(&reason, "nothing worked");
        if (tally->failed) /* live, an attempt may be judged before it is over */
            text_format(&reason, ": %s failed", COUNTED(tally->failed, "attempt"));
        text_format(&reason, "; %s stands", fail_code);
        return;
    }
    record->verdict = VERDICT_UNKNOWN;
    if (device->one_sided) /* it may well work where only one direction was captured */
        text_format(&reason, "only one direction of %s was captured%s%s%s",
                    COUNTED(device->one_sided, "session"), fail_code ? "; " : "",
                    fail_code ? fail_code : "", fail_code ? " stands" : "");
    else if (tally->failed)
        text_format(&reason, "%s failed, too little to tell why",
                    COUNTED(tally->failed, "attempt"));
    else if (device->unfinished)
        text_format(&reason, "%s had not come up when the capture ended",
                    COUNTED(device->unfinished, "session"));
    else if (device->legacy)
        text_add(&reason, "only the ports retired in 2021 (2195, 2196) were tried");
    else
        text_add(&reason, "no session that would tell was seen");
}

struct device_record device_judge(const struct device *device, const char *fail_code)
{
    bool is_mdm = device_is_mdm_server(device);
    struct device_record record = {
        .ip = device->ip,
        .lane = device->lane,
        .has_mac = device->has_mac,
        .role = is_mdm ? DEVICE_ROLE_MDM_SERVER : DEVICE_ROLE_DEVICE,
        .sessions = device->sessions,
        .first_ns = device->first_ns,
        .last_ns = device->last_ns,
    };
    memcpy(record.mac, device->mac, sizeof record.mac);
    struct tally tally = tally_of(device, is_mdm);
    list_ways(device, &tally, &record);
    if (tally.worked)
        judge_working(device, &tally, fail_code, &record);
    else
        judge_silent(device, &tally, fail_code, &record);
    return record;
}

bool device_is_worth_a_row(const struct device *device)
{
    return device->sessions || device->fail_rule;
}
