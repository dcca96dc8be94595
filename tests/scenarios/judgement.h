/* A capture file judged without a database: what the properties compare. */
#ifndef APNSCOPE_TESTS_SCENARIOS_JUDGEMENT_H
#define APNSCOPE_TESTS_SCENARIOS_JUDGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/capture_quality.h"

enum { JUDGEMENT_TEXT_SIZE = 64 * 1024 };

struct judgement {
    bool readable;      /* the file could be opened as a capture */
    char sentence[512]; /* why not */
    uint64_t frames_read;
    uint64_t frames_analysed;
    struct capture_quality quality;
    uint32_t faults; /* findings of severity fail */
    size_t findings_length;
    char findings[JUDGEMENT_TEXT_SIZE]; /* a line each: code, client, port; without capture-* */
    size_t flows_length;
    char flows[JUDGEMENT_TEXT_SIZE]; /* a line each: role, outcome, addresses */
    /* What is known of each flow but for frames, MAC addresses, tags and numbers of packets. */
    char details[4 * JUDGEMENT_TEXT_SIZE];
    char counts[JUDGEMENT_TEXT_SIZE];   /* a line each: packets up and down */
    char verdicts[JUDGEMENT_TEXT_SIZE]; /* a line for each device and requirement */
    char macs[JUDGEMENT_TEXT_SIZE];     /* of the flows' clients, a line each */
};

/* Reads, dissects, tracks and judges the file at `path`, `batch` frames at a time. */
void judgement_of(const char *path, size_t batch, struct judgement *judgement);

#endif
