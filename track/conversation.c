/* What a young session says: TLS handshake, CONNECT, and nDPI's opinion, read into its record.
 *
 * Between track/stream (bytes in order) and the readers of dissect/. Only writes facts into the
 * flow's record; whether they make the session ours is track/scope's question, and what became of
 * it track/outcome's. */
#include "conversation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/prefetch.h"
#include "base/reader.h"
#include "dissect/http.h"
#include "stream.h"

/* Enough to read any handshake and the first messages after it; beyond, a session that is neither
 * known to work nor to fail is only counted. */
enum { CONVERSATION_BYTES_MAX = 256 * 1024 };

/* RFC 8446 section 5.2: two bytes of alert, one of content type, sixteen of authentication tag.
 * An upward first record of this size after a TLS 1.3 server's flight is an alert in place of
 * Finished. Proven wrong by a cipher with another tag size (CCM_8: eleven). */
enum { ENCRYPTED_ALERT_SIZE = 19, ENCRYPTED_ALERT_SIZE_CCM_8 = 11 };

/* The client's records that are read before the ServerHello, which a mirror may deliver late. */
enum { HELD_RECORDS = 4 };

enum { HEADS_CAP = 1024, TLS_BUFFER_CAP = 64 << 20 };

enum spoken { SPOKEN_UNKNOWN, SPOKEN_TLS, SPOKEN_CONNECT, SPOKEN_OTHER };

struct heads {
    struct http_head request;
    struct http_head answer;
};

struct conversation {
    struct stream streams[2];
    struct tls_stream tls[2];
    struct heads *heads; /* of a CONNECT; NULL otherwise */
    uint32_t heads_id;
    uint32_t id;
    struct protocol_session *protocol;
    uint32_t bytes;
    uint8_t spoken;
    uint16_t held[HELD_RECORDS]; /* sizes of records that wait for the ServerHello */
    uint8_t held_count;
    uint8_t up_records;  /* application-data records after the ServerHello, saturating */
    bool early_data;     /* the ClientHello announced it (RFC 8446 section 4.2.10) */
    bool labelled;       /* nDPI has answered */
    bool proxy_answered; /* the running CONNECT has its status */
    bool said_goodbye;   /* the client: a later record of an alert's size, close_notify mostly */
    bool tunnel;         /* the proxy said 2xx: TLS follows */
    bool from_syn;       /* the client's bytes are known from the first */
};

/* One packet's feeding: what the sinks need. */
struct hearing {
    struct conversation_desk *desk;
    struct flow *flow;
    struct conversation *talk;
    enum direction direction;
    int64_t now_ns;
    uint64_t frame;
    unsigned news;
};

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
    if (talk->from_syn)
        stream_start(&talk->streams[UP], flow->record.client_isn + 1);
    if (flow->record.saw & SAW_SYN_ACK)
        stream_start(&talk->streams[DOWN], flow->server_isn + 1);
    talk->labelled = desk->protocols == NULL;
    return talk;
}

/* ---- facts from TLS ---- */

/* An empty name is one that was not there. */
static const char *keep(struct names *names, const char *name)
{
    return name[0] ? names_keep(names, name) : NULL;
}

static void hear_client_hello(struct hearing *hearing, const struct tls_client_hello *hello)
{
    struct flow_record *record = &hearing->flow->record;
    record->hello_frame = hearing->frame;
    record->hello_ns = hearing->now_ns;
    if (record->saw & SAW_CLIENT_HELLO)
        return; /* the second one, after HelloRetryRequest (RFC 8446 section 4.1.2) */
    record->saw |= SAW_CLIENT_HELLO;
    record->hello_size = hello->size;
    record->hello_random = load_u64(hello->random);
    if (record->evidence && record->evidence->hello.segments)
        record->hello_segments = record->evidence->hello.segments;
    if (hello->only_tls13)
        record->saw |= SAW_ONLY_TLS13_OFFERED;
    hearing->talk->early_data = hello->has_early_data;
    struct names *names = hearing->desk->names;
    record->sni = keep(names, hello->has_sni ? hello->sni : "");
    record->alpn = keep(names, hello->alpn);
    record->ja3 = keep(names, hello->ja3);
    record->ja4 = keep(names, hello->ja4);
    hearing->news |= NEWS_CLIENT_HELLO;
}

static int32_t microseconds(int64_t from_ns, int64_t to_ns)
{
    int64_t us = (to_ns - from_ns) / NS_PER_US;
    return us < 0 ? 0 : us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

static bool is_alert_size(uint32_t record_size)
{
    return record_size == ENCRYPTED_ALERT_SIZE || record_size == ENCRYPTED_ALERT_SIZE_CCM_8;
}

/* TLS 1.3 hides the content type: the client's first record after the ServerHello is Finished (or
 * its certificate), unless it is as small as an alert; what follows is application data. */
static void note_upward_13(struct flow_record *record, struct conversation *talk,
                           uint32_t record_size, uint64_t frame)
{
    bool first = talk->up_records == 0;
    if (talk->up_records < UINT8_MAX)
        talk->up_records++;
    if (first && is_alert_size(record_size)) {
        record->saw |= SAW_FATAL_ALERT_UP | SAW_ALERT_ENCRYPTED;
        record->alert_frame = frame;
    } else if (first) {
        record->saw |= SAW_FINISHED_UP;
    } else if (!is_alert_size(record_size)) {
        record->saw |= SAW_APPLICATION_UP;
    } else {
        talk->said_goodbye = true;
    }
}

/* After the client's Finished a TLS 1.3 server sends tickets, then what it has to say, in longer
 * records. An alert in their place refuses the client (RFC 8446 section 4.4.2.4), where it does not
 * answer its goodbye. */
static void note_downward_13(struct flow_record *record, const struct conversation *talk,
                             uint32_t record_size, uint64_t frame)
{
    if (!(record->saw & SAW_FINISHED_UP))
        return; /* the rest of its flight */
    if (!is_alert_size(record_size) || record->saw & SAW_APPLICATION_DOWN) {
        record->saw |= SAW_APPLICATION_DOWN;
    } else if (!talk->said_goodbye && !(record->saw & SAW_FIN_UP)) {
        record->saw |= SAW_FATAL_ALERT_DOWN;
        if (!record->alert_frame)
            record->alert_frame = frame;
    }
}

static void note_upward(struct flow_record *record, struct conversation *talk, uint32_t record_size,
                        uint64_t frame)
{
    /* Where the ServerHello is missing, a hello for nothing older says which version it was. */
    bool only_13 = !(record->saw & SAW_SERVER_HELLO) && record->saw & SAW_ONLY_TLS13_OFFERED;
    if (talk->tls[UP].tls13 || (only_13 && !talk->early_data))
        note_upward_13(record, talk, record_size, frame);
    else
        record->saw |= SAW_APPLICATION_UP;
    if (record_size > record->largest_up)
        record->largest_up = record_size;
    if (record->saw & SAW_APPLICATION_UP && record_size >= CONNECT_MESSAGE_MIN)
        record->saw |= SAW_CONNECT_MESSAGE;
}

/* The ServerHello has come, or never will. */
static void release_held(struct flow_record *record, struct conversation *talk, uint64_t frame)
{
    uint8_t count = talk->held_count;
    talk->held_count = 0;
    if (talk->early_data && talk->tls[UP].tls13)
        return; /* sent before the ServerHello indeed */
    for (uint8_t i = 0; i < count; i++)
        note_upward(record, talk, talk->held[i], frame);
}

static void hear_server_hello(struct hearing *hearing, const struct tls_server_hello *hello)
{
    struct flow_record *record = &hearing->flow->record;
    if (hello->is_retry) {
        record->saw |= SAW_HELLO_RETRY;
        return;
    }
    if (record->saw & SAW_SERVER_HELLO)
        return;
    record->saw |= SAW_SERVER_HELLO;
    hearing->news |= NEWS_SERVER_HELLO;
    record->server_hello_frame = hearing->frame;
    record->tls_version = hello->version;
    if (record->saw & SAW_CLIENT_HELLO && !hearing->flow->was_late)
        record->tls_hello_us = microseconds(record->hello_ns, hearing->now_ns);
    record->alpn_chosen = keep(hearing->desk->names, hello->alpn);
    if (hello->selects_psk)
        record->saw |= SAW_RESUMPTION;
    if (hello->version >= 0x0304)
        hearing->talk->tls[UP].tls13 = hearing->talk->tls[DOWN].tls13 = true;
    release_held(record, hearing->talk, hearing->frame);
}

static void hear_certificate(struct hearing *hearing, const struct tls_certificate_list *list)
{
    struct flow_record *record = &hearing->flow->record;
    if (hearing->direction == UP || record->saw & SAW_CERTIFICATE)
        return;
    record->saw |= SAW_CERTIFICATE;
    record->certificate_frame = hearing->frame;
    record->certificate = certificate_examine(hearing->desk->certificates, list);
    hearing->news |= NEWS_CERTIFICATE;
}

/* RFC 8446 section 6: every alert but close_notify and user_canceled ends the connection; RFC 5246
 * section 7.2: below 1.3 the level says so. */
static bool alert_is_fatal(const struct hearing *hearing, const struct tls_item *item)
{
    enum { CLOSE_NOTIFY = 0, USER_CANCELED = 90 };
    if (hearing->talk->tls[hearing->direction].tls13)
        return item->alert_description != CLOSE_NOTIFY && item->alert_description != USER_CANCELED;
    return item->alert_level == 2;
}

static void hear_alert(struct hearing *hearing, const struct tls_item *item)
{
    struct flow_record *record = &hearing->flow->record;
    if (!alert_is_fatal(hearing, item))
        return;
    record->saw |= hearing->direction == UP ? SAW_FATAL_ALERT_UP : SAW_FATAL_ALERT_DOWN;
    int16_t *description = hearing->direction == UP ? &record->alert_up : &record->alert_down;
    if (*description < 0)
        *description = item->alert_description;
    if (!record->alert_frame)
        record->alert_frame = hearing->frame;
    if (hearing->direction == DOWN && !(record->saw & SAW_SERVER_HELLO))
        hearing->news |= NEWS_SERVER_HELLO; /* in place of one */
}

/* Nobody sends these before the ServerHello, but for early data: it was delivered late. */
static bool must_wait(const struct flow_record *record, const struct conversation *talk)
{
    return record->saw & SAW_CLIENT_HELLO && !(record->saw & SAW_SERVER_HELLO) &&
           !talk->streams[DOWN].broken;
}

static void hear_application_data(struct hearing *hearing, uint32_t record_size)
{
    struct flow_record *record = &hearing->flow->record;
    struct conversation *talk = hearing->talk;
    if (hearing->direction == DOWN) {
        if (talk->tls[DOWN].tls13)
            note_downward_13(record, talk, record_size, hearing->frame);
        else
            record->saw |= SAW_APPLICATION_DOWN;
    } else if (must_wait(record, talk) && talk->held_count < HELD_RECORDS) {
        talk->held[talk->held_count++] =
            (uint16_t)(record_size < UINT16_MAX ? record_size : UINT16_MAX);
    } else {
        release_held(record, talk, hearing->frame);
        note_upward(record, talk, record_size, hearing->frame);
    }
}

/* A TLS <= 1.2 server that finishes without having sent a certificate resumes a session
 * (RFC 5246 section 7.3, figure 2). */
static void hear_finished(struct hearing *hearing)
{
    struct flow_record *record = &hearing->flow->record;
    if (hearing->direction == UP)
        record->saw |= SAW_FINISHED_UP;
    else if (record->saw & SAW_SERVER_HELLO && !(record->saw & SAW_CERTIFICATE))
        record->saw |= SAW_RESUMPTION;
}

static void hear_not_tls(struct hearing *hearing)
{
    struct flow_record *record = &hearing->flow->record;
    if (hearing->direction == UP && hearing->talk->from_syn && !(record->saw & SAW_CLIENT_HELLO))
        record->saw |= SAW_NOT_TLS;
}

static void hear_tls(void *context, const struct tls_item *item)
{
    struct hearing *hearing = (struct hearing *)context;
    switch (item->kind) {
    case TLS_ITEM_CLIENT_HELLO:
        if (hearing->direction == UP)
            hear_client_hello(hearing, item->client_hello);
        break;
    case TLS_ITEM_SERVER_HELLO:
        if (hearing->direction == DOWN)
            hear_server_hello(hearing, item->server_hello);
        break;
    case TLS_ITEM_CERTIFICATE:
        hear_certificate(hearing, item->certificates);
        break;
    case TLS_ITEM_ALERT:
        hear_alert(hearing, item);
        break;
    case TLS_ITEM_APPLICATION_DATA:
        hear_application_data(hearing, item->record_size);
        break;
    case TLS_ITEM_ENCRYPTED_HANDSHAKE:
        hear_finished(hearing);
        break;
    case TLS_ITEM_ENCRYPTED_ALERT:
        hearing->flow->record.saw |= SAW_ALERT_ENCRYPTED;
        break;
    case TLS_ITEM_NOT_TLS:
        hear_not_tls(hearing);
        break;
    case TLS_ITEM_HANDSHAKE:
    case TLS_ITEM_CHANGE_CIPHER_SPEC:
    case TLS_ITEM_TOO_LONG:
        break;
    }
}

static void feed_tls(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    if (size)
        tls_feed(&hearing->talk->tls[hearing->direction], hearing->desk->buffers, bytes, size,
                 hear_tls, hearing);
}

/* ---- facts from a CONNECT ---- */

static void keep_connect_target(struct hearing *hearing)
{
    char host[HTTP_HOST_SIZE];
    char target[HTTP_HOST_SIZE + 8];
    uint16_t port;
    if (!http_connect_target(&hearing->talk->heads->request, host, &port))
        return;
    snprintf(target, sizeof target, "%s:%u", host, port);
    hearing->flow->record.connect_host = names_keep(hearing->desk->names, target);
    hearing->news |= NEWS_PROXY_REQUEST;
}

/* A refused CONNECT may be asked again on the same connection (407, RFC 9110 section 11.7). */
static void begin_request_again(struct conversation *talk)
{
    talk->heads->request = (struct http_head){0};
    talk->heads->answer = (struct http_head){0};
    talk->proxy_answered = false;
}

static void hear_request(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    struct conversation *talk = hearing->talk;
    if (talk->proxy_answered && !talk->tunnel && http_may_be_connect(bytes, size))
        begin_request_again(talk);
    if (!talk->heads->request.done) {
        size_t head = http_head_feed(&talk->heads->request, bytes, size);
        bytes += head;
        size -= head;
        if (talk->heads->request.done)
            keep_connect_target(hearing);
    }
    if (talk->tunnel || talk->heads->request.done)
        feed_tls(hearing, bytes, size);
}

static void hear_answer(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    struct conversation *talk = hearing->talk;
    if (talk->tunnel) {
        feed_tls(hearing, bytes, size);
        return;
    }
    if (talk->proxy_answered)
        return; /* the body of a refusal */
    size_t head = http_head_feed(&talk->heads->answer, bytes, size);
    if (!talk->heads->answer.done)
        return;
    uint16_t status = http_status(&talk->heads->answer);
    talk->proxy_answered = true;
    talk->tunnel = status >= 200 && status < 300;
    hearing->flow->record.proxy_status = status;
    hearing->flow->record.proxy_frame = hearing->frame;
    hearing->news |= NEWS_PROXY_ANSWER;
    if (talk->tunnel)
        feed_tls(hearing, bytes + head, size - head);
}

/* ---- feeding ---- */

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
    if (talk->spoken == SPOKEN_CONNECT && hearing->direction == UP)
        hear_request(hearing, bytes, size);
    else if (talk->spoken == SPOKEN_CONNECT)
        hear_answer(hearing, bytes, size);
    else if (talk->spoken != SPOKEN_OTHER)
        feed_tls(hearing, bytes, size);
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
        release_held(&flow->record, flow->conversation, flow->record.last_frame);
}

void conversation_end(struct conversation_desk *desk, struct flow *flow)
{
    struct conversation *talk = flow->conversation;
    flow->heard_out = true;
    if (!talk)
        return;
    release_held(&flow->record, talk, flow->record.last_frame);
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
