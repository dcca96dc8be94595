/* Sentences about where a fault stands.
 *
 * Part of the view. An address or a distance says it, else the rule that found it: silence that it
 * lies beyond the capture point; some faults lie on no path at all. Deliberately guesses no name:
 * who owns an address is for the reader's records. */
#include "place.h"

#include <string.h>

#include "base/count.h"
#include "base/text.h"

bool place_is_named(const struct finding_row *finding)
{
    return finding->blocker_ip || finding->blocker_hops >= 0; /* ROW_NULL is negative */
}

bool place_of_group_is_named(const struct view_group *group)
{
    for (size_t i = 0; i < group->kept_count; i++)
        if (place_is_named(group->kept[i]))
            return true;
    return false;
}

/* The evidence says on which side it lies, without an address or a distance. */
static bool has_side(const struct view_evidence *evidence)
{
    return evidence->place[0] && place_side(evidence->side)[0];
}

bool place_of_group_has_side(const struct view_group *group)
{
    struct view_evidence evidence;
    if (!group->kept_count)
        return false;
    view_evidence_read(&evidence, group->kept[0]->evidence);
    bool has = has_side(&evidence);
    view_evidence_free(&evidence);
    return has;
}

const char *place_distance(int64_t hops, char text[PHRASE_SIZE])
{
    struct text out = text_over(text, PHRASE_SIZE);
    if (hops < 0)
        text_add(&out, "distance not known");
    else if (hops == 0)
        text_add(&out, "in the network of the capture point");
    else
        text_format(&out, "%s from the capture point", COUNTED(hops, "hop"));
    return text;
}

static void say_named(const struct finding_row *finding, int apple_hops, struct text *out)
{
    char distance[PHRASE_SIZE];
    bool has_hops = finding->blocker_hops >= 0;
    if (finding->blocker_ip)
        text_format(out, "At %s", finding->blocker_ip);
    else
        text_add(out, "At a box");
    if (has_hops)
        text_format(out, "%s %s", finding->blocker_ip ? "," : "",
                    place_distance(finding->blocker_hops, distance));
    if (has_hops && apple_hops >= 0)
        text_format(out, "; Apple's servers are about %s away", COUNTED(apple_hops, "hop"));
    text_add(out, ".");
}

static void say_unnamed(const struct finding_row *finding, enum fault_place place, struct text *out)
{
    switch (place) {
    case PLACE_ON_THE_WAY:
        text_add(out, "Somewhere between the capture point and Apple: silence does not show which "
                      "box it is; a second capture further out does.");
        break;
    case PLACE_AT_RESOLVER:
        if (finding->server_ip)
            text_format(out, "At the resolver %s, or where it gets its answers from.",
                        finding->server_ip);
        else
            text_add(out, "At the resolver that the devices ask.");
        break;
    case PLACE_AT_SERVER:
        text_format(out, "On the MDM server %s itself, not in the network.",
                    finding->client_ip ? finding->client_ip : "");
        break;
    case PLACE_IN_OTHERS:
        text_add(out, "The other findings of the same device, if there are any, say what stops "
                      "each port, and where.");
        break;
    case PLACE_UNKNOWN:
        break;
    }
}

/* Inside the user's network or beyond it, with the reason, as the evidence has it. */
static void add_side(const struct view_evidence *evidence, struct text *out)
{
    if (evidence->mac[0])
        text_format(out, " Its packets come from MAC address %s, Apple's from another.",
                    evidence->mac);
    if (evidence->place[0])
        text_format(out, "%s%s", out->length ? " " : "", evidence->place);
}

void place_say(const struct finding_row *finding, const struct view_evidence *evidence,
               const struct report_code *about, int apple_hops, char sentence[VIEW_SENTENCE_SIZE])
{
    struct text out = text_over(sentence, VIEW_SENTENCE_SIZE);
    enum fault_place place = about ? about->place : PLACE_UNKNOWN;
    if (place_is_named(finding)) {
        say_named(finding, apple_hops, &out);
        add_side(evidence, &out);
    } else if (place == PLACE_UNKNOWN || has_side(evidence)) {
        add_side(evidence, &out); /* as far as it is known */
    } else {
        say_unnamed(finding, place, &out);
    }
    if (!out.length)
        text_add(&out, "Not shown by this capture; a second one further out narrows it down.");
}

const char *place_side(const char *side)
{
    return strcmp(side, side_name(SIDE_INSIDE)) == 0   ? "inside your network"
           : strcmp(side, side_name(SIDE_BEYOND)) == 0 ? "beyond your network"
                                                       : "";
}

void place_blocked(const struct view_evidence *evidence, char sentence[VIEW_SENTENCE_SIZE])
{
    struct text out = text_over(sentence, VIEW_SENTENCE_SIZE);
    for (int kind = BLOCK_NONE + 1; kind < BLOCK_KIND_COUNT; kind++)
        if (strcmp(evidence->kind, block_kind_name((enum block_kind)kind)) == 0)
            text_format(&out, "%s.", block_kind_meaning((enum block_kind)kind));
}
