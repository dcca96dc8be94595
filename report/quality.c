/* What the capture itself can support, as labelled lines.
 *
 * Part of the view: rows of capture_quality by name to words for people. Several runs are added up.
 * Deliberately shows a name that it does not know as it stands, so that a newer database loses
 * nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "phrase.h"
#include "view.h"

struct quality_word {
    const char *name, *label;
    enum view_unit unit;
    bool is_trouble;     /* when it is not 0 */
    const char *unknown; /* what NULL says */
    const char *note;    /* code of the finding that tells of it */
};

static const struct quality_word words[] = {
    {"frames", "Packets read", UNIT_COUNT, false, "not known", NULL},
    {"bytes", "Bytes read", UNIT_BYTES, false, "not known", NULL},
    {"flows_tracked", "Sessions followed", UNIT_COUNT, false, "not known", NULL},
    {"other_apple", "Other sessions with Apple, not push: counted only", UNIT_COUNT, false,
     "not known", NULL},
    {"dropped_kernel", "Packets lost by the capturing computer", UNIT_COUNT, true,
     "the capture does not say", "capture-loss"},
    {"dropped_interface", "Packets lost by its network interface", UNIT_COUNT, true,
     "the capture does not say", "capture-loss"},
    {"dropped_queue", "Packets lost by this program for want of room", UNIT_COUNT, true, "none",
     "capture-loss"},
    {"gap_bytes", "Data acknowledged by the receiver but missing here", UNIT_BYTES, true,
     "not known", "capture-loss"},
    {"flows_up_only", "Sessions with only the device's half captured", UNIT_COUNT, true,
     "not known", "capture-one-sided"},
    {"flows_down_only", "Sessions with only the server's half captured", UNIT_COUNT, true,
     "not known", "capture-one-sided"},
    {"frames_cut", "Packets captured in part (snap length)", UNIT_COUNT, false, "not known", NULL},
    {"push_frames_cut", "Packets of push sessions captured in part", UNIT_COUNT, true, "not known",
     "capture-truncated"},
    {"smallest_snap", "Smallest snap length", UNIT_BYTES, false, "unlimited", NULL},
    {"session_packets", "Packets of followed sessions", UNIT_COUNT, false, "not known", NULL},
    {"duplicates", "Packets captured twice", UNIT_COUNT, false, "not known", NULL},
    {"flows_translated", "Sessions captured on both sides of a NAT, counted once", UNIT_COUNT,
     false, "none", NULL},
    {"fragments_refused", "Packets whose fragments overlap: not believed", UNIT_COUNT, true,
     "not known", NULL},
    {"fragments_incomplete", "Packets of which a fragment is missing", UNIT_COUNT, true,
     "not known", NULL},
    {"stray_times", "Packets with a damaged time", UNIT_COUNT, true, "not known", "capture-clock"},
    {"backward_steps", "Packets with a time before the one before", UNIT_COUNT, true, "not known",
     "capture-clock"},
    {"largest_step_back_ns", "Largest step back in time", UNIT_DURATION_NS, true, "none", NULL},
    {"flows_evicted", "Sessions given up because too many were open", UNIT_COUNT, true, "not known",
     NULL},
    {"attempts_summed", "Unanswered attempts kept as sums only", UNIT_COUNT, false, "not known",
     NULL},
    {"findings_not_kept", "Findings beyond the cap, counted only", UNIT_COUNT, true, "not known",
     NULL},
    {"devices_early", "Devices judged early to make room", UNIT_COUNT, true, "not known", NULL},
    {"rule_states_lost", "Memories of rules given up to make room", UNIT_COUNT, true, "not known",
     NULL},
    {"truncated", "The capture is cut short or damaged", UNIT_YES, true, "not known", NULL},
    {"damage", "Damage", UNIT_TEXT, true, "none", NULL},
};

static const struct quality_word *word_of(const char *name)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].name, name) == 0)
            return &words[i];
    return NULL;
}

static struct view_line *line_of(struct view *view, const char *name)
{
    for (size_t i = 0; i < view->quality_count; i++)
        if (strncmp(view->quality[i].name, name, sizeof view->quality[i].name - 1) == 0)
            return &view->quality[i];
    if (view->quality_count == VIEW_LINES_MAX)
        return NULL;
    struct view_line *line = &view->quality[view->quality_count++];
    const struct quality_word *word = word_of(name);
    *line = (struct view_line){.label = word ? word->label : NULL,
                               .note = word ? word->note : NULL,
                               .unit = word ? word->unit : UNIT_COUNT,
                               .number = ROW_NULL};
    strncpy(line->name, name, sizeof line->name - 1);
    return line;
}

static void add_number(struct view_line *line, int64_t number)
{
    bool is_sum = line->unit == UNIT_COUNT || line->unit == UNIT_BYTES;
    int64_t sum = 0;
    if (line->number == ROW_NULL)
        line->number = number;
    else if (strcmp(line->name, "smallest_snap") == 0)
        line->number = number < line->number ? number : line->number;
    else if (!is_sum)
        line->number = number > line->number ? number : line->number;
    else if (!__builtin_add_overflow(line->number, number, &sum))
        line->number = sum;
}

void view_add_quality(struct view *view, const struct quality_row *row)
{
    struct view_line *line = line_of(view, row->name ? row->name : "unnamed");
    if (!line)
        return;
    if (row->value != ROW_NULL)
        add_number(line, row->value);
    if (row->text && row->text[0] && !line->value) {
        line->value = strdup(row->text);
        assert(line->value);
        line->unit = UNIT_TEXT;
    }
}

static const char *number_text(const struct view_line *line, char text[PHRASE_SIZE])
{
    char duration[DURATION_TEXT_SIZE];
    struct text out = text_over(text, PHRASE_SIZE);
    switch (line->unit) {
    case UNIT_BYTES:
        phrase_bytes(line->number, text);
        break;
    case UNIT_DURATION_NS:
        text_add(&out, duration_text(line->number, duration));
        break;
    case UNIT_YES:
        text_add(&out, line->number ? "yes" : "no");
        break;
    case UNIT_COUNT:
    case UNIT_TEXT:
        text_add(&out, DIGITS(line->number));
        break;
    }
    return text;
}

void view_end_quality(struct view *view)
{
    for (size_t i = 0; i < view->quality_count; i++) {
        struct view_line *line = &view->quality[i];
        const struct quality_word *word = word_of(line->name);
        char text[PHRASE_SIZE] = "not known";
        line->is_trouble = word && word->is_trouble && (line->value || line->number > 0);
        if (!line->value && line->number != ROW_NULL)
            number_text(line, text);
        if (!line->value)
            line->value = strdup(line->number == ROW_NULL && word ? word->unknown : text);
        assert(line->value);
    }
}
