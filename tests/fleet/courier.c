/* The two halves of a conversation, as reactions to what was heard. Of tests/fleet. Deliberately
 * without a state machine of its own: what was said last says what comes next. */
#include "courier.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fault.h"
#include "lookup.h"
#include "support/certificate_payload.h"
#include "support/tls_payload.h"

#define GRACE_NS     (35 * NS_PER_S) /* how long a device waits for a heartbeat that is due */
#define ESTABLISH_NS (30 * NS_PER_S) /* how long it waits for a session to work */
#define PUSHES_NS    (20 * MINUTE_NS)
#define ORDERS_NS    (4 * MINUTE_NS) /* between an MDM server's notifications */

enum {
    ALERT_FATAL = 2,
    ALERT_UNKNOWN_CA = 48, /* RFC 8446 section 6 */
    CONNECT_SIZE = 980,
    ANSWER_SIZE = 120,
    HEARTBEAT_SIZE = 32,
    RECEIPT_SIZE = 60,
    BAG_REQUEST_SIZE = 420,
    BAG_SIZE = 5200,
    FLIGHT_SIZE = 2900,
    PROXY_PORT = 3128,
    RESUMED_FLIGHT_SIZE = 140
};

static struct session *session_of(struct line *line)
{
    return (struct session *)line;
}

static enum box_kind box_of(const struct session *session)
{
    const struct fault *fault = session->line.fleet->fault;
    return fault && session->line.device->is_hit && !session->is_bag ? fault->box : BOX_NONE;
}

static enum proxy_kind proxy_of(const struct session *session)
{
    return session->is_proxied ? session->line.fleet->fault->proxy : PROXY_NONE;
}

/* ---- payloads ---- */

static void put_text(struct bytes *out, const char *text)
{
    bytes_add(out, text, strlen(text));
}

static uint64_t seed_of(struct session *session)
{
    return draw_bits(&session->line.device->draw);
}

static void put_hello(struct session *session, struct bytes *out)
{
    if (session->is_stray) {
        put_text(out, "GET / HTTP/1.0\r\n\r\n");
        return;
    }
    const struct device *device = session->line.device;
    bool names_itself = device->names_courier;
    bool is_web = session->is_bag || session->is_provider;
    struct client_hello hello = {.sni = session->is_bag        ? "init.push.apple.com"
                                        : session->is_provider ? "api.push.apple.com"
                                        : names_itself         ? "courier.push.apple.com"
                                                               : NULL,
                                 .alpn = session->is_provider ? "h2"
                                         : session->is_bag    ? "h2,http/1.1"
                                                              : "apns-security-v3,apns-pack-v1",
                                 .versions = session->is_tls12 ? "1.2"
                                             : is_web          ? "1.3,1.2"
                                                               : "1.3",
                                 .post_quantum = device->is_post_quantum && !session->is_tls12,
                                 .resumes = session->resumes,
                                 .seed = seed_of(session),
                                 .session_id = session->session_id,
                                 .session_id_size =
                                     session->is_tls12 && !session->resumes ? 0 : 32};
    payload_client_hello(out, &hello);
}

/* Signing takes long, and every courier shows the same. */
static void put_certificate(struct session *session, struct bytes *out)
{
    static struct bytes apples, the_boxes, providers;
    bool is_boxs = box_of(session) == BOX_SHOWS_ITS_CERTIFICATE;
    struct bytes *kept = session->is_provider ? &providers : is_boxs ? &the_boxes : &apples;
    int64_t start_s = session->line.fleet->mirror.start_ns / NS_PER_S;
    struct certificate_chain chain = {
        .subject = "CN=courier.push.apple.com,O=Apple Inc.,ST=California,C=US",
        .issuer = is_boxs ? "CN=Campus Inspection CA,O=Example Campus,C=US"
                          : "CN=Apple Server Authentication CA,OU=Certification Authority,"
                            "O=Apple Inc.,C=US",
        .root = is_boxs ? "CN=Campus Root,O=Example Campus,C=US"
                        : "CN=Apple Root CA,OU=Apple Certification Authority,O=Apple Inc.,C=US",
        .dns_names = "courier.push.apple.com,*.push.apple.com",
        .has_markers = !is_boxs,
        .not_before_s = start_s - 90 * INT64_C(86400),
        .not_after_s = start_s + 300 * INT64_C(86400)};
    if (session->is_provider) { /* under a public authority */
        chain.subject = "CN=api.push.apple.com,O=Apple Inc.,ST=California,C=US";
        chain.issuer = "CN=Apple Public Server RSA CA 12 - G1,O=Apple Inc.,ST=California,C=US";
        chain.root = "CN=USERTrust RSA Certification Authority,O=The USERTRUST Network,"
                     "L=Jersey City,ST=New Jersey,C=US";
        chain.dns_names = "api.push.apple.com";
        chain.has_markers = false;
    }
    if (!kept->size && !payload_certificate(kept, &chain))
        abort();
    bytes_add(out, kept->at, kept->size);
}

static void put_flight(struct session *session, struct bytes *out)
{
    bool echoes = !session->is_tls12 || session->resumes;
    struct server_hello hello = {.version = session->is_tls12 ? VERSION_TLS12 : VERSION_TLS13,
                                 .selects_psk = session->resumes,
                                 .alpn = !session->is_tls12     ? NULL
                                         : session->is_provider ? "h2"
                                                                : "apns-pack-v1:4096:4096",
                                 .seed = seed_of(session),
                                 .session_id = session->session_id,
                                 .session_id_size = echoes ? 32 : 0};
    payload_server_hello(out, &hello);
    if (!session->is_tls12) {
        payload_change_cipher_spec(out);
        payload_application_data(out, session->resumes ? RESUMED_FLIGHT_SIZE : FLIGHT_SIZE,
                                 seed_of(session));
        return;
    }
    put_certificate(session, out);
    payload_server_key_exchange(out, seed_of(session));
    payload_server_hello_done(out);
}

static void put_finished(struct session *session, struct bytes *out)
{
    if (session->is_tls12)
        payload_client_key_exchange(out, seed_of(session));
    payload_change_cipher_spec(out);
    if (session->is_tls12)
        payload_finished(out, seed_of(session));
    else
        payload_application_data(out, 74, seed_of(session)); /* SHA-384 */
}

static void put_alert(struct session *session, struct bytes *out)
{
    if (!session->is_tls12)
        payload_application_data(out, ENCRYPTED_ALERT_SIZE, seed_of(session));
    else if (session->works)
        payload_encrypted_alert(out, seed_of(session));
    else
        payload_alert(out, ALERT_FATAL, ALERT_UNKNOWN_CA);
}

static void put(struct session *session, enum saying saying, struct bytes *out)
{
    struct draw *draw = &session->line.device->draw;
    switch (saying) {
    case SAY_HELLO:
        put_hello(session, out);
        break;
    case SAY_FLIGHT:
        put_flight(session, out);
        break;
    case SAY_FINISHED:
        put_finished(session, out);
        break;
    case SAY_SERVER_FINISHED:
        payload_session_ticket(out, seed_of(session));
        payload_change_cipher_spec(out);
        payload_finished(out, seed_of(session));
        break;
    case SAY_CONNECT:
        payload_application_data(out, session->is_bag ? BAG_REQUEST_SIZE : CONNECT_SIZE,
                                 seed_of(session));
        break;
    case SAY_ANSWER:
        payload_application_data(out, session->is_bag ? BAG_SIZE : ANSWER_SIZE, seed_of(session));
        break;
    case SAY_HEARTBEAT:
        payload_application_data(out, HEARTBEAT_SIZE, seed_of(session));
        break;
    case SAY_PUSH:
        payload_application_data(out, (size_t)draw_between(draw, 150, 1600), seed_of(session));
        break;
    case SAY_RECEIPT:
        payload_application_data(out, RECEIPT_SIZE, seed_of(session));
        break;
    case SAY_ALERT:
        put_alert(session, out);
        break;
    case SAY_ASK_PROXY:
        put_text(out, "CONNECT 7-courier.push.apple.com:443 HTTP/1.1\r\n"
                      "Host: 7-courier.push.apple.com\r\n\r\n");
        break;
    case SAY_PROXY_ANSWER:
        put_text(out, proxy_of(session) == PROXY_DENIES
                          ? "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
                          : "HTTP/1.1 200 Connection established\r\n\r\n");
        break;
    case SAY_OPEN:
    case SAY_FIN:
        abort(); /* are none */
    }
}

static void say_now(struct session *session, enum direction way, enum saying saying)
{
    struct bytes payload = {0};
    if (session->line.party[way].is_gone)
        return;
    put(session, saying, &payload);
    line_say(&session->line, way, saying, &payload);
}

static void say_planned(void *subject, const uint64_t detail[3])
{
    say_now(subject, detail[0] & 1 ? DOWN : UP, (enum saying)(detail[0] >> 1));
}

static void say(struct session *session, enum direction way, enum saying saying, int64_t think_ns)
{
    fleet_later(session->line.fleet, think_ns, say_planned, session,
                (uint64_t)saying << 1 | (uint64_t)way);
}

static void close_planned(void *subject, const uint64_t detail[3])
{
    line_close(&((struct session *)subject)->line, detail[0] ? DOWN : UP);
}

/* close_notify, and the FIN a moment later. */
static void farewell(struct session *session, enum direction way)
{
    say_now(session, way, SAY_ALERT);
    fleet_later(session->line.fleet, 50 * NS_PER_US, close_planned, session, way);
}

/* ---- the courier ---- */

static bool courier_is_there(const struct session *session)
{
    return !session->line.party[DOWN].is_gone && !session->line.party[DOWN].has_closed;
}

static void beat(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    (void)detail;
    if (!courier_is_there(session))
        return;
    say_now(session, DOWN, SAY_HEARTBEAT);
    fleet_later(session->line.fleet, session->line.device->heartbeat_ns, beat, session, 0);
}

static void push(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    if (!courier_is_there(session))
        return;
    if (detail[0])
        say_now(session, DOWN, SAY_PUSH);
    fleet_later(session->line.fleet, draw_wait(&session->line.device->draw, PUSHES_NS), push,
                session, 1);
}

static void drain(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    (void)detail;
    if (courier_is_there(session))
        farewell(session, DOWN);
}

static void restart(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    (void)detail;
    if (courier_is_there(session))
        line_reset(&session->line, DOWN, false);
}

/* The limit of a box that ends sessions as the server would. */
static void cut(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    if (courier_is_there(session) && session->line.device->is_on_air)
        device_bite(session->line.device);
    restart(subject, detail);
}

static void courier_begins(struct session *session)
{
    struct fleet *fleet = session->line.fleet;
    struct draw *draw = &session->line.device->draw;
    fleet_later(fleet, session->line.device->heartbeat_ns, beat, session, 0);
    push(session, (uint64_t[3]){0});
    if (draw_chance(draw, 0.08))
        fleet_later(fleet, draw_between(draw, MINUTE_NS, 6 * HOUR_NS), drain, session, 0);
    if (draw_chance(draw, 0.02))
        fleet_later(fleet, draw_between(draw, MINUTE_NS, 6 * HOUR_NS), restart, session, 0);
    if (fleet->fault && fleet->fault->server_cuts && session->line.device->is_hit)
        fleet_later(fleet, draw_between(draw, 2 * MINUTE_NS, 6 * MINUTE_NS), cut, session, 0);
}

static void courier_hears(struct session *session, enum saying saying)
{
    struct draw *draw = &session->line.device->draw;
    bool is_slow = draw_chance(draw, 0.02);
    if (saying == SAY_HELLO && session->is_stray)
        fleet_later(session->line.fleet, NS_PER_MS, close_planned, session, DOWN);
    else if (saying == SAY_HELLO)
        say(session, DOWN, SAY_FLIGHT,
            session->rtt_extra_ns + draw_between(draw, 1, is_slow ? 900 : 8) * NS_PER_MS);
    else if (saying == SAY_FINISHED && session->is_tls12)
        say(session, DOWN, SAY_SERVER_FINISHED, session->rtt_extra_ns + NS_PER_MS);
    else if (saying == SAY_CONNECT)
        say(session, DOWN, SAY_ANSWER,
            session->rtt_extra_ns + draw_between(draw, 5, is_slow ? 900 : 80) * NS_PER_MS);
    else if (saying == SAY_FIN)
        fleet_later(session->line.fleet, NS_PER_MS, close_planned, session, DOWN);
    else if (saying == SAY_ASK_PROXY)
        say(session, DOWN, SAY_PROXY_ANSWER, session->rtt_extra_ns + NS_PER_MS);
    else if (saying == SAY_PUSH) /* an MDM server's */
        say(session, DOWN, SAY_RECEIPT, draw_between(draw, 5, 80) * NS_PER_MS);
    if (saying == SAY_CONNECT && session->is_provider && draw_chance(draw, 0.5))
        fleet_later(session->line.fleet, draw_between(draw, MINUTE_NS, 6 * HOUR_NS), drain, session,
                    0);
    else if (saying == SAY_CONNECT && !session->is_bag && !session->is_provider)
        courier_begins(session);
}

/* ---- the device ---- */

static void refuse(struct session *session)
{
    farewell(session, UP);
    device_bite(session->line.device);
    device_lost(session->line.device, session, false);
}

static void check_due(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    int64_t left_ns = session->due_ns - session->line.fleet->now_ns;
    (void)detail;
    if (session->is_given_up || !session->line.device->is_on_air)
        return; /* it will look when it wakes */
    if (left_ns > 0) {
        fleet_later(session->line.fleet, left_ns, check_due, session, 0);
        return;
    }
    courier_close(session);
    device_lost(session->line.device, session, true);
}

void courier_wakes(struct session *session)
{
    check_due(session, NULL);
}

static void order(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    (void)detail;
    if (session->is_given_up || session->line.party[UP].is_gone)
        return;
    say_now(session, UP, SAY_PUSH);
    fleet_later(session->line.fleet, draw_wait(&session->line.device->draw, ORDERS_NS), order,
                session, 0);
}

static void end_shift(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    (void)detail;
    if (session->is_given_up || session->line.party[UP].is_gone)
        return;
    courier_close(session);
    device_lost(session->line.device, session, true);
}

/* An MDM server: no heartbeats, and a new session every few hours. */
static void begin_to_order(struct session *session)
{
    struct device *device = session->line.device;
    device_works(device, session);
    order(session, NULL);
    fleet_later(device->fleet, draw_between(&device->draw, HOUR_NS, 4 * HOUR_NS), end_shift,
                session, 0);
}

static void begin_to_work(struct session *session)
{
    struct device *device = session->line.device;
    session->works = true;
    if (session->is_provider) {
        begin_to_order(session);
        return;
    }
    if (session->is_bag) {
        farewell(session, UP);
        return;
    }
    if (box_of(session) == BOX_PASSES)
        device_bite(device);
    session->due_ns = session->line.fleet->now_ns + device->heartbeat_ns + GRACE_NS;
    check_due(session, NULL);
    device_works(device, session);
}

static void fetch_again(void *subject, const uint64_t detail[3])
{
    struct device *device = subject;
    (void)detail;
    if (device->is_on_air)
        courier_fetch_bag(device);
}

/* It asks DNS whether there is a configuration at all, and tries again some times. */
static void miss_bag(struct session *session)
{
    enum { BAG_TRIES = 4 };
    struct device *device = session->line.device;
    if (session->is_given_up || session->works)
        return;
    session->is_given_up = true;
    if (!device->is_on_air || ++device->bag_tries >= BAG_TRIES)
        return;
    lookup_text(device);
    fleet_later(device->fleet, draw_between(&device->draw, 20, 200) * NS_PER_S, fetch_again, device,
                0);
}

static void lose(struct session *session)
{
    if (session->is_bag)
        miss_bag(session);
    else if (!session->is_stray)
        device_lost(session->line.device, session, session->works);
}

static bool is_mistrusted(const struct session *session)
{
    const struct line *line = &session->line;
    return line->device->is_hit && line->fleet->fault->mistrusts;
}

static void hear_proxy(struct session *session, int64_t think_ns)
{
    device_bite(session->line.device);
    if (proxy_of(session) == PROXY_PASSES) {
        say(session, UP, SAY_HELLO, think_ns);
        return;
    }
    session->is_given_up = true;
    line_close(&session->line, UP);
    device_lost(session->line.device, session, false);
}

static void device_hears(struct session *session, enum saying saying)
{
    struct device *device = session->line.device;
    int64_t think_ns = draw_between(&device->draw, 500, 4000) * NS_PER_US;
    switch (saying) {
    case SAY_OPEN:
        if (!session->is_bag && !session->is_stray)
            device_opens(device, session);
        if (session->is_stray)
            device_bite(device);
        say(session, UP, session->is_proxied ? SAY_ASK_PROXY : SAY_HELLO, think_ns);
        break;
    case SAY_PROXY_ANSWER:
        hear_proxy(session, think_ns);
        break;
    case SAY_FLIGHT:
        if (box_of(session) >= BOX_INSPECTS || is_mistrusted(session)) {
            refuse(session);
            break;
        }
        say(session, UP, SAY_FINISHED, think_ns);
        if (!session->is_tls12)
            say(session, UP, SAY_CONNECT, think_ns + NS_PER_MS);
        break;
    case SAY_SERVER_FINISHED:
        say(session, UP, SAY_CONNECT, think_ns);
        break;
    case SAY_ANSWER:
        if (!session->is_given_up)
            begin_to_work(session);
        break;
    case SAY_HEARTBEAT:
        session->due_ns = session->line.fleet->now_ns + device->heartbeat_ns + GRACE_NS;
        break;
    case SAY_PUSH:
        say(session, UP, SAY_RECEIPT, think_ns);
        break;
    case SAY_FIN:
        fleet_later(session->line.fleet, think_ns, close_planned, session, UP);
        lose(session);
        break;
    default: /* an alert comes before a FIN; the rest it says itself */
        break;
    }
}

static void heard(struct line *line, enum direction way, enum saying saying)
{
    if (way == UP)
        courier_hears(session_of(line), saying);
    else
        device_hears(session_of(line), saying);
}

static void over(struct line *line, enum direction whose, enum end_cause cause)
{
    struct session *session = session_of(line);
    (void)cause;
    if (whose == UP)
        lose(session);
}

void courier_close(struct session *session)
{
    session->is_given_up = true;
    farewell(session, UP);
}

/* ---- beginnings ---- */

static void give_up(void *subject, const uint64_t detail[3])
{
    struct session *session = subject;
    (void)detail;
    if (session->works || session->is_given_up || session->line.party[UP].is_gone)
        return;
    if (session->line.party[UP].expected)
        line_close(&session->line, UP);
    else
        line_forget(&session->line, UP);
    lose(session);
}

static void set_box(struct session *session)
{
    struct line *line = &session->line;
    if (box_of(session) == BOX_NONE)
        return;
    /* It answers from two hops away; what it passes on takes the rest of the way. */
    session->box = *line->party[DOWN].station;
    session->box.ttl = 62;
    session->rtt_extra_ns = box_of(session) == BOX_PASSES ? 2 * line->far_ns + 20 * NS_PER_MS : 0;
    line->far_ns = 300 * NS_PER_US;
    line->party[DOWN].station = &session->box;
    session->is_tls12 |= box_of(session) == BOX_SHOWS_ITS_CERTIFICATE;
}

static struct session *connect_with(struct device *device, struct station *own,
                                    struct station *server, uint16_t port)
{
    struct session *session = support_allocate(sizeof *session);
    struct line *line = &session->line;
    *session = (struct session){.is_tls12 = device->is_tls12};
    *line = (struct line){.fleet = device->fleet,
                          .device = device,
                          .near_ns = device->near_ns,
                          .far_ns = device->far_ns,
                          .heard = heard,
                          .over = over};
    for (int way = UP; way <= DOWN; way++) {
        struct party *party = &line->party[way];
        party->station = way == UP ? own : server;
        party->port = way == UP ? device->next_port : port;
        party->first = party->next = party->oldest = (uint32_t)draw_bits(&device->draw);
        party->tries_max = way == UP ? 10 : 12;
        party->passed_ns = party->came_ns = -2 * HOUR_NS; /* before any beginning */
    }
    for (size_t i = 0; i < sizeof session->session_id; i++)
        session->session_id[i] = (uint8_t)draw_bits(&device->draw);
    device->next_port = device->next_port == 65535 ? 49152 : device->next_port + 1;
    session->resumes = device->has_ticket && draw_chance(&device->draw, 0.4);
    session->earlier = device->sessions_kept;
    device->sessions_kept = session;
    return session;
}

static void begin(struct session *session)
{
    session->line.device->attempts++;
    session->opened_ns = session->line.fleet->now_ns;
    line_open(&session->line);
    fleet_later(session->line.fleet, ESTABLISH_NS, give_up, session, 0);
}

static struct station *draw_server(struct device *device, bool over_v6)
{
    int first = device->is_mdm_server ? FIRST_PROVIDER : over_v6 ? FIRST_V6 : 0;
    int count = device->is_mdm_server ? SERVERS_PROVIDER : over_v6 ? SERVERS_V6 : SERVERS_V4;
    return device->fleet->servers + first + draw_between(&device->draw, 0, count);
}

struct session *courier_connect(struct device *device, bool over_v6, uint16_t port)
{
    const struct fault *fault = device->is_hit ? device->fleet->fault : NULL;
    struct station *server = draw_server(device, over_v6);
    bool is_proxied = fault && fault->proxy;
    if (is_proxied)
        server = &device->fleet->proxy;
    else if (fault && fault->leads_away)
        server = &device->fleet->elsewhere;
    struct session *session = connect_with(device, over_v6 ? &device->v6 : &device->v4, server,
                                           is_proxied ? PROXY_PORT : port);
    session->is_proxied = is_proxied;
    session->is_provider = device->is_mdm_server;
    if (is_proxied || (fault && fault->leads_away)) { /* it is near, the courier far */
        session->rtt_extra_ns = 2 * device->far_ns;
        session->line.far_ns = 500 * NS_PER_US;
    }
    set_box(session);
    begin(session);
    return session;
}

void courier_try_by_hand(struct device *device, uint16_t port)
{
    struct session *session = connect_with(device, &device->v4, draw_server(device, false), port);
    session->is_stray = true;
    begin(session);
}

void courier_free(struct session *session)
{
    while (session) {
        struct session *earlier = session->earlier;
        line_forget(&session->line, UP);
        line_forget(&session->line, DOWN);
        free(session);
        session = earlier;
    }
}

struct session *courier_fetch_bag(struct device *device)
{
    struct station *servers = device->fleet->servers + FIRST_BAG;
    struct session *session = connect_with(
        device, &device->v4, servers + draw_between(&device->draw, 0, SERVERS_BAG), 443);
    session->is_bag = true;
    session->is_tls12 = session->resumes = false;
    begin(session);
    return session;
}
