/* The judgement of a chain: Apple's, Apple's under a public root, another host's, foreign.
 *
 * Called by certificate.c once for each distinct chain; detect/ builds `tls-intercepted` on it.
 * Deliberately does not look at validity times or purposes: a device does, and its alert says so.
 *
 * What it rests on (wire.md section 2), and what would prove it wrong:
 * - Devices pin Apple Root CA and two marker extensions, senders see Apple's own intermediates
 *   under public roots, and inspecting boxes sign with a key and, in every capture known, in a name
 *   of their own. A box that copied the names of Apple's authorities and did not send a root would
 *   pass here; its intermediate's signature is Apple's or nobody's, and the public key that could
 *   show it is not kept. Such a box has not been seen.
 * - A root that is sent and calls itself Apple's, but is another certificate, is foreign. A second
 *   certificate of Apple's under that name would prove it wrong.
 * - An authority that Apple begins to use and push_issuer.def does not list would be judged
 *   foreign. --trust is the way out.
 * - Names decide last. Apple's certificate of another Apple host is still Apple's: a load balancer
 *   of theirs, not a box on the way. */
#include "certificate_judgement.h"

#include <string.h>

enum issuer_kind {
    ISSUER_NONE,
    ISSUER_APPLE_ROOT,
    ISSUER_APPLE,
    ISSUER_APPLE_PUBLIC,
    ISSUER_PUBLIC_ROOT,
    ISSUER_ENTRUST,
    ISSUER_ENTRUST_ROOT
};

static const struct push_issuer {
    const char *common_name;
    const char *organization;
    enum issuer_kind kind;
    const char *sha256;
} push_issuers[] = {
#define PUSH_ISSUER(common_name, organization, kind, sha256)                                       \
    {common_name, organization, kind, sha256},
#include "push_issuer.def"
#undef PUSH_ISSUER
};

/* Who may issue a leaf, who must have issued that issuer, and what the chain is then. */
static const struct issuer_rule {
    enum issuer_kind issuer;
    enum issuer_kind parent;
    enum chain_judgement judgement;
    bool leaf_must_be_apples; /* the issuer also serves others: its leaf must say O=Apple Inc. */
} rules[] = {
    {ISSUER_APPLE, ISSUER_APPLE_ROOT, CHAIN_APPLE, false},
    {ISSUER_APPLE_PUBLIC, ISSUER_PUBLIC_ROOT, CHAIN_APPLE_PUBLIC, false},
    {ISSUER_ENTRUST, ISSUER_ENTRUST_ROOT, CHAIN_APPLE_PUBLIC, true},
};

static bool matches(const char *pattern, const char *text)
{
    size_t length = strlen(pattern);
    if (length > 0 && pattern[length - 1] == '*')
        return strncmp(pattern, text, length - 1) == 0;
    return strcmp(pattern, text) == 0;
}

static const struct push_issuer *find_issuer(const struct judged_name *name)
{
    for (size_t i = 0; i < sizeof push_issuers / sizeof *push_issuers; i++)
        if (matches(push_issuers[i].common_name, name->common_name) &&
            matches(push_issuers[i].organization, name->organization))
            return &push_issuers[i];
    return NULL;
}

static const struct issuer_rule *find_rule(const struct judged_name *issuer)
{
    const struct push_issuer *known = find_issuer(issuer);
    for (size_t i = 0; known && i < sizeof rules / sizeof *rules; i++)
        if (rules[i].issuer == known->kind)
            return &rules[i];
    return NULL;
}

/* Apple's leaf says so: by O=Apple Inc., by a marker, or by a push host's name. */
static bool leaf_is_apples(const struct judged_chain *chain, const struct issuer_rule *rule)
{
    const struct judged_certificate *leaf = &chain->certificates[0];
    bool says_apple = strcmp(leaf->subject.organization, "Apple Inc.") == 0;
    if (rule->leaf_must_be_apples)
        return says_apple && chain->names_push_host;
    return says_apple || leaf->has_marker || chain->names_push_host;
}

/* The issuer's issuer: named in the table, and the very certificate where it was sent. */
static bool parent_is_right(const struct judged_chain *chain, const struct issuer_rule *rule)
{
    const struct judged_certificate *issuer = &chain->certificates[1];
    const struct push_issuer *parent = find_issuer(&issuer->issuer);
    if (!parent || parent->kind != rule->parent || issuer->is_self_issued ||
        issuer->link == LINK_BROKEN)
        return false;
    if (chain->count < 3 || parent->sha256[0] == '\0')
        return true;
    /* Only the self-signed form has one fingerprint; cross-signed forms carry the same name. */
    const struct judged_certificate *root = &chain->certificates[2];
    return !root->is_self_issued || strcmp(root->sha256, parent->sha256) == 0;
}

static bool has_marker(const struct judged_chain *chain)
{
    for (uint8_t i = 0; i < chain->count; i++)
        if (chain->certificates[i].has_marker)
            return true;
    return false;
}

static enum chain_judgement judge_authority(const struct judged_chain *chain)
{
    const struct judged_certificate *leaf = &chain->certificates[0];
    const struct issuer_rule *rule = leaf->is_self_issued ? NULL : find_rule(&leaf->issuer);
    if (!rule || !leaf_is_apples(chain, rule) || leaf->link == LINK_BROKEN)
        return CHAIN_FOREIGN;
    bool is_marked = rule->judgement == CHAIN_APPLE && has_marker(chain);
    if (chain->count == 1) /* the issuer's name alone proves nothing, for or against */
        return is_marked ? rule->judgement : CHAIN_CANNOT_TELL;
    if (!parent_is_right(chain, rule))
        return CHAIN_FOREIGN;
    return is_marked || leaf->link == LINK_VERIFIES ? rule->judgement : CHAIN_CANNOT_TELL;
}

enum chain_judgement certificate_judge(const struct judged_chain *chain)
{
    if (chain->count == 0)
        return CHAIN_CANNOT_TELL;
    enum chain_judgement judgement = judge_authority(chain);
    if (judgement == CHAIN_APPLE || judgement == CHAIN_APPLE_PUBLIC)
        return judgement;
    if (!chain->names_push_host)
        return judgement == CHAIN_CANNOT_TELL ? CHAIN_CANNOT_TELL : CHAIN_OTHER_HOST;
    if (chain->under_trusted_anchor)
        return CHAIN_TRUSTED;
    return chain->certificates[0].is_self_issued ? CHAIN_SELF_SIGNED : judgement;
}
