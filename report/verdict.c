/* The sentences of a report: what, who, since when.
 *
 * Second half of the view, after view.c has counted. "Not observed" is never turned into a pass or
 * a fail here: a verdict of "works" needs push sessions that worked, a fault needs a finding, and
 * between them the report says that it cannot tell. Deliberately formats nothing. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "gather.h"
#include "phrase.h"
#include "place.h"
#include "sites.h"
#include "view.h"

/* A fault seen this early may well be older than the capture. */
static const int64_t capture_began_margin_ns = 60 * NS_PER_S;

void view_say(char *sentence, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(sentence, VIEW_SENTENCE_SIZE, format, list);
    va_end(list);
}

const char *view_group_title(const struct view_group *group)
{
    return group->about && group->about->title ? group->about->title : group->code;
}

const char *view_whole(const struct view_group *group)
{
    return group->severity == SEVERITY_INFO ? "The capture as a whole" : "The site as a whole";
}

/* A consequence, where other faults of the same clients say what to change. */
static bool is_explained(const struct view *view, const struct view_group *group)
{
    if (!gather_is_consequence(group))
        return false;
    for (size_t i = 0; i < group->who.count; i++) {
        bool is_named = false;
        for (size_t k = 0; k < view->group_count && !is_named; k++)
            is_named = view->groups[k] != group && view->groups[k]->severity == SEVERITY_FAIL &&
                       gather_has_name(&view->groups[k]->who, group->who.at[i]);
        if (!is_named)
            return false;
    }
    return true;
}

/* By a group before. */
static bool is_said(const struct view *view, size_t i, const char *remedy)
{
    for (size_t k = 0; k < i; k++) {
        const struct view_group *group = view->groups[k];
        if (group->about && group->severity == view->groups[i]->severity && group->about->remedy &&
            strcmp(group->about->remedy, remedy) == 0)
            return true;
    }
    return false;
}

const char *view_remedy(const struct view *view, size_t n, const struct view_group **group)
{
    enum severity wanted = view->findings[SEVERITY_FAIL] ? SEVERITY_FAIL : SEVERITY_WARN;
    for (size_t i = 0; i < view->group_count; i++) {
        const struct view_group *candidate = view->groups[i];
        const char *remedy = candidate->about ? candidate->about->remedy : NULL;
        if (!remedy || !remedy[0] || candidate->severity != wanted || is_said(view, i, remedy) ||
            candidate->is_explained || n-- > 0)
            continue;
        *group = candidate;
        return remedy;
    }
    return NULL;
}

/* False: it was said already, or does not fit whole. */
static bool add_once(struct text *all, const char *between, const char *sentence)
{
    bool fits = all->length + strlen(between) + strlen(sentence) < all->size;
    if (!fits || strstr(all->at, sentence))
        return false;
    text_format(all, "%s%s", all->length ? between : "", sentence);
    return true;
}

/* What no rule of a firewall does, and none mends. */
static enum block_kind unruly_kind(const struct view_evidence *evidence)
{
    static const enum block_kind kinds[] = {BLOCK_AFTER_SYN, BLOCK_ROUTE};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(evidence->kind, block_kind_name(kinds[i])) == 0)
            return kinds[i];
    return BLOCK_NONE;
}

/* On which side of the network's edge a place lies is said once of all that share it. */
static bool add_place(struct text *where, const struct view_evidence *evidence, char *sentence)
{
    char *side = evidence->place[0] ? strstr(sentence, evidence->place) : NULL;
    if (side && side > sentence && strstr(where->at, evidence->place))
        side[-1] = '\0';
    return add_once(where, " ", sentence);
}

/* What the kept findings say is blocked, and where. */
static void say_group(const struct view *view, struct view_group *group)
{
    struct text blocked = text_over(group->blocked, sizeof group->blocked);
    struct text where = text_over(group->where, sizeof group->where);
    bool has_place = group->severity == SEVERITY_FAIL || place_of_group_is_named(group);
    unsigned places = 0;
    for (size_t i = 0; i < group->kept_count; i++) {
        char sentence[VIEW_SENTENCE_SIZE];
        struct view_evidence evidence;
        view_evidence_read(&evidence, group->kept[i]->evidence);
        enum block_kind unruly = unruly_kind(&evidence);
        group->unruly = i == 0 || unruly == group->unruly ? unruly : BLOCK_NONE;
        place_blocked(&evidence, sentence);
        add_once(&blocked, " Also ", sentence);
        place_say(group->kept[i], &evidence, group->about, view->figures.apple_hops, sentence);
        if (has_place && places < VIEW_PLACES_MAX)
            places += add_place(&where, &evidence, sentence);
        view_evidence_free(&evidence);
    }
}

/* --- ports -------------------------------------------------------------------------------- */

static enum requirement_status port_status(const struct view_port *port)
{
    if (port->is_retired)
        return port->has_warn ? STATUS_WARN : STATUS_NOT_OBSERVED;
    if (port->has_fail)
        return STATUS_FAIL;
    if (port->has_warn)
        return STATUS_WARN;
    return port->sessions[HEAP_WORKED] ? STATUS_PASS : STATUS_NOT_OBSERVED;
}

static void say_port(struct view_port *port)
{
    struct text out = text_over(port->observed, sizeof port->observed);
    uint64_t all = 0;
    for (int heap = 0; heap < HEAP_COUNT; heap++)
        all += port->sessions[heap];
    port->status = port_status(port);
    if (all == 0)
        text_add(&out, port->has_fail || port->has_warn ? "see the findings" : "no session seen");
    else if (port->is_retired)
        text_format(&out, "%s to a retired port: neither a block nor a pass is reported",
                    COUNTED(all, "attempt"));
    else
        text_add(&out, COUNTED(all, "session"));
    const char *separator = ": ";
    for (int heap = 0; heap < HEAP_COUNT && all && !port->is_retired; heap++) {
        uint64_t count = port->sessions[heap];
        const char *word = view_heap_word((enum view_heap)heap);
        if (count == all)
            text_format(&out, all == 1 ? ", %s" : ", all %s", word);
        else if (count)
            text_format(&out, "%s%s %s", separator, DIGITS(count), word);
        separator = count ? ", " : separator;
    }
    bool is_well = all && port->sessions[HEAP_WORKED] == all;
    if (is_well && (port->status == STATUS_FAIL || port->status == STATUS_WARN))
        text_add(&out, "; but see the findings");
}

/* --- the verdict -------------------------------------------------------------------------- */

static enum view_verdict decide(const struct view *view)
{
    bool is_judgeable = view->requirements[R0_CAPTURE].status != STATUS_FAIL;
    if (view->findings[SEVERITY_FAIL])
        return VIEW_FAULTY;
    if (!view->sessions && !view->attempts_summed && !view->findings[SEVERITY_WARN])
        return VIEW_NOTHING;
    uint64_t broken = view->devices[DEVICE_ROLE_DEVICE][VERDICT_BROKEN] +
                      view->devices[DEVICE_ROLE_MDM_SERVER][VERDICT_BROKEN];
    if (!is_judgeable || broken || !view->courier_worked)
        return VIEW_UNCLEAR;
    return view->findings[SEVERITY_WARN] ? VIEW_WARNS : VIEW_WORKS;
}

/* "412 sessions of 12 devices and 1 MDM server". */
static void add_sessions(const struct view *view, struct text *out)
{
    text_add(out, COUNTED(view->sessions, "session"));
    if (view->device_total)
        text_format(out, " of %s", COUNTED(view->device_total, "device"));
    if (view->server_total)
        text_format(out, " %s %s", view->device_total ? "and" : "of",
                    COUNTED(view->server_total, "MDM server"));
}

/* "3 of 12 devices", "all 12 devices", "the only device". */
static void add_share(struct text *out, uint64_t some, uint64_t all, const char *thing)
{
    if (some < all)
        text_format(out, "%s of %s", DIGITS(some), COUNTED(all, thing));
    else if (all > 2)
        text_format(out, "all %s", COUNTED(all, thing));
    else
        text_format(out, all == 2 ? "both %ss" : "the only %s", thing);
}

/* " (TCP 5223 and 443)": the push ports that the findings name. */
static void add_ports(const struct view_group *group, struct text *out)
{
    unsigned named = 0;
    for (size_t port = 0; port < FIGURE_PORTS; port++) {
        bool is_named = false;
        for (size_t i = 0; i < group->kept_count && !is_named; i++)
            is_named = group->kept[i]->server_port == figure_ports[port];
        if (is_named)
            text_format(out, "%s%u", named++ ? " and " : " (TCP ", figure_ports[port]);
    }
    text_add(out, named ? ")" : "");
}

/* Not one fault is likely or certain. */
static bool is_only_possible(const struct view *view)
{
    for (size_t i = 0; i < view->group_count; i++)
        for (int c = CONFIDENCE_LIKELY; c < CONFIDENCE_COUNT; c++)
            if (view->groups[i]->severity == SEVERITY_FAIL && view->groups[i]->by_confidence[c])
                return false;
    return true;
}

static void say_faulty(const struct view *view, struct text *out)
{
    const uint64_t *devices = view->devices[DEVICE_ROLE_DEVICE];
    uint64_t servers = view->devices[DEVICE_ROLE_MDM_SERVER][VERDICT_BROKEN];
    const char *subject =
        is_only_possible(view) ? "Something, perhaps the network," : "The network";
    if (devices[VERDICT_BROKEN]) {
        text_format(out, "%s keeps Apple push notifications from ", subject);
        add_share(out, devices[VERDICT_BROKEN], view->device_total, "device");
        if (devices[VERDICT_BROKEN] == view->device_total && view->device_total <= 2)
            text_add(out, " seen");
        if (devices[VERDICT_DEGRADED])
            text_format(out, " and hinders %s more", DIGITS(devices[VERDICT_DEGRADED]));
    } else if (devices[VERDICT_DEGRADED]) {
        text_format(out, "%s hinders Apple push notifications for ", subject);
        add_share(out, devices[VERDICT_DEGRADED], view->device_total, "device");
        if (devices[VERDICT_DEGRADED] == view->device_total && view->device_total <= 2)
            text_add(out, " seen");
    } else if (!servers) {
        text_add(out, is_only_possible(view)
                          ? "Something that may be a fault on the way to Apple's push service was "
                            "seen, too little to be sure"
                          : "A fault on the way to Apple's push service was found");
    }
    if (servers) {
        bool is_alone = !devices[VERDICT_BROKEN] && !devices[VERDICT_DEGRADED];
        text_format(out, "%s keeps ", is_alone ? subject : ", and");
        add_share(out, servers, view->server_total, "MDM server");
        text_add(out, " from Apple's push service");
    }
    if (view->group_count) {
        text_format(out, ". Main cause: %s", view_group_title(view->groups[0]));
        add_ports(view->groups[0], out);
    }
    text_add(out, ".");
}

static void say_unclear(const struct view *view, struct text *out)
{
    const char *summary = view->requirements[R0_CAPTURE].summary;
    uint64_t broken = view->devices[DEVICE_ROLE_DEVICE][VERDICT_BROKEN];
    text_add(out, "No fault was seen in ");
    add_sessions(view, out);
    if (view->requirements[R0_CAPTURE].status == STATUS_FAIL)
        text_format(out, ", but the capture cannot support a judgement%s%s",
                    summary && summary[0] ? ": " : ".", summary ? summary : "");
    else if (broken)
        text_add(out, ", but push did not come up for some, and the capture does not prove why: "
                      "nothing can be concluded.");
    else
        text_add(out, ", but none of them shows a device's push connection at work either: "
                      "nothing can be concluded.");
}

static void say_verdict(struct view *view)
{
    struct text out = text_over(view->sentence, sizeof view->sentence);
    switch (view->verdict) {
    case VIEW_NOTHING:
        text_add(&out, "Nothing of APNs was seen in this capture: nothing can be concluded.");
        break;
    case VIEW_UNCLEAR:
        say_unclear(view, &out);
        break;
    case VIEW_WORKS:
        text_add(&out, view->by_outcome[OUTCOME_MIDSTREAM] == view->sessions
                           ? "Push connections that were open already work; none was seen to open. "
                             "No fault was seen in "
                           : "The network lets APNs work; look elsewhere. No fault was seen in ");
        add_sessions(view, &out);
        text_add(&out, ".");
        break;
    case VIEW_WARNS:
        text_add(&out, "The network lets APNs work, but not as it should: ");
        text_add(&out, COUNTED(view->findings[SEVERITY_WARN], "warning"));
        text_format(&out, ", first of all \"%s\". No fault was seen in ",
                    view_group_title(view->groups[0]));
        add_sessions(view, &out);
        text_add(&out, ".");
        break;
    case VIEW_FAULTY:
        say_faulty(view, &out);
        break;
    }
}

/* Addresses of several sites may be the same ones. */
static void say_who_by_site(const struct view *view, struct text *out)
{
    uint64_t all = 0;
    unsigned named = 0;
    for (size_t i = 0; i < view->site_count; i++)
        all += view->sites[i].affected.count;
    text_add(out, all ? COUNTED(all, "client") : "Nobody, as far as was seen");
    for (size_t i = 0; i < view->site_count; i++)
        if (view->sites[i].affected.count)
            text_format(out, "%s%s (%s)", named++ ? ", " : ": ", sites_name(&view->sites[i]),
                        DIGITS(view->sites[i].affected.count));
    text_add(out, ".");
}

/* Without a fault, what the report begins with; NULL: there is a fault, or nothing at all. */
static const struct view_group *first_warning(const struct view *view)
{
    const struct view_group *group = view->group_count ? view->groups[0] : NULL;
    return group && group->severity == SEVERITY_WARN ? group : NULL;
}

static void say_who(struct view *view)
{
    struct text out = text_over(view->who, sizeof view->who);
    const struct view_names *who = &view->affected;
    const struct view_group *warning = first_warning(view);
    bool is_open = view->verdict == VIEW_NOTHING || view->verdict == VIEW_UNCLEAR;
    if (is_open && !(warning && warning->who.count)) {
        text_add(&out, "Cannot be told.");
        return;
    }
    if (view->site_count) {
        say_who_by_site(view, &out);
        return;
    }
    if (warning && warning->who.count)
        who = &warning->who;
    if (!who->count) {
        text_add(&out, view->verdict == VIEW_FAULTY ? "The whole site, as far as it was seen."
                                                    : "Nobody, as far as was seen.");
        return;
    }
    size_t listed = who->count <= VIEW_WHO_MAX ? who->count : VIEW_WHO_MAX - 1;
    if (who->count > 1)
        text_format(&out, "%s: ", COUNTED(who->count, "client"));
    for (size_t i = 0; i < listed; i++)
        text_format(&out, "%s%s", i ? ", " : "", who->at[i]);
    if (who->count > listed)
        text_format(&out, " and %s more", DIGITS(who->count - listed));
    text_add(&out, ".");
}

/* What the packets show of the main cause. */
static void say_what(struct view *view)
{
    const struct view_group *group = view->group_count ? view->groups[0] : NULL;
    if (!group || group->severity == SEVERITY_INFO || !group->kept_count)
        return;
    const char *summary = group->kept[0]->summary;
    if (summary)
        view_say(view->what, "%s%s", group->findings > 1 ? "For example: " : "", summary);
}

static void say_since(struct view *view)
{
    struct text out = text_over(view->since, sizeof view->since);
    char text[PHRASE_SIZE], duration[DURATION_TEXT_SIZE];
    const struct view_group *warning = first_warning(view);
    int64_t first_ns = warning ? warning->first_ns : view->fault_first_ns;
    int64_t last_ns = warning ? warning->last_ns : view->fault_last_ns;
    if (first_ns == TIME_UNKNOWN) {
        bool is_known = view->verdict == VIEW_WORKS || view->verdict == VIEW_WARNS;
        text_add(&out, is_known ? "No fault was seen." : "Cannot be told.");
        return;
    }
    int64_t after_ns = view->first_ns == TIME_UNKNOWN ? 0 : first_ns - view->first_ns;
    if (view->run_count > 1) /* each began at its own time */
        text_format(&out, "First seen %s", phrase_moment(first_ns, text));
    else if (after_ns <= capture_began_margin_ns)
        text_format(&out, "From the start of the capture, perhaps longer: first seen %s",
                    phrase_moment(first_ns, text));
    else
        text_format(&out, "First seen %s, %s into the capture", phrase_moment(first_ns, text),
                    duration_text(after_ns, duration));
    if (last_ns / NS_PER_S > first_ns / NS_PER_S)
        text_format(&out, "; last seen %s", phrase_moment(last_ns, text));
    text_add(&out, ".");
}

static void say_coverage(struct view *view)
{
    struct text out = text_over(view->coverage, sizeof view->coverage);
    char text[PHRASE_SIZE], duration[DURATION_TEXT_SIZE];
    add_sessions(view, &out);
    if (view->first_ns != TIME_UNKNOWN && view->last_ns != TIME_UNKNOWN) {
        text_format(&out, ", %s", phrase_moment(view->first_ns, text));
        text_format(&out, " to %s (%s)", phrase_moment(view->last_ns, text),
                    duration_text(view->last_ns - view->first_ns, duration));
    }
    text_add(&out, ".");
}

void view_judge(struct view *view)
{
    for (int i = 0; i < REQUIREMENT_COUNT; i++)
        if (!view->requirements[i].summary) {
            view->requirements[i].summary = strdup("");
            assert(view->requirements[i].summary);
        }
    for (size_t i = 0; i < view->group_count; i++) {
        say_group(view, view->groups[i]);
        view->groups[i]->is_explained = is_explained(view, view->groups[i]);
    }
    for (size_t i = 0; i < VIEW_PORTS; i++)
        say_port(&view->ports[i]);
    view_end_quality(view);
    view->verdict = decide(view);
    say_verdict(view);
    say_what(view);
    say_who(view);
    say_since(view);
    say_coverage(view);
    view_say_limits(view);
}
