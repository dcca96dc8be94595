/* What happens when: appointments in the order of their time.
 *
 * Of tests/fleet. Equal times keep the order in which they were made, so that a fleet is the same
 * on every machine. Deliberately cannot cancel: whoever is called looks whether it still matters. */
#ifndef APNSCOPE_TESTS_FLEET_AGENDA_H
#define APNSCOPE_TESTS_FLEET_AGENDA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct appointment {
    int64_t at_ns;
    uint64_t order;
    void (*keep)(void *subject, const uint64_t detail[3]);
    void *subject;
    uint64_t detail[3];
};

struct agenda {
    struct appointment *heap;
    size_t count;
    size_t room;
    uint64_t orders;
};

void agenda_add(struct agenda *agenda, const struct appointment *appointment);
bool agenda_due(const struct agenda *agenda, int64_t now_ns); /* the first one, by then */
bool agenda_next(struct agenda *agenda, struct appointment *appointment);
void agenda_free(struct agenda *agenda);

#endif
