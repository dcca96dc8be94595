/* Boxes, each as one or two functions of the packets that pass them. Of tests/fleet. Deliberately
 * keeps what a box remembers in the line: a box has one entry a connection too. */
#include "fault.h"

#include <string.h>

#include "device.h"

enum {
    SYN = 0x02,
    RST = 0x04,
    BOX_TTL = 62,
    COURIER_PORT = 5223,
    RETIRED_PORT = 2195,
    FULL_SIZE = 1200
};

#define FORGETS_NS (5 * MINUTE_NS)

static bool is_syn(const struct segment *segment)
{
    return segment->flags == SYN;
}

static bool to_courier_port(const struct line *line)
{
    return line->party[DOWN].port == COURIER_PORT;
}

/* Once a connection. */
static void bite(struct line *line)
{
    if (!line->box_bit)
        device_bite(line->device);
    line->box_bit = true;
}

static bool is_bag(const struct line *line)
{
    const struct station *bags = line->fleet->servers + FIRST_BAG;
    const struct station *server = line->party[DOWN].station;
    return server >= bags && server < bags + SERVERS_BAG;
}

/* ---- ports and addresses ---- */

static bool drop_syn_if(struct line *line, const struct segment *segment, bool matches)
{
    if (!matches || !is_syn(segment))
        return true;
    bite(line);
    return false;
}

static bool drop_5223(struct line *line, const struct segment *segment)
{
    return drop_syn_if(line, segment, to_courier_port(line));
}

static bool drop_2195(struct line *line, const struct segment *segment)
{
    return drop_syn_if(line, segment, line->party[DOWN].port == RETIRED_PORT);
}

static bool drop_all(struct line *line, const struct segment *segment)
{
    return drop_syn_if(line, segment, true);
}

static bool drop_both(struct line *line, const struct segment *segment)
{
    return drop_syn_if(line, segment, !is_bag(line));
}

static bool drop_bag(struct line *line, const struct segment *segment)
{
    return drop_syn_if(line, segment, is_bag(line));
}

/* The list knows the others of Apple's networks. */
static bool drop_networks(struct line *line, const struct segment *segment)
{
    const struct address *server = &line->party[DOWN].station->address;
    return drop_syn_if(line, segment,
                       address_is_ipv4(server) && !is_bag(line) &&
                           (server->byte[13] == 188 || server->byte[13] == 249));
}

static bool refuse_5223(struct line *line, const struct segment *segment)
{
    if (drop_5223(line, segment))
        return true;
    line_forge_reset(line, DOWN, 0, BOX_TTL, true);
    return false;
}

static bool prohibit_5223(struct line *line, const struct segment *segment)
{
    if (drop_5223(line, segment))
        return true;
    line_forge_prohibited(line);
    return false;
}

static bool has_v6(const struct device *device)
{
    return device->has_v6;
}

/* Of the others each address is counted apart. */
static bool has_only_v4(const struct device *device)
{
    return !device->has_v6;
}

static bool prohibit_v6(struct line *line, const struct segment *segment)
{
    bool is_v6 = !address_is_ipv4(&line->party[DOWN].station->address);
    if (drop_syn_if(line, segment, is_v6))
        return true;
    line_forge_prohibited(line);
    return false;
}

/* ---- hellos ---- */

static bool unless_cut(struct line *line, const struct segment *segment)
{
    (void)segment;
    return !line->box_cuts;
}

static bool swallow_hello(struct line *line, const struct segment *segment)
{
    if (segment->saying == SAY_HELLO && segment->size && !is_bag(line)) {
        bite(line);
        line->box_cuts = true;
    }
    return !line->box_cuts;
}

static bool reset_hello(struct line *line, const struct segment *segment)
{
    bool was_cut = line->box_cuts;
    if (swallow_hello(line, segment))
        return true;
    if (!was_cut) {
        line_forge_reset(line, DOWN, 0, BOX_TTL, false);
        line_forge_reset(line, UP, 0, BOX_TTL, false);
    }
    return false;
}

static bool reset_hello_on_5223(struct line *line, const struct segment *segment)
{
    return !to_courier_port(line) || reset_hello(line, segment);
}

static bool names_courier(const struct device *device)
{
    return device->names_courier && !device->has_v6;
}

static bool is_not_tls12(const struct device *device)
{
    return !device->is_tls12;
}

static bool sends_large_hellos(const struct device *device)
{
    return device->is_post_quantum && !device->is_tls12;
}

static bool swallow_large_hello(struct line *line, const struct segment *segment)
{
    if (segment->saying != SAY_HELLO || !segment->size || !segment->piece || is_bag(line))
        return true;
    bite(line);
    return false;
}

/* ---- sessions ---- */

/* As soon as the session works, and mostly. */
static bool reset_young_session(struct line *line, const struct segment *segment)
{
    enum { GUESSES = 3, GUESS_STEP = 1460 };
    bool matches = segment->saying == SAY_ANSWER && segment->size && !is_bag(line);
    if (!matches || line->box_cuts || !draw_chance(&line->device->draw, 0.6))
        return !line->box_cuts;
    line->box_cuts = true;
    bite(line);
    for (uint32_t guess = 0; guess < GUESSES; guess++)
        line_forge_reset(line, DOWN, guess * GUESS_STEP, BOX_TTL, false);
    line_forge_reset(line, UP, 0, BOX_TTL, false);
    return true;
}

static bool swallow_full_packets(struct line *line, const struct segment *segment)
{
    if (segment->size < FULL_SIZE || is_bag(line))
        return true;
    bite(line);
    return false;
}

/* True: the box still knows the connection. */
static bool knows(struct line *line, const struct segment *segment)
{
    int64_t now_ns = line->fleet->now_ns;
    if (is_syn(segment))
        line->box_last_ns = now_ns;
    if (now_ns - line->box_last_ns > FORGETS_NS)
        line->box_cuts = true;
    if (!line->box_cuts)
        line->box_last_ns = now_ns;
    return !line->box_cuts;
}

static bool forget_down(struct line *line, const struct segment *segment)
{
    bool passes = knows(line, segment);
    if (!passes && segment->size && line->device->is_on_air)
        line->box_swallowed = true;
    return passes;
}

static bool forget_up(struct line *line, const struct segment *segment)
{
    if (knows(line, segment))
        return true;
    bite(line);
    return false;
}

static bool forget_with_reset(struct line *line, const struct segment *segment)
{
    if (forget_up(line, segment))
        return true;
    if (!(segment->flags & RST))
        line_forge_reset(line, DOWN, 0, BOX_TTL, false);
    return false;
}

/* A NAT that makes a new entry of whatever comes from inside. */
static bool remember_up(struct line *line, const struct segment *segment)
{
    if (!knows(line, segment) && line->box_swallowed && !line->party[DOWN].is_gone)
        bite(line);
    line->box_cuts = false;
    line->box_last_ns = line->fleet->now_ns;
    return true;
}

const struct fault faults[] = {
#define FAULT(NAME, CODE, ALSO, NEEDED, ...)                                                       \
    {.name = (NAME), .code = (CODE), .also = (ALSO), .bites_needed = (NEEDED), __VA_ARGS__},
#include "fault.def"
#undef FAULT
};
const size_t fault_count = sizeof faults / sizeof faults[0];

const struct fault *fault_named(const char *name)
{
    for (size_t i = 0; i < fault_count; i++)
        if (strcmp(faults[i].name, name) == 0)
            return &faults[i];
    return NULL;
}
