/* The Certificate message of TLS 1.2, with real X.509 certificates.
 *
 * Of tests/support; the one file of it that sees libcrypto. Keys are Ed25519 keys from fixed
 * seeds, whose signatures are deterministic, so that a chain has the same bytes on every machine.
 * They protect nothing. */
#ifndef APNSCOPE_TESTS_SUPPORT_CERTIFICATE_PAYLOAD_H
#define APNSCOPE_TESTS_SUPPORT_CERTIFICATE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* Names are RFC 4514 text: "CN=courier.push.apple.com,O=Apple Inc.,C=US". */
struct certificate_chain {
    const char *subject;   /* of the leaf */
    const char *issuer;    /* of the leaf: subject of the intermediate; equal: self-signed */
    const char *root;      /* issuer of the intermediate */
    const char *dns_names; /* of the leaf, comma separated; "" or NULL: none */
    bool has_markers;      /* Apple's marker extensions on leaf and intermediate */
    bool sends_root;
    bool leaf_only;       /* no intermediate is sent */
    bool has_broken_link; /* the leaf is signed by another key than its issuer's */
    size_t padding;       /* bytes of comment in the leaf, to make it longer */
    int64_t not_before_s; /* since the epoch */
    int64_t not_after_s;
};

/* Adds the message in a record. False: a name cannot be read. */
bool payload_certificate(struct bytes *out, const struct certificate_chain *chain);

#endif
