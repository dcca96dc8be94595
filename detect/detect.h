/* Events to findings, device verdicts and requirements: the engine, as cli/ sees it.
 *
 * Fourth stage. Owns every rule's memory, merges findings, keeps a small summary per device, and
 * at the end says for each device whether APNs works and for each requirement what was seen.
 * Bounded: DETECT_DEVICES_MAX devices and DETECT_FINDINGS_MAX findings; beyond, the oldest idle
 * device is judged early and further findings are counted only. */
#ifndef APNSCOPE_DETECT_DETECT_H
#define APNSCOPE_DETECT_DETECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "detect/detector.h"
#include "model/event.h"
#include "model/finding.h"
#include "model/run_record.h"

enum { DETECT_DEVICES_MAX = 1 << 20, DETECT_FINDINGS_MAX = 20000 };

struct engine;

struct engine *engine_new(void);
void engine_free(struct engine *engine);
/* --apple-net: a prefix that counts as Apple's when DNS answers are judged. Before any event. */
void engine_add_apple_net(struct engine *engine, const struct prefix *prefix);
/* --home-net, --home-hops (to the last box of the user's own): for saying where a
 * block's author stands. Before any event. */
void engine_add_home_net(struct engine *engine, const struct prefix *prefix);
void engine_set_home_hops(struct engine *engine, int16_t hops);
/* --keepalive: the longest interval between heartbeats, in seconds; 1800 without it. Before any
 * event. */
void engine_set_keepalive(struct engine *engine, uint32_t keepalive_s);
/* Takes the devices that are judged early (see above), at once; without it they are counted only.
 */
void engine_on_early_device(struct engine *engine, void *context,
                            void (*device)(void *context, const struct device_record *device));

/* Bits 1 << enum event_kind of the events that change anything; the others need not be shown. */
uint32_t engine_events(void);
/* An event_sink; context is the engine. */
void engine_observe(void *engine, const struct event *event);

/* Does a finding raised so far rest on this session first of all? (`flow_record.number`) */
bool engine_flow_is_evidence(const struct engine *engine, uint64_t flow_number);

/* After EVENT_CAPTURE_END. In a stable order: findings by first time, devices by address. */
struct engine_results {
    void *context;
    void (*finding)(void *context, const struct finding *finding);
    void (*device)(void *context, const struct device_record *device);
    void (*requirement)(void *context, const struct requirement_record *requirement);
};
void engine_finish(struct engine *engine, const struct engine_results *results);

/* Makes `into` know what `from` knows, so that it can be asked what would be found if the capture
 * ended now: show it the sessions that are as good as over, EVENT_CAPTURE_END, and finish it. Its
 * memory is used again. False: no memory; `into` is of no use until it is copied into again. */
MUST_USE bool engine_copy(struct engine *into, const struct engine *from);

/* What the bounds cost: findings counted only, devices judged early, states not kept. */
struct engine_losses {
    uint64_t findings;
    uint64_t devices;
    uint64_t states;
};
struct engine_losses engine_losses(const struct engine *engine);

/* Every rule, by code; generated from detect/rules/. */
enum { DETECTORS_MAX = 64 }; /* a set of them is the bits of one number */
extern const struct detector *const detector_list[];
extern const size_t detector_count;
const struct detector *detector_by_code(const char *code);

#endif
