/* DNS in scenarios: `dns phone > resolver NAME TYPE` and `dns phone < resolver ANSWER ...`.
 *
 * Of tests/support. An answer is to the last query between the two hosts unless it says name= and
 * type=. */
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "dns_payload.h"
#include "script.h"

enum { PORT_DNS = 53 };

static struct dns_memory *memory_of(struct script *script, const struct host *client,
                                    const struct host *resolver)
{
    struct stage *stage = &script->stage;
    for (size_t i = 0; i < stage->query_count; i++)
        if (stage->queries[i].client == client && stage->queries[i].resolver == resolver)
            return &stage->queries[i];
    stage->queries =
        support_reallocate(stage->queries, (stage->query_count + 1) * sizeof *stage->queries);
    struct dns_memory *memory = &stage->queries[stage->query_count++];
    *memory = (struct dns_memory){.client = client, .resolver = resolver};
    return memory;
}

static bool take_type(struct script *script, struct words *words, const char *text, uint16_t *type)
{
    if (text && !payload_dns_type_of(text, type))
        return words_fault(words, script->fault, "\"%s\" is no DNS type", text);
    return true;
}

bool dns_lines_query(struct script *script, const struct host *client, const struct host *resolver,
                     struct words *words, size_t first_plain, struct bytes *out)
{
    struct dns_memory *memory = memory_of(script, client, resolver);
    const char *name = words_plain(words, first_plain);
    const char *type = words_plain(words, first_plain + 1);
    uint64_t place = script->stage.frame_count;
    int64_t id = (int64_t)(hash_bytes(&place, sizeof place, client->seed) & 0xffff);
    if (!name || !type)
        return words_fault(words, script->fault, "a query wants a name and a type");
    if (!take_type(script, words, type, &memory->type) ||
        !script_number(script, words, "dns-id", 0, 65535, &id))
        return false;
    memory->id = (uint16_t)id;
    free(memory->name);
    memory->name = support_copy(name);
    payload_dns_query(out, memory->id, name, memory->type);
    return true;
}

/* The plain words of an answer that are no modifiers: addresses and at most one RCODE. */
static bool take_answers(struct script *script, struct words *words, struct dns_answer *answer)
{
    answer->is_truncated = words_flag(words, "truncated");
    for (size_t i = 0; i < words->count; i++) {
        struct word *word = &words->word[i];
        if (word->key || word->is_used)
            continue;
        word->is_used = true;
        if (answer->address_count < DNS_ANSWERS_MAX &&
            script_address(script, word->text, &answer->addresses[answer->address_count]))
            answer->address_count++;
        else if (!payload_dns_rcode_of(word->text, &answer->rcode))
            return words_fault(words, script->fault, "\"%s\" is no address and no RCODE",
                               word->text);
    }
    return true;
}

bool dns_lines_answer(struct script *script, const struct host *client, const struct host *resolver,
                      struct words *words, struct bytes *out)
{
    struct dns_memory *memory = memory_of(script, client, resolver);
    int64_t id = memory->id;
    int64_t record_ttl = 60;
    struct dns_answer answer = {.type = memory->type};
    answer.name = words_value_or(words, "name", memory->name);
    answer.cname = words_value(words, "cname");
    answer.text = words_value(words, "text");
    if (!answer.name)
        return words_fault(words, script->fault, "nothing was asked, and there is no name=");
    if (!take_type(script, words, words_value(words, "type"), &answer.type) ||
        !script_number(script, words, "dns-id", 0, 65535, &id) ||
        !script_number(script, words, "record-ttl", 0, 86400, &record_ttl) ||
        !take_answers(script, words, &answer))
        return false;
    answer.id = (uint16_t)id;
    answer.record_ttl_s = (uint32_t)record_ttl;
    payload_dns_response(out, &answer);
    return true;
}

/* One datagram between the two hosts. */
static void send_datagram(struct script *script, struct host *from, struct host *to, enum way way,
                          uint16_t client_port, const struct bytes *message,
                          const struct shape *shape)
{
    struct bytes packet = {0};
    struct ip_header ip = stage_ip_header(from, &to->address, shape);
    struct link_header link = stage_link(from, to, shape);
    link.is_outgoing = way == UPWARD;
    wire_udp(&packet, &ip, way == UPWARD ? client_port : PORT_DNS,
             way == UPWARD ? PORT_DNS : client_port, message->at, message->size);
    stage_emit(&script->stage, &packet, way, &link, shape);
}

bool dns_lines_play(struct script *script, struct words *words)
{
    const char *client_name = words_plain(words, 1);
    const char *arrow = words_plain(words, 2);
    const char *resolver_name = words_plain(words, 3);
    struct host *client = client_name ? stage_host(&script->stage, client_name) : NULL;
    struct host *resolver = resolver_name ? stage_host(&script->stage, resolver_name) : NULL;
    if (!client || !resolver || (strcmp(arrow, ">") != 0 && strcmp(arrow, "<") != 0))
        return words_fault(words, script->fault, "dns wants HOST > HOST or HOST < HOST");
    if (address_is_ipv4(&client->address) != address_is_ipv4(&resolver->address))
        return words_fault(words, script->fault, "the two hosts are of different IP versions");
    enum way way = *arrow == '>' ? UPWARD : DOWNWARD;
    struct host *from = way == UPWARD ? client : resolver;
    struct bytes message = {0};
    struct shape shape;
    bool given = false;
    if (!script_shape(script, words, from, &shape) ||
        !script_vlan(script, words, "vlan", &shape.vlan, &shape.outer_vlan, &given))
        return false;
    if (!given) {
        shape.vlan = script->stage.vlan;
        shape.outer_vlan = script->stage.outer_vlan;
    }
    bool good = way == UPWARD ? dns_lines_query(script, client, resolver, words, 4, &message)
                              : dns_lines_answer(script, client, resolver, words, &message);
    if (good) {
        struct dns_memory *memory = memory_of(script, client, resolver);
        if (way == UPWARD)
            memory->port = client->next_port++;
        send_datagram(script, from, way == UPWARD ? resolver : client, way, memory->port, &message,
                      &shape);
    }
    bytes_free(&message);
    return good;
}
