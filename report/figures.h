/* What the pictures of a report show, as numbers: gathered while the view reads its rows.
 *
 * Part of the view. Bounded: FIGURE_LADDERS ladders with one healthy session each,
 * FIGURE_NETWORKS networks, FIGURE_BLOCKERS places. */
#ifndef APNSCOPE_REPORT_FIGURES_H
#define APNSCOPE_REPORT_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "ladder.h"

struct view;
struct view_group;

enum {
    FIGURE_LADDERS = 8,
    FIGURE_NETWORKS = 64,
    FIGURE_PORTS = 3, /* 5223, 443, 2197 */
    FIGURE_BLOCKERS = 6,
    FIGURE_LIVES = 9,
    FIGURE_SILENCES = 8,
    FIGURE_DELAYS = 9
};

/* Healthy sessions to stand beside broken ones. */
enum healthy_kind { HEALTHY_5223, HEALTHY_443, HEALTHY_PROVIDER, HEALTHY_PROXY, HEALTHY_COUNT };

struct figure_ladder {
    const struct view_group *group;
    const struct finding_row *finding;
    struct ladder_parts parts;
    enum healthy_kind beside; /* HEALTHY_COUNT: this capture has none */
};

/* Apple's addresses by the /16 or /48 that a firewall's list would name. */
struct figure_network {
    struct prefix prefix;
    uint64_t worked[FIGURE_PORTS], failed[FIGURE_PORTS];
};

struct figure_blocker {
    char *ip;     /* NULL: not known */
    int64_t hops; /* ROW_NULL: not known */
    char *side;   /* "inside", "beyond", "unknown"; "" */
    const struct view_group *group;
    uint64_t findings;
};

/* How sessions that worked ended. */
enum life_end { LIFE_CLIENT, LIFE_SERVER, LIFE_CUT, LIFE_OPEN, LIFE_END_COUNT };
enum silence_kind { SILENCE_SURVIVED, SILENCE_LETHAL, SILENCE_COUNT };
enum delay_kind { DELAY_TCP, DELAY_TLS, DELAY_COUNT };

struct figures {
    struct figure_ladder ladders[FIGURE_LADDERS];
    size_t ladder_count;
    struct ladder_parts healthy[HEALTHY_COUNT];
    int64_t *with_steps; /* ids of sessions of which packets are kept, ascending */
    size_t with_steps_count, with_steps_room;

    struct figure_network networks[FIGURE_NETWORKS];
    size_t network_count;

    struct figure_blocker blockers[FIGURE_BLOCKERS];
    size_t blocker_count;
    int apple_hops;  /* median distance of Apple's servers; -1: not known */
    int client_hops; /* median distance of the clients; -1: not known */
    uint64_t apple_at[256], client_at[256];

    uint64_t lives[FIGURE_LIVES][LIFE_END_COUNT];
    uint64_t delays[FIGURE_DELAYS][DELAY_COUNT];
    uint64_t silences[FIGURE_SILENCES][SILENCE_COUNT];
    int64_t longest_survived_s, shortest_lethal_s; /* 0: none */
};

extern const uint16_t figure_ports[FIGURE_PORTS];
extern const char *const figure_life_labels[FIGURE_LIVES];
extern const char *const figure_delay_labels[FIGURE_DELAYS];
extern const char *const figure_silence_labels[FIGURE_SILENCES];
extern const char *const figure_life_end_words[LIFE_END_COUNT];

/* In this order: once findings are read and in order, for each session, once all are read. For a
 * summary (archive_range.is_brief), which shows no pictures, they gather distances only. */
MUST_USE bool figures_begin(struct view *view, struct fault *fault);
void figures_take_flow(struct view *view, const struct flow_row *row);
MUST_USE bool figures_end(struct view *view, struct fault *fault);
void figures_free(struct figures *figures);

/* The ladder of a code's findings; NULL: none. */
const struct figure_ladder *figures_ladder_of(const struct figures *figures,
                                              const struct view_group *group);

#endif
