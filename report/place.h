/* Where on the path a fault stands, as far as packets can tell. */
#ifndef APNSCOPE_REPORT_PLACE_H
#define APNSCOPE_REPORT_PLACE_H

#include "evidence.h"
#include "phrase.h"
#include "view.h"

/* Its own address or distance is known. */
bool place_is_named(const struct finding_row *finding);
/* So it is of at least one of the findings of a code. */
bool place_of_group_is_named(const struct view_group *group);
/* The first of them is known to lie inside the user's network, or beyond it. */
bool place_of_group_has_side(const struct view_group *group);

/* One sentence: "At 10.0.0.1, 2 hops from the capture point; Apple's servers are about 12 hops
 * away." `evidence` is the finding's; `about` its code, or NULL; `apple_hops` -1: not known. */
void place_say(const struct finding_row *finding, const struct view_evidence *evidence,
               const struct report_code *about, int apple_hops, char sentence[VIEW_SENTENCE_SIZE]);

/* "inside your network", "beyond your network"; "" where it cannot be told. */
const char *place_side(const char *side);

/* What is blocked, by a finding's evidence: "a port; other ways to Apple are open."; "": it is not
 * a block. */
void place_blocked(const struct view_evidence *evidence, char sentence[VIEW_SENTENCE_SIZE]);

/* "in the network of the capture point", "3 hops from the capture point". */
const char *place_distance(int64_t hops, char text[PHRASE_SIZE]);

#endif
