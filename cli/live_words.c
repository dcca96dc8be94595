/* Sentences about a live run.
 *
 * See live_words.h. A trouble is told when it comes and when it is over, not each second; what it
 * cost is in the counters. */
#include "live_words.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/count.h"

static void tell_successor(struct live_words *words, const struct live_statistics *interface,
                           size_t index)
{
    if (interface->successors != words->successors[index])
        speaker_say(&words->speaker,
                    "%s was replaced by another interface of that name: captured on from now "
                    "(for the %u. time); what passed in between is missing",
                    interface->interface, interface->successors);
    if (interface->refuses_successor && !words->refusal_told[index])
        speaker_say(&words->speaker,
                    "%s is there again, as another interface that this run cannot take up%s: it "
                    "ends, to be started again",
                    interface->interface, interface->workers > 1 ? " (with several workers)" : "");
    words->successors[index] = interface->successors;
    words->refusal_told[index] = interface->refuses_successor;
}

static void tell_interface(struct live_words *words, const struct live_statistics *interface,
                           bool *was_down)
{
    if (interface->is_down == *was_down)
        return;
    *was_down = interface->is_down;
    if (!interface->is_down)
        speaker_say(&words->speaker, "%s is back", interface->interface);
    else if (interface->is_gone)
        speaker_say(&words->speaker, "%s is gone: %s; waiting for one of that name",
                    interface->interface, interface->trouble);
    else
        speaker_say(&words->speaker, "%s went down: %s; waiting for it to come back",
                    interface->interface, interface->trouble);
}

static void tell_store(struct live_words *words, const struct store_state *store)
{
    if (store->dropped && !words->drops_told) {
        words->drops_told = true;
        speaker_say(&words->speaker,
                    "rows are lost: there is no more room for those that wait for the database");
    }
    if (strcmp(store->trouble, words->store_trouble) == 0)
        return;
    snprintf(words->store_trouble, sizeof words->store_trouble, "%s", store->trouble);
    if (store->trouble[0])
        speaker_say(&words->speaker,
                    "the database cannot be written: %s; capture goes on, rows wait",
                    store->trouble);
    else
        speaker_say(&words->speaker, "the database can be written again");
}

/* Packets that wait are late by seconds; those of another clock by more, or early. */
static void tell_clock(struct live_words *words, const struct feed_report *report)
{
    char ahead[DURATION_TEXT_SIZE];
    const int64_t early_ns = NS_PER_S, late_ns = 3600 * NS_PER_S;
    int64_t lag_ns = report->lag_ns;
    if (words->clock_told || (lag_ns > -early_ns && lag_ns < late_ns))
        return;
    words->clock_told = true;
    speaker_say(&words->speaker,
                "packets are stamped by a clock that is %s %s this machine's: set it (phc2sys), or "
                "use --time-stamps host",
                duration_text(lag_ns < 0 ? -lag_ns : lag_ns, ahead),
                lag_ns < 0 ? "ahead of" : "behind");
}

void live_words_changes(struct live_words *words, const struct feed_report *report)
{
    tell_clock(words, report);
    for (size_t i = 0; i < report->interface_count; i++) {
        tell_successor(words, &report->interfaces[i], i);
        tell_interface(words, &report->interfaces[i], &words->is_down[i]);
    }
    tell_store(words, &report->store);
}

static void state_of_interface(const struct live_words *words,
                               const struct live_statistics *interface)
{
    if (interface->workers > 1)
        speaker_say(&words->speaker, "%s: %u workers, the busiest took %s of interest",
                    interface->interface, interface->workers,
                    COUNTED(interface->busiest, "packet"));
    speaker_say(&words->speaker,
                "%s: %s received, %s of interest, dropped by kernel %s, interface %s, apnscope %s; "
                "queue %s of %s bytes%s%s",
                interface->interface, COUNTED(interface->received, "packet"),
                DIGITS(interface->matched), DIGITS(interface->dropped_kernel),
                DIGITS(interface->dropped_interface), DIGITS(interface->dropped_queue),
                DIGITS(interface->queue_waiting), DIGITS(interface->queue_size),
                interface->is_down ? "; " : "", interface->is_down ? interface->trouble : "");
}

void live_words_state(const struct live_words *words, const struct feed_report *report)
{
    char uptime[DURATION_TEXT_SIZE], lag[DURATION_TEXT_SIZE];
    uint64_t ended = 0;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        ended += report->ended[i];
    speaker_say(&words->speaker,
                "running for %s: %s taken, %s open, %s over, findings: %s fail, %s warn; lag %s",
                duration_text(report->now_ns - report->began_ns, uptime),
                COUNTED(report->quality.frames, "packet"),
                COUNTED(report->open_sessions, "session"), DIGITS(ended),
                DIGITS(report->findings[SEVERITY_FAIL]), DIGITS(report->findings[SEVERITY_WARN]),
                duration_text(report->lag_ns > 0 ? report->lag_ns : 0, lag));
    for (size_t i = 0; i < report->interface_count; i++)
        state_of_interface(words, &report->interfaces[i]);
    speaker_say(&words->speaker, "database: %s handed over, %s lost, %s bytes wait%s%s",
                COUNTED(report->store.offered, "row"), DIGITS(report->store.dropped),
                DIGITS(report->store.waiting), report->store.trouble[0] ? "; " : "",
                report->store.trouble);
}
