/* What a report says, free of any format: the one home of its sentences.
 *
 * Everything here is text as it is meant to be read, not escaped. Long tables are not held: the
 * writers stream them through `gate`. Bounded: VIEW_LANES devices with VIEW_SPANS_MAX sessions
 * each for the timeline, VIEW_KEPT findings of a code in full, one address for each finding. */
#ifndef APNSCOPE_REPORT_VIEW_H
#define APNSCOPE_REPORT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figures.h"
#include "model/vocabulary.h"
#include "report/report.h"
#include "trend.h"

enum {
    VIEW_SENTENCE_SIZE = 480,
    VIEW_PLACES_MAX = 3, /* sentences about where a fault stands */
    VIEW_KEPT = 50,
    VIEW_LANES = 20,
    VIEW_SPANS_MAX = 120,
    VIEW_PORTS = 5,
    VIEW_LINES_MAX = 40,
    VIEW_WHO_MAX = 6
};

enum view_verdict {
    VIEW_NOTHING, /* nothing of APNs was seen */
    VIEW_UNCLEAR, /* something was seen, nothing can be concluded */
    VIEW_WORKS,
    VIEW_WARNS, /* works, with warnings */
    VIEW_FAULTY
};

/* How a session counts: outcomes in three heaps. */
enum view_heap { HEAP_WORKED, HEAP_FAILED, HEAP_UNJUDGED, HEAP_COUNT };

/* A growing list of addresses; sorted and without doubles once the view is loaded. */
struct view_names {
    char **at;
    size_t count, room;
};

struct view_group { /* the findings of one code */
    char *code;
    const struct report_code *about; /* NULL: this program does not know the code */
    enum severity severity;
    uint64_t findings;
    uint64_t occurrences;
    uint64_t by_confidence[CONFIDENCE_COUNT];
    int64_t first_ns, last_ns;
    struct view_names who;               /* client addresses */
    struct finding_row *kept[VIEW_KEPT]; /* the surest, then the earliest */
    size_t kept_count;
    char blocked[VIEW_SENTENCE_SIZE]; /* what: a port, a name ...; "": not a block */
    char where[VIEW_PLACES_MAX * VIEW_SENTENCE_SIZE];
    /* BLOCK_AFTER_SYN or BLOCK_ROUTE where each kept finding is so: no filter, no rule did it */
    enum block_kind unruly;
    bool is_explained; /* other faults of the same clients say what to change */
};

struct view_port {
    uint16_t port;
    const char *direction, *purpose;
    bool is_retired;
    uint64_t sessions[HEAP_COUNT];
    bool has_fail, has_warn; /* a finding of that severity names the port */
    enum requirement_status status;
    char observed[VIEW_SENTENCE_SIZE];
};

struct view_requirement {
    enum requirement_status status;
    int64_t seen, failed;
    char *summary; /* may be "" */
};

struct view_span {
    int64_t id, started_ns, last_ns, port;
    enum view_heap heap;
    char outcome[24];
};

struct view_lane { /* one device of the timeline */
    char *ip;
    enum device_verdict verdict;
    int64_t sessions;
    struct view_span *spans;
    size_t span_count;
    uint64_t spans_left_out;
};

enum view_unit { UNIT_COUNT, UNIT_BYTES, UNIT_DURATION_NS, UNIT_YES, UNIT_TEXT };

struct view_line {     /* a named fact of the capture */
    char name[48];     /* as in the database */
    const char *label; /* NULL: the name itself is all that is known */
    enum view_unit unit;
    int64_t number;
    char *value;      /* as it is shown */
    bool is_trouble;  /* it limits what can be concluded */
    const char *note; /* code of the finding that tells of it in a sentence; NULL */
};

/* A device as it is counted: of several runs it is one, with the worst verdict it got. */
struct view_device {
    uint64_t hash;
    uint8_t role, verdict;
};

struct view {
    const struct report_options *options;
    struct gate *gate; /* NULL: of one site, inside another view */

    struct run_row **runs;
    size_t run_count;
    int64_t first_ns, last_ns; /* of all runs; TIME_UNKNOWN */

    struct view *sites; /* where there are several: sites.h */
    size_t site_count, sites_left_out;
    char sites_sentence[VIEW_SENTENCE_SIZE];

    struct view_device *seen; /* until they are counted */
    size_t seen_count, seen_room;
    uint64_t devices[DEVICE_ROLE_COUNT][VERDICT_COUNT];
    uint64_t device_total; /* of role device */
    uint64_t server_total; /* MDM servers */
    uint64_t sessions, by_heap[HEAP_COUNT], by_outcome[OUTCOME_COUNT];
    uint64_t courier_worked, proxied;
    uint64_t attempts_summed;
    uint64_t packets, skipped[SKIP_COUNT]; /* read, and of these not analysed */

    struct view_group **groups; /* fail before warn before info; then by devices touched */
    size_t group_count;
    struct view_names servers;  /* addresses of MDM servers */
    struct view_names affected; /* addresses that fail findings name */
    int64_t fault_first_ns, fault_last_ns;
    uint64_t findings[SEVERITY_COUNT];

    struct view_port ports[VIEW_PORTS];
    struct view_requirement requirements[REQUIREMENT_COUNT];
    struct view_lane lanes[VIEW_LANES];
    size_t lane_count;
    struct figures figures;
    struct trend trend;

    struct view_line quality[VIEW_LINES_MAX];
    size_t quality_count;
    char *limits[VIEW_LINES_MAX]; /* how sure, and what the capture could not tell */
    size_t limit_count;

    enum view_verdict verdict;
    char sentence[VIEW_SENTENCE_SIZE]; /* the verdict */
    char what[VIEW_SENTENCE_SIZE];     /* what the packets show of the main cause; may be "" */
    char who[VIEW_SENTENCE_SIZE];
    char since[VIEW_SENTENCE_SIZE];
    char coverage[VIEW_SENTENCE_SIZE]; /* how much was seen, and when */
};

MUST_USE bool view_load(struct view *view, const struct report_options *options,
                        struct fault *fault);
void view_free(struct view *view);
/* Loads a view and has `put` write it to `path`; the file appears only where all of it was written.
 */
MUST_USE bool view_write(const struct report_options *options, const char *path,
                         bool (*put)(FILE *out, const struct view *view, struct fault *fault),
                         struct fault *fault);
void view_begin(struct view *view, const struct report_options *options); /* empty */

const char *view_verdict_word(enum view_verdict verdict);
const char *view_verdict_name(enum view_verdict verdict); /* stable, for JSON */
const char *view_status_word(enum requirement_status status);
const char *view_severity_word(enum severity severity);
enum view_heap view_heap_of(const char *outcome);
const char *view_heap_word(enum view_heap heap);
enum severity view_severity(const char *name);
enum confidence view_confidence(const char *name);
enum device_verdict view_device_verdict(const char *name);
const char *view_device_word(enum device_verdict verdict);
const char *view_group_title(const struct view_group *group);
/* Whom a group is about that names no client. */
const char *view_whole(const struct view_group *group);

/* Meaning of a published word, "" where there is none: outcome, role, path, ended_by. */
const char *view_outcome_meaning(const char *outcome);
const char *view_ending_meaning(const char *ended_by);
const char *view_skip_meaning(const char *reason);

/* The nth remedy worth doing (each said once, from the fail findings, else the warnings) and the
 * group it is from; NULL past the last. */
const char *view_remedy(const struct view *view, size_t n, const struct view_group **group);

struct view_term {
    const char *term, *meaning;
};
extern const struct view_term view_glossary[];
extern const size_t view_glossary_count;
extern const char *const view_method[]; /* paragraphs: how it judges, what it cannot do */
extern const size_t view_method_count;

/* Inside view/: fills the sentences from what was counted. */
void view_judge(struct view *view);
void view_add_quality(struct view *view, const struct quality_row *row);
void view_end_quality(struct view *view);
void view_say(char *sentence, const char *format, ...) __attribute__((format(printf, 2, 3)));
void view_say_limits(struct view *view);

#endif
