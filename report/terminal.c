/* Text for terminals: wrapping, alignment and colour.
 *
 * Under the text summary and the `show` views. Everything passes visible_put, so that no name can
 * move the cursor or change a colour. Deliberately not a table engine: show.c measures columns. */
#include "terminal.h"

#include <string.h>

#include "visible.h"

enum { DEFAULT_WIDTH = 80, SMALLEST_WIDTH = 40 };

/* ECMA-48 section 8.3.117, select graphic rendition. */
static const char *const tones[] = {
    [TONE_NONE] = "",          [TONE_GOOD] = "\033[32m", [TONE_WARN] = "\033[33m",
    [TONE_BAD] = "\033[1;31m", [TONE_QUIET] = "\033[2m", [TONE_STRONG] = "\033[1m"};

struct terminal terminal_over(FILE *out, const struct report_options *options)
{
    unsigned width = options->width ? options->width : DEFAULT_WIDTH;
    return (struct terminal){.out = out,
                             .width = width < SMALLEST_WIDTH ? SMALLEST_WIDTH : width,
                             .has_colour = options->colour,
                             .has_unicode = options->unicode,
                             .is_ascii = options->ascii};
}

/* This program's own words have two characters that ASCII lacks. Names stay as they are. */
void terminal_put(const struct terminal *terminal, const char *text, size_t size)
{
    (terminal->is_ascii ? visible_put_ascii : visible_put_bytes)(terminal->out, text, size);
}

void terminal_cell(const struct terminal *terminal, enum tone tone, const char *text,
                   unsigned columns)
{
    bool is_toned = terminal->has_colour && tone != TONE_NONE;
    size_t used = visible_columns(text, strlen(text));
    fputs(is_toned ? tones[tone] : "", terminal->out);
    terminal_put(terminal, text, strlen(text));
    fputs(is_toned ? "\033[0m" : "", terminal->out);
    for (; used < columns; used++)
        fputc(' ', terminal->out);
}

static void new_line(const struct terminal *terminal, unsigned indent)
{
    fprintf(terminal->out, "\n%*s", (int)indent, "");
}

void terminal_wrap(const struct terminal *terminal, unsigned used, unsigned indent,
                   const char *text)
{
    size_t column = used;
    bool is_first = true;
    while (*(text += strspn(text, " "))) {
        size_t size = strcspn(text, " ");
        size_t columns = visible_columns(text, size);
        if (!is_first && column + 1 + columns > terminal->width) {
            new_line(terminal, indent);
            column = indent;
        } else if (!is_first) {
            fputc(' ', terminal->out);
            column++;
        }
        terminal_put(terminal, text, size);
        column += columns;
        text += size;
        is_first = false;
    }
    fputc('\n', terminal->out);
}

void terminal_field(const struct terminal *terminal, unsigned indent, const char *label,
                    const char *text)
{
    fputs("  ", terminal->out);
    terminal_cell(terminal, TONE_QUIET, label, indent > 3 ? indent - 3 : 0);
    fputc(' ', terminal->out);
    terminal_wrap(terminal, indent, indent, text);
}

void terminal_heading(const struct terminal *terminal, const char *text)
{
    bool fits = visible_columns(text, strlen(text)) <= terminal->width;
    fputc('\n', terminal->out);
    if (!fits) {
        terminal_wrap(terminal, 0, 0, text);
        return;
    }
    terminal_cell(terminal, TONE_STRONG, text, 0);
    fputc('\n', terminal->out);
}

enum tone tone_of_status(enum requirement_status status)
{
    static const enum tone by_status[STATUS_COUNT] = {[STATUS_NOT_OBSERVED] = TONE_QUIET,
                                                      [STATUS_PASS] = TONE_GOOD,
                                                      [STATUS_WARN] = TONE_WARN,
                                                      [STATUS_FAIL] = TONE_BAD};
    return by_status[status];
}

enum tone tone_of_severity(enum severity severity)
{
    static const enum tone by_severity[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = TONE_QUIET, [SEVERITY_WARN] = TONE_WARN, [SEVERITY_FAIL] = TONE_BAD};
    return by_severity[severity];
}

enum tone tone_of_verdict(enum view_verdict verdict)
{
    static const enum tone by_verdict[] = {[VIEW_NOTHING] = TONE_QUIET,
                                           [VIEW_UNCLEAR] = TONE_WARN,
                                           [VIEW_WORKS] = TONE_GOOD,
                                           [VIEW_WARNS] = TONE_WARN,
                                           [VIEW_FAULTY] = TONE_BAD};
    return by_verdict[verdict];
}

enum tone tone_of_device(enum device_verdict verdict)
{
    static const enum tone by_verdict[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = TONE_QUIET,
                                                        [VERDICT_WORKS] = TONE_GOOD,
                                                        [VERDICT_DEGRADED] = TONE_WARN,
                                                        [VERDICT_BROKEN] = TONE_BAD};
    return by_verdict[verdict];
}
