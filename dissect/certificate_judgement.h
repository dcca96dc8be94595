/* Whether a chain of certificates can be Apple's, from names, links and markers alone.
 *
 * Private to dissect/: certificate.c reads the certificates, this judges what was read. Sees no
 * libcrypto and no bytes, so that every rule can be tested with a few words. */
#ifndef APNSCOPE_DISSECT_CERTIFICATE_JUDGEMENT_H
#define APNSCOPE_DISSECT_CERTIFICATE_JUDGEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "dissect/tls.h"
#include "model/certificate_facts.h"

enum { JUDGED_NAME_SIZE = 96 }; /* RFC 5280 upper bound: 64 characters; longer ones match no row */

struct judged_name {
    char common_name[JUDGED_NAME_SIZE];
    char organization[JUDGED_NAME_SIZE];
};

/* From a certificate to the next one of the path. */
enum link_state {
    LINK_NONE, /* its issuer was not sent, or it is its own issuer */
    LINK_VERIFIES,
    LINK_BROKEN, /* the signature is not of that key */
    LINK_UNKNOWN /* an algorithm that libcrypto does not check */
};

struct judged_certificate {
    struct judged_name subject;
    struct judged_name issuer;
    bool is_self_issued;
    bool has_marker;
    char sha256[65]; /* lower-case hex */
    enum link_state link;
};

/* Leaf first, each issued (by name) by the one after it. */
struct judged_chain {
    uint8_t count;
    bool names_push_host;
    bool under_trusted_anchor;
    struct judged_certificate certificates[TLS_CERTIFICATES_MAX];
};

enum chain_judgement certificate_judge(const struct judged_chain *chain);

#endif
