/* Putting values into a nested JSON object by their dotted name.
 *
 * Private to feed/. What is not known is left out: a NULL string, a negative integer. */
#ifndef APNSCOPE_FEED_ECS_PUT_H
#define APNSCOPE_FEED_ECS_PUT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/address.h"

/* "source.ip" is the member "ip" of the member "source", which is made where it is not there. Takes
 * the value over; NULL is left out. */
void ecs_put(json_t *object, const char *name, json_t *value);
void ecs_put_text(json_t *object, const char *name, const char *text); /* NULL and "": left out */
void ecs_put_count(json_t *object, const char *name, uint64_t count);
void ecs_put_integer(json_t *object, const char *name, int64_t value); /* negative: left out */
void ecs_put_bool(json_t *object, const char *name, bool value);
void ecs_put_time(json_t *object, const char *name, int64_t time_ns); /* TIME_UNKNOWN: left out */
void ecs_put_address(json_t *object, const char *name, const struct address *address);
void ecs_put_mac(json_t *object, const char *name, const uint8_t mac[6], bool is_known);
/* One word as the array that ECS wants of event.category and event.type; up to two words. */
void ecs_put_words(json_t *object, const char *name, const char *first, const char *second);

#endif
