/* The next-generation capture format: state of one file while it is read.
 *
 * Used through the table in input.c. Deliberately keeps of a section only what packets refer to:
 * its interfaces and its processes. */
#ifndef APNSCOPE_CAPTURE_PCAPNG_FILE_H
#define APNSCOPE_CAPTURE_PCAPNG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/frame.h"

struct input;

struct pcapng_interface {
    uint64_t units_per_s; /* of time stamps */
    uint64_t ns_per_unit; /* 0: does not divide evenly, convert the slow way */
    int64_t offset_s;     /* if_tsoffset */
    uint32_t id;          /* through all files of the run */
    uint32_t snap;        /* 0: none */
    uint16_t link_type;
    uint16_t fcs_size;
    bool has_statistics;        /* a statistics block came: the packets' own counts are in it */
    uint64_t dropped_interface; /* this interface's part of the input's drops */
    uint64_t dropped_kernel;
};

struct pcapng_file {
    bool little; /* byte order of the section */
    bool has_section;
    struct pcapng_interface *interfaces; /* of the section */
    size_t interface_count;
    size_t interface_room;
    struct process *processes; /* Apple's process blocks of the section */
    size_t process_count;
    size_t process_room;
    uint64_t noticed_records; /* options of packets up to here were counted: not again */
};

bool pcapng_file_is(const uint8_t *bytes, size_t size);
bool pcapng_file_open(struct input *input);
size_t pcapng_file_next(struct input *input, struct frame *frames, size_t max);
size_t pcapng_file_take(struct input *input, struct frame *frames, size_t max);
void pcapng_file_close(struct input *input);

/* A time stamp of an interface as nanoseconds since the epoch; beyond int64_t: clamped. */
int64_t pcapng_time_ns(const struct pcapng_interface *interface, uint64_t units);
/* Sets the resolution from the if_tsresol octet: draft-ietf-opsawg-pcapng section 4.2. */
void pcapng_set_resolution(struct pcapng_interface *interface, uint8_t octet);

#endif
