/* Writing HTML: escaping and the elements that all sections share.
 *
 * Under the HTML writer. Everything that is not a literal of this program passes html_put.
 * Deliberately no template engine: a format with %s is one, and the compiler checks it. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"
#include "html.h"
#include "phrase.h"
#include "visible.h"

enum { NOTABLE_MAX = 800, OTHERS_MAX = 200 };

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void put_bytes(FILE *out, const char *text, size_t size)
{
    const char *end = text + size;
    while (text < end) {
        size_t plain = strcspn(text, "&<>\"'");
        plain = plain < (size_t)(end - text) ? plain : (size_t)(end - text);
        visible_put_bytes(out, text, plain);
        text += plain;
        if (text < end)
            fputs(entity_of(*text++), out);
    }
}

void html_put(FILE *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

static bool has_shape(const char *at, const char *shape)
{
    for (size_t i = 0; shape[i]; i++) {
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        if (shape[i] == '0' ? !is_digit : at[i] != shape[i])
            return false;
    }
    return true;
}

/* Bytes of a moment ("2026-03-01 10:00:12 UTC") that starts at `at`, 0 where none does. */
static size_t moment_size(const char *at)
{
    static const char *const shapes[] = {"0000-00-00 00:00:00 UTC", "0000-00-00T00:00:00.000Z"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (has_shape(at, shapes[i]))
            return strlen(shapes[i]);
    return 0;
}

void html_sentence(FILE *out, const char *text)
{
    const char *rest = text;
    for (const char *at = text; *at; at++) {
        size_t size = moment_size(at);
        if (!size)
            continue;
        put_bytes(out, rest, (size_t)(at - rest));
        fprintf(out, "<span class=\"t\">%.*s</span>", (int)size, at);
        rest = at + size;
        at = rest - 1;
    }
    html_put(out, rest);
}

/* One conversion; returns how much of the format it took. */
static size_t put_conversion(FILE *out, const char *at, va_list *list)
{
    static const char long_signed[] = PRId64, long_unsigned[] = PRIu64;
    if (at[0] == 's') {
        html_put(out, va_arg(*list, const char *));
        return 1;
    }
    if (at[0] == 'd' || at[0] == 'u') {
        fprintf(out, "%d", va_arg(*list, int));
        return 1;
    }
    if (strncmp(at, "zu", 2) == 0) {
        fprintf(out, "%zu", va_arg(*list, size_t));
        return 2;
    }
    if (strncmp(at, long_signed, sizeof long_signed - 1) == 0) {
        fprintf(out, "%" PRId64, va_arg(*list, int64_t));
        return sizeof long_signed - 1;
    }
    if (strncmp(at, long_unsigned, sizeof long_unsigned - 1) == 0) {
        fprintf(out, "%" PRIu64, va_arg(*list, uint64_t));
        return sizeof long_unsigned - 1;
    }
    assert(at[0] == '%');
    fputc('%', out);
    return 1;
}

void html_print(FILE *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    while (*format) {
        size_t size = strcspn(format, "%");
        fwrite(format, 1, size, out);
        format += size;
        if (*format)
            format += 1 + put_conversion(out, format + 1, &list);
    }
    va_end(list);
}

static const char *sign_of(const char *tone)
{
    static const struct {
        const char *tone, *sign;
    } signs[] = {{"pass", "✓"}, {"warn", "!"}, {"fail", "✕"}, {"none", "–"}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strcmp(signs[i].tone, tone) == 0)
            return signs[i].sign;
    return "";
}

void html_badge(FILE *out, const char *tone, const char *word)
{
    html_print(out, "<span class=\"badge %s\"><span aria-hidden=\"true\">%s</span> %s</span>", tone,
               sign_of(tone), word);
}

void html_mark(FILE *out, const char *tone, const char *word)
{
    html_print(out,
               "<span class=\"badge %s\"><span aria-hidden=\"true\">%s</span><span "
               "class=\"unseen\">%s</span></span>",
               tone, sign_of(tone), word);
}

const char *html_tone_of_status(enum requirement_status status)
{
    static const char *const tones[STATUS_COUNT] = {[STATUS_NOT_OBSERVED] = "none",
                                                    [STATUS_PASS] = "pass",
                                                    [STATUS_WARN] = "warn",
                                                    [STATUS_FAIL] = "fail"};
    return tones[status];
}

const char *html_tone_of_severity(enum severity severity)
{
    static const char *const tones[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = "none", [SEVERITY_WARN] = "warn", [SEVERITY_FAIL] = "fail"};
    return tones[severity];
}

const char *html_tone_of_verdict(enum view_verdict verdict)
{
    static const char *const tones[] = {[VIEW_NOTHING] = "none",
                                        [VIEW_UNCLEAR] = "none",
                                        [VIEW_WORKS] = "pass",
                                        [VIEW_WARNS] = "warn",
                                        [VIEW_FAULTY] = "fail"};
    return tones[verdict];
}

const char *html_tone_of_device(enum device_verdict verdict)
{
    static const char *const tones[VERDICT_COUNT] = {[VERDICT_UNKNOWN] = "none",
                                                     [VERDICT_WORKS] = "pass",
                                                     [VERDICT_DEGRADED] = "warn",
                                                     [VERDICT_BROKEN] = "fail"};
    return tones[verdict];
}

const char *html_tone_of_heap(enum view_heap heap)
{
    static const char *const tones[HEAP_COUNT] = {
        [HEAP_WORKED] = "pass", [HEAP_FAILED] = "fail", [HEAP_UNJUDGED] = "none"};
    return tones[heap];
}

/* --- cells -------------------------------------------------------------------------------- */

static const char dash[] = "<td class=\"unknown\">–</td>";

void html_cell(FILE *out, const char *text)
{
    if (text && text[0])
        html_print(out, "<td>%s</td>", text);
    else
        fputs(dash, out);
}

void html_cell_code(FILE *out, const char *text)
{
    if (text && text[0])
        html_print(out, "<td><code>%s</code></td>", text);
    else
        fputs(dash, out);
}

void html_cell_count(FILE *out, int64_t count)
{
    if (count == INT64_MIN)
        fputs("<td class=\"n unknown\">–</td>", out);
    else
        html_print(out, "<td class=\"n\" data-key=\"%" PRId64 "\">%s</td>", count, DIGITS(count));
}

void html_time(FILE *out, int64_t time_ns, bool is_fine)
{
    char iso[CLOCK_TEXT_SIZE], text[PHRASE_SIZE];
    if (time_ns == TIME_UNKNOWN) {
        fputs("unknown", out);
        return;
    }
    html_print(out, "<time datetime=\"%s\">%s</time>", clock_text(time_ns, iso),
               is_fine ? phrase_moment_fine(time_ns, text) : phrase_moment(time_ns, text));
}

void html_cell_moment(FILE *out, int64_t time_ns)
{
    if (time_ns == TIME_UNKNOWN) {
        fputs(dash, out);
        return;
    }
    char iso[CLOCK_TEXT_SIZE], text[PHRASE_SIZE];
    phrase_moment(time_ns, text);
    html_print(out, "<td class=\"t\" data-key=\"%" PRId64 "\"><time datetime=\"%s\">", time_ns,
               clock_text(time_ns, iso));
    fprintf(out, "%.*s</time></td>", (int)strlen(text) - 4, text); /* the head says UTC */
}

void html_cell_duration(FILE *out, int64_t duration_ns)
{
    char text[DURATION_TEXT_SIZE];
    if (duration_ns == INT64_MIN)
        fputs("<td class=\"n unknown\">–</td>", out);
    else
        html_print(out, "<td class=\"n\" data-key=\"%" PRId64 "\">%s</td>", duration_ns,
                   duration_text(duration_ns, text));
}

/* --- tables ------------------------------------------------------------------------------- */

void html_table_begin(FILE *out, const char *id, const char *caption, const char *const titles[])
{
    html_print(out,
               "<div class=\"scroll\" id=\"%s-box\" tabindex=\"0\" role=\"region\" "
               "aria-labelledby=\"%s-caption\">"
               "<table id=\"%s\"><caption id=\"%s-caption\"><span>%s</span></caption><thead><tr>",
               id, id, id, id, caption);
    for (size_t i = 0; titles[i]; i++) {
        bool is_number = titles[i][0] == '#';
        fputs(is_number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">", out);
        html_print(out, "%s</th>", titles[i] + is_number);
    }
    fputs("</tr></thead><tbody>\n", out);
}

void html_table_end(FILE *out)
{
    fputs("</tbody></table></div>\n", out);
}

bool html_pick_row(struct html_pick *pick, bool is_notable)
{
    uint64_t *shown = is_notable ? &pick->notable : &pick->others;
    if (*shown < (is_notable ? NOTABLE_MAX : OTHERS_MAX)) {
        (*shown)++;
        return true;
    }
    pick->left_out++;
    return false;
}

void html_left_out(FILE *out, const struct html_pick *pick, const char *more, const char *csv)
{
    if (pick->left_out)
        html_print(out,
                   "<p class=\"note\">%s not shown here. All of them are in "
                   "<code>%s</code>, which <code>apnscope report --csv DIR</code> writes.</p>\n",
                   COUNTED(pick->left_out, more), csv);
}
