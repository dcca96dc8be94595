/* Where on the path a fault stands, as far as packets can tell. */
#ifndef APNSCOPE_REPORT_PLACE_H
#define APNSCOPE_REPORT_PLACE_H

#include "phrase.h"
#include "view.h"

enum place {
    PLACE_NAMED,    /* an address or a distance is known */
    PLACE_BEYOND,   /* silence: somewhere between the capture point and Apple */
    PLACE_RESOLVER, /* a DNS server, before any connection */
    PLACE_SERVER,   /* the MDM server itself */
    PLACE_OTHERS,   /* a consequence: the other findings of the device say where */
    PLACE_UNKNOWN
};

enum place place_of(const struct finding_row *finding);

/* Of the findings of a code: the place of the first, unless another is named. */
enum place place_of_group(const struct view_group *group);

/* One sentence: "At 10.0.0.1, 2 hops from the capture point; Apple's servers are about 12 hops
 * away." `apple_hops` -1: not known. */
void place_say(const struct finding_row *finding, int apple_hops,
               char sentence[VIEW_SENTENCE_SIZE]);

/* "inside your network", "beyond your network"; "" where it cannot be told. */
const char *place_side(const char *side);

/* What a finding says is blocked: "a port; other ways to Apple are open."; "": it is not a block. */
void place_blocked(const struct finding_row *finding, char sentence[VIEW_SENTENCE_SIZE]);

/* "in the network of the capture point", "3 hops from the capture point". */
const char *place_distance(int64_t hops, char text[PHRASE_SIZE]);

#endif
