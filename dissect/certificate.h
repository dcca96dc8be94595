/* X.509 chains through libcrypto: names, links, and whether Apple's rules admit them.
 *
 * Each distinct chain is examined once and kept (a site's devices all see the same few), so a
 * session costs a hash and a look-up. Nothing else of the program sees libcrypto's X.509. */
#ifndef APNSCOPE_DISSECT_CERTIFICATE_H
#define APNSCOPE_DISSECT_CERTIFICATE_H

#include "base/fault.h"
#include "base/names.h"
#include "dissect/tls.h"
#include "model/certificate_facts.h"

struct certificate_store;

/* `names` keeps the strings and must outlive the facts. */
struct certificate_store *certificate_store_new(struct names *names);
void certificate_store_free(struct certificate_store *store);

/* --trust FILE.pem: chains under these anchors are judged CHAIN_TRUSTED. Before the first chain. */
MUST_USE bool certificate_store_trust(struct certificate_store *store, const char *path,
                                      struct fault *fault);
/* --push-domain NAME: further names that count as push hosts. */
void certificate_store_add_push_domain(struct certificate_store *store, const char *domain);

/* The facts of a chain, leaf first, also of one that cannot be parsed; NULL where it is empty or the
 * store is full (4096 chains, 32 MiB). Valid until certificate_store_free. Texts are never NULL: ""
 * where unreadable, or where `names` is full. */
const struct certificate_facts *certificate_examine(struct certificate_store *store,
                                                    const struct tls_certificate_list *list);

#endif
