/* A finished session as an ECS object.
 *
 * See ecs.h. The client is ECS's source, the server its destination. Deliberately tells nothing of
 * a session's content beyond what the database's row has. */
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "ecs_parts.h"
#include "ecs_put.h"

enum { MESSAGE_SIZE = 400 };

/* Whether the session did what it was for, in ECS's words. */
static const char *outcome_word(const struct flow_record *flow)
{
    if (flow_works(flow))
        return "success";
    return outcome_is_unjudged(flow->outcome) ? "unknown" : "failure";
}

static void put_event(json_t *object, const struct flow_record *flow)
{
    bool has_times = flow->started_ns != TIME_UNKNOWN && flow->last_ns != TIME_UNKNOWN;
    ecs_put_text(object, "event.outcome", outcome_word(flow));
    ecs_put_time(object, "event.start", flow->started_ns);
    ecs_put_time(object, "event.end", flow->last_ns);
    if (has_times)
        ecs_put_integer(object, "event.duration", flow->last_ns - flow->started_ns);
}

static void put_ends(const struct ecs_writer *writer, json_t *object,
                     const struct flow_record *flow)
{
    char community[COMMUNITY_ID_TEXT_SIZE];
    ecs_put_network(object, &flow->client_ip, &flow->server_ip);
    ecs_put_count(object, "source.port", flow->client_port);
    ecs_put_mac(object, "source.mac", flow->client_mac, flow->has_client_mac);
    ecs_put_count(object, "source.packets", flow->packets_up);
    ecs_put_count(object, "source.bytes", flow->bytes_up);
    ecs_put_count(object, "destination.port", flow->server_port);
    ecs_put_text(object, "destination.domain", flow->sni);
    ecs_put_count(object, "destination.packets", flow->packets_down);
    ecs_put_count(object, "destination.bytes", flow->bytes_down);
    ecs_put_text(object, "network.transport", "tcp");
    ecs_put_count(object, "network.packets", flow->packets_up + flow->packets_down);
    ecs_put_count(object, "network.bytes", flow->bytes_up + flow->bytes_down);
    ecs_put_text(object, "network.community_id",
                 community_id_write(writer->community, 0, &flow->client_ip, flow->client_port,
                                    &flow->server_ip, flow->server_port, community));
}

static void put_vlan(json_t *object, const struct flow_record *flow)
{
    char vlan[8];
    if (!flow->vlan)
        return;
    snprintf(vlan, sizeof vlan, "%u", flow->vlan);
    ecs_put_text(object, "network.vlan.id", vlan);
}

static void put_certificate(json_t *object, const struct certificate_facts *certificate)
{
    if (!certificate)
        return;
    ecs_put_text(object, "tls.server.subject", certificate->subject);
    ecs_put_text(object, "tls.server.issuer", certificate->issuer);
    ecs_put_text(object, "tls.server.hash.sha256", certificate->sha256);
    ecs_put_time(object, "tls.server.not_before", certificate->not_before_ns);
    ecs_put_time(object, "tls.server.not_after", certificate->not_after_ns);
}

static void put_tls(json_t *object, const struct flow_record *flow)
{
    static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};
    if (!(flow->saw & (SAW_CLIENT_HELLO | SAW_SERVER_HELLO)))
        return;
    if (flow->tls_version > 0x0300 && flow->tls_version <= 0x0304)
        ecs_put_text(object, "tls.version", versions[flow->tls_version - 0x0301]);
    ecs_put_text(object, "tls.version_protocol", "tls");
    ecs_put_bool(object, "tls.established", flow->outcome == OUTCOME_ESTABLISHED);
    ecs_put_bool(object, "tls.resumed", flow->saw & SAW_RESUMPTION);
    ecs_put_text(object, "tls.client.server_name", flow->sni);
    ecs_put_text(object, "tls.client.ja3", flow->ja3);
    ecs_put_text(object, "tls.next_protocol", flow->alpn_chosen);
    put_certificate(object, flow->certificate);
    ecs_put_text(object, "apnscope.flow.ja4", flow->ja4);
    ecs_put_text(object, "apnscope.flow.alpn_offered", flow->alpn);
}

static void put_process(json_t *object, const struct flow_record *flow)
{
    ecs_put_text(object, "process.name", flow->process_name);
    ecs_put_integer(object, "process.pid", flow->process_id);
}

static void put_judgement(json_t *object, const struct flow_record *flow)
{
    ecs_put_count(object, "apnscope.flow.number", flow->number);
    ecs_put_text(object, "apnscope.flow.role", role_name(flow->role));
    ecs_put_text(object, "apnscope.flow.path", path_name(flow->path));
    ecs_put_text(object, "apnscope.flow.outcome", outcome_name(flow->outcome));
    ecs_put_text(object, "apnscope.flow.ended_by", ending_name(flow->ended_by));
    ecs_put_count(object, "apnscope.flow.syn_count", flow->syn_count);
    ecs_put_count(object, "apnscope.flow.retransmissions_up", flow->retransmissions_up);
    ecs_put_count(object, "apnscope.flow.retransmissions_down", flow->retransmissions_down);
    ecs_put_integer(object, "apnscope.flow.rtt_server_us", flow->rtt_server_us);
    ecs_put_integer(object, "apnscope.flow.rtt_client_us", flow->rtt_client_us);
    ecs_put_integer(object, "apnscope.flow.tls_hello_us", flow->tls_hello_us);
    ecs_put_integer(object, "apnscope.flow.hops_server", flow->hops_server);
    ecs_put_count(object, "apnscope.flow.first_frame", flow->first_frame);
    ecs_put_count(object, "apnscope.flow.last_frame", flow->last_frame);
    ecs_put_text(object, "apnscope.flow.connect_host", flow->connect_host);
    ecs_put_text(object, "apnscope.flow.ndpi_protocol", flow->ndpi_protocol);
}

static void put_sentence(json_t *object, const struct flow_record *flow)
{
    char client[ADDRESS_TEXT_SIZE], server[ADDRESS_TEXT_SIZE], message[MESSAGE_SIZE];
    const char *role = role_name(flow->role), *outcome = outcome_name(flow->outcome);
    struct text text = text_over(message, sizeof message);
    text_format(&text, "%s session of %s with %s port %u: %s", role ? role : "other Apple",
                address_text(&flow->client_ip, client), address_text(&flow->server_ip, server),
                flow->server_port, outcome ? outcome : "not known");
    ecs_put_text(object, "message", message);
}

json_t *ecs_flow(const struct ecs_writer *writer, const struct flow_record *flow)
{
    static const struct ecs_kind kind = {"event", "network",       "connection",
                                         "end",   "session-ended", "apnscope.flow"};
    json_t *object = ecs_begin(writer, &kind, flow->last_ns);
    put_event(object, flow);
    put_ends(writer, object, flow);
    put_vlan(object, flow);
    put_tls(object, flow);
    put_process(object, flow);
    put_judgement(object, flow);
    put_sentence(object, flow);
    return object;
}
