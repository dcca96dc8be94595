/* Who sent a reset: the signs that track/ noted, put into words and distances.
 *
 * Serves the rules about cut sessions. Deliberately concludes nothing from one sign alone: which
 * of them make a finding is each rule's to say. */
#include "resets.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* What ended the session first: the RST where there is evidence of one, else the FIN. */
static int16_t ending_ttl(const struct flow_record *flow)
{
    const struct flow_evidence *evidence = flow->evidence;
    if (evidence->cut.proof.frame)
        return evidence->cut.ttl;
    return evidence->reset[DOWN].proof.frame ? evidence->reset[DOWN].ttl : -1;
}

/* The handshake was answered from nearer than Apple's servers are elsewhere: it was no server of
 * Apple's that is spoken with. */
static bool whole_session_is_near(const struct judge *judge, const struct flow_record *flow)
{
    int16_t apple_hops = judge_apple_hops(judge);
    return apple_hops >= 0 && flow->hops_server >= 0 &&
           hops_are_nearer(flow->hops_server, apple_hops);
}

bool is_answered_from_near(const struct judge *judge, const struct flow_record *flow)
{
    enum { DOORSTEP_HOPS = 2, DOORSTEP_US = 1000 };
    if (!flow->server_is_apple || flow->hops_server < 0)
        return false;
    return whole_session_is_near(judge, flow) ||
           (flow->hops_server <= DOORSTEP_HOPS && flow->rtt_server_us >= 0 &&
            flow->rtt_server_us <= DOORSTEP_US);
}

/* By its TTL, against Apple's distance. That it is where Apple is wants to be known from other
 * sessions: of its own session alone, both may be a box's. */
static struct sender weigh(const struct judge *judge, int16_t ttl, int16_t peer_ttl,
                           int16_t apple_hops)
{
    struct sender sender = {.hops = hops_of_ttl(ttl),
                            .apple_hops = apple_hops,
                            .is_doubtful = ttl_is_doubtful(ttl, peer_ttl)};
    if (sender.hops < 0 || apple_hops < 0 || sender.is_doubtful)
        return sender;
    sender.is_near = hops_are_nearer(sender.hops, apple_hops);
    sender.is_far = !sender.is_near && !hops_are_nearer(apple_hops, sender.hops) &&
                    judge_apple_hops(judge) >= 0;
    return sender;
}

struct sender sender_of_end(const struct judge *judge, const struct flow_record *flow)
{
    bool is_near = whole_session_is_near(judge, flow);
    return weigh(judge, ending_ttl(flow), flow->ttl_server,
                 is_near ? judge_apple_hops(judge) : flow->hops_server);
}

struct sender sender_of_refusal(const struct judge *judge, const struct flow_record *flow)
{
    return weigh(judge, flow->reset_ttl, flow->ttl_server, judge_apple_hops(judge));
}

void sender_name(const struct sender *sender, char *text, size_t size)
{
    if (sender->is_near && sender->hops == 0)
        snprintf(text, size, "by a box on the captured network itself (Apple is %d hops away)",
                 sender->apple_hops);
    else if (sender->is_near)
        snprintf(text, size, "by a box %d hop%s away (Apple is %d)", sender->hops,
                 sender->hops == 1 ? "" : "s", sender->apple_hops);
    else if (sender->is_far)
        snprintf(text, size, "from Apple's own distance (%d hops)", sender->hops);
    else
        snprintf(text, size, "in Apple's name");
}

static void explain_distance(struct text *text, const struct reset_evidence *reset,
                             const char *side)
{
    if (reset->signs & RESET_NEARER)
        text_format(text,
                    "The reset's TTL of %d puts its sender %d hop%s from the capture point, the "
                    "%s's own packets (TTL %d) come from %d: it sent no such thing.",
                    reset->ttl, reset->hops, reset->hops == 1 ? "" : "s", side,
                    reset->peer_ttl_high, reset->peer_hops);
    else if (reset->signs & RESET_OTHER_DISTANCE)
        text_format(text, "The reset has a TTL of %d, the %s's own packets have %d.", reset->ttl,
                    side, reset->peer_ttl_high);
}

static void explain_time(struct text *text, const struct flow_record *flow,
                         const struct reset_evidence *reset)
{
    char answer[DURATION_TEXT_SIZE], way[DURATION_TEXT_SIZE];
    if (reset->signs & RESET_TOO_FAST)
        text_format(text, " It answered within %s; the way to the server and back takes %s.",
                    duration_text(reset->answer_ns, answer),
                    duration_text(flow->rtt_server_us * NS_PER_US, way));
}

void reset_explain(const struct flow_record *flow, enum direction direction, char *out, size_t size)
{
    struct text text = text_over(out, size);
    const char *side = direction == UP ? "client" : "server";
    if (!flow->evidence || !flow->evidence->reset[direction].proof.frame)
        return;
    const struct reset_evidence *reset = &flow->evidence->reset[direction];
    explain_distance(&text, reset, side);
    explain_time(&text, flow, reset);
    if (reset->signs & RESET_PEER_WENT_ON)
        text_format(&text, " After it the %s went on as if nothing had happened.", side);
    if (reset->signs & RESET_SERIES)
        text_format(&text, " It is one of %u that guess sequence numbers ahead of the session.",
                    reset->count);
    if (reset->signs & RESET_OTHER_IP_ID)
        text_format(&text, " It does not follow the %s's IP identification.", side);
    if (reset->signs & RESET_OTHER_MAC)
        text_format(&text,
                    " It came from MAC address %02x:%02x:%02x:%02x:%02x:%02x, the %s's packets "
                    "from another.",
                    flow->reset_mac[0], flow->reset_mac[1], flow->reset_mac[2], flow->reset_mac[3],
                    flow->reset_mac[4], flow->reset_mac[5], side);
}

void reset_show(const struct flow_record *flow, enum direction direction, struct finding *finding)
{
    if (!flow->evidence)
        return;
    const struct reset_evidence *reset = &flow->evidence->reset[direction];
    const char *side = direction == UP ? "client" : "server";
    finding_add_frame(finding, reset->proof.frame, reset->proof.time_ns, "RST, TTL %d (the %s: %d)",
                      reset->ttl, side, reset->peer_ttl_high);
    finding_add_frame(finding, reset->went_on.frame, reset->went_on.time_ns,
                      "the %s goes on after the RST", side);
}
