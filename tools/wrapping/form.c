/* The table of forms, and how a specification is carried out.
 *
 * See wrapping.h and form.h. */
#include "form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LINK_ETHERNET = 1, PARTS_MAX = 9999, WORD_MAX = 64, PATH_SIZE = 4096 };

#define GROUP(heading) {.facts = {.group = heading}},
#define LAYERS(name, link, loses, what, ...)                                                       \
    {.facts = {name, NULL, what, loses}, .link_type = link, .layers = {__VA_ARGS__}},
#define FRAMES(name, loses, what, function, number)                                                \
    {.facts = {name, NULL, what, loses}, .change = function, .argument = number},
#define FORMAT(name, what, function, style)                                                        \
    {.facts = {name, NULL, what, 0}, .build = function, .argument = style},
#define PARTS(name, loses, what, function, count)                                                  \
    {.facts = {name, NULL, what, loses}, .part = function, .argument = count},
#define COMPRESSED(name, what, function, members, ending)                                          \
    {.facts = {name, NULL, what, 0}, .compress = function, .argument = members, .suffix = ending},
static const struct form rows[] = {
#include "form.def"
};
#undef GROUP
#undef LAYERS
#undef FRAMES
#undef FORMAT
#undef PARTS
#undef COMPRESSED

enum { ROW_COUNT = sizeof rows / sizeof *rows };

size_t wrap_form_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++)
        count += rows[i].facts.name != NULL;
    return count;
}

struct wrap_form wrap_form_at(size_t index)
{
    const char *group = NULL;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (!rows[i].facts.name) {
            group = rows[i].facts.group;
        } else if (index-- == 0) {
            struct wrap_form facts = rows[i].facts;
            facts.group = group;
            return facts;
        }
    }
    return (struct wrap_form){0};
}

const struct form *form_find(const char *name, size_t length, uint32_t *argument)
{
    const char *equals = memchr(name, '=', length);
    size_t name_length = equals ? (size_t)(equals - name) : length;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        const char *own = rows[i].facts.name;
        if (!own || strlen(own) != name_length || strncmp(own, name, name_length) != 0)
            continue;
        *argument = rows[i].argument;
        if (!equals)
            return &rows[i];
        char *end;
        unsigned long number = strtoul(equals + 1, &end, 10);
        bool takes_number = rows[i].change || rows[i].part;
        if (!takes_number || end != name + length || number < 1 || number > PARTS_MAX)
            return NULL;
        *argument = (*argument & FRAGMENT_REVERSED) | (uint32_t)number;
        return &rows[i];
    }
    return NULL;
}

/* ---- lists of frames ---- */

void wrap_frames_add(struct wrap_frames *frames, const struct wrap_frame *frame)
{
    if (frames->count == frames->room) {
        frames->room = frames->room ? 2 * frames->room : 64;
        frames->items = support_reallocate(frames->items, frames->room * sizeof *frames->items);
    }
    struct wrap_frame *added = &frames->items[frames->count++];
    *added = *frame;
    added->bytes = support_allocate(frame->captured_size + 1U);
    if (frame->captured_size)
        memcpy(added->bytes, frame->bytes, frame->captured_size);
}

void wrap_frames_free(struct wrap_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        free(frames->items[i].bytes);
    free(frames->items);
    *frames = (struct wrap_frames){0};
}

static bool put_layers(const struct form *form, struct parcel *parcel)
{
    for (size_t i = 0; i < LAYERS_MAX && form->layers[i].put; i++)
        if (!form->layers[i].put(parcel, form->layers[i].argument))
            return false;
    return true;
}

void form_wrap(const struct form *form, const struct wrap_frames *in, struct wrap_frames *out)
{
    for (size_t i = 0; i < in->count; i++) {
        struct parcel parcel;
        struct wrap_frame frame = in->items[i];
        bool opened = parcel_open(&parcel, &frame, (uint32_t)i);
        if (opened && put_layers(form, &parcel)) {
            frame.bytes = parcel.bytes.at;
            frame.captured_size = (uint32_t)parcel.bytes.size;
            frame.original_size = parcel.wire;
            frame.link_type = form->link_type;
            wrap_frames_add(out, &frame);
        } else if (frame.link_type == form->link_type) {
            wrap_frames_add(out, &frame);
        }
        if (opened)
            parcel_close(&parcel);
    }
}

/* ---- a specification ---- */

/* What is done with the frames once they have their last shape. */
struct plan {
    struct wrap_frames frames;
    file_build build; /* NULL: the simplest that can hold the frames */
    uint32_t style;
    file_part part; /* NULL: one file */
    uint32_t parts;
    const struct form *compression; /* NULL: none */
};

static void take_form(struct plan *plan, const struct form *form, uint32_t argument)
{
    struct wrap_frames out = {0};
    if (form->build) {
        plan->build = form->build;
        plan->style = argument;
    } else if (form->part) {
        plan->part = form->part;
        plan->parts = argument;
    } else if (form->compress) {
        plan->compression = form;
    } else {
        if (form->change)
            form->change(&plan->frames, argument, &out);
        else
            form_wrap(form, &plan->frames, &out);
        wrap_frames_free(&plan->frames);
        plan->frames = out;
    }
}

static bool take_specification(struct plan *plan, const char *specification, struct fault *fault)
{
    while (*specification) {
        uint32_t argument;
        size_t length = strcspn(specification, ",");
        const struct form *form = form_find(specification, length, &argument);
        if (!form)
            return fault_set(fault, "%.*s is not a form; see tools/wrap --list", (int)length,
                             specification);
        take_form(plan, form, argument);
        specification += length + (specification[length] == ',');
    }
    return true;
}

static bool write_bytes(const char *path, const struct bytes *bytes, struct fault *fault)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes->at, 1, bytes->size, file) == bytes->size;
    if (file && fclose(file) != 0)
        good = false;
    return good ? true : fault_set(fault, "%s: cannot be written: %s", path, strerror(errno));
}

/* Each member is compressed by itself; readers join them. */
static void compress_members(const struct form *form, struct bytes *file)
{
    struct bytes out = {0};
    size_t size = file->size / form->argument;
    for (uint32_t i = 0; i < form->argument; i++) {
        bool is_last = i + 1 == form->argument;
        form->compress(file->at + i * size, is_last ? file->size - i * size : size, &out);
    }
    bytes_free(file);
    *file = out;
}

static file_build simplest_format(const struct wrap_frames *frames)
{
    for (size_t i = 1; i < frames->count; i++)
        if (frames->items[i].link_type != frames->items[0].link_type)
            return build_pcapng;
    return build_pcap;
}

static bool write_file(const struct plan *plan, const struct wrap_frames *frames, const char *path,
                       struct fault *fault)
{
    struct bytes file = {0};
    file_build build = plan->build ? plan->build : simplest_format(frames);
    bool good = build(frames, plan->style, &file);
    if (!good)
        fault_set(fault,
                  "%s: this kind of file cannot hold these frames: one link type, Ethernet "
                  "for snoop and ERF",
                  path);
    if (good && plan->compression)
        compress_members(plan->compression, &file);
    good = good && write_bytes(path, &file, fault);
    bytes_free(&file);
    return good;
}

static bool write_part(const struct plan *plan, uint32_t part, const char *folder,
                       struct fault *fault)
{
    struct wrap_frames frames = {0};
    char path[PATH_SIZE];
    for (size_t i = 0; i < plan->frames.count; i++)
        if (plan->part(&plan->frames, i, plan->parts) == part)
            wrap_frames_add(&frames, &plan->frames.items[i]);
    snprintf(path, sizeof path, "%s/part-%04u%s", folder, part + 1,
             plan->compression ? plan->compression->suffix : ".pcap");
    bool good = write_file(plan, &frames, path, fault);
    wrap_frames_free(&frames);
    return good;
}

static bool write_plan(const struct plan *plan, const char *path, struct fault *fault)
{
    if (!plan->frames.count)
        return fault_set(fault, "%s: nothing is left to be written in this form", path);
    if (!plan->part)
        return write_file(plan, &plan->frames, path, fault);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return fault_set(fault, "%s: the folder cannot be made: %s", path, strerror(errno));
    for (uint32_t part = 0; part < plan->parts; part++)
        if (!write_part(plan, part, path, fault))
            return false;
    return true;
}

bool wrap_write(const struct wrap_frames *frames, const char *specification, const char *path,
                struct fault *fault)
{
    struct plan plan = {.build = NULL};
    for (size_t i = 0; i < frames->count; i++)
        wrap_frames_add(&plan.frames, &frames->items[i]);
    bool good = take_specification(&plan, specification, fault) && write_plan(&plan, path, fault);
    wrap_frames_free(&plan.frames);
    return good;
}
