/* The classic capture format and its variants: state of one file while it is read.
 *
 * Used through the table in input.c. Deliberately nothing of libpcap: it refuses the variants. */
#ifndef APNSCOPE_CAPTURE_PCAP_FILE_H
#define APNSCOPE_CAPTURE_PCAP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/frame.h"

struct input;

/* Order of the two lengths in a record header: files before version 2.3 have them the other way
 * round, and those of 2.3 either way. */
enum pcap_lengths { PCAP_CAPTURED_FIRST, PCAP_ORIGINAL_FIRST, PCAP_SMALLER_IS_CAPTURED };

enum { PCAP_HEAD_SIZE = 8 }; /* magic number and version */

struct pcap_file {
    uint8_t head[PCAP_HEAD_SIZE]; /* as the file begins: files that were joined repeat it */
    bool is_joined;               /* with others of its kind */
    uint32_t file_header_size;
    bool little; /* byte order of the file */
    enum pcap_lengths lengths;
    uint32_t header_size; /* of each record: 16 and what a variant adds */
    uint32_t ns_per_tick;
    uint32_t interface_id;
    uint32_t snap;
    uint16_t link_type;
    uint16_t fcs_size;
    bool zeros_are_frames; /* an all-zero record header was seen and was not padding */
};

bool pcap_file_is(const uint8_t *bytes, size_t size);
bool pcap_file_open(struct input *input);
size_t pcap_file_next(struct input *input, struct frame *frames, size_t max);
size_t pcap_file_take(struct input *input, struct frame *frames, size_t max);
void pcap_file_close(struct input *input);

#endif
