/* Fuzz target of dissect/certificate.c: the list of a TLS 1.2 Certificate message (RFC 5246 section
 * 7.4.2), three bytes of length before each certificate. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/reader.h"
#include "dissect/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct reader reader = reader_over(bytes, size);
    struct tls_certificate_list list = {.count = 0};
    while (reader_left(&reader) > 3 && list.count < TLS_CERTIFICATES_MAX) {
        uint32_t want = reader_u24(&reader);
        size_t left = reader_left(&reader);
        uint32_t have = want < left ? want : (uint32_t)left;
        list.certificates[list.count].der = reader_bytes(&reader, have);
        list.certificates[list.count++].size = have;
    }
    struct names *names = names_new(1 << 16);
    struct certificate_store *store = certificate_store_new(names);
    const struct certificate_facts *facts = certificate_examine(store, &list);
    assert((facts != NULL) == (list.count > 0));
    if (facts) {
        assert(facts->subject && facts->issuer && facts->issuer_common_name);
        assert(facts->top_issuer && facts->names && strlen(facts->sha256) == 64);
        assert(certificate_examine(store, &list) == facts);
    }
    certificate_store_free(store);
    names_free(names);
    return 0;
}
