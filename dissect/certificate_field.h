/* One X.509 certificate's fields as text and numbers. */
#ifndef APNSCOPE_DISSECT_CERTIFICATE_FIELD_H
#define APNSCOPE_DISSECT_CERTIFICATE_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "certificate_judgement.h"

enum { CERTIFICATE_NAME_SIZE = 512 };

/* A string of any of ASN.1's kinds as printable UTF-8, cut to `size`. Returns its length. */
size_t certificate_string(const ASN1_STRING *string, char *out, size_t size);

/* The first common name and organization; "" where there is none. */
struct judged_name certificate_judged_name(const X509_NAME *name);

/* A distinguished name in one line (RFC 4514), cut; "" where it cannot be printed. */
void certificate_name_text(const X509_NAME *name, char out[CERTIFICATE_NAME_SIZE]);

/* TIME_UNKNOWN: none, damaged, or beyond what nanoseconds can tell. */
int64_t certificate_time_ns(const ASN1_TIME *asn1);

#endif
