/* The stages behind the capture: dissect -> track -> detect -> store.
 *
 * Shared by the pipeline that reads files and the live run; each brings its own frames, and says
 * when judgement is asked for. */
#ifndef APNSCOPE_CLI_STAGES_H
#define APNSCOPE_CLI_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/names.h"
#include "capture/filter.h"
#include "detect/detect.h"
#include "front.h"
#include "ladder_choice.h"
#include "model/capture_quality.h"
#include "relay.h"
#include "settings.h"
#include "store/store.h"
#include "track/track.h"

/* For names of either side, the capture's and the tracker's. */
enum { NAMES_CAP_BYTES = 64 << 20 };

struct stages {
    const struct settings *settings;
    struct names *names;
    struct filter *filter; /* --filter; NULL: none */
    struct tracker *tracker;
    struct relay *relay; /* from the tracker to the engine and the store */
    struct engine *engine;
    struct store *store; /* the caller opens it */
    struct ladder_choice ladders;
    struct capture_quality quality;
    bool interrupted;
    uint64_t events; /* seen so far */
    /* Told of each session that is over, besides the store. NULL: nobody. */
    void (*flow_done)(void *context, const struct flow_record *flow);
    void *context;
    char options[4096];
    char libraries[256];
};

/* Builds everything but the store. `stages` is zeroed. False with a sentence; stages_close frees
 * what there is in any case. */
MUST_USE bool stages_open(struct stages *stages, const struct settings *settings,
                          struct fault *fault);
void stages_close(struct stages *stages);

/* From here on a thread of its own judges what is taken, until stages_end: the engine and the store
 * are that thread's. */
void stages_share(struct stages *stages);
void stages_take(struct stages *stages, const struct front_batch *batch);
void stages_count_skipped(struct stages *stages, const struct front_batch *batch);

/* No more packets: every session is judged. The capture's part of the quality is in already. */
void stages_end(struct stages *stages);
/* Judgement goes to the store. */
struct engine_results stages_results(struct stages *stages);
void stages_note_losses(struct stages *stages);

/* The run's row as far as stages know: its source is the caller's. Strings are the stages'. */
struct run_record stages_run(struct stages *stages, int64_t analyzed_ns);

#endif
