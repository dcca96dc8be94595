/* A courier of Apple's, as far as the wire shows one: TLS with Apple's kinds of certificates, an
 * answer to the Connect message, heartbeats and notifications.
 *
 * One of the lab's own programs, on the kernel's TCP and on OpenSSL. A client that offers ALPN
 * "apns-*" is shown the pinned chain, everybody else the public one. The client's Connect message
 * says how this session shall go ("heartbeat=MS pushes=MS:SIZE,... stream=COUNT:SIZE:MS reset=MS"),
 * so that a play needs one program to steer. Deliberately does not speak Apple's protocol. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    LISTENERS_MAX = 64,
    PUSHES_MAX = 1024,
    RECORD_SIZE_MAX = 16384,
    ANSWER_SIZE = 58,
    HEARTBEAT_SIZE = 11, /* with TLS 1.3's overhead one record of 33 bytes */
};

static struct {
    const char *pinned, *public; /* PEM files: key and chain */
    const char *groups;          /* NULL: OpenSSL's own */
    int tls_high;
    int listeners[LISTENERS_MAX], count;
    const char *chosen_alpn; /* TLS 1.2 */
    int think_ms;            /* before it answers a ClientHello */
} plan = {.tls_high = TLS1_3_VERSION, .chosen_alpn = "apns-pack-v1"};

static SSL_CTX *pinned, *public;

struct push {
    int64_t due_ms;
    int size;
};

struct session {
    SSL *tls;
    int fd;
    int heartbeat_ms;
    int64_t next_heartbeat_ms;
    struct push pushes[PUSHES_MAX];
    int push_count, pushed;
    int64_t reset_ms; /* when it aborts the session */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- TLS ---- */

static int choose_chain(SSL *tls, int *alert, void *argument)
{
    const unsigned char *alpn;
    size_t size;
    (void)alert, (void)argument;
    if (SSL_client_hello_get0_ext(tls, TLSEXT_TYPE_application_layer_protocol_negotiation, &alpn,
                                  &size) &&
        memmem(alpn, size, "apns-", 5))
        return SSL_CLIENT_HELLO_SUCCESS;
    SSL_set_SSL_CTX(tls, public);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int choose_alpn(SSL *tls, const unsigned char **out, unsigned char *out_size,
                       const unsigned char *in, unsigned in_size, void *argument)
{
    (void)tls, (void)argument;
    if (!memmem(in, in_size, "apns-", 5))
        return SSL_TLSEXT_ERR_NOACK;
    *out = (const unsigned char *)plan.chosen_alpn;
    *out_size = (unsigned char)strlen(plan.chosen_alpn);
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(const char *file)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(context, file) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, file, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stdout);
        exit(3);
    }
    SSL_CTX_set_max_proto_version(context, plan.tls_high);
    if (plan.groups)
        SSL_CTX_set1_groups_list(context, plan.groups);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"courier", 7);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_client_hello_cb(context, choose_chain, NULL);
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
    return context;
}

/* ---- one session ---- */

static void read_wishes(struct session *session, const char *message)
{
    const char *heartbeat = strstr(message, "heartbeat=");
    const char *pushes = strstr(message, "pushes=");
    const char *stream = strstr(message, "stream=");
    const char *reset = strstr(message, "reset=");
    int count, every_ms;
    session->heartbeat_ms = heartbeat ? atoi(heartbeat + 10) : 0;
    session->next_heartbeat_ms =
        session->heartbeat_ms ? now_ms() + session->heartbeat_ms : INT64_MAX;
    int after_ms, size, length;
    for (const char *at = pushes ? pushes + 7 : "";
         session->push_count < PUSHES_MAX && sscanf(at, "%d:%d%n", &after_ms, &size, &length) == 2;
         at += length + (at[length] == ','))
        session->pushes[session->push_count++] = (struct push){now_ms() + after_ms, size};
    if (stream && sscanf(stream, "stream=%d:%d:%d", &count, &size, &every_ms) == 3)
        for (int i = 0; i < count && session->push_count < PUSHES_MAX; i++)
            session->pushes[session->push_count++] =
                (struct push){now_ms() + (int64_t)(i + 1) * every_ms, size};
    session->reset_ms = reset ? now_ms() + atoi(reset + 6) : INT64_MAX;
}

static bool greet(struct session *session)
{
    char message[RECORD_SIZE_MAX + 1];
    static const uint8_t answer[ANSWER_SIZE];
    int size = SSL_read(session->tls, message, RECORD_SIZE_MAX);
    if (size <= 0)
        return false;
    message[size] = '\0';
    read_wishes(session, message);
    return SSL_write(session->tls, answer, sizeof answer) > 0;
}

static int64_t next_due_ms(const struct session *session)
{
    int64_t due = session->next_heartbeat_ms;
    if (session->pushed < session->push_count && session->pushes[session->pushed].due_ms < due)
        due = session->pushes[session->pushed].due_ms;
    return session->reset_ms < due ? session->reset_ms : due;
}

static void abort_session(struct session *session)
{
    struct linger at_once = {1, 0};
    setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(session->fd);
    _exit(0);
}

static bool send_due(struct session *session)
{
    static uint8_t bytes[RECORD_SIZE_MAX];
    while (session->pushed < session->push_count &&
           session->pushes[session->pushed].due_ms <= now_ms())
        if (SSL_write(session->tls, bytes, session->pushes[session->pushed++].size) <= 0)
            return false;
    if (session->reset_ms <= now_ms())
        abort_session(session);
    if (session->next_heartbeat_ms <= now_ms()) {
        session->next_heartbeat_ms += session->heartbeat_ms;
        return SSL_write(session->tls, bytes, HEARTBEAT_SIZE) > 0;
    }
    return true;
}

static void serve(struct session *session)
{
    char record[RECORD_SIZE_MAX];
    bool lives = SSL_accept(session->tls) == 1 && greet(session);
    while (lives) {
        struct pollfd waited = {.fd = session->fd, .events = POLLIN};
        int64_t due = next_due_ms(session), wait = due - now_ms();
        int ready = SSL_pending(session->tls)
                        ? 1
                        : poll(&waited, 1, due == INT64_MAX ? -1 : (int)(wait < 0 ? 0 : wait));
        if (ready > 0)
            lives = SSL_read(session->tls, record, sizeof record) > 0;
        else
            lives = send_due(session);
    }
    SSL_shutdown(session->tls);
    SSL_free(session->tls);
    close(session->fd);
}

static void accept_one(int listener)
{
    int one = 1, fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return;
    if (fork() == 0) {
        struct session session = {.fd = fd, .tls = SSL_new(pinned)};
        signal(SIGTERM, SIG_DFL); /* its peer then sees a FIN, as when a server restarts */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        SSL_set_fd(session.tls, fd);
        usleep((useconds_t)plan.think_ms * 1000);
        serve(&session);
        _exit(0);
    }
    close(fd);
}

/* ---- listening ---- */

/* "[2620:149:a44:1::10]:5223" or "17.57.144.10:5223" */
static void listen_on(const char *text)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    bool is_six = *text == '[';
    int one = 1;
    snprintf(host, sizeof host, "%.*s", (int)(colon - text - 2 * is_six), text + is_six);
    four.sin_port = six.sin6_port = htons((uint16_t)atoi(colon + 1));
    inet_pton(is_six ? AF_INET6 : AF_INET, host,
              is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr);
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    const struct sockaddr *address = is_six ? (void *)&six : (void *)&four;
    if (bind(fd, address, is_six ? sizeof six : sizeof four) != 0 || listen(fd, 64) != 0) {
        printf("cannot listen on %s: %s\n", text, strerror(errno));
        exit(3);
    }
    plan.listeners[plan.count++] = fd;
}

static void take_options(int count, char **words)
{
    int option;
    while ((option = getopt(count, words, "p:u:g:a:w:2")) != -1) {
        switch (option) {
        case 'p':
            plan.pinned = optarg;
            break;
        case 'u':
            plan.public = optarg;
            break;
        case 'g':
            plan.groups = optarg;
            break;
        case 'a':
            plan.chosen_alpn = optarg;
            break;
        case 'w':
            plan.think_ms = atoi(optarg);
            break;
        case '2':
            plan.tls_high = TLS1_2_VERSION;
            break;
        default:
            exit(2);
        }
    }
    for (int i = optind; i < count && plan.count < LISTENERS_MAX; i++)
        listen_on(words[i]);
}

int main(int count, char **words)
{
    struct pollfd waited[LISTENERS_MAX];
    take_options(count, words);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    pinned = make_context(plan.pinned);
    public = make_context(plan.public);
    puts("ready");
    fflush(stdout);
    for (;;) {
        for (int i = 0; i < plan.count; i++)
            waited[i] = (struct pollfd){.fd = plan.listeners[i], .events = POLLIN};
        if (poll(waited, (nfds_t)plan.count, -1) <= 0)
            continue;
        for (int i = 0; i < plan.count; i++)
            if (waited[i].revents & POLLIN)
                accept_one(plan.listeners[i]);
    }
}
