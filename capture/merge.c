/* Two heaps over inputs: those that are open, and those that are parked.
 *
 * See merge.h. Deliberately simple: heaps of at most some thousand pointers, keyed by the highest
 * time that a file has reached. */
#include "merge.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/believed_time.h"

static bool comes_before(const struct input *a, const struct input *b)
{
    if (a->merge_key_ns != b->merge_key_ns)
        return a->merge_key_ns < b->merge_key_ns;
    return a->order < b->order;
}

static void exchange(struct input_heap *heap, size_t a, size_t b)
{
    struct input *kept = heap->items[a];
    heap->items[a] = heap->items[b];
    heap->items[b] = kept;
}

static void sift_down(struct input_heap *heap, size_t at)
{
    for (;;) {
        size_t first = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap->count; child++)
            if (comes_before(heap->items[child], heap->items[first]))
                first = child;
        if (first == at)
            return;
        exchange(heap, at, first);
        at = first;
    }
}

static void push(struct input_heap *heap, struct input *input)
{
    size_t at = heap->count++;
    heap->items[at] = input;
    while (at && comes_before(heap->items[at], heap->items[(at - 1) / 2])) {
        exchange(heap, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

/* Takes out the item at `at`. */
static struct input *take_out(struct input_heap *heap, size_t at)
{
    struct input *taken = heap->items[at];
    struct input *last = heap->items[--heap->count];
    if (at == heap->count)
        return taken;
    heap->items[at] = last;
    while (at && comes_before(heap->items[at], heap->items[(at - 1) / 2])) {
        exchange(heap, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    sift_down(heap, at);
    return taken;
}

/* Some systems allow a process few descriptors, and the database needs some too. */
static size_t open_max(void)
{
    enum { FOR_OTHERS = 24, FEWEST = 2 };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MERGE_OPEN_MAX + FOR_OTHERS)
        return MERGE_OPEN_MAX;
    return limit.rlim_cur < FOR_OTHERS + FEWEST ? FEWEST : (size_t)limit.rlim_cur - FOR_OTHERS;
}

void merge_init(struct merge *merge, size_t input_count, size_t window_size)
{
    *merge = (struct merge){.open_max = open_max(), .window_size = window_size};
    merge->open.items = calloc(input_count, sizeof(struct input *));
    merge->parked.items = calloc(input_count, sizeof(struct input *));
    assert(merge->open.items && merge->parked.items);
}

void merge_free(struct merge *merge)
{
    free(merge->open.items);
    free(merge->parked.items);
}

/* A damaged time far ahead would have the file wait until all others are through. The next frame
 * shows it, where there is one at hand. */
static bool is_stray(const struct input *input, int64_t time_ns)
{
    size_t next = input->ready_next + 1;
    int64_t level_ns = input->merge_key_ns;
    if (time_goes_on(level_ns, time_ns))
        return false;
    return next < input->ready_count
               ? !time_bears_out(level_ns, time_ns, input->ready[next].time_ns)
               : !time_may_stand_alone(level_ns, time_ns);
}

/* Of the first frame of all: where it is far from the second, the third shows which of them is
 * right.
 */
static int64_t first_time(const struct input *input)
{
    const struct frame *frames = input->ready + input->ready_next;
    size_t count = input->ready_count - input->ready_next;
    if (count < 3 || time_may_stand_alone(frames[0].time_ns, frames[1].time_ns))
        return frames[0].time_ns;
    bool is_second_right = time_may_stand_alone(frames[1].time_ns, frames[2].time_ns);
    return frames[is_second_right ? 1 : 0].time_ns;
}

/* The highest time so far: a clock that was set back does not hold the other files up. */
static void update_key(struct input *input)
{
    int64_t time_ns = input->ready[input->ready_next].time_ns;
    if (input->merge_key_ns == INT64_MIN)
        input->merge_key_ns = first_time(input);
    else if (time_ns > input->merge_key_ns && !is_stray(input, time_ns))
        input->merge_key_ns = time_ns;
}

void merge_add(struct merge *merge, struct input *input)
{
    input->merge_key_ns = INT64_MIN;
    if (!input_refill(input))
        return;
    update_key(input);
    if (source_is_stream(input->source)) {
        push(&merge->open, input);
        return;
    }
    input_park(input);
    push(&merge->parked, input);
}

/* Makes room for one more open file by parking the one that is needed last. False: each of them
 * gave frames to the batch at hand, or is a pipe. */
static bool park_one(struct merge *merge)
{
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < merge->open.count; i++) {
        const struct input *input = merge->open.items[i];
        if (input->pinned || source_is_stream(input->source))
            continue;
        if (last == SIZE_MAX || comes_before(merge->open.items[last], input))
            last = i;
    }
    if (last == SIZE_MAX)
        return false;
    struct input *input = take_out(&merge->open, last);
    input_park(input);
    push(&merge->parked, input);
    return true;
}

/* Opens the parked file that is due. */
static void open_one(struct merge *merge)
{
    struct input *input = take_out(&merge->parked, 0);
    input_resume(input, merge->window_size);
    if (input_refill(input))
        push(&merge->open, input);
}

static bool parked_is_due(const struct merge *merge)
{
    return merge->parked.count &&
           (!merge->open.count || comes_before(merge->parked.items[0], merge->open.items[0]));
}

/* The file whose batch was used up ended the last call; it is still on top. */
static void begin_batch(struct merge *merge)
{
    for (size_t i = 0; i < merge->open.count; i++)
        merge->open.items[i]->pinned = false;
    if (!merge->open.count)
        return;
    struct input *top = merge->open.items[0];
    if (top->ready_next < top->ready_count)
        return;
    if (!input_refill(top)) {
        take_out(&merge->open, 0);
        return;
    }
    update_key(top);
    sift_down(&merge->open, 0);
}

size_t merge_next(struct merge *merge, struct frame *frames, size_t max)
{
    size_t count = 0;
    begin_batch(merge);
    while (count < max) {
        if (parked_is_due(merge)) {
            if (merge->open.count >= merge->open_max && !park_one(merge) && count)
                return count; /* the next call may park any of them */
            open_one(merge);
            continue;
        }
        if (!merge->open.count)
            break;
        struct input *top = merge->open.items[0];
        frames[count++] = top->ready[top->ready_next++];
        top->pinned = true;
        if (top->ready_next == top->ready_count)
            break;
        update_key(top);
        sift_down(&merge->open, 0);
    }
    return count;
}
