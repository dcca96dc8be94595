/* One captured frame, as capture/ hands it to dissect/.
 *
 * The bytes belong to the capture and stay valid until the next batch is asked for. */
#ifndef APNSCOPE_MODEL_FRAME_H
#define APNSCOPE_MODEL_FRAME_H

#include <stdint.h>

/* The process that sent or received a frame, where the capture says so (Apple's pcapng process
 * blocks and PKTAP). The name is kept for the life of the run. */
struct process {
    const char *name; /* NULL: not known */
    int32_t id;       /* -1: not known */
};

struct frame {
    uint64_t number;        /* Wireshark's frame.number: from 1, through all files of the run */
    int64_t time_ns;        /* since the epoch, as recorded (may run backwards) */
    uint32_t captured_size; /* bytes at `bytes` */
    uint32_t original_size; /* bytes on the wire, as recorded; >= captured_size after reading */
    uint32_t interface_id;  /* counts through all sections and files of the run, from 0 */
    uint16_t link_type;     /* LINKTYPE_ value of https://www.tcpdump.org/linktypes.html */
    uint16_t fcs_size;      /* trailing frame check sequence inside the bytes, where known */
    const uint8_t *bytes;
    struct process process;
};

#endif
