/* DNS messages. Of tests/support: payloads of the scenario language's verbs. */
#include "dns_payload.h"

#include <string.h>

#include "words.h"

enum {
    CLASS_IN = 1,
    TYPE_A = 1,
    TYPE_CNAME = 5,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_HTTPS = 65,
    /* RFC 1035 section 4.1.1 */
    FLAG_RESPONSE = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
    HEADER_SIZE = 12
};

struct named_number {
    const char *name;
    uint16_t number;
};

static bool number_of(const struct named_number *table, size_t count, const char *text,
                      int64_t limit, uint16_t *number)
{
    int64_t value;
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i].name, text) == 0) {
            *number = table[i].number;
            return true;
        }
    if (!words_integer(text, &value) || value < 0 || value > limit)
        return false;
    *number = (uint16_t)value;
    return true;
}

bool payload_dns_type_of(const char *text, uint16_t *type)
{
    static const struct named_number types[] = {{"A", TYPE_A},
                                                {"CNAME", TYPE_CNAME},
                                                {"TXT", TYPE_TXT},
                                                {"AAAA", TYPE_AAAA},
                                                {"HTTPS", TYPE_HTTPS}};
    return number_of(types, sizeof types / sizeof types[0], text, 65535, type);
}

bool payload_dns_rcode_of(const char *text, uint8_t *rcode)
{
    static const struct named_number rcodes[] = {
        {"NOERROR", 0}, {"FORMERR", 1}, {"SERVFAIL", 2}, {"NXDOMAIN", 3}, {"REFUSED", 5}};
    uint16_t number;
    if (!number_of(rcodes, sizeof rcodes / sizeof rcodes[0], text, 15, &number))
        return false;
    *rcode = (uint8_t)number;
    return true;
}

static void add_name(struct bytes *out, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");
        bytes_u8(out, (unsigned)length & 63);
        bytes_add(out, name, length);
        name += length + (name[length] == '.');
    }
    bytes_u8(out, 0);
}

static void add_question(struct bytes *out, uint16_t id, unsigned flags, const char *name,
                         uint16_t type)
{
    bytes_u16(out, id);
    bytes_u16(out, flags);
    bytes_u16(out, 1);
    bytes_u16(out, 0);
    bytes_u32(out, 0);
    add_name(out, name);
    bytes_u16(out, type);
    bytes_u16(out, CLASS_IN);
}

void payload_dns_query(struct bytes *out, uint16_t id, const char *name, uint16_t type)
{
    add_question(out, id, FLAG_RECURSION_DESIRED, name, type);
}

/* The fixed part of a record whose owner stands at `owner`, by a compression pointer. */
static size_t open_record(struct bytes *out, size_t owner, uint16_t type, uint32_t ttl)
{
    bytes_u16(out, 0xc000u | (unsigned)owner); /* RFC 1035 section 4.1.4 */
    bytes_u16(out, type);
    bytes_u16(out, CLASS_IN);
    bytes_u32(out, ttl);
    return bytes_open(out, 2);
}

/* The CNAME chain; returns where the canonical name stands in the message. */
static size_t add_cnames(struct bytes *out, size_t start, const struct dns_answer *answer,
                         unsigned *count)
{
    size_t owner = HEADER_SIZE;
    for (const char *at = answer->cname ? answer->cname : ""; *at; (*count)++) {
        char name[256] = "";
        size_t length = strcspn(at, ",");
        memcpy(name, at, length < sizeof name ? length : sizeof name - 1);
        size_t record = open_record(out, owner, TYPE_CNAME, answer->record_ttl_s);
        owner = out->size - start;
        add_name(out, name);
        bytes_close(out, record, 2);
        at += length + (at[length] == ',');
    }
    return owner;
}

static void add_address(struct bytes *out, size_t owner, const struct address *address,
                        uint32_t ttl)
{
    bool four = address_is_ipv4(address);
    size_t record = open_record(out, owner, four ? TYPE_A : TYPE_AAAA, ttl);
    bytes_add(out, address->byte + (four ? 12 : 0), four ? 4 : 16);
    bytes_close(out, record, 2);
}

/* RFC 9460 section 2.2: service mode, alpn, and the addresses as hints (section 7.3). */
static void add_https(struct bytes *out, size_t owner, const struct dns_answer *answer)
{
    static const uint8_t alpn[] = {0, 1, 0, 3, 2, 'h', '2'};
    size_t record = open_record(out, owner, TYPE_HTTPS, answer->record_ttl_s);
    bytes_u16(out, 1);
    bytes_u8(out, 0);
    bytes_add(out, alpn, sizeof alpn);
    for (int four = 1; four >= 0; four--) {
        struct bytes hints = {0};
        for (size_t i = 0; i < answer->address_count; i++)
            if (address_is_ipv4(&answer->addresses[i]) == (four == 1))
                bytes_add(&hints, answer->addresses[i].byte + (four ? 12 : 0), four ? 4 : 16);
        if (hints.size > 0) {
            bytes_u16(out, four ? 4 : 6);
            bytes_u16(out, (unsigned)hints.size);
            bytes_add(out, hints.at, hints.size);
        }
        bytes_free(&hints);
    }
    bytes_close(out, record, 2);
}

static void add_text(struct bytes *out, size_t owner, const struct dns_answer *answer)
{
    size_t record = open_record(out, owner, TYPE_TXT, answer->record_ttl_s);
    size_t length = strnlen(answer->text, 255);
    bytes_u8(out, (unsigned)length);
    bytes_add(out, answer->text, length);
    bytes_close(out, record, 2);
}

void payload_dns_response(struct bytes *out, const struct dns_answer *answer)
{
    size_t start = out->size;
    unsigned count = 0;
    unsigned flags = FLAG_RESPONSE | FLAG_RECURSION_DESIRED | FLAG_RECURSION_AVAILABLE |
                     (answer->is_truncated ? FLAG_TRUNCATED : 0u) | answer->rcode;
    add_question(out, answer->id, flags, answer->name, answer->type);
    size_t owner = add_cnames(out, start, answer, &count);
    if (answer->type == TYPE_HTTPS && answer->address_count > 0) {
        add_https(out, owner, answer);
        count++;
    } else {
        for (size_t i = 0; i < answer->address_count; i++, count++)
            add_address(out, owner, &answer->addresses[i], answer->record_ttl_s);
    }
    if (answer->text) {
        add_text(out, owner, answer);
        count++;
    }
    bytes_set_u16(out, start + 6, count);
}
