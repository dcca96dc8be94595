/* nDPI's opinion of a tracked flow: the protocol really spoken, and its risks.
 *
 * The only file of the program that sees nDPI. Never fed a bare SYN or a foreign flow; nDPI is
 * started on first use (32 ms) and let go of as soon as it knows, or after a few packets. */
#ifndef APNSCOPE_DISSECT_PROTOCOL_H
#define APNSCOPE_DISSECT_PROTOCOL_H

#include <stdbool.h>

#include "base/names.h"
#include "model/packet.h"

struct protocol_engine;  /* one per tracker */
struct protocol_session; /* one per flow, while undecided */

struct protocol_engine *protocol_engine_new(struct names *names);
void protocol_engine_free(struct protocol_engine *engine);
const char *protocol_library_version(void);

/* Feeds a packet with payload. `*session` starts NULL, is taken on first use and NULL again once
 * the answer is final (then returns true and *protocol, *risks are kept names; risks NULL: none).
 * When sessions are exhausted the flow is simply left unlabelled (returns true, both NULL). */
bool protocol_observe(struct protocol_engine *engine, struct protocol_session **session,
                      const struct packet *packet, bool from_client, const char **protocol,
                      const char **risks);
/* The flow ends before nDPI knew: its best answer so far (may be NULL), and lets go. Every session
 * taken must come here, or to a final answer, before protocol_engine_free. */
void protocol_finish(struct protocol_engine *engine, struct protocol_session **session,
                     const char **protocol, const char **risks);

#endif
