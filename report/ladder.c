/* Builds the packet ladder from the packets kept of a session, or from its record alone.
 *
 * Under the writers that draw it. Repeats without an answer are folded, silences are named.
 * Deliberately reads no capture: `apnscope extract` gets the packets themselves. */
#include "ladder.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/text.h"
#include "phrase.h"
#include "view.h"

/* Silence worth a line. */
static const int64_t silence_ns = 2500 * NS_PER_MS;
/* A fallback follows within a minute (detect/rules/fallback_443.c). */
static const int64_t next_within_ns = 60 * NS_PER_S;

enum { REPEATS_SHOWN = 2, NAME_SHOWN = 44 };

/* --- reading ------------------------------------------------------------------------------ */

static bool is_text(const char *text, const char *wanted)
{
    return text && strcmp(text, wanted) == 0;
}

static bool keep_step(void *context, const void *row)
{
    struct ladder_parts *parts = context;
    parts->steps[parts->step_count++] = row_copy(ROWS_STEP, row);
    return parts->step_count < LADDER_RUNGS_MAX;
}

static void forget_steps(struct ladder_parts *parts)
{
    for (size_t i = 0; i < parts->step_count; i++)
        row_free(ROWS_STEP, parts->steps[i]);
    parts->step_count = 0;
}

bool ladder_has_beginning(const struct step_row *first)
{
    return first->skipped <= 0;
}

/* Of long sessions that ended well no more than their farewell may be kept: the record says more.
 */
static bool is_end_alone(const struct ladder_parts *parts)
{
    if (!parts->step_count || ladder_has_beginning(parts->steps[0]))
        return false;
    for (size_t i = 0; i < parts->step_count; i++)
        if (!is_text(parts->steps[i]->what, "fin") && !is_text(parts->steps[i]->what, "ack"))
            return false;
    return true;
}

bool ladder_read_steps(struct ladder_parts *parts, struct gate *gate, struct fault *fault)
{
    struct archive_range range = {.flow_id = parts->flow->id};
    if (!gate_read(gate, ROWS_STEP, &range, keep_step, parts, fault))
        return false;
    if (is_end_alone(parts))
        forget_steps(parts);
    return true;
}

static bool keep_next(void *context, const void *any)
{
    const struct flow_row *row = any;
    struct ladder_parts *parts = context;
    const struct flow_row *flow = parts->flow;
    bool is_candidate = row->id != flow->id && row->started_ns > flow->started_ns &&
                        row->started_ns <= flow->last_ns + next_within_ns &&
                        is_text(row->client_ip, flow->client_ip) &&
                        (!parts->next || row->started_ns < parts->next->started_ns);
    if (!is_candidate)
        return true;
    row_free(ROWS_FLOW, parts->next);
    parts->next = row_copy(ROWS_FLOW, row);
    return true;
}

bool ladder_read_next(struct ladder_parts *parts, struct gate *gate, struct fault *fault)
{
    const struct flow_row *flow = parts->flow;
    if (view_heap_of(flow->outcome) != HEAP_FAILED || !flow->client_ip ||
        flow->started_ns == ROW_NULL || flow->last_ns == ROW_NULL)
        return true;
    struct archive_range range = {.run_id = flow->run_id,
                                  .since_ns = flow->started_ns,
                                  .until_ns = flow->last_ns + next_within_ns};
    return gate_read(gate, ROWS_FLOW, &range, keep_next, parts, fault);
}

void ladder_parts_free(struct ladder_parts *parts)
{
    row_free(ROWS_FLOW, parts->flow);
    row_free(ROWS_FLOW, parts->next);
    forget_steps(parts);
    *parts = (struct ladder_parts){0};
}

/* --- rungs -------------------------------------------------------------------------------- */

struct builder {
    struct ladder *ladder;
    const struct flow_row *flow;
    const struct view_evidence *proof;
};

static struct rung *add_rung(struct builder *builder, enum rung_kind kind, int64_t time_ns)
{
    struct ladder *ladder = builder->ladder;
    int64_t from_ns = builder->flow->started_ns;
    bool is_full = ladder->count == LADDER_RUNGS_MAX;
    struct rung *rung = &ladder->rungs[is_full ? ladder->count - 1 : ladder->count++];
    *rung = (struct rung){.kind = kind, .frame = ROW_NULL, .ttl = ROW_NULL, .after_ns = ROW_NULL};
    if (time_ns != ROW_NULL && from_ns != ROW_NULL)
        rung->after_ns = time_ns - from_ns;
    return rung;
}

static struct rung *label(struct rung *rung, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static struct rung *label(struct rung *rung, const char *format, ...)
{
    struct text out = text_over(rung->label, sizeof rung->label);
    va_list list;
    va_start(list, format);
    text_format_list(&out, format, list);
    va_end(list);
    return rung;
}

/* A name as far as it fits on a rung. */
static void add_name(struct text *out, const char *name)
{
    char shown[NAME_SHOWN + 1];
    struct text cut = text_over(shown, sizeof shown);
    if (!name || !name[0])
        return;
    text_add(&cut, name);
    text_format(out, " %s%s", shown, cut.cut ? "…" : "");
}

static int64_t hops_of(int64_t ttl)
{
    return (ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255) - ttl;
}

static void add_hops(struct text *out, const struct step_row *step)
{
    int64_t hops = hops_of(step->ttl);
    text_format(out, hops ? ", %s away" : ", from this very network", COUNTED(hops, "hop"));
}

static void add_details(struct text *out, const struct flow_row *flow, const struct step_row *step)
{
    if (is_text(step->what, step_name(STEP_CLIENT_HELLO)))
        add_name(out, flow->sni);
    else if (is_text(step->what, step_name(STEP_SERVER_HELLO)) ||
             is_text(step->what, step_name(STEP_SERVER_FLIGHT)))
        add_name(out, flow->tls_version);
    else if (is_text(step->what, step_name(STEP_PROXY_REQUEST)))
        add_name(out, flow->connect_host);
    else if (is_text(step->what, step_name(STEP_PROXY_ANSWER)) && flow->proxy_status != ROW_NULL)
        text_format(out, ": HTTP %" PRId64, flow->proxy_status);
    else if (is_text(step->what, step_name(STEP_DATA)))
        text_format(out, ", %s", COUNTED(step->payload_size, "byte"));
    else if (is_text(step->what, step_name(STEP_RESET)) && is_text(step->direction, "down"))
        add_hops(out, step);
    else if (is_text(step->what, step_name(STEP_ICMP))) {
        if (step->sender_ip)
            text_format(out, " from %s", step->sender_ip);
        add_hops(out, step);
    }
}

static const char *label_of(const char *what)
{
    for (int i = 1; what && i < STEP_WHAT_COUNT; i++)
        if (is_text(what, step_name((enum step_what)i)))
            return step_label((enum step_what)i);
    return what ? what : "packet";
}

static bool is_proof(const struct builder *builder, int64_t frame)
{
    for (size_t i = 0; builder->proof && i < builder->proof->frame_count; i++)
        if (builder->proof->frames[i].number == frame)
            return true;
    return false;
}

/* What broke it: a reset or an error from the server's side, an alert, a refusing proxy. */
static bool is_bad(const struct flow_row *flow, const struct step_row *step)
{
    if (view_heap_of(flow->outcome) != HEAP_FAILED &&
        !is_text(flow->ended_by, ending_name(ENDED_SERVER_RESET)) &&
        !is_text(flow->ended_by, ending_name(ENDED_FORGED_RESET)))
        return false;
    bool is_down = is_text(step->direction, "down");
    return is_text(step->what, step_name(STEP_ALERT)) ||
           is_text(step->what, step_name(STEP_ICMP)) ||
           (is_down && is_text(step->what, step_name(STEP_RESET))) ||
           (is_text(step->what, step_name(STEP_PROXY_ANSWER)) && flow->proxy_status >= 300);
}

/* The common name of "CN=Example CA,O=Example", else the whole. */
static void common_name(const char *name, char text[LADDER_LABEL_SIZE])
{
    const char *common = strstr(name, "CN=");
    size_t size = common ? strcspn(common + 3, ",+") : strlen(name);
    struct text out = text_over(text, LADDER_LABEL_SIZE);
    text_add_bytes(&out, common ? common + 3 : name, size);
}

static void add_certificate(struct builder *builder)
{
    const struct flow_row *flow = builder->flow;
    char issuer[LADDER_LABEL_SIZE];
    if (!flow->cert_issuer || !flow->cert_issuer[0])
        return; /* none that could be read */
    struct rung *rung = add_rung(builder, RUNG_NOTE, ROW_NULL);
    struct text out = text_over(rung->label, sizeof rung->label);
    common_name(flow->cert_issuer, issuer);
    text_add(&out, "issued by");
    add_name(&out, issuer);
}

static void add_packet(struct builder *builder, const struct step_row *step)
{
    struct rung *rung = add_rung(builder, RUNG_PACKET, step->time_ns);
    struct text out = text_over(rung->label, sizeof rung->label);
    text_format(&out, "%s%s", label_of(step->what), step->is_repeat == 1 ? " again" : "");
    add_details(&out, builder->flow, step);
    rung->is_up = is_text(step->direction, "up");
    rung->is_foreign = is_text(step->what, step_name(STEP_ICMP));
    rung->frame = step->frame;
    rung->ttl = step->ttl;
    rung->is_bad = is_bad(builder->flow, step);
    rung->is_proof = is_proof(builder, step->frame);
    if (is_text(step->what, step_name(STEP_SERVER_FLIGHT)) ||
        is_text(step->what, step_name(STEP_CERTIFICATE)))
        add_certificate(builder);
}

/* --- from packets ------------------------------------------------------------------------- */

static bool repeats(const struct step_row *step, const struct step_row *other)
{
    return step->is_repeat == 1 && other->is_repeat == 1 && is_text(step->what, other->what) &&
           is_text(step->direction, other->direction);
}

/* Of a row of repeats the first ones and the last are drawn; how many lie between. */
static size_t repeats_to_fold(const struct ladder_parts *parts, size_t first)
{
    size_t end = first;
    while (end < parts->step_count && repeats(parts->steps[first], parts->steps[end]))
        end++;
    size_t count = end - first;
    return count > REPEATS_SHOWN + 2 ? count - REPEATS_SHOWN - 1 : 0;
}

static void add_between(struct builder *builder, const struct step_row *before,
                        const struct step_row *step)
{
    char duration[DURATION_TEXT_SIZE];
    int64_t gap_ns = before ? step->time_ns - before->time_ns : 0;
    if (step->skipped > 0)
        label(add_rung(builder, RUNG_NOTE, ROW_NULL), "%s not kept",
              COUNTED(step->skipped, "packet"));
    else if (gap_ns >= silence_ns)
        label(add_rung(builder, RUNG_NOTE, ROW_NULL), "silence for %s",
              duration_text(gap_ns, duration));
}

static void add_packets(struct builder *builder, const struct ladder_parts *parts)
{
    const struct step_row *before = NULL;
    for (size_t i = 0; i < parts->step_count; i++) {
        const struct step_row *step = parts->steps[i];
        size_t folded = i >= REPEATS_SHOWN && repeats(parts->steps[i - REPEATS_SHOWN], step)
                            ? repeats_to_fold(parts, i - REPEATS_SHOWN)
                            : 0;
        if (folded) {
            label(add_rung(builder, RUNG_NOTE, ROW_NULL), "%s, unanswered",
                  COUNTED(folded, "more repeat"));
            i += folded;
            step = parts->steps[i];
        } else {
            add_between(builder, before, step);
        }
        add_packet(builder, step);
        before = step;
    }
}

/* --- from the record ---------------------------------------------------------------------- */

static struct rung *add_plain(struct builder *builder, bool is_up, int64_t time_ns)
{
    struct rung *rung = add_rung(builder, RUNG_PACKET, time_ns);
    rung->is_up = is_up;
    return rung;
}

static void add_opening(struct builder *builder)
{
    const struct flow_row *flow = builder->flow;
    bool is_answered = flow->rtt_server_us != ROW_NULL || flow->established_ns != ROW_NULL;
    int64_t answer_ns = ROW_NULL;
    if (flow->started_ns != ROW_NULL && flow->rtt_server_us != ROW_NULL)
        answer_ns = flow->started_ns + flow->rtt_server_us * NS_PER_US;
    if (flow->syn_count > 1)
        label(add_plain(builder, true, flow->started_ns), "SYN, sent %" PRId64 " times",
              flow->syn_count);
    else if (flow->syn_count == 1)
        label(add_plain(builder, true, flow->started_ns), "SYN");
    else
        label(add_rung(builder, RUNG_NOTE, flow->started_ns), "it began before the capture");
    if (builder->ladder->rungs[0].kind == RUNG_PACKET) {
        builder->ladder->rungs[0].frame = flow->first_frame;
        builder->ladder->rungs[0].ttl = flow->ttl_client;
        builder->ladder->rungs[0].is_proof = is_proof(builder, flow->first_frame);
    }
    if (is_answered && flow->syn_count > 0)
        label(add_plain(builder, false, answer_ns), "SYN-ACK")->ttl = flow->ttl_server;
    if (flow->established_ns != ROW_NULL)
        label(add_plain(builder, true, flow->established_ns), "ACK");
}

static void add_hellos(struct builder *builder)
{
    const struct flow_row *flow = builder->flow;
    char duration[DURATION_TEXT_SIZE] = "";
    if (flow->connect_host)
        label(add_plain(builder, true, ROW_NULL), "CONNECT %s", flow->connect_host);
    if (flow->proxy_status != ROW_NULL)
        label(add_plain(builder, false, ROW_NULL), "HTTP %" PRId64, flow->proxy_status)->is_bad =
            flow->proxy_status >= 300;
    if (flow->sni || flow->ja3 || flow->ja4 || flow->alpn)
        label(add_plain(builder, true, ROW_NULL), "ClientHello %s",
              flow->sni ? flow->sni : "(no name)");
    if (flow->tls_hello_us != ROW_NULL)
        duration_text(flow->tls_hello_us * NS_PER_US, duration);
    if (flow->tls_version || duration[0])
        label(add_plain(builder, false, ROW_NULL), "ServerHello %s%s%s",
              flow->tls_version ? flow->tls_version : "", duration[0] ? ", after " : "", duration);
    add_certificate(builder);
}

static void add_traffic(struct builder *builder)
{
    const struct flow_row *flow = builder->flow;
    char up_bytes[PHRASE_SIZE], down_bytes[PHRASE_SIZE];
    if (flow->packets_up == ROW_NULL || flow->packets_down == ROW_NULL)
        return;
    label(add_rung(builder, RUNG_NOTE, ROW_NULL), "in all %s up (%s), %s down (%s)",
          COUNTED(flow->packets_up, "packet"),
          phrase_bytes(flow->bytes_up != ROW_NULL ? flow->bytes_up : 0, up_bytes),
          COUNTED(flow->packets_down, "packet"),
          phrase_bytes(flow->bytes_down != ROW_NULL ? flow->bytes_down : 0, down_bytes));
}

/* The packet that ended it, where the record names one. */
static bool add_last_packet(struct builder *builder)
{
    static const struct {
        enum flow_ending ending;
        bool is_up, is_bad;
        const char *words;
    } steps[] = {{ENDED_CLIENT_FIN, true, false, "FIN"},
                 {ENDED_SERVER_FIN, false, false, "FIN"},
                 {ENDED_CLIENT_RESET, true, false, "RST"},
                 {ENDED_SERVER_RESET, false, true, "RST"},
                 {ENDED_FORGED_RESET, false, true, "RST, not sent by the server"}};
    const struct flow_row *flow = builder->flow;
    if (is_text(flow->outcome, outcome_name(OUTCOME_UNREACHABLE))) {
        struct rung *rung = label(add_plain(builder, false, ROW_NULL), "ICMP error");
        rung->is_bad = rung->is_foreign = true;
    }
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (is_text(flow->ended_by, ending_name(steps[i].ending))) {
            label(add_plain(builder, steps[i].is_up, flow->last_ns), "%s", steps[i].words)->is_bad =
                steps[i].is_bad;
            return true;
        }
    return false;
}

/* --- the whole ---------------------------------------------------------------------------- */

static void add_end(struct builder *builder, bool is_drawn)
{
    const struct flow_row *flow = builder->flow;
    bool is_silent = is_text(flow->ended_by, ending_name(ENDED_NO_ANSWER));
    bool is_over = is_text(flow->outcome, outcome_name(OUTCOME_UNREACHABLE)) &&
                   is_text(flow->ended_by, ending_name(ENDED_CAPTURE_END));
    if (is_over)
        return; /* the error that is drawn ended it: nothing was open */
    if (is_silent)
        label(add_rung(builder, RUNG_NOTE, ROW_NULL), "no answer of any kind")->is_bad = true;
    else if (flow->ended_by && !is_drawn)
        label(add_rung(builder, RUNG_NOTE, flow->last_ns), "%s",
              view_ending_meaning(flow->ended_by));
}

/* Takes the last rung to where its time belongs. */
static void put_in_order(struct ladder *ladder)
{
    struct rung last = ladder->rungs[ladder->count - 1];
    size_t at = ladder->count - 1;
    for (size_t i = at; i-- > 0 && last.after_ns != ROW_NULL;)
        if (ladder->rungs[i].after_ns != ROW_NULL && ladder->rungs[i].after_ns > last.after_ns)
            at = i;
    memmove(&ladder->rungs[at + 1], &ladder->rungs[at],
            (ladder->count - 1 - at) * sizeof ladder->rungs[0]);
    ladder->rungs[at] = last;
}

static void add_next(struct builder *builder, const struct flow_row *next)
{
    if (!next)
        return;
    label(add_rung(builder, RUNG_NOTE, next->started_ns),
          "then TCP %" PRId64 " (session %" PRId64 "): %s", next->server_port, next->id,
          next->outcome ? next->outcome : "outcome not known");
    put_in_order(builder->ladder);
}

void ladder_build(struct ladder *ladder, const struct ladder_parts *parts,
                  const struct view_evidence *proof)
{
    struct builder builder = {ladder, parts->flow, proof};
    *ladder = (struct ladder){.flow_id = parts->flow->id, .is_from_packets = parts->step_count > 1};
    bool is_drawn = true;
    if (ladder->is_from_packets) {
        add_packets(&builder, parts);
        is_drawn = !is_text(parts->flow->ended_by, ending_name(ENDED_CAPTURE_END)) &&
                   !is_text(parts->flow->ended_by, ending_name(ENDED_IDLE_TIMEOUT));
    } else {
        add_opening(&builder);
        add_hellos(&builder);
        add_traffic(&builder);
        is_drawn = add_last_packet(&builder);
    }
    add_end(&builder, is_drawn);
    add_next(&builder, parts->next);
}

void ladder_cut(struct ladder *ladder, size_t count)
{
    if (ladder->count <= count + 1)
        return;
    struct rung *last = &ladder->rungs[count];
    *last =
        (struct rung){.kind = RUNG_NOTE, .frame = ROW_NULL, .ttl = ROW_NULL, .after_ns = ROW_NULL};
    label(last, "and so on");
    ladder->count = count + 1;
}

/* A device's session on TCP 5223 with TLS 1.3 (RFC 8446 section 2), then Apple's keepalives. */
void ladder_reference(struct ladder *ladder)
{
    static const struct {
        enum rung_kind kind;
        bool is_up;
        const char *label;
    } rungs[] = {{RUNG_PACKET, true, "SYN"},
                 {RUNG_PACKET, false, "SYN-ACK"},
                 {RUNG_PACKET, true, "ACK"},
                 {RUNG_PACKET, true, "ClientHello courier.push.apple.com"},
                 {RUNG_PACKET, false, "ServerHello, Apple's certificate"},
                 {RUNG_PACKET, true, "Finished"},
                 {RUNG_PACKET, true, "Connect message"},
                 {RUNG_PACKET, false, "data"},
                 {RUNG_NOTE, false, "silence for 10 to 30 min"},
                 {RUNG_PACKET, false, "keepalive of Apple's"},
                 {RUNG_PACKET, true, "ACK"}};
    *ladder = (struct ladder){.count = sizeof rungs / sizeof rungs[0]};
    for (size_t i = 0; i < ladder->count; i++) {
        ladder->rungs[i] = (struct rung){.kind = rungs[i].kind,
                                         .is_up = rungs[i].is_up,
                                         .after_ns = ROW_NULL,
                                         .frame = ROW_NULL,
                                         .ttl = ROW_NULL};
        label(&ladder->rungs[i], "%s", rungs[i].label);
    }
}

const char *ladder_time(const struct rung *rung, char text[DURATION_TEXT_SIZE + 1])
{
    char duration[DURATION_TEXT_SIZE];
    text[0] = '\0';
    if (rung->after_ns == 0)
        snprintf(text, DURATION_TEXT_SIZE + 1, "0");
    else if (rung->after_ns != ROW_NULL)
        snprintf(text, DURATION_TEXT_SIZE + 1, "+%s", duration_text(rung->after_ns, duration));
    return text;
}
