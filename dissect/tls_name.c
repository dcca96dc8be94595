/* Names of TLS alerts and versions, for evidence sentences, reports and terminals.
 *
 * Used by whoever shows what dissect/tls.c read. Deliberately does not judge: which alert means
 * what about a network is for detect/. */
#include <stddef.h>
#include <stdio.h>

#include "dissect/tls.h"

static const char *const alert_names[] = {
#define TLS_ALERT(description, name) [description] = name,
#include "model/tls_alert.def"
#undef TLS_ALERT
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
