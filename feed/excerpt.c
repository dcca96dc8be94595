/* The packets behind a finding, from the ring to a file.
 *
 * See excerpt.h; the live counterpart of `apnscope extract`. Whole sessions are taken, so that the
 * excerpt can be judged again as the capture was. Deliberately cuts nothing out of a packet. */
#include "excerpt.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "capture/pcapng_writer.h"

/* What a device tried before the fault (a fallback follows within 60 s), and did after it. */
#define BEFORE_NS (120 * NS_PER_S)
#define AFTER_NS  (120 * NS_PER_S)

enum { EXCERPT_SIZE_MAX = 16 << 20, COMMENT_SIZE = 1024 };

struct choice {
    struct excerpt_plan *plan;
    const struct ring *ring;
    const struct finding *finding;
    bool is_proof; /* this round takes sessions with proving frames, the next one the others */
    size_t size;
};

/* ---- which sessions ---- */

static bool is_at_the_time(const struct finding *finding, const struct ring_session *session)
{
    int64_t from_ns = finding->first_ns - BEFORE_NS, until_ns = finding->last_ns + AFTER_NS;
    if (finding->first_ns == TIME_UNKNOWN || finding->last_ns == TIME_UNKNOWN)
        return false;
    return session->last_ns >= from_ns && session->first_ns <= until_ns;
}

static bool is_of_whom_it_is_about(const struct finding *finding,
                                   const struct ring_session *session)
{
    const struct ring_key *key = &session->key;
    if (!address_is_unspecified(&finding->client_ip))
        return address_equal(&key->end[0], &finding->client_ip) ||
               address_equal(&key->end[1], &finding->client_ip);
    return finding->scope == SCOPE_SITE && finding->server_port &&
           (key->port[0] == finding->server_port || key->port[1] == finding->server_port);
}

static bool is_proof(const struct finding *finding, uint64_t frame)
{
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++)
        if (finding->frames[i].number == frame)
            return true;
    return false;
}

struct search {
    const struct finding *finding;
    bool found;
};

static void look_for_proof(void *context, const struct ring_place *place)
{
    struct search *search = (struct search *)context;
    search->found = search->found || is_proof(search->finding, place->frame);
}

static bool holds_proof(const struct choice *choice, uint32_t number,
                        const struct ring_session *session)
{
    const struct finding *finding = choice->finding;
    struct search search = {.finding = finding};
    bool may = false;
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++)
        may = may || (finding->frames[i].number >= session->first_frame &&
                      finding->frames[i].number <= session->last_frame);
    if (may)
        ring_frames(choice->ring, number, &search, look_for_proof);
    return search.found;
}

static void add_place(void *context, const struct ring_place *place)
{
    struct choice *choice = (struct choice *)context;
    struct excerpt_plan *plan = choice->plan;
    if (plan->count == plan->room) {
        plan->room = plan->room ? 2 * plan->room : 256;
        plan->places =
            (struct ring_place *)realloc(plan->places, plan->room * sizeof *plan->places);
        assert(plan->places);
    }
    plan->places[plan->count++] = *place;
    plan->proofs += is_proof(choice->finding, place->frame);
}

static void consider(void *context, uint32_t number, const struct ring_session *session)
{
    struct choice *choice = (struct choice *)context;
    bool has_proof = holds_proof(choice, number, session);
    bool is_wanted = choice->is_proof
                         ? has_proof
                         : !has_proof && is_of_whom_it_is_about(choice->finding, session) &&
                               is_at_the_time(choice->finding, session);
    if (!is_wanted || choice->size + session->size > EXCERPT_SIZE_MAX)
        return;
    choice->size += session->size;
    ring_frames(choice->ring, number, choice, add_place);
}

static int by_frame(const void *a, const void *b)
{
    uint64_t left = ((const struct ring_place *)a)->frame;
    uint64_t right = ((const struct ring_place *)b)->frame;
    return (left > right) - (left < right);
}

void excerpt_choose(struct excerpt_plan *plan, const struct ring *ring,
                    const struct finding *finding)
{
    struct choice choice = {.plan = plan, .ring = ring, .finding = finding, .is_proof = true};
    *plan = (struct excerpt_plan){0};
    ring_each(ring, &choice, consider);
    choice.is_proof = false;
    ring_each(ring, &choice, consider);
    if (plan->count)
        qsort(plan->places, plan->count, sizeof *plan->places, by_frame);
}

void excerpt_free(struct excerpt_plan *plan)
{
    free(plan->places);
    *plan = (struct excerpt_plan){0};
}

/* ---- writing ---- */

/* What the frame shows; NULL: it proves nothing. The same words as `apnscope extract` uses. */
static const char *comment_on(const struct finding *finding, uint64_t frame,
                              char comment[COMMENT_SIZE])
{
    struct text text = text_over(comment, COMMENT_SIZE);
    for (size_t i = 0; i < finding->frame_count && i < FINDING_FRAMES_MAX; i++)
        if (finding->frames[i].number == frame)
            text_format(&text,
                        "%sapnscope, finding %" PRIu64 " (%s): %s [frame %" PRIu64 " of the run]",
                        text.length ? "; " : "", finding->number, finding->code,
                        finding->frames[i].shows, frame);
    return text.length ? comment : NULL;
}

static void begin(struct pcapng_writer *writer, FILE *file, const struct feed_origin *origin,
                  const struct finding *finding)
{
    char comment[COMMENT_SIZE], application[64], time[CLOCK_TEXT_SIZE];
    struct text text = text_over(comment, sizeof comment);
    text_format(&text,
                "%s (%s, %s): %s\nSeen live on %s%s%s since %s; of each session its first "
                "and its latest packets.",
                finding->code, severity_name(finding->severity),
                confidence_name(finding->confidence), finding->summary, origin->interfaces,
                origin->sensor ? " by " : "", origin->sensor ? origin->sensor : "",
                clock_text(origin->began_ns, time));
    struct text name = text_over(application, sizeof application);
    text_format(&name, "apnscope %s", origin->version);
    pcapng_writer_begin(writer, file, application, comment);
}

void excerpt_write(FILE *file, const struct excerpt_plan *plan, const struct ring *ring,
                   const struct feed_origin *origin, const struct finding *finding)
{
    struct pcapng_writer writer;
    char comment[COMMENT_SIZE];
    uint8_t *buffer = NULL;
    size_t buffer_size = 0;
    begin(&writer, file, origin, finding);
    for (size_t i = 0; i < plan->count; i++) {
        struct frame frame = ring_read(ring, &plan->places[i], &buffer, &buffer_size);
        pcapng_writer_put(&writer, &frame, comment_on(finding, frame.number, comment));
    }
    free(buffer);
}
