/* A device's courier connection, as apsd keeps it, on the kernel's TCP and on OpenSSL.
 *
 * One of the lab's own programs: it resolves a courier's name, tries 5223 and 443 in turn with a
 * limit of 30 s each, pins the authority it is given, sends a Connect message, answers what comes,
 * and notices a heartbeat that stays away. It prints a line for each thing that happens to it.
 * Deliberately does not speak Apple's protocol: what is inside TLS is made up, only its sizes and
 * its times are those of a device. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

enum {
    ADDRESSES_MAX = 32,
    PORTS_MAX = 2,
    CONNECT_SIZE = 940, /* a Connect message carries certificate, nonce and signature */
    RECORD_SIZE_MAX = 16384,
    HELLO_EXTENSION = 0xfe5a, /* of the range for private use, RFC 8447 section 7 */
};

enum refusal { REFUSE_BY_ALERT, REFUSE_BY_CLOSE };
enum ending { END_CLOSE, END_RESET, END_VANISH };

static struct plan {
    const char *name;        /* asked of the resolver */
    const char *sni;         /* "": none */
    const char *alpn;        /* comma separated; "": none */
    const char *trust;       /* file of the authority it pins */
    const char *proxy;       /* HOST:PORT of an explicit proxy */
    const char *credentials; /* of the proxy, in base64 */
    const char *speak;       /* said instead of TLS */
    const char *pushes;      /* MS:SIZE,...: passed to the server, */
    const char *stream;      /* COUNT:SIZE:MS likewise, */
    const char *reset;       /* MS likewise */
    const char *addresses[ADDRESSES_MAX];
    int address_count;
    int ports[PORTS_MAX], port_count;
    int family;
    int attempts, sessions; /* ends after so many */
    int first_address;
    int connect_ms, pause_ms, hold_ms, heartbeat_ms, grace_ms, retry_ms, late_ms;
    int connect_size, hello_pad, upload;
    int tls_low, tls_high;
    enum refusal refusal;
    enum ending ending;
    bool resumes;
} plan = {
    .name = "7-courier.push.apple.com",
    .sni = "courier.push.apple.com",
    .alpn = "apns-security-v3,apns-pack-v1",
    .pushes = "",
    .stream = "",
    .ports = {5223, 443},
    .port_count = 2,
    .attempts = 2,
    .sessions = 1,
    .connect_ms = 30000,
    .pause_ms = 3000,
    .hold_ms = 2000,
    .heartbeat_ms = 0,
    .grace_ms = 1500,
    .retry_ms = 40,
    .connect_size = CONNECT_SIZE,
    .tls_low = TLS1_3_VERSION,
    .tls_high = TLS1_3_VERSION,
};

struct session {
    int fd;
    SSL *tls;
    char peer[INET6_ADDRSTRLEN + 8];
};

static struct sockaddr_storage addresses[ADDRESSES_MAX];
static int address_count;
static SSL_CTX *context;
static SSL_SESSION *kept; /* to resume */
static uint8_t *hello_pad;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    static int64_t begun;
    va_list arguments;
    if (!begun)
        begun = now_ms();
    printf("%8.3f ", (double)(now_ms() - begun) / 1000);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void sleep_ms(int ms)
{
    struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&span, NULL);
}

/* ---- addresses ---- */

static void add_address(const struct sockaddr *address, socklen_t size)
{
    if (address_count < ADDRESSES_MAX)
        memcpy(&addresses[address_count++], address, size);
}

static bool look_up(const char *name, int flags)
{
    struct addrinfo hints = {
        .ai_family = plan.family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
    struct addrinfo *found;
    int error = getaddrinfo(name, NULL, &hints, &found);
    if (error) {
        say("lookup %s: %s", name, gai_strerror(error));
        return false;
    }
    for (struct addrinfo *each = found; each; each = each->ai_next)
        add_address(each->ai_addr, each->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

/* Given addresses are remembered ones and need no resolver. */
static bool find_addresses(void)
{
    address_count = 0;
    for (int i = 0; i < plan.address_count; i++)
        look_up(plan.addresses[i], AI_NUMERICHOST);
    return plan.address_count ? address_count > 0 : look_up(plan.name, 0);
}

static socklen_t with_port(struct sockaddr_storage *address, int port)
{
    if (address->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons((uint16_t)port);
        return sizeof(struct sockaddr_in6);
    }
    ((struct sockaddr_in *)address)->sin_port = htons((uint16_t)port);
    return sizeof(struct sockaddr_in);
}

static void name_peer(struct session *session, const struct sockaddr_storage *address, int port)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const void *ip = address->ss_family == AF_INET6
                         ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                         : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    inet_ntop(address->ss_family, ip, host, sizeof host);
    snprintf(session->peer, sizeof session->peer, "%s:%d", host, port);
}

/* ---- TCP ---- */

static bool await(int fd, short events, int ms)
{
    struct pollfd waited = {.fd = fd, .events = events};
    return poll(&waited, 1, ms < 0 ? 0 : ms) == 1;
}

static void drop_socket(struct session *session)
{
    if (session->tls)
        SSL_free(session->tls);
    if (session->fd >= 0)
        close(session->fd);
    session->tls = NULL;
    session->fd = -1;
}

static bool connect_to(struct session *session, struct sockaddr_storage *address, int port)
{
    socklen_t size = with_port(address, port);
    int error = 0;
    socklen_t error_size = sizeof error;
    name_peer(session, address, port);
    session->fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1;
    setsockopt(session->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(session->fd, (struct sockaddr *)address, size) != 0 && errno != EINPROGRESS) {
        say("%s: %s", session->peer, strerror(errno));
        return false;
    }
    if (!await(session->fd, POLLOUT, plan.connect_ms)) {
        say("%s: no answer in %d s", session->peer, plan.connect_ms / 1000);
        return false;
    }
    getsockopt(session->fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
    if (error) {
        say("%s: %s", session->peer, strerror(error));
        return false;
    }
    fcntl(session->fd, F_SETFL, 0);
    struct timeval limit = {plan.connect_ms / 1000, 0};
    setsockopt(session->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return true;
}

/* RFC 9110 section 9.3.6: what follows a 2xx is the tunnel. */
static bool ask_proxy(struct session *session, int port)
{
    char text[1024];
    int length = snprintf(text, sizeof text,
                          "CONNECT %s:%d HTTP/1.1\r\nHost: %s:%d\r\n"
                          "User-Agent: apsd (unknown version)\r\n%s%s%sConnection: keep-alive\r\n"
                          "\r\n",
                          plan.name, port, plan.name, port,
                          plan.credentials ? "Proxy-Authorization: Basic " : "",
                          plan.credentials ? plan.credentials : "", plan.credentials ? "\r\n" : "");
    if (write(session->fd, text, (size_t)length) != length)
        return false;
    ssize_t got = read(session->fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    int status = 0;
    sscanf(text, "HTTP/%*s %d", &status);
    say("%s: the proxy answers %d", session->peer, status);
    return status / 100 == 2;
}

/* ---- TLS ---- */

static int add_hello_pad(SSL *tls, unsigned type, unsigned in, const unsigned char **out,
                         size_t *size, X509 *certificate, size_t index, int *alert, void *argument)
{
    (void)tls, (void)type, (void)in, (void)certificate, (void)index, (void)alert, (void)argument;
    *out = hello_pad;
    *size = (size_t)plan.hello_pad;
    return 1;
}

static void set_alpn(void)
{
    unsigned char wire[256];
    unsigned size = 0;
    for (const char *at = plan.alpn; *at; at += strspn(at, ",")) {
        size_t length = strcspn(at, ",");
        if (size + length + 1 > sizeof wire)
            break;
        wire[size++] = (unsigned char)length;
        memcpy(wire + size, at, length);
        size += (unsigned)length;
        at += length;
    }
    if (size)
        SSL_CTX_set_alpn_protos(context, wire, size);
}

static void make_context(void)
{
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, plan.tls_low);
    SSL_CTX_set_max_proto_version(context, plan.tls_high);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT);
    set_alpn();
    if (plan.trust && SSL_CTX_load_verify_locations(context, plan.trust, NULL) != 1)
        say("cannot read %s", plan.trust);
    /* Checked by itself afterwards where it says nothing, by OpenSSL where it alerts. */
    bool alerts = plan.trust && plan.refusal == REFUSE_BY_ALERT;
    SSL_CTX_set_verify(context, alerts ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (plan.hello_pad) {
        hello_pad = malloc((size_t)plan.hello_pad);
        RAND_bytes(hello_pad, plan.hello_pad);
        SSL_CTX_add_custom_ext(context, HELLO_EXTENSION, SSL_EXT_CLIENT_HELLO, add_hello_pad, NULL,
                               NULL, NULL, NULL);
    }
}

static bool handshake(struct session *session)
{
    session->tls = SSL_new(context);
    SSL_set_fd(session->tls, session->fd);
    if (*plan.sni)
        SSL_set_tlsext_host_name(session->tls, plan.sni);
    if (plan.resumes && kept)
        SSL_set_session(session->tls, kept);
    if (SSL_connect(session->tls) != 1) {
        unsigned long error = ERR_peek_last_error();
        say("%s: TLS failed: %s", session->peer,
            error   ? ERR_reason_error_string(error)
            : errno ? strerror(errno)
                    : "end of stream");
        ERR_clear_error();
        return false;
    }
    long verified = SSL_get_verify_result(session->tls);
    say("%s: %s%s%s", session->peer, SSL_get_version(session->tls),
        SSL_session_reused(session->tls) ? ", resumed" : "",
        plan.trust && verified != X509_V_OK ? ", and not Apple's certificate: closing" : "");
    return !plan.trust || verified == X509_V_OK;
}

static bool send_record(struct session *session, size_t size)
{
    static uint8_t noise[RECORD_SIZE_MAX];
    return SSL_write(session->tls, noise, (int)size) > 0;
}

static bool send_connect_message(struct session *session)
{
    char message[RECORD_SIZE_MAX] = "";
    snprintf(message, sizeof message, "CONNECT heartbeat=%d pushes=%s stream=%s %s%s",
             plan.heartbeat_ms, plan.pushes, plan.stream, plan.reset ? "reset=" : "",
             plan.reset ? plan.reset : "");
    return SSL_write(session->tls, message, plan.connect_size) > 0;
}

/* ---- a session that is up ---- */

static void upload(struct session *session)
{
    for (int left = plan.upload; left > 0; left -= 1200)
        if (!send_record(session, 1200))
            return;
}

/* Reads and answers; false when the session has come to its end. */
static bool take_record(struct session *session)
{
    uint8_t record[RECORD_SIZE_MAX];
    int size = SSL_read(session->tls, record, sizeof record);
    if (size <= 0) {
        say("%s: %s", session->peer,
            SSL_get_error(session->tls, size) == SSL_ERROR_ZERO_RETURN ? "the server closed"
            : errno                                                    ? strerror(errno)
                                                                       : "end of stream");
        ERR_clear_error();
        return false;
    }
    if (size > 100 && !plan.upload)
        send_record(session, 42); /* a notification is acknowledged */
    return true;
}

/* True when it ended because this side wanted to. */
static bool live(struct session *session)
{
    int64_t end = now_ms() + plan.hold_ms;
    int64_t heard = now_ms();
    int64_t late = plan.late_ms ? now_ms() + plan.late_ms : INT64_MAX;
    while (now_ms() < end) {
        int64_t limit = plan.heartbeat_ms ? heard + plan.heartbeat_ms + plan.grace_ms : INT64_MAX;
        int64_t next = limit < end ? limit : end;
        next = late < next ? late : next;
        if (SSL_pending(session->tls) || await(session->fd, POLLIN, (int)(next - now_ms()))) {
            if (!take_record(session))
                return false;
            heard = now_ms();
        } else if (now_ms() >= late) {
            say("%s: sends something after its silence", session->peer);
            send_record(session, 60);
            late = INT64_MAX;
        } else if (now_ms() >= limit) {
            say("%s: the heartbeat stayed away", session->peer);
            return false;
        }
    }
    return true;
}

static void finish(struct session *session, bool is_own_wish)
{
    struct linger abort_at_once = {1, 0};
    if (plan.resumes) {
        SSL_SESSION_free(kept);
        kept = SSL_get1_session(session->tls);
    }
    if (plan.ending == END_VANISH && is_own_wish)
        _exit(0); /* as a machine that loses its network: the play has cut it off */
    if (plan.ending == END_RESET && is_own_wish)
        setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &abort_at_once, sizeof abort_at_once);
    else
        SSL_shutdown(session->tls);
    say("%s: closed", session->peer);
}

/* Something else than TLS, and whatever is answered to it. */
static bool speak(struct session *session)
{
    char answer[512];
    size_t length = strlen(plan.speak);
    bool said = write(session->fd, plan.speak, length) == (ssize_t)length;
    if (said && await(session->fd, POLLIN, plan.hold_ms))
        said = read(session->fd, answer, sizeof answer) > 0;
    say("%s: spoke", session->peer);
    return said;
}

/* One attempt, and the session that comes of it. True when it worked. */
static bool attempt(struct sockaddr_storage *address, int port)
{
    struct session session = {.fd = -1};
    char *colon = plan.proxy ? strrchr(plan.proxy, ':') : NULL;
    bool works = connect_to(&session, address, colon ? atoi(colon + 1) : port) &&
                 (!plan.proxy || ask_proxy(&session, port));
    if (works && plan.speak) {
        works = speak(&session);
        drop_socket(&session);
        return works;
    }
    works = works && handshake(&session) && send_connect_message(&session);
    if (works && !(works = take_record(&session)))
        say("%s: no answer to the Connect message", session.peer);
    if (works) {
        say("%s: works", session.peer);
        upload(&session);
        finish(&session, live(&session));
    }
    drop_socket(&session);
    return works;
}

/* Each failure toggles the port; a success sets it back. */
static int run(void)
{
    int port = 0, address = plan.first_address, worked = 0;
    for (int tried = 0; tried < plan.attempts && worked < plan.sessions; tried++) {
        if (!find_addresses()) {
            sleep_ms(plan.pause_ms);
            continue;
        }
        bool done = attempt(&addresses[address++ % address_count], plan.ports[port]);
        worked += done;
        port = done ? 0 : (port + 1) % plan.port_count;
        bool is_last = tried + 1 == plan.attempts || worked == plan.sessions;
        if (!is_last)
            sleep_ms(done || port != 0 ? plan.retry_ms : plan.pause_ms);
    }
    say("worked %d", worked);
    return worked ? 0 : 1;
}

/* ---- options ---- */

static void take_ports(const char *list)
{
    plan.port_count = sscanf(list, "%d,%d", &plan.ports[0], &plan.ports[1]);
}

static void take_version(const char *version)
{
    bool is_old = strcmp(version, "1.2") == 0, is_both = strcmp(version, "both") == 0;
    plan.tls_low = is_old || is_both ? TLS1_2_VERSION : TLS1_3_VERSION;
    plan.tls_high = is_old ? TLS1_2_VERSION : TLS1_3_VERSION;
}

static void take_family(const char *family)
{
    plan.family = strcmp(family, "4") == 0   ? AF_INET
                  : strcmp(family, "6") == 0 ? AF_INET6
                                             : AF_UNSPEC;
}

static void take_ending(const char *word)
{
    plan.ending = strcmp(word, "reset") == 0    ? END_RESET
                  : strcmp(word, "vanish") == 0 ? END_VANISH
                                                : END_CLOSE;
}

static void take_address(const char *address)
{
    if (plan.address_count < ADDRESSES_MAX)
        plan.addresses[plan.address_count++] = address;
}

static void take_refusal(const char *word)
{
    plan.refusal = strcmp(word, "close") == 0 ? REFUSE_BY_CLOSE : REFUSE_BY_ALERT;
}

/* An option fills a text or a number, or calls a function. */
static const struct known {
    const char *name;
    const char **text;
    int *number;
    void (*take)(const char *);
} known[] = {
    {"name", &plan.name, NULL, NULL},
    {"sni", &plan.sni, NULL, NULL},
    {"alpn", &plan.alpn, NULL, NULL},
    {"trust", &plan.trust, NULL, NULL},
    {"proxy", &plan.proxy, NULL, NULL},
    {"credentials", &plan.credentials, NULL, NULL},
    {"speak", &plan.speak, NULL, NULL},
    {"pushes", &plan.pushes, NULL, NULL},
    {"stream", &plan.stream, NULL, NULL},
    {"reset", &plan.reset, NULL, NULL},
    {"attempts", NULL, &plan.attempts, NULL},
    {"sessions", NULL, &plan.sessions, NULL},
    {"first", NULL, &plan.first_address, NULL},
    {"timeout", NULL, &plan.connect_ms, NULL},
    {"pause", NULL, &plan.pause_ms, NULL},
    {"hold", NULL, &plan.hold_ms, NULL},
    {"heartbeat", NULL, &plan.heartbeat_ms, NULL},
    {"grace", NULL, &plan.grace_ms, NULL},
    {"retry", NULL, &plan.retry_ms, NULL},
    {"late", NULL, &plan.late_ms, NULL},
    {"connect-size", NULL, &plan.connect_size, NULL},
    {"hello-pad", NULL, &plan.hello_pad, NULL},
    {"upload", NULL, &plan.upload, NULL},
    {"ports", NULL, NULL, take_ports},
    {"tls", NULL, NULL, take_version},
    {"family", NULL, NULL, take_family},
    {"end", NULL, NULL, take_ending},
    {"address", NULL, NULL, take_address},
    {"refuse", NULL, NULL, take_refusal},
};

enum { KNOWN = sizeof known / sizeof *known };

static bool take_options(int count, char **words)
{
    struct option options[KNOWN + 2] = {{0}};
    int option, which;
    for (int i = 0; i < KNOWN; i++)
        options[i] = (struct option){known[i].name, required_argument, NULL, 1};
    options[KNOWN] = (struct option){"resume", no_argument, NULL, 'r'};
    while ((option = getopt_long(count, words, "", options, &which)) != -1) {
        if (option == 'r')
            plan.resumes = true;
        else if (option != 1)
            return false;
        else if (known[which].text)
            *known[which].text = optarg;
        else if (known[which].number)
            *known[which].number = atoi(optarg);
        else
            known[which].take(optarg);
    }
    return true;
}

int main(int count, char **words)
{
    if (!take_options(count, words))
        return 2;
    if (plan.proxy) { /* the proxy looks names up */
        static char host[64];
        snprintf(host, sizeof host, "%.*s", (int)strcspn(plan.proxy, ":"), plan.proxy);
        plan.addresses[0] = host;
        plan.address_count = 1;
    }
    signal(SIGPIPE, SIG_IGN);
    make_context();
    return run();
}
