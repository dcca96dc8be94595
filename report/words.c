/* The fixed words of a report: names to meanings, the glossary, the method and its limits.
 *
 * Part of the view. Meanings of published words come from the model's tables. Deliberately holds
 * nothing that depends on a capture. */
#include <string.h>

#include "view.h"

const char *view_verdict_word(enum view_verdict verdict)
{
    static const char *const words[] = {[VIEW_NOTHING] = "Nothing seen",
                                        [VIEW_UNCLEAR] = "Not conclusive",
                                        [VIEW_WORKS] = "Works",
                                        [VIEW_WARNS] = "Works, with warnings",
                                        [VIEW_FAULTY] = "Fault found"};
    return words[verdict];
}

const char *view_verdict_name(enum view_verdict verdict)
{
    static const char *const names[] = {[VIEW_NOTHING] = "nothing-seen",
                                        [VIEW_UNCLEAR] = "not-conclusive",
                                        [VIEW_WORKS] = "works",
                                        [VIEW_WARNS] = "works-with-warnings",
                                        [VIEW_FAULTY] = "fault-found"};
    return names[verdict];
}

const char *view_status_word(enum requirement_status status)
{
    static const char *const words[STATUS_COUNT] = {[STATUS_NOT_OBSERVED] = "Not observed",
                                                    [STATUS_PASS] = "Pass",
                                                    [STATUS_WARN] = "Warning",
                                                    [STATUS_FAIL] = "Fail"};
    return words[status];
}

const char *view_severity_word(enum severity severity)
{
    static const char *const words[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = "Note", [SEVERITY_WARN] = "Warning", [SEVERITY_FAIL] = "Fault"};
    return words[severity];
}

const char *view_heap_word(enum view_heap heap)
{
    static const char *const words[HEAP_COUNT] = {
        [HEAP_WORKED] = "worked", [HEAP_FAILED] = "failed", [HEAP_UNJUDGED] = "not judged"};
    return words[heap];
}

const char *view_device_word(enum device_verdict verdict)
{
    static const char *const words[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = "Unknown",
                                                     [VERDICT_WORKS] = "Works",
                                                     [VERDICT_DEGRADED] = "Degraded",
                                                     [VERDICT_BROKEN] = "Broken"};
    return words[verdict];
}

/* The number of the published word `name`, or of the word 0. */
#define FIND_WORD(name, function, type, first, end)                                                \
    do {                                                                                           \
        for (int word = (first); (name) && word < (end); word++)                                   \
            if (strcmp(function((type)word), (name)) == 0)                                         \
                return (type)word;                                                                 \
        return (type)0;                                                                            \
    } while (0)

enum severity view_severity(const char *name)
{
    FIND_WORD(name, severity_name, enum severity, 0, SEVERITY_COUNT);
}

enum confidence view_confidence(const char *name)
{
    FIND_WORD(name, confidence_name, enum confidence, 0, CONFIDENCE_COUNT);
}

enum device_verdict view_device_verdict(const char *name)
{
    FIND_WORD(name, verdict_name, enum device_verdict, 0, VERDICT_COUNT);
}

static enum flow_outcome outcome_of(const char *name)
{
    FIND_WORD(name, outcome_name, enum flow_outcome, 1, OUTCOME_COUNT);
}

enum view_heap view_heap_of(const char *outcome)
{
    enum flow_outcome known = outcome_of(outcome);
    if (outcome_works(known))
        return HEAP_WORKED;
    return outcome_is_unjudged(known) ? HEAP_UNJUDGED : HEAP_FAILED;
}

#define FIND_MEANING(text, name_of, meaning_of, type, first, end)                                  \
    do {                                                                                           \
        for (int word = (first); (text) && word < (end); word++)                                   \
            if (strcmp(name_of((type)word), (text)) == 0)                                          \
                return meaning_of((type)word);                                                     \
        return "";                                                                                 \
    } while (0)

const char *view_outcome_meaning(const char *outcome)
{
    FIND_MEANING(outcome, outcome_name, outcome_meaning, enum flow_outcome, 1, OUTCOME_COUNT);
}

const char *view_ending_meaning(const char *ended_by)
{
    FIND_MEANING(ended_by, ending_name, ending_meaning, enum flow_ending, 1, ENDED_COUNT);
}

const char *view_skip_meaning(const char *reason)
{
    FIND_MEANING(reason, skip_reason_name, skip_reason_meaning, enum skip_reason, 1, SKIP_COUNT);
}

const struct view_term view_glossary[] = {
    {"APNs", "Apple Push Notification service: the one connection through which Apple devices are "
             "told that there is mail, a message or a management command. Without it, device "
             "management (MDM) cannot reach them."},
    {"Courier", "Apple's server at the other end of a device's push connection, named like "
                "36-courier.push.apple.com."},
    {"Provider", "The connection of an MDM or other server that hands notifications to Apple "
                 "(api.push.apple.com, TCP 443 or 2197)."},
    {"Configuration (bag)", "A small file that devices fetch from init.push.apple.com before they "
                            "connect."},
    {"Fallback", "A device that cannot connect on TCP 5223 tries TCP 443 of the same service."},
    {"Session", "One TCP connection, or the attempt to open one."},
    {"Handshake, SYN, SYN-ACK", "The three packets that open a TCP connection: the device's SYN, "
                                "the server's SYN-ACK, the device's ACK."},
    {"Reset (RST)", "A TCP packet that ends a connection at once. A firewall can send one in the "
                    "name of either side."},
    {"ClientHello", "The first TLS message of the device. It names the server in clear text, "
                    "which name filters read."},
    {"TLS inspection", "A box that opens the encryption and shows a certificate of its own. Apple "
                       "devices accept only Apple's certificate for push, so the connection "
                       "always fails."},
    {"Keepalive, idle time", "A push connection is silent for up to 30 minutes between keepalives. "
                             "A firewall that forgets silent connections sooner cuts push."},
    {"Hops", "Routers between two points, estimated from the TTL of packets."},
    {"Not observed", "The capture does not show it. It is neither a pass nor a fail."},
    {"Certain, likely, possible", "How sure a finding is: proven by the packets; the best "
                                  "explanation of them; one of several explanations."},
    {"Display filter", "A line to paste into Wireshark that shows the packets of a finding."},
    {"Frame number", "The number of a packet in the capture, as Wireshark shows it."},
};
const size_t view_glossary_count = sizeof view_glossary / sizeof view_glossary[0];

const char *const view_method[] = {
    "The program reads captured packets and follows each connection to Apple's push service: the "
    "TCP handshake, the clear part of the TLS handshake, sizes and times, and how it ends. It "
    "does not decrypt anything and does not store payload.",
    "A finding is reported only where the packets support it and the known innocent explanations "
    "do not fit. Devices that sleep, roam or use cellular service end or skip connections all "
    "the time; that is not reported.",
    "What the capture does not show is \"not observed\". It is never counted as working and never "
    "as broken. A device that was silent may be switched off, elsewhere, or on cellular service.",
    "The capture shows one point of the path. A block further out shows itself only through its "
    "replies, by their sender and distance; a box that drops silently shows nothing of itself. "
    "Two captures, inside and outside of the suspected box, settle it.",
    "Distances in hops are estimates from the TTL and can be off where a box rewrites it.",
};
const size_t view_method_count = sizeof view_method / sizeof view_method[0];
