/* Rows to statements: the .def files' values bound in their order.
 *
 * One function per table, each a list of bind_ calls made from its .def file. Deliberately opens no
 * transaction and judges no failure: batch.c does. */
#include "row_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/finding.h"
#include "model/flow_record.h"
#include "store/archive.h"
#include "upkeep.h"

/* Unknown values are NULL. */
static int64_t unless_negative(int64_t value)
{
    return value < 0 ? ROW_NULL : value;
}

static int64_t unless_zero(uint64_t value)
{
    return value == 0 || value > INT64_MAX ? ROW_NULL : (int64_t)value;
}

static const char *unless_empty(const char *text)
{
    return text && text[0] != '\0' ? text : NULL;
}

/* SQLite's integers are signed; no count comes near. */
static int64_t amount(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static const char *scope_reason_name(uint8_t reason)
{
    static const char *const names[] = {
        [SCOPE_BY_NONE] = NULL,         [SCOPE_BY_PORT] = "port",
        [SCOPE_BY_NAME] = "name",       [SCOPE_BY_ALPN] = "alpn",
        [SCOPE_BY_DNS] = "dns",         [SCOPE_BY_COURIER] = "courier",
        [SCOPE_BY_CONNECT] = "connect", [SCOPE_BY_FALLBACK] = "fallback",
    };
    assert(reason < sizeof names / sizeof names[0]);
    return names[reason];
}

/* Versions of RFC 8446 section 4.2.1 and its predecessors. */
static const char *tls_version_text(struct row_context *at, uint16_t version)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    if (version == 0)
        return NULL;
    if (version >= 0x0300 && version <= 0x0304)
        return names[version - 0x0300];
    snprintf(at->version_text, sizeof at->version_text, "0x%04x", version);
    return at->version_text;
}

/* Letters of RFC 9293 section 3.1, in the order of Wireshark's. */
static const char *tcp_flags_text(struct row_context *at, uint8_t flags)
{
    static const char letters[] = "FSRPAU";
    char *out = at->flags_text;
    for (int bit = 0; letters[bit]; bit++)
        if (flags >> bit & 1)
            *out++ = letters[bit];
    *out = '\0';
    return unless_empty(at->flags_text);
}

static const char *community_id_text(struct row_context *at, const struct flow_record *flow)
{
    if (address_is_unspecified(&flow->client_ip) || address_is_unspecified(&flow->server_ip))
        return NULL;
    return community_id_write(at->community, 0, &flow->client_ip, flow->client_port,
                              &flow->server_ip, flow->server_port, at->community_text);
}

static const char *hello_random_text(struct row_context *at, const struct flow_record *flow)
{
    if (!flow->hello_random)
        return NULL;
    snprintf(at->random_text, sizeof at->random_text, "%016" PRIx64, flow->hello_random);
    return at->random_text;
}

static const char *server_prefix_text(struct row_context *at, const struct attempt_sum *sum)
{
    return prefix_text(&sum->server_prefix, at->prefix_text);
}

/* One of a session's steps, as the row has it. */
struct step_row_value {
    const struct flow_step *kept;
    const struct address *sender; /* unspecified: one of the two ends */
    int64_t number, skipped;
};

/* One answer record of a DNS message, as the row has it. */
struct dns_row_value {
    struct address client, resolver;
    const char *name, *type, *rcode, *answer;
    int64_t time_ns;
};

#define bind_total                         bind_integer
#define bind_hidden_integer                bind_integer
#define bind_hidden_text                   bind_text
#define COLUMN(type, name, value, meaning) bind_##type(binder, value);

static void bind_run(struct binder *binder, struct row_context *at, const struct run_record *run)
{
#include "run.def"
}

static void bind_flow(struct binder *binder, struct row_context *at, const struct flow_record *flow)
{
#include "flow.def"
}

static void bind_device(struct binder *binder, struct row_context *at,
                        const struct device_record *device)
{
#include "device.def"
}

static void bind_finding(struct binder *binder, struct row_context *at,
                         const struct finding *finding)
{
#include "finding.def"
}

static void bind_step(struct binder *binder, struct row_context *at,
                      const struct step_row_value *step)
{
#include "step.def"
}

static void bind_requirement(struct binder *binder, struct row_context *at,
                             const struct requirement_record *requirement)
{
#include "requirement.def"
}

static void bind_dns_answer(struct binder *binder, struct row_context *at,
                            const struct dns_row_value *dns)
{
#include "dns_answer.def"
}

static void bind_attempts(struct binder *binder, struct row_context *at,
                          const struct attempt_sum *sum)
{
#include "attempts.def"
}

static void bind_skipped(struct binder *binder, struct row_context *at,
                         const struct skipped_count *skipped)
{
#include "skipped.def"
}

static void bind_capture_quality(struct binder *binder, struct row_context *at,
                                 const struct quality_fact *quality)
{
#include "capture_quality.def"
}
#undef COLUMN

static const char update_dns[] =
    "UPDATE dns_answer SET count = count + 1, first_ns = min(first_ns, ?), last_ns = max(last_ns, "
    "?)"
    " WHERE run_id = ? AND client_ip IS ? AND resolver_ip IS ? AND name = ? AND type = ?"
    " AND rcode = ? AND answer IS ?";

static void bind_dns_again(struct binder *binder, const struct row_context *at,
                           const struct dns_row_value *dns)
{
    bind_integer(binder, dns->time_ns);
    bind_integer(binder, dns->time_ns);
    bind_integer(binder, at->run_id);
    bind_address(binder, &dns->client);
    bind_address(binder, &dns->resolver);
    bind_text(binder, dns->name);
    bind_text(binder, dns->type);
    bind_text(binder, dns->rcode);
    bind_text(binder, dns->answer);
}

static int run_binder(struct binder *binder)
{
    int result = binder_run(binder);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

static void bind_row(struct binder *binder, struct row_context *at, enum row_kind kind,
                     const void *row)
{
    switch (kind) {
    case ROW_RUN:
        bind_run(binder, at, row);
        break;
    case ROW_FLOW:
        bind_flow(binder, at, row);
        break;
    case ROW_DEVICE:
        bind_device(binder, at, row);
        break;
    case ROW_FINDING:
        bind_finding(binder, at, row);
        break;
    case ROW_STEP:
        bind_step(binder, at, row);
        break;
    case ROW_REQUIREMENT:
        bind_requirement(binder, at, row);
        break;
    case ROW_DNS_ANSWER:
        bind_dns_answer(binder, at, row);
        break;
    case ROW_ATTEMPTS:
        bind_attempts(binder, at, row);
        break;
    case ROW_SKIPPED:
        bind_skipped(binder, at, row);
        break;
    case ROW_CAPTURE_QUALITY:
        bind_capture_quality(binder, at, row);
        break;
    case ROW_PADDING:
    case ROW_KIND_COUNT:
    default:
        assert(!"a row of no table");
    }
}

static bool is_there_already(enum row_kind kind, int result)
{
    return table_descriptions[kind].same_row &&
           (result == SQLITE_CONSTRAINT_PRIMARYKEY || result == SQLITE_CONSTRAINT_ROWID ||
            result == SQLITE_CONSTRAINT_UNIQUE);
}

static int open_again(struct row_writer *writer, enum row_kind kind)
{
    char buffer[CATALOGUE_SQL_SIZE];
    struct text sql = text_over(buffer, sizeof buffer);
    if (writer->again[kind].statement)
        return SQLITE_OK;
    catalogue_upsert(&table_descriptions[kind], &sql);
    return binder_open(&writer->again[kind], writer->database, buffer);
}

/* Nearly every row is new. A plain insert finds out without harm when one is not, whereas for an
 * upsert SQLite journals the pages that it changes, statement by statement: for a finding four,
 * which cost more than the row. */
static int put_row(struct row_writer *writer, enum row_kind kind, const void *row, bool *is_new)
{
    bind_row(&writer->binders[kind], &writer->context, kind, row);
    int result = run_binder(&writer->binders[kind]);
    if (!is_there_already(kind, result))
        return result;
    if (is_new)
        *is_new = false;
    result = open_again(writer, kind);
    if (result != SQLITE_OK)
        return result;
    bind_row(&writer->again[kind], &writer->context, kind, row);
    return run_binder(&writer->again[kind]);
}

/* An answer seen before is counted; a new one is a row, up to the cap. */
static int write_dns_row(struct row_writer *writer, const struct dns_row_value *dns)
{
    bind_dns_again(&writer->dns_again, &writer->context, dns);
    int result = run_binder(&writer->dns_again);
    if (result != SQLITE_OK || sqlite3_changes(writer->database) > 0)
        return result;
    if (writer->counts.dns_rows >= DNS_ROWS_MAX) {
        writer->counts.dns_not_stored++;
        return SQLITE_OK;
    }
    result = put_row(writer, ROW_DNS_ANSWER, dns, NULL);
    if (result == SQLITE_OK)
        writer->counts.dns_rows++;
    return result;
}

/* Mnemonics of the IANA registry "Domain Name System (DNS) Parameters". */
static const char *dns_type_text(uint16_t type, char text[16])
{
    static const struct {
        enum dns_type type;
        const char *name;
    } names[] = {{DNS_A, "A"},
                 {DNS_AAAA, "AAAA"},
                 {DNS_HTTPS, "HTTPS"},
                 {DNS_TXT, "TXT"},
                 {DNS_CNAME, "CNAME"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].type == type)
            return names[i].name;
    snprintf(text, 16, "TYPE%u", type);
    return text;
}

static const char *dns_rcode_text(uint8_t rcode, char text[16])
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    if (rcode < sizeof names / sizeof names[0])
        return names[rcode];
    snprintf(text, 16, "RCODE%u", rcode);
    return text;
}

static int write_dns(struct row_writer *writer, const struct dns_seen *seen)
{
    char type[16], rcode[16], answer[ADDRESS_TEXT_SIZE];
    struct dns_row_value row = {.client = seen->client,
                                .resolver = seen->resolver,
                                .name = seen->name,
                                .type = dns_type_text(seen->type, type),
                                .rcode = dns_rcode_text(seen->rcode, rcode),
                                .answer = unless_empty(seen->canonical),
                                .time_ns = seen->time_ns};
    if (seen->address_count == 0)
        return write_dns_row(writer, &row);
    int result = SQLITE_OK;
    for (size_t i = 0; i < seen->address_count && result == SQLITE_OK; i++) {
        row.answer = address_text(&seen->addresses[i], answer);
        result = write_dns_row(writer, &row);
    }
    return result;
}

static int64_t flow_row_id(struct row_writer *writer, const struct flow_record *flow)
{
    return writer->context.flow_base + flow_ids_place(&writer->flow_ids, flow->number);
}

static int write_device(struct row_writer *writer, const struct device_record *device)
{
    struct row_counts *counts = &writer->counts;
    uint64_t place = (uint64_t)counts->devices + 1;
    writer->context.device_id = writer->context.device_base + (int64_t)place;
    bool is_new = true;
    int result = put_row(writer, ROW_DEVICE, device, &is_new);
    if (result != SQLITE_OK)
        return result;
    counts->devices++;
    counts->devices_in_step +=
        is_new && device->number == place && counts->devices_in_step == counts->devices - 1;
    return result;
}

/* NULL where that is not certain: finish_connect knows. */
static int64_t device_row_id(const struct row_writer *writer, uint64_t number)
{
    bool is_known = number > 0 && number <= (uint64_t)writer->counts.devices_in_step;
    return is_known ? writer->context.device_base + (int64_t)number : ROW_NULL;
}

static int write_finding(struct row_writer *writer, const struct finding *finding)
{
    writer->context.device_id = device_row_id(writer, finding->device_number);
    int64_t place = flow_ids_find(&writer->flow_ids, finding->flow_number);
    writer->context.flow_id = place > 0 ? writer->context.flow_base + place : ROW_NULL;
    writer->context.evidence = evidence_text(finding, writer->evidence);
    return put_row(writer, ROW_FINDING, finding, NULL);
}

/* An ICMP error is no packet of the session's, and has the number of the one before it. */
static int64_t skipped_between(const struct flow_step *before, const struct flow_step *step)
{
    int64_t own = step->what == STEP_ICMP ? 0 : 1;
    int64_t skipped = (int64_t)step->number - (before ? before->number : 0) - own;
    return skipped > 0 ? skipped : 0;
}

static int write_steps(struct row_writer *writer, const struct session_steps *steps)
{
    static const struct address neither;
    const struct flow_step *before = NULL;
    int result = SQLITE_OK;
    int64_t place = flow_ids_find(&writer->flow_ids, steps->flow_number);
    if (place == 0)
        return SQLITE_OK; /* the session itself was refused */
    writer->context.flow_id = writer->context.flow_base + place;
    for (size_t i = 0; i < steps_count(&steps->kept) && result == SQLITE_OK; i++) {
        const struct flow_step *step = steps_at(&steps->kept, i);
        struct step_row_value row = {.kept = step,
                                     .sender =
                                         step->what == STEP_ICMP ? &steps->icmp_source : &neither,
                                     .number = (int64_t)i + 1,
                                     .skipped = skipped_between(before, step)};
        result = put_row(writer, ROW_STEP, &row, NULL);
        before = step;
    }
    return result;
}

int row_write(struct row_writer *writer, enum row_kind kind, const void *row)
{
    struct row_context *at = &writer->context;
    switch (kind) {
    case ROW_FINDING:
        return write_finding(writer, row);
    case ROW_STEP:
        return write_steps(writer, row);
    case ROW_DNS_ANSWER:
        return write_dns(writer, row);
    case ROW_FLOW:
        writer->counts.flows++;
        at->flow_id = flow_row_id(writer, row);
        break;
    case ROW_DEVICE:
        return write_device(writer, row);
    case ROW_ORDER:
        return upkeep_carry_out(writer, row);
    default:
        break;
    }
    return put_row(writer, kind, row, NULL);
}

bool row_is_refused(int result)
{
    int primary = result & 0xff;
    return primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH || primary == SQLITE_TOOBIG;
}

int row_writer_open(struct row_writer *writer, sqlite3 *database)
{
    memset(writer, 0, sizeof *writer);
    writer->database = database;
    bool has_map = flow_ids_init(&writer->flow_ids);
    assert(has_map); /* address space alone, at the start */
    writer->context.community = community_id_new();
    int result = binder_open(&writer->dns_again, database, update_dns);
    for (int kind = ROW_RUN; kind < ROW_KIND_COUNT && result == SQLITE_OK; kind++) {
        char buffer[CATALOGUE_SQL_SIZE];
        struct text sql = text_over(buffer, sizeof buffer);
        catalogue_insert(&table_descriptions[kind], &sql);
        result = binder_open(&writer->binders[kind], database, buffer);
    }
    return result;
}

void row_writer_close(struct row_writer *writer)
{
    for (int kind = ROW_RUN; kind < ROW_KIND_COUNT; kind++)
        binder_close(&writer->binders[kind]);
    for (int kind = ROW_RUN; kind < ROW_KIND_COUNT; kind++)
        binder_close(&writer->again[kind]);
    binder_close(&writer->dns_again);
    community_id_free(writer->context.community);
    flow_ids_free(&writer->flow_ids);
}
