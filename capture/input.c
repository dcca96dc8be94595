/* Opening, reading and ending one capture file.
 *
 * See input.h. Deliberately leaves every question of format to the table of formats. */
#include "input.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "lookalike.h"

enum {
    MAGIC_SIZE = 12,   /* tells the formats */
    SMALLEST_SIZE = 4, /* a magic number; what is shorter was cut before it */
    HEAD_SIZE = 512    /* looked at to say what a file is that is not a capture */
};

static const struct format pcap_format = {pcap_file_open, pcap_file_next, pcap_file_take,
                                          pcap_file_close};
static const struct format pcapng_format = {pcapng_file_open, pcapng_file_next, pcapng_file_take,
                                            pcapng_file_close};
static const struct format snoop_format = {snoop_file_open, snoop_file_next, NULL,
                                           snoop_file_close};
static const struct format erf_format = {erf_file_open, erf_file_next, NULL, erf_file_close};

void input_damage(struct input *input, const char *format, ...)
{
    assert(!input->facts.truncated);
    struct text text = text_over(input->facts.damage, sizeof input->facts.damage);
    char sentence[CAPTURE_DAMAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    text_add(&text, sentence);
    input->facts.truncated = true;
    input->ended = true;
}

void input_end(struct input *input, uint64_t size)
{
    size_t left = window_left(&input->window);
    const char *error = source_error(input->source);
    unsigned long long record = input->records + 1;
    unsigned long long offset = window_offset(&input->window);
    input->ended = true;
    if (error)
        input_damage(input, "%s: reading ends before packet %llu", error, record);
    else if (left && !source_is_followed(input->source))
        input_damage(input, "packet %llu at byte %llu is cut: %zu of its %llu bytes are there",
                     record, offset, left, (unsigned long long)size);
}

/* Notes are joined by "; ", each "label: text". Notes that do not fit are cut. */
void input_note(struct input *input, const char *label, const uint8_t *bytes, size_t size)
{
    char printable[400];
    while (size && bytes[size - 1] == 0)
        size--; /* some writers count the terminating NUL */
    if (!size)
        return;
    text_printable(printable, sizeof printable, bytes, size);
    size_t length = strlen(input->facts.notes);
    struct text notes = text_over(input->facts.notes + length, sizeof input->facts.notes - length);
    text_format(&notes, "%s%s: %s", length ? "; " : "", label, printable);
}

uint32_t input_new_interface(struct input *input, uint32_t snap)
{
    if (snap && (!input->smallest_snap || snap < input->smallest_snap))
        input->smallest_snap = snap;
    return input->shared->interface_count++;
}

/* ERF comes last: it has no magic number. */
static const struct format *format_of(struct window *window)
{
    if (pcap_file_is(window_at(window), window_left(window)))
        return &pcap_format;
    if (pcapng_file_is(window_at(window), window_left(window)))
        return &pcapng_format;
    if (snoop_file_is(window_at(window), window_left(window)))
        return &snoop_format;
    return erf_file_is(window) ? &erf_format : NULL;
}

static enum input_opened not_a_capture(struct input *input, struct fault *fault)
{
    const char *path = strcmp(input->facts.path, "-") == 0 ? "standard input" : input->facts.path;
    const char *compression = source_compression(input->source);
    const char *error = source_error(input->source);
    size_t left = window_left(&input->window);
    if (error && left < MAGIC_SIZE) {
        fault_set(fault, "%s: holds no packets: %s; copy the file again", path, error);
        return INPUT_NOT_A_CAPTURE;
    }
    if (left < SMALLEST_SIZE) {
        fault_set(fault,
                  "%s: holds no packets: %s%zu byte%s%s; check that the capture ran and was copied "
                  "whole",
                  path, compression ? "unpacked, it has " : "", left, left == 1 ? "" : "s",
                  left ? ", fewer than any capture begins with" : "");
        return INPUT_NOT_A_CAPTURE;
    }
    struct lookalike look = lookalike_of(input->facts.path, window_at(&input->window), left);
    fault_set(fault, "%s: is not a capture%s%s%s: it looks like %s; %s", path,
              compression ? " (under its " : "", compression ? compression : "",
              compression ? " compression)" : "", look.what, look.advice);
    return INPUT_NOT_A_CAPTURE;
}

/* "pcapng, zstd" */
static void finish_format(struct input *input)
{
    const char *compression = source_compression(input->source);
    snprintf(input->format_text, sizeof input->format_text, "%s%s%s", input->facts.format,
             compression ? ", " : "", compression ? compression : "");
    input->facts.format = input->format_text;
}

static enum input_opened read_header(struct input *input, struct fault *fault)
{
    struct window *window = &input->window;
    bool is_stream = source_is_stream(input->source);
    (void)window_fill(window, is_stream ? MAGIC_SIZE : HEAD_SIZE);
    input->format = format_of(window);
    if (!input->format)
        return not_a_capture(input, fault);
    bool fine = input->format->open(input);
    finish_format(input);
    if (fine)
        return INPUT_OPENED;
    fault_set(fault, "%s: holds no packets that can be read: %s; copy or capture it again",
              input->facts.path, input->facts.damage);
    return INPUT_BAD_HEADER;
}

enum input_opened input_open(struct input **opened, const char *path,
                             const struct capture_options *options, struct input_shared *shared,
                             size_t window_size, struct fault *fault)
{
    *opened = NULL;
    struct source *source;
    if (!source_open(&source, path, options, fault))
        return INPUT_UNREADABLE;
    struct input *input = calloc(1, sizeof *input);
    assert(input);
    input->shared = shared;
    input->source = source;
    input->facts.path = path;
    input->facts.stored_size = source_stored_size(source);
    if (source_is_stream(source))
        window_size = WINDOW_SIZE_MAX; /* it will never be parked and opened again */
    window_init(&input->window, source, window_size, 0);
    enum input_opened result = read_header(input, fault);
    if (result == INPUT_OPENED || result == INPUT_BAD_HEADER)
        *opened = input;
    else
        input_close(input);
    return result;
}

static void free_ready(struct input *input)
{
    free(input->ready);
    input->ready = NULL;
    input->ready_count = input->ready_next = 0;
}

void input_close(struct input *input)
{
    if (!input)
        return;
    if (input->format)
        input->format->close(input);
    free_ready(input);
    window_free(&input->window);
    source_close(input->source);
    free(input);
}

/* The facts become final, and all but them is given back. */
static void finish(struct input *input)
{
    static const char note[] = "some packets carry no time; they were given that of the one before";
    if (!input->source)
        return;
    if (input->has_timeless)
        input_note(input, "times", (const uint8_t *)note, sizeof note - 1);
    input->facts.frames = input->records;
    window_free(&input->window);
    source_finish(input->source, &input->facts);
    input->format->close(input);
    input->stored_read = input->facts.stored_size;
    source_close(input->source);
    input->source = NULL;
}

size_t input_next(struct input *input, struct frame *frames, size_t max)
{
    size_t count = 0;
    if (!input->ended) {
        input->batch_time_ns = input->last_time_ns;
        count = input->format->next(input, frames, max);
        input->records += count;
        input->facts.frames = input->records;
    }
    if (!count)
        finish(input);
    return count;
}

size_t input_take(struct input *input, struct frame *frames, size_t max)
{
    size_t count = input->ended ? 0 : input->format->take(input, frames, max);
    input->records += count;
    input->facts.frames = input->records;
    return count;
}

bool input_refill(struct input *input)
{
    if (!input->ready)
        input->ready = malloc(CAPTURE_BATCH_MAX * sizeof *input->ready);
    assert(input->ready);
    do {
        input->ready_count = input_next(input, input->ready, CAPTURE_BATCH_MAX);
        size_t known = input->skip < input->ready_count ? input->skip : input->ready_count;
        input->skip -= known;
        input->ready_next = known;
    } while (input->ready_count && input->ready_next == input->ready_count);
    if (!input->ready_count)
        free_ready(input);
    return input->ready_count != 0;
}

/* The batch at hand is read again after resuming, so its records are uncounted here. Where it is
 * used up, what follows it may have been looked at but not taken. */
void input_park(struct input *input)
{
    assert(!input->parked && !input->ended && input->ready_next < input->ready_count);
    input->parked = true;
    input->records -= input->ready_count;
    input->last_time_ns = input->batch_time_ns;
    input->number_gap = input->batch_gap;
    input->skip += input->ready_next;
    input->stored_read = window_stored_read(&input->window);
    free_ready(input);
    window_free(&input->window);
    source_park(input->source);
}

void input_resume(struct input *input, size_t window_size)
{
    assert(input->parked);
    input->parked = false;
    window_init(&input->window, input->source, window_size, input->batch_offset);
    if (!source_resume(input->source, input->batch_offset))
        input_damage(input, "%s", source_error(input->source));
    else if (input->shared->fetcher)
        window_read_ahead(&input->window, input->shared->fetcher, window_size);
}

uint64_t input_stored_read(const struct input *input)
{
    return input->source && !input->parked ? window_stored_read(&input->window)
                                           : input->stored_read;
}
