/* What a certificate chain says about itself; kept once per distinct chain for the life of a run. */
#ifndef APNSCOPE_MODEL_CERTIFICATE_FACTS_H
#define APNSCOPE_MODEL_CERTIFICATE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* Judged by names and links, without trust in the issuer's name alone (wire.md: Apple pins). */
enum chain_judgement {
    CHAIN_CANNOT_TELL,  /* unreadable or cut */
    CHAIN_APPLE,        /* under one of Apple's authorities, leaf of Apple's */
    CHAIN_APPLE_PUBLIC, /* leaf of Apple's under a public root that Apple uses for push hosts */
    CHAIN_TRUSTED,      /* under an anchor the user gave with --trust */
    CHAIN_OTHER_HOST,   /* a certificate for other names than push hosts */
    CHAIN_FOREIGN,      /* claims a push host, but not under an authority Apple uses */
    CHAIN_SELF_SIGNED   /* claims a push host and is its own issuer */
};

struct certificate_facts {
    const char *subject;       /* leaf, RFC 4514 text: "CN=courier.push.apple.com,O=Apple Inc.,C=US" */
    const char *issuer;        /* leaf's issuer, same form */
    const char *issuer_common_name;
    const char *top_issuer;    /* issuer of the last certificate sent, same form */
    const char *names;         /* DNS names of the leaf, comma separated; may be "" */
    char sha256[65];           /* of the leaf's DER, lower-case hex */
    int64_t not_before_ns;     /* TIME_UNKNOWN where unreadable */
    int64_t not_after_ns;
    uint8_t chain_length;      /* certificates sent */
    bool names_push_host;      /* a subject name matches *.push.apple.com or the like */
    bool links_verify;         /* every signature in the sent chain verifies with the next key */
    bool has_apple_markers;    /* 1.2.840.113635.100.6.27.5.2 on the leaf, or ...6.2.12 above it */
    enum chain_judgement judgement;
};

/* It was seen, and it is Apple's, or under an anchor that the user trusts. NULL: none was seen. */
static inline bool certificate_is_genuine(const struct certificate_facts *facts)
{
    return facts && (facts->judgement == CHAIN_APPLE || facts->judgement == CHAIN_APPLE_PUBLIC ||
                     facts->judgement == CHAIN_TRUSTED);
}

#endif
