/* The HTTP server for metrics, by libmicrohttpd.
 *
 * See metrics.h. The analysis copies its state once a second; a request copies it again and writes
 * the page, so that neither waits for the other's work. The socket is opened early; the server's
 * thread starts with the others, inside the sandbox. Deliberately serves nothing but this one page,
 * and takes no request's body. */
#include "metrics.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "metrics_socket.h"
#include "metrics_text.h"

enum { CONNECTIONS_MAX = 16, CONNECTION_TIMEOUT_S = 10, CONNECTION_MEMORY = 16 << 10 };

#define PROMETHEUS_TYPE  "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics {
    char *where;
    const struct feed_origin *origin;
    int descriptor; /* -1: the server's */
    struct MHD_Daemon *server;
    pthread_mutex_t lock; /* of the state */
    struct metrics_state state;
};

/* ---- the analysis' side ---- */

static struct metrics_code *code_of(struct metrics_state *state, const struct finding *finding)
{
    size_t i = 0;
    while (i < state->code_count && strcmp(state->codes[i].code, finding->code) != 0)
        i++;
    if (i == METRICS_CODES_MAX)
        return NULL;
    if (i == state->code_count)
        state->codes[state->code_count++] =
            (struct metrics_code){.code = finding->code, .severity = finding->severity};
    return &state->codes[i];
}

static void on_finding(void *context, const struct finding *finding, bool is_new)
{
    struct metrics *metrics = (struct metrics *)context;
    if (!is_new)
        return;
    pthread_mutex_lock(&metrics->lock);
    struct metrics_code *code = code_of(&metrics->state, finding);
    if (code) {
        code->standing++;
        code->found++;
    }
    pthread_mutex_unlock(&metrics->lock);
}

static void on_withdrawn(void *context, const struct finding *finding)
{
    struct metrics *metrics = (struct metrics *)context;
    pthread_mutex_lock(&metrics->lock);
    struct metrics_code *code = code_of(&metrics->state, finding);
    if (code && code->standing) {
        code->standing--;
        code->withdrawn++;
    }
    pthread_mutex_unlock(&metrics->lock);
}

static void on_report(void *context, const struct feed_report *report)
{
    struct metrics *metrics = (struct metrics *)context;
    pthread_mutex_lock(&metrics->lock);
    metrics->state.report = *report;
    pthread_mutex_unlock(&metrics->lock);
}

/* ---- the server's side ---- */

static struct MHD_Response *page_of(struct metrics *metrics, enum metrics_format format)
{
    char *text = NULL;
    size_t size = 0;
    struct metrics_state *state = (struct metrics_state *)malloc(sizeof *state);
    FILE *out = open_memstream(&text, &size);
    if (state && out) {
        pthread_mutex_lock(&metrics->lock);
        *state = metrics->state;
        pthread_mutex_unlock(&metrics->lock);
        metrics_write(out, format, metrics->origin, state);
    }
    bool is_whole = out && fclose(out) == 0 && state;
    free(state);
    if (is_whole)
        return MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
    free(text);
    return NULL;
}

static struct MHD_Response *plain(const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/plain; charset=utf-8");
    return response;
}

static struct MHD_Response *metrics_page(struct metrics *metrics, struct MHD_Connection *connection)
{
    const char *accepted =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    bool is_open = accepted && strstr(accepted, "application/openmetrics-text");
    struct MHD_Response *response =
        page_of(metrics, is_open ? METRICS_OPENMETRICS : METRICS_PROMETHEUS);
    if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                is_open ? OPENMETRICS_TYPE : PROMETHEUS_TYPE);
    return response;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct metrics *metrics = (struct metrics *)context;
    unsigned status = MHD_HTTP_OK;
    struct MHD_Response *response;
    (void)version;
    (void)upload;
    (void)state;
    if (*upload_size)
        return MHD_NO;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        response = plain("only GET\n");
    } else if (strcmp(url, "/metrics") == 0) {
        response = metrics_page(metrics, connection);
    } else {
        status = MHD_HTTP_NOT_FOUND;
        response = plain("apnscope: see /metrics\n");
    }
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

/* ---- life ---- */

static bool start(void *context, struct fault *fault)
{
    struct metrics *metrics = (struct metrics *)context;
    sigset_t all, before;
    sigfillset(&all); /* signals are for the program's first thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    metrics->server = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, answer, metrics,
        MHD_OPTION_LISTEN_SOCKET, metrics->descriptor, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!metrics->server)
        return fault_set(fault, "--metrics %s: the HTTP server does not start", metrics->where);
    metrics->descriptor = -1;
    return true;
}

static void close_metrics(void *context)
{
    struct metrics *metrics = (struct metrics *)context;
    if (metrics->server)
        MHD_stop_daemon(metrics->server);
    if (metrics->descriptor >= 0)
        close(metrics->descriptor);
    metrics_socket_remove(metrics->where);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics->where);
    free(metrics);
}

bool metrics_open(struct feed_sink *sink, const char *where, const struct feed_origin *origin,
                  struct fault *fault)
{
    int descriptor;
    if (!metrics_socket_open(&descriptor, where, fault))
        return false;
    struct metrics *metrics = (struct metrics *)calloc(1, sizeof *metrics);
    assert(metrics);
    metrics->descriptor = descriptor;
    metrics->origin = origin;
    metrics->where = strdup(where);
    assert(metrics->where);
    pthread_mutex_init(&metrics->lock, NULL);
    *sink = (struct feed_sink){.context = metrics,
                               .start = start,
                               .finding = on_finding,
                               .withdrawn = on_withdrawn,
                               .report = on_report,
                               .close = close_metrics};
    return true;
}
