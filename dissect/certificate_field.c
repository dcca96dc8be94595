/* One X.509 certificate's fields as text and numbers.
 *
 * For certificate.c, which knows what they are for. Text comes out printable, whatever the
 * certificate holds. Deliberately asks no time zone and no locale: the sandbox has neither. */
#include "certificate_field.h"

#include <assert.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "base/clock.h"
#include "base/text.h"

size_t certificate_string(const ASN1_STRING *string, char *out, size_t size)
{
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, string);
    size_t written = text_printable(out, size, utf8, length > 0 ? (size_t)length : 0);
    if (length >= 0)
        OPENSSL_free(utf8);
    return written;
}

/* The first attribute of that kind, "" without. */
static void attribute_text(const X509_NAME *name, int nid, char out[JUDGED_NAME_SIZE])
{
    out[0] = '\0';
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at >= 0)
        certificate_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), out,
                           JUDGED_NAME_SIZE);
}

struct judged_name certificate_judged_name(const X509_NAME *name)
{
    struct judged_name judged;
    attribute_text(name, NID_commonName, judged.common_name);
    attribute_text(name, NID_organizationName, judged.organization);
    return judged;
}

/* RFC 4514 writes the last element first, which is how most authorities come to begin with CN.
 * Apple has used both orders; people look for CN first, so the order that has it earlier wins. */
static unsigned long name_order(const X509_NAME *name)
{
    int count = X509_NAME_entry_count(name);
    int from_front = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    bool forward = from_front >= 0 && from_front < count - 1 - from_front;
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    return forward ? flags & ~(unsigned long)XN_FLAG_DN_REV : flags;
}

void certificate_name_text(const X509_NAME *name, char out[CERTIFICATE_NAME_SIZE])
{
    out[0] = '\0';
    BIO *memory = BIO_new(BIO_s_mem());
    assert(memory);
    char *text = NULL;
    if (X509_NAME_print_ex(memory, name, 0, name_order(name)) >= 0) {
        long size = BIO_get_mem_data(memory, &text);
        text_printable(out, CERTIFICATE_NAME_SIZE, (const uint8_t *)text,
                       size > 0 ? (size_t)size : 0);
    }
    BIO_free(memory);
}

/* Days from 1970-01-01 to a Gregorian date. Not timegm, which reads the time zone's file. */
static int64_t days_since_epoch(int64_t year, int month, int day)
{
    static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t leap_year = month > 2 ? year : year - 1; /* the last one whose February is over */
    int64_t leap_days = leap_year / 4 - leap_year / 100 + leap_year / 400;
    enum { LEAP_DAYS_BEFORE_1970 = 477 };
    return (year - 1970) * 365 + leap_days - LEAP_DAYS_BEFORE_1970 + before_month[month - 1] + day -
           1;
}

/* RFC 5280 section 4.1.2.5: 99991231235959Z means "no end"; it does not fit, and is not known. */
int64_t certificate_time_ns(const ASN1_TIME *asn1)
{
    struct tm tm;
    if (!asn1 || !ASN1_TIME_to_tm(asn1, &tm))
        return TIME_UNKNOWN;
    int64_t days = days_since_epoch(tm.tm_year + INT64_C(1900), tm.tm_mon + 1, tm.tm_mday);
    int64_t seconds = ((days * 24 + tm.tm_hour) * 60 + tm.tm_min) * 60 + tm.tm_sec;
    if (seconds > INT64_MAX / NS_PER_S - 1 || seconds < INT64_MIN / NS_PER_S + 1)
        return TIME_UNKNOWN;
    return seconds * NS_PER_S;
}
