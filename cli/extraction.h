/* Which packets `apnscope extract` takes, and what it says of them. */
#ifndef APNSCOPE_CLI_EXTRACTION_H
#define APNSCOPE_CLI_EXTRACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/fault.h"
#include "model/packet.h"

struct extracted_flow {
    struct address client, server;
    uint16_t client_port, server_port;
    uint64_t first_frame, last_frame;
};

struct extracted_note {
    uint64_t frame;
    char *text;
};

struct extraction {
    int64_t run_id; /* all that is wanted is of one run */
    char *source, *sha256, *fingerprint;
    struct extracted_flow *flows;
    size_t flow_count;
    struct extracted_note *notes; /* by frame */
    size_t note_count;
};

/* Looks the sessions and findings up in the database. False with a sentence. */
MUST_USE bool extraction_plan(struct extraction *extraction, const char *database,
                              const int64_t *flow_ids, size_t flow_id_count,
                              const int64_t *finding_ids, size_t finding_id_count,
                              struct fault *fault);
void extraction_free(struct extraction *extraction);

/* Does the packet belong to one of the sessions? ICMP errors belong to the session they quote. */
bool extraction_takes(const struct extraction *extraction, const struct packet *packet);
/* What is said of that frame; NULL: nothing. Frames with a note are taken in any case. */
const char *extraction_note(const struct extraction *extraction, uint64_t frame);

#endif
