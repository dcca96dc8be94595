/* The engine's insides, shared by engine.c, judge.c and requirements.c. */
#ifndef APNSCOPE_DETECT_ENGINE_H
#define APNSCOPE_DETECT_ENGINE_H

#include "detect/detect.h"
#include "devices.h"
#include "families.h"
#include "findings.h"
#include "memory.h"
#include "site.h"

enum { ENGINE_APPLE_NETS_MAX = 64, ENGINE_FLOW_STATES_MAX = 1 << 18 };

/* A rule's view: the engine, the rule that is running, and whom the event is about. */
struct judge {
    struct engine *engine;
    const struct detector *rule;
    uint16_t rule_place;
    const struct event *event;
    struct address client;
    uint32_t lane;
    bool has_client;
    bool device_is_known; /* `device` was looked up for this event */
    uint32_t device;      /* DEVICE_NONE: no such device (yet) */
};

struct engine {
    struct judge judge;
    struct site site;
    struct families families;
    struct devices devices;
    struct findings findings;
    struct memory *memories;         /* one per rule */
    uint16_t *rules_of[EVENT_COUNT]; /* places of the rules that want the event */
    uint16_t rule_count_of[EVENT_COUNT];
    uint64_t *scratch;    /* zeros: the state of those that have none */
    uint8_t *site_states; /* of all rules of site scope, by place */
    size_t site_states_size;
    size_t *site_state_at;
    struct capture_quality quality;
    bool has_quality;
    struct prefix apple_nets[ENGINE_APPLE_NETS_MAX];
    size_t apple_net_count;
    void *early_context;
    void (*early_device)(void *context, const struct device_record *device);
    uint64_t devices_early;
    uint64_t devices_told; /* early ones included */
};

/* The judge's device, looked up once per event; engine_need_device makes it where it is not. */
uint32_t engine_device(struct judge *judge);
uint32_t engine_need_device(struct judge *judge);
/* Marks a device with a finding of severity fail, for its verdict. */
void engine_mark_failure(struct device *device, uint16_t rule, int64_t last_ns, uint16_t port);

/* requirements.c: the audit's rows, R0 first. */
void requirements_judge(const struct engine *engine, void *context,
                        void (*row)(void *context, const struct requirement_record *row));

#endif
