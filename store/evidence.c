/* Evidence to JSON: frames, reasoning, the block, limits.
 *
 * Sentences are ASCII without quotes nearly always, and copied; Jansson writes those that are not.
 * It does not build the whole object, because that took longer than writing the row. Deliberately
 * adds no sentence of its own: what a finding says is detect/'s work, what the report says
 * report/'s. */
#include "evidence.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"

/* Names off the wire are printable UTF-8 already; where one is not after all, it is made so rather
 * than lost. */
static json_t *string_of(const char *sentence)
{
    json_t *string = json_string(sentence);
    if (string)
        return string;
    char printable[4 * FINDING_REASONING_SIZE];
    text_printable(printable, sizeof printable, (const uint8_t *)sentence, strlen(sentence));
    return json_string(printable);
}

static void put_escaped(struct text *out, const char *sentence)
{
    json_t *string = string_of(sentence);
    char *escaped = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    text_add(out, escaped ? escaped : "null"); /* memory is short */
    free(escaped);
    json_decref(string);
}

/* RFC 8259 section 7: no quotation mark, no backslash, no control character. */
static bool is_plain(const char *sentence)
{
    for (; *sentence; sentence++)
        if (*sentence < ' ' || *sentence > '~' || *sentence == '"' || *sentence == '\\')
            return false;
    return true;
}

static void put_sentence(struct text *out, const char *sentence)
{
    if (!is_plain(sentence)) {
        put_escaped(out, sentence);
        return;
    }
    text_add(out, "\"");
    text_add(out, sentence);
    text_add(out, "\"");
}

static void put_frame(struct text *out, const struct finding_frame *frame)
{
    char time[CLOCK_TEXT_SIZE];
    text_format(out, "{\"number\":%llu,", (unsigned long long)frame->number);
    if (frame->time_ns != TIME_UNKNOWN)
        text_format(out, "\"time\":\"%s\",\"time_ns\":%lld,", clock_text(frame->time_ns, time),
                    (long long)frame->time_ns);
    text_add(out, "\"shows\":");
    put_sentence(out, frame->shows);
    text_add(out, "}");
}

static void put_block(struct text *out, const struct finding *finding)
{
    const uint8_t *mac = finding->blocker_mac;
    text_format(out, ",\"block\":{\"kind\":\"%s\"", block_kind_name(finding->kind));
    if (finding->side != SIDE_NONE) {
        text_format(out, ",\"side\":\"%s\",\"place\":", side_name(finding->side));
        put_sentence(out, finding->place);
    }
    if (finding->has_blocker_mac)
        text_format(out, ",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2],
                    mac[3], mac[4], mac[5]);
    text_add(out, "}");
}

const char *evidence_text(const struct finding *finding, char text[EVIDENCE_TEXT_SIZE])
{
    struct text out = text_over(text, EVIDENCE_TEXT_SIZE);
    text_add(&out, "{\"frames\":[");
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++) {
        text_add(&out, i ? "," : "");
        put_frame(&out, &finding->frames[i]);
    }
    text_add(&out, "],\"reasoning\":");
    put_sentence(&out, finding->reasoning);
    if (finding->kind != BLOCK_NONE)
        put_block(&out, finding);
    if (finding->limits[0] != '\0') {
        text_add(&out, ",\"limits\":");
        put_sentence(&out, finding->limits);
    }
    text_add(&out, "}");
    assert(!out.cut);
    return text;
}
