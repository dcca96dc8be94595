/* Names of events, for logs and tests.
 *
 * Of model/. Deliberately no more than the table: what an event means is in model/event.def. */
#include "model/event.h"

#include <assert.h>

static const char *const event_names[EVENT_COUNT] = {
#define EVENT(constant, name, meaning) [constant] = name,
#include "model/event.def"
#undef EVENT
};

const char *event_name(enum event_kind kind)
{
    assert((unsigned)kind < EVENT_COUNT);
    return event_names[kind];
}
