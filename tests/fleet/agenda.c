/* A binary heap of appointments. Of tests/fleet. Deliberately knows nothing of what they are for. */
#include "agenda.h"

#include <stdlib.h>

#include "support/bytes.h"

static bool sooner(const struct appointment *a, const struct appointment *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void swap(struct appointment *a, struct appointment *b)
{
    struct appointment kept = *a;
    *a = *b;
    *b = kept;
}

void agenda_add(struct agenda *agenda, const struct appointment *appointment)
{
    if (agenda->count == agenda->room) {
        agenda->room = agenda->room ? 2 * agenda->room : 1024;
        agenda->heap = support_reallocate(agenda->heap, agenda->room * sizeof *agenda->heap);
    }
    size_t at = agenda->count++;
    agenda->heap[at] = *appointment;
    agenda->heap[at].order = agenda->orders++;
    while (at > 0 && sooner(&agenda->heap[at], &agenda->heap[(at - 1) / 2])) {
        swap(&agenda->heap[at], &agenda->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

bool agenda_due(const struct agenda *agenda, int64_t now_ns)
{
    return agenda->count && agenda->heap[0].at_ns <= now_ns;
}

bool agenda_next(struct agenda *agenda, struct appointment *appointment)
{
    if (!agenda->count)
        return false;
    *appointment = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < agenda->count; child++)
            if (sooner(&agenda->heap[child], &agenda->heap[least]))
                least = child;
        if (least == at)
            return true;
        swap(&agenda->heap[at], &agenda->heap[least]);
        at = least;
    }
}

void agenda_free(struct agenda *agenda)
{
    free(agenda->heap);
    *agenda = (struct agenda){0};
}
