/* Dotted names to nested objects.
 *
 * See ecs_put.h. Strings from the wire were made printable when they were read; one that is not
 * UTF-8 after all is made so here rather than lost. Deliberately knows no field. */
#include "ecs_put.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { NAME_SIZE = 64, PRINTABLE_SIZE = 4096 };

static json_t *member(json_t *object, const char *name)
{
    json_t *inner = json_object_get(object, name);
    if (inner)
        return inner;
    inner = json_object();
    json_object_set_new(object, name, inner);
    return inner;
}

void ecs_put(json_t *object, const char *name, json_t *value)
{
    char part[NAME_SIZE];
    const char *dot;
    if (!value)
        return;
    while ((dot = strchr(name, '.')) != NULL) {
        assert((size_t)(dot - name) < sizeof part);
        memcpy(part, name, (size_t)(dot - name));
        part[dot - name] = '\0';
        object = member(object, part);
        name = dot + 1;
    }
    json_object_set_new(object, name, value);
}

void ecs_put_text(json_t *object, const char *name, const char *text)
{
    char printable[PRINTABLE_SIZE];
    if (!text || !*text)
        return;
    json_t *value = json_string(text);
    if (!value) {
        text_printable(printable, sizeof printable, (const uint8_t *)text, strlen(text));
        value = json_string(printable);
    }
    ecs_put(object, name, value);
}

void ecs_put_count(json_t *object, const char *name, uint64_t count)
{
    ecs_put(object, name, json_integer((json_int_t)(count > INT64_MAX ? INT64_MAX : count)));
}

void ecs_put_integer(json_t *object, const char *name, int64_t value)
{
    if (value >= 0)
        ecs_put(object, name, json_integer(value));
}

void ecs_put_bool(json_t *object, const char *name, bool value)
{
    ecs_put(object, name, json_boolean(value));
}

void ecs_put_time(json_t *object, const char *name, int64_t time_ns)
{
    char time[CLOCK_TEXT_SIZE];
    if (time_ns != TIME_UNKNOWN)
        ecs_put_text(object, name, clock_text(time_ns, time));
}

void ecs_put_address(json_t *object, const char *name, const struct address *address)
{
    char text[ADDRESS_TEXT_SIZE];
    if (!address_is_unspecified(address))
        ecs_put_text(object, name, address_text(address, text));
}

/* ECS writes MAC addresses as RFC 7042 does: capitals and hyphens. */
void ecs_put_mac(json_t *object, const char *name, const uint8_t mac[6], bool is_known)
{
    char text[MAC_TEXT_SIZE];
    if (!is_known)
        return;
    snprintf(text, sizeof text, "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2], mac[3],
             mac[4], mac[5]);
    ecs_put_text(object, name, text);
}

void ecs_put_words(json_t *object, const char *name, const char *first, const char *second)
{
    json_t *words = json_array();
    json_array_append_new(words, json_string(first));
    if (second)
        json_array_append_new(words, json_string(second));
    ecs_put(object, name, words);
}
