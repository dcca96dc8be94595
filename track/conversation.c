/* What a young session says: its bytes in order, and who reads them.
 *
 * Between stream.c (bytes in order) and hear_tls.c and hear_connect.c, which know what they mean.
 * Only has facts written into the session's record; whether they make it ours is scope.c's
 * question, and what became of it outcome.c's. */
#include "conversation.h"

#include <string.h>

#include "base/prefetch.h"
#include "hearing.h"

/* Enough to read any handshake and the first messages after it; beyond, a session that is neither
 * known to work nor to fail is only counted. */
enum { CONVERSATION_BYTES_MAX = 256 * 1024 };

enum { HEADS_CAP = 1024, TLS_BUFFER_CAP = 64 << 20 };

void conversation_desk_init(struct conversation_desk *desk, struct names *names,
                            struct certificate_store *certificates,
                            struct protocol_engine *protocols)
{
    memset(desk, 0, sizeof *desk);
    desk->names = names;
    desk->certificates = certificates;
    desk->protocols = protocols;
    desk->buffers = tls_buffers_new(TLS_BUFFER_CAP);
    pool_init(&desk->conversations, sizeof(struct conversation), CONVERSATIONS_CAP);
    pool_init(&desk->heads, sizeof(struct heads), HEADS_CAP);
    stream_blocks_init(&desk->blocks);
}

void conversation_desk_free(struct conversation_desk *desk)
{
    tls_buffers_free(desk->buffers);
    pool_free(&desk->conversations);
    pool_free(&desk->heads);
    pool_free(&desk->blocks);
}

void conversation_ask_for(const struct conversation *talk)
{
    prefetch(talk, sizeof *talk);
}

static struct conversation *begin(struct conversation_desk *desk, struct flow *flow)
{
    uint32_t id;
    struct conversation *talk = (struct conversation *)pool_take(&desk->conversations, &id);
    if (!talk)
        return NULL;
    memset(talk, 0, sizeof *talk);
    talk->id = id;
    talk->streams[UP] = stream_fresh();
    talk->streams[DOWN] = stream_fresh();
    talk->from_syn = flow->record.saw & SAW_SYN; /* reordered, the SYN may come after its data */
    talk->labelled = desk->protocols == NULL;
    return talk;
}

/* Where both directions start, once it is known: reordered, the SYN-ACK may come after the
 * ClientHello. */
static void set_starts(struct conversation *talk, const struct flow *flow)
{
    if (talk->from_syn)
        stream_start(&talk->streams[UP], flow->record.client_isn + 1);
    if (flow->record.saw & SAW_SYN_ACK)
        stream_start(&talk->streams[DOWN], flow->server_isn + 1);
}

static enum spoken recognise(struct hearing *hearing, const uint8_t *bytes, uint32_t size)
{
    if (!http_may_be_connect(bytes, size))
        return SPOKEN_TLS;
    struct heads *heads =
        (struct heads *)pool_take(&hearing->desk->heads, &hearing->talk->heads_id);
    if (!heads)
        return SPOKEN_OTHER;
    memset(heads, 0, sizeof *heads);
    hearing->talk->heads = heads;
    return SPOKEN_CONNECT;
}

static void hear_bytes(void *context, const uint8_t *bytes, uint32_t size)
{
    struct hearing *hearing = (struct hearing *)context;
    struct conversation *talk = hearing->talk;
    talk->bytes = talk->bytes + size < talk->bytes ? UINT32_MAX : talk->bytes + size;
    if (talk->spoken == SPOKEN_UNKNOWN && hearing->direction == UP)
        talk->spoken = (uint8_t)recognise(hearing, bytes, size);
    if (talk->spoken == SPOKEN_CONNECT)
        hear_connect(hearing, bytes, size);
    else if (talk->spoken != SPOKEN_OTHER)
        hear_tls(hearing, bytes, size);
}

/* Application data both ways after the handshake: the session carries what it is for. */
static bool works(const struct flow_record *record)
{
    return (record->saw & SAW_APPLICATION_UP) && (record->saw & SAW_APPLICATION_DOWN);
}

unsigned conversation_take(struct conversation_desk *desk, struct flow *flow,
                           const struct packet *packet, enum direction direction, int64_t now_ns)
{
    if (flow->heard_out)
        return 0;
    if (!flow->conversation && !(flow->conversation = begin(desk, flow))) {
        flow->heard_out = true;
        return 0;
    }
    struct hearing hearing = {.desk = desk,
                              .flow = flow,
                              .talk = flow->conversation,
                              .direction = direction,
                              .now_ns = now_ns,
                              .frame = packet->frame};
    if (packet->payload_captured < packet->payload_size)
        flow->record.saw |= SAW_CUT_PAYLOAD;
    if (direction == UP && !(flow->record.saw & SAW_CLIENT_HELLO) &&
        flow->record.hello_segments < UINT16_MAX)
        flow->record.hello_segments++;
    uint32_t sequence = packet->sequence + (packet->tcp_flags & TCP_SYN ? 1 : 0);
    set_starts(flow->conversation, flow);
    stream_take(&flow->conversation->streams[direction], &desk->blocks, sequence, packet->payload,
                packet->payload_captured, packet->payload_size, hear_bytes, &hearing);
    if (!flow->works_told && works(&flow->record)) {
        flow->works_told = true;
        hearing.news |= NEWS_WORKS;
    }
    return hearing.news;
}

void conversation_label(struct conversation_desk *desk, struct flow *flow,
                        const struct packet *packet, enum direction direction)
{
    struct conversation *talk = flow->conversation;
    struct flow_record *record = &flow->record;
    if (!talk || talk->labelled)
        return;
    bool is_hello = !talk->protocol && direction == UP && record->hello_frame == packet->frame;
    if (is_hello && labels_recall(&desk->labels, record)) {
        talk->labelled = true;
        return;
    }
    talk->labelled = protocol_observe(desk->protocols, &talk->protocol, packet, direction == UP,
                                      &record->ndpi_protocol, &record->ndpi_risks);
    if (is_hello && talk->labelled)
        labels_keep(&desk->labels, record);
}

void conversation_missing(struct conversation_desk *desk, struct flow *flow,
                          enum direction direction)
{
    if (!flow->conversation)
        return;
    stream_break(&flow->conversation->streams[direction], &desk->blocks);
    if (direction == DOWN)
        hear_tls_held(&flow->record, flow->conversation, flow->record.last_frame);
}

void conversation_end(struct conversation_desk *desk, struct flow *flow)
{
    struct conversation *talk = flow->conversation;
    flow->heard_out = true;
    if (!talk)
        return;
    hear_tls_held(&flow->record, talk, flow->record.last_frame);
    if (!talk->labelled)
        protocol_finish(desk->protocols, &talk->protocol, &flow->record.ndpi_protocol,
                        &flow->record.ndpi_risks);
    for (int direction = UP; direction <= DOWN; direction++) {
        stream_close(&talk->streams[direction], &desk->blocks);
        tls_close(&talk->tls[direction], desk->buffers);
    }
    if (talk->heads)
        pool_give(&desk->heads, talk->heads_id);
    pool_give(&desk->conversations, talk->id);
    flow->conversation = NULL;
}

static bool nothing_more_to_read(const struct flow *flow)
{
    const struct conversation *talk = flow->conversation;
    if (talk->bytes > CONVERSATION_BYTES_MAX || works(&flow->record))
        return true;
    if (talk->spoken == SPOKEN_OTHER || talk->tls[UP].not_tls)
        return true;
    return talk->streams[UP].broken && talk->streams[DOWN].broken;
}

void conversation_settle(struct conversation_desk *desk, struct flow *flow)
{
    if (flow->conversation && flow->conversation->labelled && nothing_more_to_read(flow))
        conversation_end(desk, flow);
}
