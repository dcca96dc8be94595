/* Fuzz target of dissect/dns.c: any bytes as a DNS message. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "dissect/dns.h"
#include "dissect/push_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_name(const char name[DNS_NAME_SIZE])
{
    size_t length = strnlen(name, DNS_NAME_SIZE);
    assert(length < DNS_NAME_SIZE);
    for (size_t i = 0; i < length; i++)
        assert(name[i] > 0x20 && name[i] < 0x7f && !(name[i] >= 'A' && name[i] <= 'Z'));
    (void)push_name_role(name, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct dns_message message;
    bool is_push = false;
    if (dns_read(bytes, size, &message)) {
        check_name(message.name);
        check_name(message.canonical);
        assert(message.address_count <= DNS_ADDRESSES_MAX);
        is_push = strstr(message.name, "push") != NULL;
    }
    /* A name in one piece that says "push" is one that the cheap test lets through. */
    if (is_push)
        assert(push_name_may_occur(bytes, size));
    return 0;
}
