/* Sentences about where a fault stands.
 *
 * Part of the view. An address or a distance says it; silence says only that it lies beyond the
 * capture point; some faults lie on no path at all. Deliberately guesses no name: who owns an
 * address is for the reader's records. */
#include "place.h"

#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "evidence.h"

/* What is known of a code that names no sender. Codes that are not here say nothing. */
static const struct {
    const char *code;
    enum place place;
} places[] = {
    {"port-blocked-silent", PLACE_BEYOND},  {"stall-after-client-hello", PLACE_BEYOND},
    {"large-hello-blocked", PLACE_BEYOND},  {"idle-timeout", PLACE_BEYOND},
    {"partial-reachability", PLACE_BEYOND}, {"dns-redirected", PLACE_RESOLVER},
    {"dns-blocked", PLACE_RESOLVER},        {"provider-untrusting", PLACE_SERVER},
    {"courier-unreachable", PLACE_OTHERS},
};

enum place place_of(const struct finding_row *finding)
{
    if (finding->blocker_ip || finding->blocker_hops >= 0) /* ROW_NULL is negative */
        return PLACE_NAMED;
    for (size_t i = 0; finding->code && i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].code, finding->code) == 0)
            return places[i].place;
    return PLACE_UNKNOWN;
}

enum place place_of_group(const struct view_group *group)
{
    for (size_t i = 0; i < group->kept_count; i++)
        if (place_of(group->kept[i]) == PLACE_NAMED)
            return PLACE_NAMED;
    return group->kept_count ? place_of(group->kept[0]) : PLACE_UNKNOWN;
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

static void say_unnamed(const struct finding_row *finding, enum place place, struct text *out)
{
    switch (place) {
    case PLACE_BEYOND:
        text_add(out, "Somewhere between the capture point and Apple: silence does not show which "
                      "box it is; a second capture further out does.");
        break;
    case PLACE_RESOLVER:
        if (finding->server_ip)
            text_format(out, "At the resolver %s, or where it gets its answers from.",
                        finding->server_ip);
        else
            text_add(out, "At the resolver that the devices ask.");
        break;
    case PLACE_SERVER:
        text_format(out, "On the MDM server %s itself, not in the network.",
                    finding->client_ip ? finding->client_ip : "");
        break;
    case PLACE_OTHERS:
        text_add(out, "The other findings of the same device say what stops each port, and where.");
        break;
    case PLACE_NAMED:
    case PLACE_UNKNOWN:
    default:
        text_add(out, "Not shown by this capture; a second one further out narrows it down.");
    }
}

/* Inside the user's network or beyond it, with the reason, as the evidence has it. */
static void add_side(const struct finding_row *finding, struct text *out)
{
    struct view_evidence evidence;
    view_evidence_read(&evidence, finding->evidence);
    if (evidence.mac[0])
        text_format(out, " Its packets come from MAC address %s, Apple's from another.",
                    evidence.mac);
    if (evidence.place[0])
        text_format(out, " %s", evidence.place);
    view_evidence_free(&evidence);
}

void place_say(const struct finding_row *finding, int apple_hops, char sentence[VIEW_SENTENCE_SIZE])
{
    struct text out = text_over(sentence, VIEW_SENTENCE_SIZE);
    enum place place = place_of(finding);
    if (place == PLACE_NAMED)
        say_named(finding, apple_hops, &out);
    else
        say_unnamed(finding, place, &out);
    if (place == PLACE_NAMED)
        add_side(finding, &out);
}

const char *place_side(const char *side)
{
    return strcmp(side, side_name(SIDE_INSIDE)) == 0   ? "inside your network"
           : strcmp(side, side_name(SIDE_BEYOND)) == 0 ? "beyond your network"
                                                       : "";
}

void place_blocked(const struct finding_row *finding, char sentence[VIEW_SENTENCE_SIZE])
{
    struct text out = text_over(sentence, VIEW_SENTENCE_SIZE);
    struct view_evidence evidence;
    view_evidence_read(&evidence, finding->evidence);
    for (int kind = BLOCK_NONE + 1; kind < BLOCK_KIND_COUNT; kind++)
        if (strcmp(evidence.kind, block_kind_name((enum block_kind)kind)) == 0)
            text_format(&out, "%s.", block_kind_meaning((enum block_kind)kind));
    view_evidence_free(&evidence);
}
