/* Writes frames as pcapng, with comments that Wireshark shows.
 *
 * For `apnscope extract`. Nanoseconds, little endian, one interface description for each interface
 * and link type that frames come from (draft-ietf-opsawg-pcapng). */
#ifndef APNSCOPE_CAPTURE_PCAPNG_WRITER_H
#define APNSCOPE_CAPTURE_PCAPNG_WRITER_H

#include <stdbool.h>
#include <stdio.h>

#include "model/frame.h"

enum { PCAPNG_WRITER_INTERFACES = 64 };

struct pcapng_writer {
    FILE *file;
    uint32_t interface_count;
    struct {
        uint32_t id; /* of the frame */
        uint16_t link_type;
        uint16_t fcs_size;
    } interfaces[PCAPNG_WRITER_INTERFACES];
};

/* Begins a section. `comment` and `application` are UTF-8; NULL or "": none. */
void pcapng_writer_begin(struct pcapng_writer *writer, FILE *file, const char *application,
                         const char *comment);
/* False where the frame comes from one interface too many. Errors of the file stay with it. */
bool pcapng_writer_put(struct pcapng_writer *writer, const struct frame *frame,
                       const char *comment);

#endif
