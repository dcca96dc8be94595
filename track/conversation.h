/* What a young session says: TLS handshake, CONNECT, and nDPI's opinion, read into its record.
 *
 * Borrowed by a flow from its first payload until the session is known to work (or not to be TLS),
 * then given back, so that ten thousand idle sessions hold none. */
#ifndef APNSCOPE_TRACK_CONVERSATION_H
#define APNSCOPE_TRACK_CONVERSATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"
#include "base/pool.h"
#include "dissect/certificate.h"
#include "dissect/protocol.h"
#include "dissect/tls.h"
#include "flow.h"
#include "labels.h"
#include "model/packet.h"

/* What a packet taught, as bits: the tracker turns them into events. */
enum conversation_news {
    NEWS_CLIENT_HELLO = 1 << 0,
    NEWS_CERTIFICATE = 1 << 1,
    NEWS_PROXY_REQUEST = 1 << 2,
    NEWS_PROXY_ANSWER = 1 << 3,
    NEWS_WORKS = 1 << 4,
    NEWS_SERVER_HELLO = 1 << 5
};

enum { CONVERSATIONS_CAP = 1 << 17 };

/* wire.md section 2: a healthy device's Connect message is about 0.9 kB or more. */
enum { CONNECT_MESSAGE_MIN = 400 };

/* Shared by all conversations of a tracker. */
struct conversation_desk {
    struct names *names;
    struct certificate_store *certificates;
    struct tls_buffers *buffers;
    struct protocol_engine *protocols; /* NULL: without nDPI */
    struct pool conversations;
    struct pool blocks;
    struct pool heads;
    struct labels labels;
};

void conversation_desk_init(struct conversation_desk *desk, struct names *names,
                            struct certificate_store *certificates,
                            struct protocol_engine *protocols);
void conversation_desk_free(struct conversation_desk *desk);

/* Reads a packet with payload. Begins the conversation where there is none and the flow is not
 * yet heard out. Returns enum conversation_news bits. */
unsigned conversation_take(struct conversation_desk *desk, struct flow *flow,
                           const struct packet *packet, enum direction direction, int64_t now_ns);

/* nDPI looks at a packet with payload of a flow that is ours. */
void conversation_label(struct conversation_desk *desk, struct flow *flow,
                        const struct packet *packet, enum direction direction);

/* Bytes of that direction are known to be missing from the capture. */
void conversation_missing(struct conversation_desk *desk, struct flow *flow,
                          enum direction direction);

/* Gives everything back; further payload of the flow is only counted. */
void conversation_end(struct conversation_desk *desk, struct flow *flow);

/* Asks for its memory, which the flow's next packet will need. */
void conversation_ask_for(const struct conversation *talk);

/* Ends it when there is nothing more to learn. */
void conversation_settle(struct conversation_desk *desk, struct flow *flow);

#endif
