/* What stands now, in a run that goes on: findings, devices and requirements, and what of them is
 * new.
 *
 * Between detect/ and the outputs of a live run. Asks the question that `analyze` asks at the end of
 * a file, "what if the capture ended here?", again and again, of a copy of the engine, and tells
 * the differences. So a live run never says anything that the same packets in a file would not. */
#ifndef APNSCOPE_CLI_STANDING_H
#define APNSCOPE_CLI_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/detect.h"
#include "model/capture_quality.h"
#include "model/finding.h"
#include "model/run_record.h"
#include "track/track.h"

/* Why a finding was taken back, as far as can be told from what stands instead. */
enum withdrawal {
    WITHDRAWN_REPLACED,  /* another finding says it better: `replaced_by` */
    WITHDRAWN_WORKS,     /* the client reached Apple since */
    WITHDRAWN_OTHERWISE, /* later packets, or losses of the capture, make it doubtful */
};

/* What is remembered of a finding that was told. */
struct standing_finding {
    uint64_t number; /* for good */
    const char *code;
    enum severity severity;
    enum finding_scope scope;
    struct address client_ip;
    struct address server_ip;
    uint32_t lane;
    uint16_t server_port;
    uint64_t content; /* a hash of all that may change */
    uint32_t round;
    bool stands;
    int64_t since_ns;        /* told as new then */
    int64_t absent_ns;       /* not found again from then on; TIME_UNKNOWN: it was */
    enum withdrawal why;     /* once it was taken back */
    const char *replaced_by; /* a code */
};

/* A sentence without its subject: "10.1.2.3 reached Apple since". */
enum { WITHDRAWAL_TEXT_SIZE = 160 };
const char *withdrawal_text(const struct standing_finding *finding,
                            char text[WITHDRAWAL_TEXT_SIZE]);

struct standing_sink {
    void *context;
    /* False: no room for a mere update now; it is told again at the next judgement. */
    bool (*finding)(void *context, const struct finding *finding, bool is_new);
    void (*withdrawn)(void *context, const struct standing_finding *finding);
    /* `before`: the verdict told before; VERDICT_COUNT: none. False: as with findings. */
    bool (*device)(void *context, const struct device_record *device, enum device_verdict before);
    void (*requirement)(void *context, const struct requirement_record *requirement);
};

struct standing_counts {
    uint64_t findings[SEVERITY_COUNT]; /* that stand */
    uint64_t devices[VERDICT_COUNT];
};

struct standing;

struct standing *standing_new(const struct standing_sink *sink, const struct engine *engine);
void standing_free(struct standing *standing); /* NULL is fine */

/* As if the capture ended now: `quality` is the capture's so far, the tracker's part included. */
void standing_judge(struct standing *standing, struct tracker *tracker,
                    const struct capture_quality *quality, int64_t now_ns);
/* The end: the engine has seen it. */
void standing_end(struct standing *standing, struct engine *engine);

struct standing_counts standing_counts_of(const struct standing *standing);
/* Calls `each` for every finding that stands. */
void standing_each(const struct standing *standing, void *context,
                   void (*each)(void *context, const struct standing_finding *finding));

#endif
