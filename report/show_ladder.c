/* Draws a packet ladder with characters: arrows between two rails, times left, TTLs and frames
 * right.
 *
 * Under `apnscope show flow N` and the Markdown report. Unicode and colour where the terminal has
 * them, ASCII otherwise. Deliberately knows nothing of sessions: ladder.c made the rungs. */
#include "show_ladder.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "visible.h"

enum {
    TIME_COLUMNS = 16,
    SIDE_COLUMNS = 26,
    RUNG_MIN = 34,
    RUNG_MAX = 66,
    LINE_SIZE = 512,
    DRAWN_FROM = 72 /* columns; on narrower terminals packets are lines of words */
};

/* What an arrow is made of. */
struct strokes {
    const char *rail, *gap, *line, *to_right, *to_left, *cross, *proof;
};

static const struct strokes ascii = {"|", ":", "-", ">", "<", "x", "<== proof"};
static const struct strokes unicode = {"│", "┊", "─", "▶", "◀", "✕", "◀ proof"};

struct drawing {
    const struct terminal *terminal;
    const struct strokes *strokes;
    unsigned width; /* columns between the rails */
    unsigned time;  /* columns before them */
};

static void put_padding(FILE *out, size_t used, size_t columns)
{
    for (; used < columns; used++)
        fputc(' ', out);
}

static void put_time(const struct drawing *drawing, const struct rung *rung)
{
    char text[DURATION_TEXT_SIZE + 1];
    FILE *out = drawing->terminal->out;
    ladder_time(rung, text);
    put_padding(out, visible_columns(text, strlen(text)), drawing->time - 2);
    terminal_put(drawing->terminal, text, strlen(text));
    fputs("  ", out);
}

static enum tone tone_of(const struct rung *rung)
{
    if (rung->is_bad)
        return TONE_BAD;
    return rung->kind == RUNG_NOTE ? TONE_QUIET : TONE_NONE;
}

/* "|-- words ---->|"; a packet of a third party starts from no rail. */
static void arrow_text(const struct drawing *drawing, const struct rung *rung, struct text *out)
{
    const struct strokes *strokes = drawing->strokes;
    size_t columns = visible_columns(rung->label, strlen(rung->label));
    text_format(out, "%s%s %s ", rung->is_up ? strokes->line : strokes->to_left, strokes->line,
                rung->label);
    for (size_t used = columns + 4; used + 1 < drawing->width; used++)
        text_add(out, strokes->line);
    text_add(out, rung->is_up ? strokes->to_right : strokes->line);
}

static void put_side(const struct drawing *drawing, const struct rung *rung)
{
    FILE *out = drawing->terminal->out;
    if (rung->ttl != ROW_NULL)
        fprintf(out, "  TTL %-3" PRId64, rung->ttl);
    if (rung->frame != ROW_NULL)
        fprintf(out, "%s  frame %" PRId64, rung->ttl == ROW_NULL ? "         " : "", rung->frame);
    if (rung->is_proof) {
        fputs("  ", out);
        terminal_cell(drawing->terminal, TONE_BAD, drawing->strokes->proof, 0);
    }
}

static void put_packet(const struct drawing *drawing, const struct rung *rung)
{
    char line[LINE_SIZE];
    struct text text = text_over(line, sizeof line);
    FILE *out = drawing->terminal->out;
    arrow_text(drawing, rung, &text);
    fputs(drawing->strokes->rail, out);
    terminal_cell(drawing->terminal, tone_of(rung), line, 0);
    fputs(rung->is_foreign && !rung->is_up ? drawing->strokes->cross : drawing->strokes->rail, out);
    put_side(drawing, rung);
    fputc('\n', out);
}

static void put_note(const struct drawing *drawing, const struct rung *rung)
{
    FILE *out = drawing->terminal->out;
    size_t columns = visible_columns(rung->label, strlen(rung->label));
    fputs(drawing->strokes->gap, out);
    fputs("  ", out);
    terminal_cell(drawing->terminal, tone_of(rung), rung->label, 0);
    if (columns + 2 < drawing->width) {
        put_padding(out, columns + 2, drawing->width);
        fputs(drawing->strokes->gap, out);
    }
    fputc('\n', out);
}

/* Columns between the rails: what the terminal has room for, and never less than the longest
 * label needs. */
static unsigned width_for(const struct terminal *terminal, const struct ladder *ladder)
{
    unsigned sides = TIME_COLUMNS + SIDE_COLUMNS;
    unsigned room = terminal->width > sides ? terminal->width - sides : 0;
    unsigned width = room < RUNG_MIN ? RUNG_MIN : room > RUNG_MAX ? RUNG_MAX : room;
    for (size_t i = 0; i < ladder->count; i++) {
        const char *label = ladder->rungs[i].label;
        unsigned needed = (unsigned)visible_columns(label, strlen(label)) + 6;
        if (ladder->rungs[i].kind == RUNG_PACKET && needed > width)
            width = needed;
    }
    return width;
}

/* "+20 ms  <- SYN-ACK, TTL 52, frame 8", folded where it does not fit. */
static void put_line(const struct drawing *drawing, const struct rung *rung)
{
    enum { NARROW_TIME = 11, CONTINUED = 14 };
    char line[LINE_SIZE], time[DURATION_TEXT_SIZE + 1];
    struct text text = text_over(line, sizeof line);
    ladder_time(rung, time);
    put_padding(drawing->terminal->out, visible_columns(time, strlen(time)), NARROW_TIME - 2);
    terminal_put(drawing->terminal, time, strlen(time));
    fputs("  ", drawing->terminal->out);
    if (rung->kind == RUNG_PACKET)
        text_add(&text, rung->is_up ? "-> " : "<- ");
    text_add(&text, rung->label);
    if (rung->ttl != ROW_NULL)
        text_format(&text, ", TTL %" PRId64, rung->ttl);
    if (rung->frame != ROW_NULL)
        text_format(&text, ", frame %" PRId64, rung->frame);
    if (rung->is_proof)
        text_format(&text, " %s", drawing->strokes->proof);
    terminal_wrap(drawing->terminal, NARROW_TIME, CONTINUED, line);
}

/* Where a mark of proof would not fit, times get no more room than they need. */
static unsigned time_for(const struct terminal *terminal, const struct ladder *ladder,
                         unsigned width)
{
    enum { RAILS = 2, MARK_COLUMNS = 11 };
    unsigned longest = 0;
    if (TIME_COLUMNS + RAILS + width + SIDE_COLUMNS + MARK_COLUMNS <= terminal->width)
        return TIME_COLUMNS;
    for (size_t i = 0; i < ladder->count; i++) {
        char text[DURATION_TEXT_SIZE + 1];
        const char *time = ladder_time(&ladder->rungs[i], text);
        unsigned columns = (unsigned)visible_columns(time, strlen(time));
        longest = columns > longest ? columns : longest;
    }
    return longest + 2 < TIME_COLUMNS ? longest + 2 : TIME_COLUMNS;
}

void show_ladder(const struct terminal *terminal, const struct ladder *ladder)
{
    struct drawing drawing = {terminal, terminal->has_unicode ? &unicode : &ascii,
                              width_for(terminal, ladder), TIME_COLUMNS};
    drawing.time = time_for(terminal, ladder, drawing.width);
    if (terminal->width < DRAWN_FROM) {
        for (size_t i = 0; i < ladder->count; i++)
            put_line(&drawing, &ladder->rungs[i]);
        return;
    }
    fprintf(terminal->out, "%*sclient%*sserver\n", (int)drawing.time, "", (int)drawing.width - 10,
            "");
    for (size_t i = 0; i < ladder->count; i++) {
        const struct rung *rung = &ladder->rungs[i];
        put_time(&drawing, rung);
        if (rung->kind == RUNG_PACKET)
            put_packet(&drawing, rung);
        else
            put_note(&drawing, rung);
    }
}
