/* Tests of dissect/certificate_judgement.c: each rule by a chain of a few words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dissect/certificate_judgement.h"

static const struct judged_name leaf_name = {"courier.push.apple.com", "Apple Inc."};
static const struct judged_name apple_ca = {"Apple Server Authentication CA", "Apple Inc."};
static const struct judged_name apple_root = {"Apple Root CA", "Apple Inc."};
static const char apple_root_sha256[] =
    "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024";

/* Every text of a judged certificate has room for a fingerprint. */
static void set(char *out, const char *text)
{
    snprintf(out, sizeof((struct judged_certificate *)0)->sha256, "%s", text);
}

static void add(struct judged_chain *chain, struct judged_name subject, struct judged_name issuer,
                enum link_state link)
{
    struct judged_certificate *certificate = &chain->certificates[chain->count++];
    certificate->subject = subject;
    certificate->issuer = issuer;
    certificate->is_self_issued = strcmp(subject.common_name, issuer.common_name) == 0;
    certificate->link = link;
}

/* Leaf and intermediate as Apple's couriers send them, with their markers. */
static struct judged_chain apple_chain(void)
{
    struct judged_chain chain = {.names_push_host = true};
    add(&chain, leaf_name, apple_ca, LINK_VERIFIES);
    add(&chain, apple_ca, apple_root, LINK_NONE);
    chain.certificates[0].has_marker = true;
    chain.certificates[1].has_marker = true;
    return chain;
}

static struct judged_chain public_chain(const char *intermediate, const char *root,
                                        const char *root_organization)
{
    struct judged_chain chain = {.names_push_host = true};
    struct judged_name middle = {"", "Apple Inc."}, top = {"", ""};
    set(middle.common_name, intermediate);
    set(top.common_name, root);
    set(top.organization, root_organization);
    add(&chain, leaf_name, middle, LINK_VERIFIES);
    add(&chain, middle, top, LINK_NONE);
    return chain;
}

static void nothing_readable_cannot_be_told(void **state)
{
    (void)state;
    struct judged_chain chain = {.count = 0};
    assert_int_equal(certificate_judge(&chain), CHAIN_CANNOT_TELL);
}

static void apples_private_chain_is_apple(void **state)
{
    (void)state;
    struct judged_chain chain = apple_chain();
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE);
    chain.certificates[0].link = LINK_UNKNOWN;
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE);
    chain.certificates[0].has_marker = chain.certificates[1].has_marker = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_CANNOT_TELL);
    chain.certificates[0].link = LINK_VERIFIES;
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE);
}

static void apples_certificate_of_another_host_is_still_apples(void **state)
{
    (void)state;
    struct judged_chain chain = apple_chain();
    chain.names_push_host = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE);
    chain.certificates[0].subject = (struct judged_name){"host.example", "Example"};
    chain.certificates[0].has_marker = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_OTHER_HOST);
}

static void a_signature_of_another_key_is_foreign(void **state)
{
    (void)state;
    struct judged_chain chain = apple_chain();
    chain.certificates[0].link = LINK_BROKEN;
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain = apple_chain();
    add(&chain, apple_root, apple_root, LINK_NONE);
    set(chain.certificates[2].sha256, apple_root_sha256);
    chain.certificates[1].link = LINK_BROKEN;
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain.certificates[1].link = LINK_VERIFIES;
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE);
}

static void another_root_of_the_same_name_is_foreign_unless_trusted(void **state)
{
    (void)state;
    struct judged_chain chain = apple_chain();
    chain.certificates[1].link = LINK_VERIFIES;
    add(&chain, apple_root, apple_root, LINK_NONE);
    set(chain.certificates[2].sha256, "00");
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain.under_trusted_anchor = true;
    assert_int_equal(certificate_judge(&chain), CHAIN_TRUSTED);
}

static void an_intermediate_named_apple_under_another_root_is_foreign(void **state)
{
    (void)state;
    struct judged_chain chain = apple_chain();
    chain.certificates[1].issuer = (struct judged_name){"Corporate Root", "Example"};
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain.certificates[1].issuer = (struct judged_name){"Apple Root CA", "Example"};
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain.certificates[1].issuer = apple_ca; /* its own issuer */
    chain.certificates[1].is_self_issued = true;
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    /* a public root does not make the private intermediate right */
    chain.certificates[1] = (struct judged_certificate){
        .subject = apple_ca, .issuer = {"AAA Certificate Services", "Comodo CA Limited"}};
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
}

static void apples_intermediates_under_public_roots_are_apple_public(void **state)
{
    (void)state;
    static const char *const good[][3] = {
        {"Apple IST CA 2 - G1", "GeoTrust Global CA", "GeoTrust Inc."},
        {"Apple IST CA 8 - G1", "Baltimore CyberTrust Root", "Baltimore"},
        {"Apple Public Server RSA CA 12 - G1", "AAA Certificate Services", "Comodo CA Limited"},
        {"Apple Public Server ECC CA 12 - G1", "USERTrust RSA Certification Authority",
         "The USERTRUST Network"},
        {"Apple Public EV Server RSA CA 2 - G1", "DigiCert High Assurance EV Root CA",
         "DigiCert Inc"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct judged_chain chain = public_chain(good[i][0], good[i][1], good[i][2]);
        assert_int_equal(certificate_judge(&chain), CHAIN_APPLE_PUBLIC);
        set(chain.certificates[0].issuer.organization, "Example");
        assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    }
    struct judged_chain chain = public_chain("Apple IST CA 2 - G1", "Corporate Root", "Example");
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain = public_chain("Sectigo RSA Server CA", "AAA Certificate Services", "Comodo CA Limited");
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
}

static void a_public_root_that_is_another_certificate_is_foreign(void **state)
{
    (void)state;
    struct judged_chain chain =
        public_chain("Apple IST CA 2 - G1", "GeoTrust Global CA", "GeoTrust Inc.");
    struct judged_name root = chain.certificates[1].issuer;
    add(&chain, root, root, LINK_NONE);
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    /* cross-signed by someone else it has another fingerprint, and that is right */
    chain.certificates[2].is_self_issued = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE_PUBLIC);
}

static void entrust_issued_to_apple_itself(void **state)
{
    (void)state;
    struct judged_name issuer = {"Entrust Certification Authority - L1K", "Entrust, Inc."};
    struct judged_name root = {"Entrust Root Certification Authority - G2", "Entrust, Inc."};
    struct judged_chain chain = {.names_push_host = true};
    add(&chain, leaf_name, issuer, LINK_VERIFIES);
    add(&chain, issuer, root, LINK_NONE);
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE_PUBLIC);
    chain.names_push_host = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_OTHER_HOST);
    chain.names_push_host = true;
    set(chain.certificates[0].subject.organization, "Example");
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
}

static void a_leaf_alone_proves_little(void **state)
{
    (void)state;
    struct judged_chain chain = {.names_push_host = true};
    add(&chain, leaf_name, apple_ca, LINK_NONE);
    assert_int_equal(certificate_judge(&chain), CHAIN_CANNOT_TELL);
    chain.names_push_host = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_CANNOT_TELL);
    chain.certificates[0].has_marker = true;
    assert_int_equal(certificate_judge(&chain), CHAIN_APPLE);
}

static void a_box_is_foreign_self_signed_trusted_or_another_host(void **state)
{
    (void)state;
    struct judged_chain chain = {.names_push_host = true};
    struct judged_name box = {"Inspection CA", "Example"};
    add(&chain, leaf_name, box, LINK_VERIFIES);
    add(&chain, box, box, LINK_NONE);
    assert_int_equal(certificate_judge(&chain), CHAIN_FOREIGN);
    chain.under_trusted_anchor = true;
    assert_int_equal(certificate_judge(&chain), CHAIN_TRUSTED);
    chain.names_push_host = false;
    assert_int_equal(certificate_judge(&chain), CHAIN_OTHER_HOST);

    struct judged_chain own = {.names_push_host = true};
    add(&own, leaf_name, leaf_name, LINK_NONE);
    assert_int_equal(certificate_judge(&own), CHAIN_SELF_SIGNED);
    own.names_push_host = false;
    assert_int_equal(certificate_judge(&own), CHAIN_OTHER_HOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_readable_cannot_be_told),
        cmocka_unit_test(apples_private_chain_is_apple),
        cmocka_unit_test(apples_certificate_of_another_host_is_still_apples),
        cmocka_unit_test(a_signature_of_another_key_is_foreign),
        cmocka_unit_test(another_root_of_the_same_name_is_foreign_unless_trusted),
        cmocka_unit_test(an_intermediate_named_apple_under_another_root_is_foreign),
        cmocka_unit_test(apples_intermediates_under_public_roots_are_apple_public),
        cmocka_unit_test(a_public_root_that_is_another_certificate_is_foreign),
        cmocka_unit_test(entrust_issued_to_apple_itself),
        cmocka_unit_test(a_leaf_alone_proves_little),
        cmocka_unit_test(a_box_is_foreign_self_signed_trusted_or_another_host),
    };
    return cmocka_run_group_tests_name("dissect/certificate_judgement", tests, NULL, NULL);
}
