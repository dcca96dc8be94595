/* Writes the tables as CSV files, one a table: RFC 4180 with CRLF, UTF-8, a header line.
 *
 * A writer beside HTML, JSON and text; gives rows as the database has them, by its column names.
 * Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers never do.
 * Deliberately formats nothing: times stay nanoseconds, NULL is an empty field. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gate.h"
#include "report/output.h"
#include "report/report.h"
#include "visible.h"

/* OWASP, "CSV injection": what makes a spreadsheet take a cell for a formula. */
static bool is_formula_start(char first)
{
    return first != '\0' && strchr("=+-@\t\r", first) != NULL;
}

static bool is_plain_ascii(const char *text)
{
    for (; *text; text++)
        if (*text < 0x20 || *text > 0x7e || *text == '"')
            return false;
    return true;
}

/* Quoted, with quotes doubled and hidden characters spelt out; CR and LF are legal in quotes but
 * are spelt out too, so that one row is one line for every tool. */
static void put_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    if (is_formula_start(text[0]))
        fputc('\'', out);
    for (const char *quote; (quote = strchr(text, '"')); text = quote + 1) {
        visible_put_bytes(out, text, (size_t)(quote - text));
        fputs("\"\"", out);
    }
    visible_put(out, text);
    fputc('"', out);
}

static void put_text(FILE *out, const char *text)
{
    if (!is_plain_ascii(text) || strchr(text, ',') || is_formula_start(text[0]))
        put_quoted(out, text);
    else
        fputs_unlocked(text, out);
}

static void put_integer(FILE *out, int64_t integer)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRId64, integer);
    fwrite_unlocked(digits, 1, (size_t)length, out);
}

struct csv {
    FILE *out;
    const struct row_table *table;
};

static bool put_row(void *context, const void *row)
{
    const struct csv *csv = context;
    for (size_t i = 0; i < csv->table->column_count; i++) {
        const struct row_column *column = &csv->table->columns[i];
        const char *text = column->is_text ? row_text(row, column) : NULL;
        int64_t integer = column->is_text ? ROW_NULL : row_integer(row, column);
        if (i)
            putc_unlocked(',', csv->out);
        if (text)
            put_text(csv->out, text);
        else if (integer != ROW_NULL)
            put_integer(csv->out, integer);
    }
    fputs("\r\n", csv->out);
    return !ferror(csv->out);
}

static void put_header(const struct csv *csv)
{
    for (size_t i = 0; i < csv->table->column_count; i++)
        fprintf(csv->out, "%s%s", i ? "," : "", csv->table->columns[i].name);
    fputs("\r\n", csv->out);
}

static bool write_table(struct gate *gate, const struct archive_range *range, enum row_kind kind,
                        const char *directory, struct fault *fault)
{
    const struct row_table *table = &row_tables[kind];
    char *path = NULL;
    int length = asprintf(&path, "%s/%s.csv", directory, table->name);
    assert(length >= 0);
    struct output output;
    bool written = output_open(&output, path, fault);
    if (written) {
        struct csv csv = {.out = output.file, .table = table};
        put_header(&csv);
        written = gate_read(gate, kind, range, put_row, &csv, fault);
        if (written)
            written = output_commit(&output, fault);
        else
            output_abandon(&output);
    }
    free(path);
    return written;
}

static bool make_directory(const char *directory, struct fault *fault)
{
    struct stat status;
    if (mkdir(directory, 0700) == 0)
        return true;
    if (errno != EEXIST)
        return fault_set(fault,
                         "%s: the folder for the CSV files cannot be made: %s; name one "
                         "whose parent exists and is writable",
                         directory, strerror(errno));
    if (stat(directory, &status) != 0 || !S_ISDIR(status.st_mode))
        return fault_set(fault, "%s: not a folder, so no CSV files can go there; name a folder",
                         directory);
    return true;
}

bool report_csv(const struct report_options *options, const char *directory, struct fault *fault)
{
    struct gate *gate;
    if (strcmp(directory, "-") == 0)
        return fault_set(fault, "CSV is one file for each table and cannot go to standard output; "
                                "name a folder");
    if (!gate_open(&gate, options, fault))
        return false;
    bool written = make_directory(directory, fault);
    for (size_t i = 0; written && i < ROWS_KIND_COUNT; i++)
        written = write_table(gate, &options->range, (enum row_kind)i, directory, fault);
    gate_close(gate);
    return written;
}
