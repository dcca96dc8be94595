/* How sure a report is, and what the capture could not tell.
 *
 * Part of the view, after verdict.c. Each flaw of the capture is told once: by the engine's note
 * about it where there is one, else by the requirement, the run or the fact that shows it.
 * Deliberately formats nothing. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "phrase.h"
#include "view.h"

static void add_limit(struct view *view, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_limit(struct view *view, const char *format, ...)
{
    if (view->limit_count == VIEW_LINES_MAX)
        return;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&view->limits[view->limit_count], format, list);
    va_end(list);
    assert(length >= 0);
    view->limit_count++;
}

/* --- notes -------------------------------------------------------------------------------- */

static bool is_note(const struct view_group *group)
{
    return group->severity == SEVERITY_INFO && group->kept_count && group->kept[0]->summary;
}

static const struct view_group *note_of(const struct view *view, const char *code)
{
    for (size_t i = 0; i < view->group_count; i++)
        if (is_note(view->groups[i]) && strcmp(view->groups[i]->code, code) == 0)
            return view->groups[i];
    return NULL;
}

static bool has_notes(const struct view *view)
{
    for (size_t i = 0; i < view->group_count; i++)
        if (is_note(view->groups[i]))
            return true;
    return false;
}

static void limit_confidence(struct view *view)
{
    uint64_t sure[CONFIDENCE_COUNT] = {0};
    for (size_t i = 0; i < view->group_count; i++)
        for (int c = 0; c < CONFIDENCE_COUNT && view->groups[i]->severity == SEVERITY_FAIL; c++)
            sure[c] += view->groups[i]->by_confidence[c];
    if (!view->findings[SEVERITY_FAIL])
        return;
    static const char *const meanings[CONFIDENCE_COUNT] = {
        [CONFIDENCE_CERTAIN] = " certain (the packets prove it)",
        [CONFIDENCE_LIKELY] = " likely (the best explanation of the packets)",
        [CONFIDENCE_POSSIBLE] = " possible (one of several explanations)"};
    char words[VIEW_SENTENCE_SIZE];
    struct text out = text_over(words, sizeof words);
    for (int c = CONFIDENCE_COUNT - 1; c >= 0; c--)
        if (sure[c])
            text_format(&out, "%s%s%s", out.length ? ", " : "", DIGITS(sure[c]), meanings[c]);
    add_limit(view, "Faults: %s.", words);
}

/* ": it is known to have run until ...; its end was noted at ..." */
static void tell_interruption(const struct run_row *run, struct text *out)
{
    char moment[PHRASE_SIZE];
    if (run->stored_ns != ROW_NULL)
        text_format(out, "; it is known to have run until %s",
                    phrase_moment(run->stored_ns, moment));
    if (run->interrupted_ns != ROW_NULL)
        text_format(out, "; its end was noted at %s", phrase_moment(run->interrupted_ns, moment));
}

static bool is_limit_said(const struct view *view, const char *words)
{
    for (size_t i = 0; i < view->limit_count; i++)
        if (strstr(view->limits[i], words))
            return true;
    return false;
}

static void limit_run(struct view *view, const struct run_row *run, enum run_state state,
                      const char *note)
{
    char words[VIEW_SENTENCE_SIZE];
    struct text out = text_over(words, sizeof words);
    if (run->damage && is_limit_said(view, run->damage))
        return; /* by the engine's note about this capture */
    text_add(&out, note);
    if (state == RUN_INTERRUPTED)
        tell_interruption(run, &out);
    add_limit(view, "Run %" PRId64 " %s%s%s.", run->id, words, run->damage ? ": " : "",
              run->damage ? run->damage : "");
}

static void limit_runs(struct view *view)
{
    static const char *const notes[RUN_STATE_COUNT] = {
        [RUN_RUNNING] = "is still running: this is what it has seen so far",
        [RUN_TRUNCATED] = "ends early: the capture is cut short or damaged",
        [RUN_INTERRUPTED] = "was interrupted: what came after is missing"};
    for (size_t i = 0; i < view->run_count; i++) {
        const struct run_row *run = view->runs[i];
        for (int state = 0; run->state && state < RUN_STATE_COUNT; state++)
            if (notes[state] && strcmp(run_state_name((enum run_state)state), run->state) == 0)
                limit_run(view, run, (enum run_state)state, notes[state]);
    }
}

static void limit_outcomes(struct view *view)
{
    static const struct {
        enum flow_outcome outcome;
        const char *which, *consequence;
        const char *code; /* of the note that says it better */
    } notes[] = {
        {OUTCOME_MIDSTREAM, "began before the capture", "how they were opened was not seen", NULL},
        {OUTCOME_ONE_SIDED, "were captured in one direction only", "they are not judged",
         "capture-one-sided"},
        {OUTCOME_UNFINISHED,
         "were broken off by the client, or by the end of the capture, before "
         "anything could be known",
         "they are not judged", NULL}};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        uint64_t count = view->by_outcome[notes[i].outcome];
        if (count && !(notes[i].code && note_of(view, notes[i].code)))
            add_limit(view, "Sessions that %s: %s of %s; %s.", notes[i].which, DIGITS(count),
                      DIGITS(view->sessions), notes[i].consequence);
    }
    if (view->attempts_summed)
        add_limit(view, "%s went unanswered in a flood: kept as sums, not one by one.",
                  COUNTED(view->attempts_summed, "attempt"));
}

/* What failed on a port that otherwise works, and is no fault: said, so that nobody who counts
 * misses it. */
static void limit_ports(struct view *view)
{
    for (size_t i = 0; i < VIEW_PORTS; i++) {
        const struct view_port *port = &view->ports[i];
        uint64_t worked = port->sessions[HEAP_WORKED], failed = port->sessions[HEAP_FAILED];
        if (!port->is_retired && !port->has_fail && worked && failed)
            add_limit(view,
                      "Sessions to port %u that failed: %s of %s judged; too few, or too much like "
                      "chance, to call a fault.",
                      port->port, DIGITS(failed), DIGITS(worked + failed));
    }
}

/* Who sees nothing of APNs must know whether there was anything to see. */
static void limit_unread(struct view *view)
{
    enum { ONE_IN = 20 }; /* fewer are ordinary noise */
    static const bool is_ordinary[SKIP_COUNT] = {[SKIP_NOT_IP] = true,
                                                 [SKIP_NOT_TCP] = true,
                                                 [SKIP_FRAGMENT] = true,
                                                 [SKIP_FILTERED] = true};
    for (int reason = 1; reason < SKIP_COUNT; reason++) {
        uint64_t count = view->skipped[reason];
        if (count && !is_ordinary[reason] && count * ONE_IN >= view->packets)
            add_limit(view, "Packets that could not be read: %s of %s; %s.", DIGITS(count),
                      DIGITS(view->packets), skip_reason_meaning((enum skip_reason)reason));
    }
}

static void limit_requirements(struct view *view)
{
    const struct view_requirement *capture = &view->requirements[R0_CAPTURE];
    if (capture->summary[0] && !(capture->status != STATUS_PASS && has_notes(view)))
        add_limit(view, "%s", capture->summary); /* else the notes say it, each in full */
    char codes[VIEW_SENTENCE_SIZE];
    struct text out = text_over(codes, sizeof codes);
    unsigned count = 0;
    for (int code = 1; code < REQUIREMENT_COUNT; code++)
        if (view->requirements[code].status == STATUS_NOT_OBSERVED)
            text_format(&out, "%s%s", count++ ? ", " : "",
                        requirement_name((enum requirement_code)code));
    if (count)
        add_limit(view, "Not observed, so neither passed nor failed: %s.", codes);
}

/* The engine's notes about the capture (capture-loss, capture-one-sided ...), first of each. */
static void limit_notes(struct view *view)
{
    for (size_t i = 0; i < view->group_count; i++) {
        if (is_note(view->groups[i]))
            add_limit(view, "%s", view->groups[i]->kept[0]->summary);
    }
}

/* "29" in "with 29 copies", not in "129", "29.5" or "1,029". */
static bool has_number(const char *sentence, const char *number)
{
    static const char of_numbers[] = "0123456789,.";
    for (const char *at = strstr(sentence, number); at; at = strstr(at + 1, number)) {
        const char *after = at + strlen(number);
        bool begins = at == sentence || !strchr(of_numbers, at[-1]);
        bool ends = !*after || !strchr(of_numbers, *after) || !after[1] || after[1] == ' ';
        if (begins && ends)
            return true;
    }
    return false;
}

/* A note is of one capture: of several the fact may be the sum, and then is told beside it. */
static bool is_told(const struct view *view, const struct view_line *line)
{
    const struct view_group *note = line->note ? note_of(view, line->note) : NULL;
    switch (line->unit) {
    case UNIT_YES: /* the run's state says it */
        return true;
    case UNIT_TEXT:
    case UNIT_DURATION_NS:
        return is_limit_said(view, line->value);
    case UNIT_COUNT:
    case UNIT_BYTES:
        break;
    }
    return note && has_number(note->kept[0]->summary, DIGITS(line->number));
}

/* Interfaces and queues deliver packets a little out of order: a step that small spoils nothing. */
static bool is_small_step(const struct view *view, const struct view_line *line)
{
    static const char count_of[] = "backward_steps", largest[] = "largest_step_back_ns";
    if (strcmp(line->name, count_of) != 0 && strcmp(line->name, largest) != 0)
        return false;
    for (size_t i = 0; i < view->quality_count; i++)
        if (strcmp(view->quality[i].name, largest) == 0)
            return view->quality[i].number < NS_PER_MS;
    return false;
}

static void limit_facts(struct view *view)
{
    for (size_t i = 0; i < view->quality_count; i++) {
        const struct view_line *line = &view->quality[i];
        if (line->is_trouble && !is_told(view, line) && !is_small_step(view, line))
            add_limit(view, "%s: %s.", line->label ? line->label : line->name, line->value);
    }
}

void view_say_limits(struct view *view)
{
    limit_confidence(view);
    limit_notes(view);
    limit_requirements(view);
    limit_unread(view);
    limit_runs(view);
    limit_outcomes(view);
    limit_ports(view);
    limit_facts(view);
}
