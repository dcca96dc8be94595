/* A CONNECT to a proxy, read into its session's record.
 *
 * Fed by conversation.c with the bytes of one direction in order; what is inside the tunnel goes on
 * to hear_tls.c. */
#include <stdio.h>

#include "dissect/http.h"
#include "hearing.h"

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

/* The first line names the target; a snap length may cut what follows it (credentials are long). */
static void hear_request(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    struct conversation *talk = hearing->talk;
    if (talk->proxy_answered && !talk->tunnel && http_may_be_connect(bytes, size))
        begin_request_again(talk);
    if (!talk->heads->request.done) {
        bool was_named = talk->heads->request.line_done;
        size_t head = http_head_feed(&talk->heads->request, bytes, size);
        bytes += head;
        size -= head;
        if (!was_named && talk->heads->request.line_done)
            keep_connect_target(hearing);
    }
    if (talk->tunnel || talk->heads->request.done)
        hear_tls(hearing, bytes, size);
}

static void hear_answer(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    struct conversation *talk = hearing->talk;
    if (talk->tunnel) {
        hear_tls(hearing, bytes, size);
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
        hear_tls(hearing, bytes + head, size - head);
}

void hear_connect(struct hearing *hearing, const uint8_t *bytes, size_t size)
{
    if (hearing->direction == UP)
        hear_request(hearing, bytes, size);
    else
        hear_answer(hearing, bytes, size);
}
