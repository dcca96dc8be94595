/* Reading in parts: who reads what is known beforehand, who takes frames is in turns.
 *
 * See parts.h. What is left at the end of a part, a piece of a frame, waits in the window's own
 * buffer until the next part takes it to its front. Deliberately never judges what it cannot take:
 * input_next, which goes on where the parts end, has the words for it. */
#include "parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_SIZE = 128 << 10,
    PART_ROOM = 64 << 10, /* for what is left of the part before */
    FRAMES_AT_ONCE = 256,
    /* More than this is not a piece of a frame, but bytes in which no frame can be found. */
    LEFT_MAX = 2 * INPUT_FRAME_SIZE_MAX
};

bool parts_are_possible(const struct input *input)
{
    return !input->ended && input->format->take && source_has_parts(input->source) &&
           input->facts.stored_size >= PARTS_FILE_SIZE_MIN;
}

void parts_begin(struct parts *parts, struct input *input)
{
    uint64_t offset = source_stored_read(input->source);
    assert(offset == window_offset(&input->window) + window_left(&input->window));
    *parts = (struct parts){.input = input, .offset = offset, .read = offset};
    pthread_mutex_init(&parts->lock, NULL);
    pthread_cond_init(&parts->passed, NULL);
}

void parts_free(struct parts *parts)
{
    if (!parts->input)
        return;
    pthread_cond_destroy(&parts->passed);
    pthread_mutex_destroy(&parts->lock);
    parts->input = NULL;
}

struct capture_part *capture_part_new(void)
{
    struct capture_part *part = calloc(1, sizeof *part);
    assert(part);
    part->memory = malloc(PART_ROOM + PART_SIZE);
    assert(part->memory);
    return part;
}

void capture_part_free(struct capture_part *part)
{
    if (!part)
        return;
    free(part->memory);
    free(part->pieced);
    free(part->frames);
    free(part);
}

/* The part's bytes in one piece with what is left of the part before. */
static void join(struct window *window, struct capture_part *part, size_t size)
{
    size_t left = window_left(window);
    uint8_t *block = part->memory + PART_ROOM;
    if (left > PART_ROOM) {
        part->pieced = malloc(left + size);
        assert(part->pieced);
        memcpy(part->pieced + left, block, size);
        block = part->pieced + left;
    }
    window_go_on(window, block, size);
}

static struct frame *room_for_frames(struct capture_part *part)
{
    if (part->frame_room - part->frame_count < FRAMES_AT_ONCE) {
        part->frame_room = 2 * part->frame_room + FRAMES_AT_ONCE;
        part->frames = realloc(part->frames, part->frame_room * sizeof *part->frames);
        assert(part->frames);
    }
    return part->frames + part->frame_count;
}

static void take_frames(struct input *input, struct capture_part *part)
{
    size_t count;
    do {
        struct frame *frames = room_for_frames(part);
        count = input_take(input, frames, part->frame_room - part->frame_count);
        part->frame_count += count;
    } while (count);
}

/* A turn is over in microseconds, sooner than a thread falls asleep and wakes up. */
static bool comes_soon(const struct parts *parts, uint64_t number)
{
    enum { LOOKS = 30000 };
    for (int i = 0; i < LOOKS; i++)
        if (atomic_load_explicit(&parts->turn, memory_order_acquire) == number)
            return true;
    return false;
}

static void await_turn(struct parts *parts, uint64_t number)
{
    if (comes_soon(parts, number))
        return;
    pthread_mutex_lock(&parts->lock);
    atomic_fetch_add(&parts->sleepers, 1);
    while (atomic_load(&parts->turn) != number)
        pthread_cond_wait(&parts->passed, &parts->lock);
    atomic_fetch_sub(&parts->sleepers, 1);
    pthread_mutex_unlock(&parts->lock);
}

/* A sleeper announces itself before it looks at the turn for the last time. */
void parts_pass(struct parts *parts)
{
    atomic_fetch_add(&parts->turn, 1);
    if (!atomic_load(&parts->sleepers))
        return;
    pthread_mutex_lock(&parts->lock);
    pthread_cond_broadcast(&parts->passed);
    pthread_mutex_unlock(&parts->lock);
}

/* What only the holder of the turn touches: input, window, have_ended. */
static void take_in_turn(struct parts *parts, struct capture_part *part, size_t size)
{
    struct input *input = parts->input;
    struct window *window = &input->window;
    source_was_read(input->source, part->memory + PART_ROOM, size);
    join(window, part, size);
    take_frames(input, part);
    window_keep_rest(window);
    atomic_store_explicit(&parts->read, source_stored_read(input->source), memory_order_relaxed);
    parts->have_ended = size < PART_SIZE || input->ended || window_left(window) > LEFT_MAX;
    if (parts->have_ended)
        source_read_on(input->source);
}

bool parts_take(struct parts *parts, uint64_t number, struct capture_part *part)
{
    uint64_t offset = parts->offset + number * PART_SIZE;
    free(part->pieced);
    part->pieced = NULL;
    part->frame_count = 0;
    size_t size = source_read_at(parts->input->source, offset, part->memory + PART_ROOM, PART_SIZE);
    await_turn(parts, number);
    if (parts->have_ended)
        return false;
    take_in_turn(parts, part, size);
    return true;
}
