/* `apnscope checks`: every finding the program knows, as text or Markdown; and the exit status.
 *
 * Beside the reports: prints the catalogue that cli/ hands over, so that docs/detectors.md and the
 * terminal never differ. Deliberately reads no database, except to ask for a fault. */
#include <stdio.h>
#include <string.h>

#include "gate.h"
#include "report/report.h"
#include "terminal.h"
#include "view.h"

enum { LABEL_INDENT = 17 };

struct part {
    const char *label, *heading;
    size_t offset;
};

static const struct part parts[] = {
    {"Means", "What it means", offsetof(struct report_code, meaning)},
    {"Rests on", "What it rests on", offsetof(struct report_code, rests_on)},
    {"Looks like", "What it looks like in Wireshark", offsetof(struct report_code, looks_like)},
    {"Not it", "Innocent things that resemble it", offsetof(struct report_code, innocent)},
    {"Remedy", "What to change", offsetof(struct report_code, remedy)},
};

static const char *part_text(const struct report_code *code, const struct part *part)
{
    const char *text;
    memcpy(&text, (const char *)code + part->offset, sizeof text);
    return text && text[0] ? text : NULL;
}

static void put_requirements(FILE *out, uint32_t bits)
{
    const char *separator = "";
    for (int i = 0; i < REQUIREMENT_COUNT; i++)
        if (bits & 1u << i) {
            fprintf(out, "%s%s", separator, requirement_name((enum requirement_code)i));
            separator = ", ";
        }
}

static void put_text(FILE *out, const struct report_code *code, unsigned width)
{
    const struct report_options options = {.width = width};
    struct terminal terminal = terminal_over(out, &options);
    char title[160];
    snprintf(title, sizeof title, "%s (%s): %s", code->code, code->severity, code->title);
    terminal_wrap(&terminal, 0, 2, title);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (part_text(code, &parts[i]))
            terminal_field(&terminal, LABEL_INDENT, parts[i].label, part_text(code, &parts[i]));
    if (code->requirements) {
        fprintf(out, "  %-*s", LABEL_INDENT - 2, "Counts against");
        put_requirements(out, code->requirements);
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* Backslash before what Markdown would take for markup; '<' never starts HTML. */
static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("\\`*_[]<>|#", *text))
            fputc('\\', out);
        fputc(*text, out);
    }
}

static void put_markdown(FILE *out, const struct report_code *code)
{
    fprintf(out, "## `%s`: ", code->code);
    put_escaped(out, code->title);
    fprintf(out, "\n\nSeverity: %s", code->severity);
    if (code->requirements) {
        fputs(". Counts against: ", out);
        put_requirements(out, code->requirements);
    }
    fputs(".\n\n", out);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (part_text(code, &parts[i])) {
            fprintf(out, "**%s.** ", parts[i].heading);
            put_escaped(out, part_text(code, &parts[i]));
            fputs("\n\n", out);
        }
}

void report_checks(const struct report_catalogue *catalogue, bool markdown, unsigned width,
                   FILE *out)
{
    if (markdown)
        fputs("# What apnscope finds\n\n"
              "Made by `apnscope checks --markdown`; do not edit.\n\n",
              out);
    for (size_t i = 0; i < catalogue->count; i++)
        if (markdown)
            put_markdown(out, &catalogue->codes[i]);
        else
            put_text(out, &catalogue->codes[i], width);
}

static bool is_no_fault(void *fault_found, const void *any)
{
    const struct finding_row *row = any;
    bool is_fault = view_severity(row->severity) == SEVERITY_FAIL;
    *(bool *)fault_found |= is_fault;
    return !is_fault; /* the first one ends the reading */
}

bool report_has_fault(const struct report_options *options, bool *fault_found, struct fault *fault)
{
    struct gate *gate;
    *fault_found = false;
    if (!gate_open(&gate, options, fault))
        return false;
    bool was_read = gate_read(gate, ROWS_FINDING, &options->range, is_no_fault, fault_found, fault);
    gate_close(gate);
    return was_read;
}
