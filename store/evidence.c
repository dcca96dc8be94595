/* Evidence to JSON: frames, reasoning, limits.
 *
 * Deliberately adds no sentence of its own: what a finding says is detect/'s work, what the report
 * says report/'s. */
#include "evidence.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"

/* Sentences hold names off the wire. They are printable UTF-8 already; where one is not after all,
 * it is made so rather than lost. */
static json_t *sentence(const char *text)
{
    json_t *string = json_string(text);
    if (string)
        return string;
    char printable[4 * FINDING_REASONING_SIZE];
    text_printable(printable, sizeof printable, (const uint8_t *)text, strlen(text));
    return json_string(printable);
}

static json_t *frame_object(const struct finding_frame *frame)
{
    char time[CLOCK_TEXT_SIZE];
    json_t *object = json_object();
    json_object_set_new(object, "number", json_integer((json_int_t)frame->number));
    if (frame->time_ns != TIME_UNKNOWN) {
        json_object_set_new(object, "time", json_string(clock_text(frame->time_ns, time)));
        json_object_set_new(object, "time_ns", json_integer(frame->time_ns));
    }
    json_object_set_new(object, "shows", sentence(frame->shows));
    return object;
}

char *evidence_text(const struct finding *finding)
{
    json_t *object = json_object();
    json_t *frames = json_array();
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++)
        json_array_append_new(frames, frame_object(&finding->frames[i]));
    json_object_set_new(object, "frames", frames);
    json_object_set_new(object, "reasoning", sentence(finding->reasoning));
    if (finding->limits[0] != '\0')
        json_object_set_new(object, "limits", sentence(finding->limits));
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

void evidence_free(char *text)
{
    free(text);
}
