/* When something happened, coarsely.
 *
 * When all places are taken every other moment goes and the spacing doubles, so that half of them
 * always span the whole time. Deliberately says only "yes" with certainty: what was thinned out is
 * not remembered. */
#include "timeline.h"

static void thin_out(struct timeline *timeline)
{
    for (uint32_t i = 0; i < timeline->count / 2; i++)
        timeline->at_s[i] = timeline->at_s[2 * i];
    timeline->count /= 2;
    timeline->spacing_s = timeline->spacing_s ? timeline->spacing_s * 2 : 1;
}

void timeline_note(struct timeline *timeline, uint32_t moment_s)
{
    uint32_t count = timeline->count;
    if (count && moment_s <= timeline->at_s[count - 1] + timeline->spacing_s)
        return;
    if (count == TIMELINE_MAX)
        thin_out(timeline);
    timeline->at_s[timeline->count++] = moment_s;
}

bool timeline_has(const struct timeline *timeline, uint32_t from_s, uint32_t to_s)
{
    for (uint32_t i = 0; i < timeline->count; i++)
        if (timeline->at_s[i] >= from_s && timeline->at_s[i] <= to_s)
            return true;
    return false;
}
