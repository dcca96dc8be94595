/* The evidence of a finding, from the JSON that the store keeps.
 *
 * Beside the view: used for the findings that are shown in full. Deliberately forgiving: members
 * that are missing or of another type are left empty, since a database may be older or damaged. */
#include "evidence.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "report/frames.h"

static char *string_member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    char *own = strdup(value ? value : "");
    assert(own);
    return own;
}

static void read_frame(struct view_evidence *evidence, const json_t *item)
{
    const json_t *number = json_object_get(item, "frame");
    const json_t *time_ns = json_object_get(item, "time_ns");
    if (!number)
        number = json_object_get(item, "number");
    if (!json_is_integer(number) || evidence->frame_count == EVIDENCE_FRAMES_MAX)
        return;
    evidence->frames[evidence->frame_count++] = (struct view_frame){
        .number = json_integer_value(number),
        .time_ns = json_is_integer(time_ns) ? json_integer_value(time_ns) : TIME_UNKNOWN,
        .shows = string_member(item, "shows")};
}

void view_evidence_read(struct view_evidence *evidence, const char *json)
{
    *evidence = (struct view_evidence){0};
    json_t *document = json ? json_loads(json, JSON_ALLOW_NUL, NULL) : NULL;
    evidence->reasoning = string_member(document, "reasoning");
    evidence->limits = string_member(document, "limits");
    const json_t *block = json_object_get(document, "block");
    evidence->kind = string_member(block, "kind");
    evidence->side = string_member(block, "side");
    evidence->place = string_member(block, "place");
    evidence->mac = string_member(block, "mac");
    const json_t *frames = json_object_get(document, "frames");
    for (size_t i = 0; i < json_array_size(frames); i++)
        read_frame(evidence, json_array_get(frames, i));
    json_decref(document);
}

void view_evidence_free(struct view_evidence *evidence)
{
    free(evidence->reasoning);
    free(evidence->limits);
    free(evidence->kind);
    free(evidence->side);
    free(evidence->place);
    free(evidence->mac);
    for (size_t i = 0; i < evidence->frame_count; i++)
        free(evidence->frames[i].shows);
    *evidence = (struct view_evidence){0};
}

void report_each_frame(const char *json,
                       void (*each)(void *context, int64_t frame, const char *shows), void *context)
{
    struct view_evidence evidence;
    view_evidence_read(&evidence, json);
    for (size_t i = 0; i < evidence.frame_count; i++)
        each(context, evidence.frames[i].number, evidence.frames[i].shows);
    view_evidence_free(&evidence);
}
