/* Names of TLS alerts and versions, for evidence sentences, reports and terminals.
 *
 * Used by whoever shows what dissect/tls.c read. Deliberately does not judge: which alert means
 * what about a network is for detect/. */
#include <stddef.h>
#include <stdio.h>

#include "dissect/tls.h"

/* RFC 8446 section 6 and the documents that the IANA "TLS Alerts" registry names. */
static const char *const alert_names[] = {
    [0] = "close_notify",
    [10] = "unexpected_message",
    [20] = "bad_record_mac",
    [21] = "decryption_failed", /* RFC 5246 section 7.2.2: reserved */
    [22] = "record_overflow",
    [30] = "decompression_failure", /* RFC 5246 section 7.2.2 */
    [40] = "handshake_failure",
    [41] = "no_certificate", /* SSL 3.0, RFC 6101 section 5.4.2 */
    [42] = "bad_certificate",
    [43] = "unsupported_certificate",
    [44] = "certificate_revoked",
    [45] = "certificate_expired",
    [46] = "certificate_unknown",
    [47] = "illegal_parameter",
    [48] = "unknown_ca",
    [49] = "access_denied",
    [50] = "decode_error",
    [51] = "decrypt_error",
    [52] = "too_many_cids_requested", /* RFC 9147 section 9 */
    [60] = "export_restriction",      /* RFC 5246 section 7.2.2: reserved */
    [70] = "protocol_version",
    [71] = "insufficient_security",
    [80] = "internal_error",
    [86] = "inappropriate_fallback", /* RFC 7507 section 3 */
    [90] = "user_canceled",
    [100] = "no_renegotiation", /* RFC 5246 section 7.2.2 */
    [109] = "missing_extension",
    [110] = "unsupported_extension",
    [111] = "certificate_unobtainable", /* RFC 6066 section 9 */
    [112] = "unrecognized_name",
    [113] = "bad_certificate_status_response",
    [114] = "bad_certificate_hash_value", /* RFC 6066 section 9 */
    [115] = "unknown_psk_identity",
    [116] = "certificate_required",
    [120] = "no_application_protocol",
    [121] = "ech_required", /* TLS Encrypted Client Hello, section 11.2 */
};

enum { NAME_SIZE = 16 };

const char *tls_alert_name(uint8_t description, char text[16])
{
    size_t count = sizeof alert_names / sizeof *alert_names;
    if (description < count && alert_names[description])
        return alert_names[description];
    (void)snprintf(text, NAME_SIZE, "alert %u", description);
    return text;
}

const char *tls_version_name(uint16_t version, char text[16])
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    if (version >= 0x0300 && version <= 0x0304) /* RFC 8446 section 4.2.1 and its forebears */
        return names[version - 0x0300];
    (void)snprintf(text, NAME_SIZE, "0x%04x", version);
    return text;
}
