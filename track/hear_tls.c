/* A conversation's TLS, read into its session's record.
 *
 * Fed by conversation.c with the bytes of one direction in order, or by hear_connect.c with what is
 * inside a tunnel. The format is dissect/tls's; here is what its messages mean. */
#include "base/reader.h"
#include "hearing.h"

/* RFC 8446 section 5.2: two bytes of alert, one of content type, sixteen of authentication tag.
 * An upward first record of this size after a TLS 1.3 server's flight is an alert in place of
 * Finished. Proven wrong by a cipher with another tag size (CCM_8: eleven). */
enum { ENCRYPTED_ALERT_SIZE = 19, ENCRYPTED_ALERT_SIZE_CCM_8 = 11 };

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
void hear_tls_held(struct flow_record *record, struct conversation *talk, uint64_t frame)
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
        record->tls_hello_us = flow_delay_us(record->hello_ns, hearing->now_ns);
    record->alpn_chosen = keep(hearing->desk->names, hello->alpn);
    if (hello->selects_psk)
        record->saw |= SAW_RESUMPTION;
    if (hello->version >= 0x0304)
        hearing->talk->tls[UP].tls13 = hearing->talk->tls[DOWN].tls13 = true;
    hear_tls_held(record, hearing->talk, hearing->frame);
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
        hear_tls_held(record, talk, hearing->frame);
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

static void hear_item(void *context, const struct tls_item *item)
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

void hear_tls(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    if (size)
        tls_feed(&hearing->talk->tls[hearing->direction], hearing->desk->buffers, bytes, size,
                 hear_item, hearing);
}
