/* DNS messages: the question and the addresses that its answers lead to.
 *
 * Called by track/ for UDP port 53 and, after the length field, for TCP. Names are walked on the
 * wire, label by label, and never copied before they are known to matter. Deliberately reads
 * neither the authority nor the additional section: what a device connects to is in the answers. */
#include "dissect/dns.h"

#include <string.h>

#include "base/reader.h"

enum {
    HEADER_SIZE = 12,
    CLASS_IN = 1,
    CLASS_ANY = 255,
    JUMPS_MAX = 127,  /* RFC 1035 section 3.1: 255 octets hold at most 127 labels */
    WALKED_MAX = 255, /* RFC 1035 section 2.3.4: octets of a name, lengths included */
    /* 64 addresses and a long chain fit; more is no answer about a host (answers_cut). */
    RECORDS_MAX = 96,
    /* RFC 1034 section 3.6.2 advises against chains at all; resolvers give up at 8 to 16. */
    ALIASES_MAX = 16,
    SVC_IPV4HINT = 4, /* RFC 9460 section 14.3.2 */
    SVC_IPV6HINT = 6
};

/* RFC 1035 section 4.1.1, the flag word of the header */
enum { FLAG_RESPONSE = 0x8000, FLAG_TRUNCATED = 0x0200, OPCODE_MASK = 0x7800, RCODE_MASK = 0x000f };

struct record {
    size_t owner; /* offsets into the message */
    size_t data;
    uint32_t ttl_s;
    uint16_t type;
    uint16_t data_size;
};

struct answers {
    struct record records[RECORDS_MAX];
    size_t count;
};

/* The labels of one name, following compression (RFC 1035 section 4.1.4). */
struct walk {
    struct reader message; /* the whole */
    struct reader at;
    const uint8_t *run; /* where the labels now being read begin */
    size_t walked;
    unsigned jumps;
    bool failed;
};

static struct walk walk_from(struct reader message, size_t offset)
{
    struct walk walk = {.message = message, .at = message};
    reader_skip(&walk.at, offset);
    walk.run = walk.at.at;
    return walk;
}

/* A pointer must lead to before the labels it ends: "a prior occurrence". So each jump goes
 * strictly backward, and a loop cannot be written down. */
static bool walk_jump(struct walk *walk, size_t offset)
{
    size_t run = (size_t)(walk->run - walk->message.at);
    if (offset < HEADER_SIZE || offset >= run || ++walk->jumps > JUMPS_MAX)
        return false;
    walk->at = walk->message;
    reader_skip(&walk->at, offset);
    walk->run = walk->at.at;
    return true;
}

/* The next label, or NULL at the root and where the name cannot be read (walk.failed). */
static const uint8_t *walk_label(struct walk *walk, uint8_t *size)
{
    for (;;) {
        uint8_t length = reader_u8(&walk->at);
        if ((length & 0xc0) == 0xc0) {
            size_t offset = (size_t)(length & 0x3f) << 8 | reader_u8(&walk->at);
            if (!walk->at.failed && walk_jump(walk, offset))
                continue;
            break;
        }
        walk->walked += (size_t)length + 1;
        const uint8_t *label = reader_bytes(&walk->at, length);
        /* 0x40 and 0x80 are reserved or withdrawn (RFC 6891 section 5). */
        if (walk->at.failed || length & 0xc0 || walk->walked > WALKED_MAX)
            break;
        *size = length;
        return length ? label : NULL;
    }
    walk->failed = true;
    return NULL;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* RFC 4343: ASCII letters compare without regard to case. */
static bool names_equal(struct reader message, size_t a, size_t b)
{
    if (a == b)
        return true;
    struct walk walk_a = walk_from(message, a), walk_b = walk_from(message, b);
    for (;;) {
        uint8_t size_a = 0, size_b = 0;
        const uint8_t *label_a = walk_label(&walk_a, &size_a);
        const uint8_t *label_b = walk_label(&walk_b, &size_b);
        if (walk_a.failed || walk_b.failed || size_a != size_b)
            return false;
        if (!label_a || !label_b)
            return !label_a && !label_b;
        for (uint8_t i = 0; i < size_a; i++)
            if (lower(label_a[i]) != lower(label_b[i]))
                return false;
    }
}

/* Moves past a name where it stands; what a pointer leads to is not looked at. */
static void skip_name(struct reader *reader)
{
    for (;;) {
        uint8_t length = reader_u8(reader);
        if ((length & 0xc0) == 0xc0) {
            reader_skip(reader, 1);
            return;
        }
        if (length & 0xc0)
            reader->failed = true;
        if (length == 0 || reader->failed)
            return;
        reader_skip(reader, length);
    }
}

/* One byte of a label as text. A dot or a backslash inside a label is escaped like any byte that
 * does not print, so that the label "push.apple" can never pass for two. */
static bool name_put(char out[DNS_NAME_SIZE], size_t *length, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    bool plain = c > 0x20 && c < 0x7f && c != '.' && c != '\\';
    if (*length + (plain ? 1 : 4) >= DNS_NAME_SIZE)
        return false;
    if (plain) {
        out[(*length)++] = (char)lower(c);
    } else {
        const char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        memcpy(out + *length, escape, sizeof escape);
        *length += sizeof escape;
    }
    return true;
}

/* False, and "" in `out`, where the name cannot be read or does not fit when escaped: a name cut
 * in the middle could end like another one. */
static bool name_text(struct reader message, size_t offset, char out[DNS_NAME_SIZE])
{
    struct walk walk = walk_from(message, offset);
    size_t length = 0;
    bool fits = true;
    uint8_t size = 0;
    for (const uint8_t *label; fits && (label = walk_label(&walk, &size));) {
        if (length > 0) {
            fits = length + 1 < DNS_NAME_SIZE;
            out[length] = '.';
            length += fits;
        }
        for (uint8_t i = 0; fits && i < size; i++)
            fits = name_put(out, &length, label[i]);
    }
    bool readable = fits && !walk.failed;
    out[readable ? length : 0] = '\0';
    return readable;
}

/* The answer section as a list of places; false where it could not be read to its end. */
static bool read_answers(struct reader message, struct reader section, unsigned count,
                         struct answers *answers)
{
    answers->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct record record = {.owner = (size_t)(section.at - message.at)};
        skip_name(&section);
        record.type = reader_u16(&section);
        uint16_t class = reader_u16(&section);
        uint32_t ttl_s = reader_u32(&section);
        record.ttl_s = ttl_s > INT32_MAX ? 0 : ttl_s; /* RFC 2181 section 8 */
        record.data_size = reader_u16(&section);
        record.data = (size_t)(section.at - message.at);
        reader_skip(&section, record.data_size);
        if (section.failed || answers->count == RECORDS_MAX)
            return false;
        if (class == CLASS_IN)
            answers->records[answers->count++] = record;
    }
    return true;
}

/* Follows CNAME records from the name at `*name`, in whatever order they stand (RFC 1034 section
 * 3.6.2). False where the chain runs in a circle. */
static bool follow_aliases(struct reader message, const struct answers *answers, size_t *name,
                           bool *moved)
{
    for (unsigned alias = 0; alias <= ALIASES_MAX; alias++) {
        const struct record *found = NULL;
        for (size_t i = 0; i < answers->count && !found; i++) {
            const struct record *record = &answers->records[i];
            if (record->type == DNS_CNAME && names_equal(message, record->owner, *name))
                found = record;
        }
        if (!found)
            return true;
        *name = found->data;
        *moved = true;
    }
    return false;
}

static void add_address(struct dns_message *message, struct address address, uint32_t ttl_s)
{
    for (uint8_t i = 0; i < message->address_count; i++)
        if (address_equal(&message->addresses[i], &address))
            return;
    if (message->address_count == DNS_ADDRESSES_MAX) {
        message->answers_cut = true;
        return;
    }
    if (message->address_count == 0 || ttl_s < message->lowest_ttl_s)
        message->lowest_ttl_s = ttl_s;
    message->addresses[message->address_count++] = address;
}

static void read_ipv4(struct dns_message *message, struct reader *data, uint32_t ttl_s)
{
    const uint8_t *four = reader_bytes(data, 4);
    if (four)
        add_address(message, address_from_ipv4(four), ttl_s);
}

static void read_ipv6(struct dns_message *message, struct reader *data, uint32_t ttl_s)
{
    const uint8_t *sixteen = reader_bytes(data, 16);
    if (sixteen)
        add_address(message, address_from_ipv6(sixteen), ttl_s);
}

/* RFC 9460 section 2.2: priority, target, then parameters as key, length, value. In alias mode
 * (priority 0) parameters are to be ignored. */
static void read_service(struct dns_message *message, struct reader *data, uint32_t ttl_s)
{
    uint16_t priority = reader_u16(data);
    skip_name(data);
    while (priority != 0 && !data->failed && reader_left(data) > 0) {
        uint16_t key = reader_u16(data);
        uint16_t size = reader_u16(data);
        struct reader value = reader_take(data, size);
        while (key == SVC_IPV4HINT && !value.failed && reader_left(&value) > 0)
            read_ipv4(message, &value, ttl_s);
        while (key == SVC_IPV6HINT && !value.failed && reader_left(&value) > 0)
            read_ipv6(message, &value, ttl_s);
        data->failed |= value.failed;
    }
}

static const struct {
    enum dns_type type;
    void (*read)(struct dns_message *message, struct reader *data, uint32_t ttl_s);
} address_types[] = {{DNS_A, read_ipv4}, {DNS_AAAA, read_ipv6}, {DNS_HTTPS, read_service}};

static void read_addresses(struct reader whole, const struct answers *answers, size_t name,
                           struct dns_message *message)
{
    for (size_t i = 0; i < answers->count; i++) {
        const struct record *record = &answers->records[i];
        for (size_t t = 0; t < sizeof address_types / sizeof *address_types; t++) {
            if (record->type != address_types[t].type || !names_equal(whole, record->owner, name))
                continue;
            struct reader data = whole;
            reader_skip(&data, record->data);
            data = reader_take(&data, record->data_size);
            address_types[t].read(message, &data, record->ttl_s);
            /* An address record of another size is none. */
            message->answers_cut |= data.failed || reader_left(&data) > 0;
        }
    }
}

bool dns_read(const uint8_t *bytes, size_t size, struct dns_message *message)
{
    *message = (struct dns_message){0};
    const struct reader whole = reader_over(bytes, size);
    struct reader reader = whole;
    message->id = reader_u16(&reader);
    uint16_t flags = reader_u16(&reader);
    uint16_t question_count = reader_u16(&reader);
    uint16_t answer_count = reader_u16(&reader);
    reader_skip(&reader, 4);
    if (reader.failed || question_count != 1 || flags & OPCODE_MASK)
        return false;

    skip_name(&reader);
    message->type = reader_u16(&reader);
    uint16_t class = reader_u16(&reader);
    if (reader.failed || (class != CLASS_IN && class != CLASS_ANY))
        return false;
    if (!name_text(whole, HEADER_SIZE, message->name))
        return false;
    message->is_response = flags & FLAG_RESPONSE;
    message->is_truncated = flags & FLAG_TRUNCATED;
    message->rcode = flags & RCODE_MASK;
    if (!message->is_response)
        return true;

    struct answers answers;
    message->answers_cut = !read_answers(whole, reader, answer_count, &answers);
    size_t name = HEADER_SIZE;
    bool moved = false;
    if (!follow_aliases(whole, &answers, &name, &moved) ||
        (moved && !name_text(whole, name, message->canonical)))
        message->answers_cut = true;
    else
        read_addresses(whole, &answers, name, message);
    return true;
}
