/* What a session is: its role, why it is believed to have it, and the way it takes.
 *
 * Asked by session.c with what the conversation has taught. Which names and addresses mean what is
 * scope.c's, what became of the session outcome.c's. */
#include <string.h>

#include "path.h"
#include "session.h"

void session_adopt(struct tracker *tracker, struct flow *flow, enum flow_role role,
                   enum scope_reason reason)
{
    struct flow_record *record = &flow->record;
    if (record->number == 0)
        record->number = tracker->next_number++;
    flow->standing = STANDING_OURS;
    record->role = (uint8_t)role;
    record->reason = (uint8_t)reason;
    record->path = (uint8_t)path_of(&tracker->scope, record);
    session_watch(tracker, flow);
}

void session_watch(struct tracker *tracker, struct flow *flow)
{
    if (flow->watched || (flow->record.server_is_apple && flow->record.role != ROLE_INBOUND))
        return;
    flow->watched = true;
    scope_watch(&tracker->scope, &flow->record.server_ip);
}

/* The ClientHello's names settle what a flow is; a push port at Apple's keeps its role without. */
static void settle_role_by_hello(struct tracker *tracker, struct flow *flow)
{
    enum scope_reason reason = SCOPE_BY_NONE;
    enum flow_role role = scope_role_by_hello(&tracker->scope, flow, &reason);
    if (flow->record.role == ROLE_PROXY || flow->record.role == ROLE_INBOUND)
        return;
    if (role != ROLE_UNKNOWN) {
        session_adopt(tracker, flow, role, reason);
        if ((reason == SCOPE_BY_NAME || reason == SCOPE_BY_ALPN) && flow->record.server_is_apple)
            scope_learn(&tracker->scope, &flow->record.server_ip, role, SCOPE_BY_COURIER);
    } else if (flow->standing == STANDING_CANDIDATE) {
        flow->standing = STANDING_OTHER;
    }
}

static void settle_role_by_connect(struct tracker *tracker, struct flow *flow)
{
    char host[256];
    const char *target = flow->record.connect_host;
    const char *colon = target ? strrchr(target, ':') : NULL;
    if (!colon || (size_t)(colon - target) >= sizeof host)
        return;
    memcpy(host, target, (size_t)(colon - target));
    host[colon - target] = '\0';
    if (scope_role_by_name(&tracker->scope, host) != ROLE_UNKNOWN)
        session_adopt(tracker, flow, ROLE_PROXY, SCOPE_BY_CONNECT);
    else if (flow->standing == STANDING_CANDIDATE)
        flow->standing = STANDING_OTHER;
}

void session_take_news(struct tracker *tracker, struct flow *flow, unsigned news, uint64_t frame)
{
    if (news & NEWS_PROXY_REQUEST)
        settle_role_by_connect(tracker, flow);
    if (news & NEWS_CLIENT_HELLO)
        settle_role_by_hello(tracker, flow);
    if (flow->record.saw & SAW_NOT_TLS && flow->record.role == ROLE_COURIER)
        flow->record.role = ROLE_UNKNOWN_PUSH_PORT;
    if (flow->standing != STANDING_OURS)
        return;
    session_tell_opened(tracker, flow);
    if (news & (NEWS_SERVER_HELLO | NEWS_CERTIFICATE))
        flow->record.path = (uint8_t)path_of(&tracker->scope, &flow->record);
    if (news & NEWS_PROXY_ANSWER)
        tracker_tell(tracker, EVENT_PROXY_ANSWER, flow, frame);
    if (news & NEWS_CLIENT_HELLO)
        tracker_tell(tracker, EVENT_CLIENT_HELLO, flow, frame);
    if (news & NEWS_CERTIFICATE)
        tracker_tell(tracker, EVENT_CERTIFICATE, flow, frame);
    if (news & NEWS_WORKS) {
        if (flow->record.server_port == 5223)
            scope_note_success(&tracker->scope, flow);
        flow->record.told_to_work = true;
        tracker_tell(tracker, EVENT_FLOW_WORKS, flow, frame);
        if (!(flow->record.saw & (SAW_RST_UP | SAW_RST_DOWN)))
            evidence_release(tracker, flow);
    }
}

void session_settle_unnamed(struct tracker *tracker, struct flow *flow)
{
    enum scope_reason reason = SCOPE_BY_NONE;
    enum flow_role role = scope_role_without_name(&tracker->scope, flow, &reason);
    if (role != ROLE_UNKNOWN)
        session_adopt(tracker, flow, role, reason);
    else
        flow->standing = STANDING_OTHER;
}
