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

enum { TIME_COLUMNS = 16, SIDE_COLUMNS = 26, RUNG_MIN = 34, RUNG_MAX = 66, LINE_SIZE = 512 };

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
    put_padding(out, visible_columns(text, strlen(text)), TIME_COLUMNS - 2);
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

void show_ladder(const struct terminal *terminal, const struct ladder *ladder)
{
    struct drawing drawing = {terminal, terminal->has_unicode ? &unicode : &ascii,
                              width_for(terminal, ladder)};
    fprintf(terminal->out, "%*sclient%*sserver\n", TIME_COLUMNS, "", (int)drawing.width - 10, "");
    for (size_t i = 0; i < ladder->count; i++) {
        const struct rung *rung = &ladder->rungs[i];
        put_time(&drawing, rung);
        if (rung->kind == RUNG_PACKET)
            put_packet(&drawing, rung);
        else
            put_note(&drawing, rung);
    }
}
