/* Captures as the rest of the program sees them: paths in, numbered frames out.
 *
 * See capture.h. Opens what is named, numbers and counts frames, and applies the time range.
 * Deliberately leaves bytes to input.h and order to merge.h. */
#include "capture/capture.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/count.h"
#include "base/text.h"
#include "input.h"
#include "merge.h"
#include "parts.h"
#include "path_list.h"
#include "span.h"

/* All windows together, when several files are merged. */
enum { MERGE_WINDOWS_SIZE = 8 << 20, MERGE_WINDOW_SIZE_MIN = 64 << 10 };

/* Less is read before a thread has begun. */
enum { READ_AHEAD_WORTHWHILE_SIZE = 1 << 20 };

struct capture {
    struct capture_options options;
    struct input_shared shared;
    struct path_list paths;
    struct input **inputs;
    size_t input_count;
    bool merging;
    struct merge merge;
    struct parts parts; /* of the only input; none: parts.input is NULL */
    uint64_t last_number;
    struct span span;
    struct capture_quality quality;
};

/* A ring of captures that goes on loses its oldest file at any time. */
static bool is_gone(const char *path)
{
    struct stat status;
    return stat(path, &status) < 0 && errno == ENOENT;
}

/* Opens an entry of the list. A file in a directory that is no capture is passed over, and one
 * that is one but broken is told as damage, so that one bad file does not hide a thousand good
 * ones; a file that was named itself must be a capture. None may be closed to the reader: what it
 * holds would be missing without a word. */
static bool open_entry(struct capture *capture, const struct path_entry *entry, size_t window_size,
                       struct fault *fault)
{
    struct input *input;
    enum input_opened opened =
        input_open(&input, entry->path, &capture->options, &capture->shared, window_size, fault);
    if (opened == INPUT_BAD_HEADER && !entry->directory)
        input_close(input);
    else if (opened == INPUT_OPENED || opened == INPUT_BAD_HEADER) {
        input->order = capture->input_count;
        capture->inputs[capture->input_count++] = input;
        if (capture->merging)
            merge_add(&capture->merge, input);
        return true;
    }
    return entry->directory && (opened != INPUT_UNREADABLE || is_gone(entry->path));
}

/* Says in the notes of a directory's first capture how many of its files are none. False: there is
 * no capture at all. */
static bool note_passed_over(struct capture *capture, const char *directory, size_t first_input,
                             size_t file_count, struct fault *fault)
{
    size_t taken = capture->input_count - first_input;
    char note[64];
    if (!taken)
        return fault_set(fault,
                         "%s: the folder holds no captures (%s looked at); name capture files or "
                         "another folder",
                         directory, COUNTED(file_count, "file"));
    if (taken == file_count)
        return true;
    int length = snprintf(note, sizeof note, "%zu of %zu files are no captures", file_count - taken,
                          file_count);
    input_note(capture->inputs[first_input], "folder", (const uint8_t *)note, (size_t)length);
    return true;
}

static bool open_entries(struct capture *capture, size_t window_size, struct fault *fault)
{
    const struct path_list *list = &capture->paths;
    for (size_t i = 0; i < list->count;) {
        const char *directory = list->items[i].directory;
        size_t first_input = capture->input_count;
        size_t first = i;
        do {
            if (!open_entry(capture, &list->items[i], window_size, fault))
                return false;
        } while (++i < list->count && directory && list->items[i].directory == directory);
        if (directory && !note_passed_over(capture, directory, first_input, i - first, fault))
            return false;
    }
    return true;
}

static size_t merge_window_size(size_t file_count)
{
    size_t open_count = file_count < MERGE_OPEN_MAX ? file_count : MERGE_OPEN_MAX;
    size_t share = MERGE_WINDOWS_SIZE / open_count;
    if (share > WINDOW_SIZE_MAX)
        return WINDOW_SIZE_MAX;
    return share < MERGE_WINDOW_SIZE_MIN ? MERGE_WINDOW_SIZE_MIN : share;
}

/* Pipes among merged files are read as they come: waiting for one would keep the thread from the
 * others. */
static bool is_worth_reading_ahead(const struct capture *capture)
{
    const struct source *first = capture->inputs[0]->source;
    uint64_t size = 0;
    if (!capture->merging && source_is_stream(first))
        return !source_is_followed(first);
    for (size_t i = 0; i < capture->input_count; i++)
        size += capture->inputs[i]->facts.stored_size;
    return size >= READ_AHEAD_WORTHWHILE_SIZE;
}

/* Files that are merged are read ahead as they are resumed. */
static void begin_reading(struct capture *capture)
{
    struct input *first = capture->inputs[0];
    if (!capture->merging && parts_are_possible(first))
        parts_begin(&capture->parts, first);
    else if (is_worth_reading_ahead(capture))
        capture->shared.fetcher = fetcher_new();
    if (capture->shared.fetcher && !capture->merging && !first->ended)
        window_read_ahead(&first->window, capture->shared.fetcher, READ_AHEAD_SIZE);
}

bool capture_open(struct capture **opened, const char *const *paths, size_t path_count,
                  const struct capture_options *options, struct fault *fault)
{
    assert(path_count > 0 && options->names);
    struct capture *capture = calloc(1, sizeof *capture);
    assert(capture);
    *opened = NULL;
    capture->options = *options;
    capture->shared.names = options->names;
    capture->span = span_fresh();
    if (!path_list_expand(&capture->paths, paths, path_count, fault)) {
        capture_close(capture);
        return false;
    }
    size_t file_count = capture->paths.count;
    if (options->follow && (file_count > 1 || capture->paths.items[0].directory)) {
        capture_close(capture);
        return fault_set(fault, "only one file can be followed while it grows; name that file");
    }
    capture->inputs = calloc(file_count, sizeof(struct input *));
    assert(capture->inputs);
    capture->merging = file_count > 1;
    if (capture->merging)
        merge_init(&capture->merge, file_count, merge_window_size(file_count));
    if (!open_entries(capture, capture->merging ? WINDOW_SIZE_MIN : WINDOW_SIZE_MAX, fault)) {
        capture_close(capture);
        return false;
    }
    begin_reading(capture);
    *opened = capture;
    return true;
}

void capture_close(struct capture *capture)
{
    if (!capture)
        return;
    for (size_t i = 0; i < capture->input_count; i++)
        input_close(capture->inputs[i]);
    fetcher_free(capture->shared.fetcher);
    parts_free(&capture->parts);
    if (capture->merging)
        merge_free(&capture->merge);
    free(capture->inputs);
    path_list_free(&capture->paths);
    free(capture);
}

/* ---- reading ---- */

static bool in_range(const struct capture_options *options, int64_t time_ns)
{
    return (options->since_ns == TIME_UNKNOWN || time_ns >= options->since_ns) &&
           (options->until_ns == TIME_UNKNOWN || time_ns < options->until_ns);
}

/* The snap length as frames show it, since tools that cut frames later leave the file's header as
 * it was. */
static void count_cut(struct capture_quality *quality, const struct frame *frame)
{
    quality->frames_cut++;
    if (!quality->smallest_snap || frame->captured_size < quality->smallest_snap)
        quality->smallest_snap = frame->captured_size ? frame->captured_size : 1;
}

/* Numbers and counts the frames of a batch, and closes up over those outside the time range. */
static size_t accept(struct capture *capture, struct frame *frames, size_t count)
{
    struct capture_quality *quality = &capture->quality;
    struct span span = capture->span;
    uint64_t bytes = 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct frame *frame = &frames[i];
        bool counts = in_range(&capture->options, frame->time_ns);
        frame->number = capture->last_number += 1 + frame->number;
        bytes += frame->captured_size;
        if (frame->captured_size < frame->original_size)
            count_cut(quality, frame);
        span_take(&span, frame->time_ns, counts);
        if (!counts) {
            quality->skipped[SKIP_FILTERED]++;
            continue;
        }
        if (kept != i)
            frames[kept] = *frame;
        kept++;
    }
    quality->frames += count;
    quality->bytes += bytes;
    capture->span = span;
    return kept;
}

size_t capture_next(struct capture *capture, struct frame *frames, size_t max)
{
    assert(max > 0 && max <= CAPTURE_BATCH_MAX);
    parts_free(&capture->parts); /* over, or not wanted */
    for (;;) {
        size_t count = capture->merging ? merge_next(&capture->merge, frames, max)
                                        : input_next(capture->inputs[0], frames, max);
        if (!count)
            return 0;
        size_t kept = accept(capture, frames, count);
        if (kept)
            return kept;
    }
}

bool capture_has_parts(const struct capture *capture)
{
    return parts_are_read(&capture->parts);
}

bool capture_read_part(struct capture *capture, uint64_t number, struct capture_part *part,
                       const struct frame **frames, size_t *count)
{
    bool is_there = parts_take(&capture->parts, number, part);
    *frames = part->frames;
    *count = is_there ? accept(capture, part->frames, part->frame_count) : 0;
    parts_pass(&capture->parts);
    return is_there;
}

/* ---- what is known ---- */

/* A name that leaves room for what is said about it. */
static const char *short_name(const char *path)
{
    enum { LONGEST = 100 };
    const char *slash = strrchr(path, '/');
    if (strcmp(path, "-") == 0)
        return "standard input";
    return strlen(path) > LONGEST && slash ? slash + 1 : path;
}

/* "b.pcap: packet 17 at byte 4711 ...; 2 more files are damaged" */
static void tell_damage(const struct capture *capture, struct capture_quality *quality)
{
    const struct capture_file *first = NULL;
    size_t further = 0;
    for (size_t i = 0; i < capture->input_count; i++) {
        const struct capture_file *facts = &capture->inputs[i]->facts;
        if (facts->truncated && first)
            further++;
        else if (facts->truncated)
            first = facts;
    }
    if (!first)
        return;
    quality->truncated = true;
    if (quality->damage[0])
        return;
    char more[48] = "";
    if (further)
        snprintf(more, sizeof more, "; %zu more %s damaged", further,
                 further == 1 ? "file is" : "files are");
    struct text text = text_over(quality->damage, sizeof quality->damage - strlen(more));
    text_format(&text, "%s: ", short_name(first->path));
    text_add(&text, first->damage);
    text = text_over(quality->damage + strlen(quality->damage), sizeof more);
    text_add(&text, more);
}

static void add_snap(uint32_t snap, struct capture_quality *quality)
{
    if (snap && (!quality->smallest_snap || snap < quality->smallest_snap))
        quality->smallest_snap = snap;
}

static void add_input_quality(const struct input *input, struct capture_quality *quality)
{
    quality->dropped_kernel += input->drops.kernel;
    quality->dropped_interface += input->drops.interface;
    quality->drops_known |= input->drops.known;
    add_snap(input->smallest_snap, quality);
}

void capture_quality_of(const struct capture *capture, struct capture_quality *quality)
{
    const struct capture_quality *own = &capture->quality;
    span_tell(&capture->span, quality);
    quality->frames += own->frames;
    quality->bytes += own->bytes;
    quality->frames_cut += own->frames_cut;
    add_snap(own->smallest_snap, quality);
    quality->skipped[SKIP_FILTERED] += own->skipped[SKIP_FILTERED];
    for (size_t i = 0; i < capture->input_count; i++)
        add_input_quality(capture->inputs[i], quality);
    tell_damage(capture, quality);
}

size_t capture_file_count(const struct capture *capture)
{
    return capture->input_count;
}

const struct capture_file *capture_file_at(const struct capture *capture, size_t index)
{
    assert(index < capture->input_count);
    return &capture->inputs[index]->facts;
}

void capture_progress(const struct capture *capture, uint64_t *done, uint64_t *total)
{
    bool total_known = true;
    *done = *total = 0;
    for (size_t i = 0; i < capture->input_count; i++) {
        const struct input *input = capture->inputs[i];
        *done += parts_are_read(&capture->parts) ? parts_stored_read(&capture->parts)
                                                 : input_stored_read(input);
        *total += input->facts.stored_size;
        total_known &= input->facts.stored_size != 0;
    }
    if (!total_known)
        *total = 0;
}
