/* Names of excerpts.
 *
 * See excerpt_name.h. Deliberately contains no name from the wire: digits, a code of ours, an
 * address; a colon of IPv6 becomes a hyphen, because some file systems refuse it. */
#include "excerpt_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { STAMP_LENGTH = 16 }; /* 20260301T120000Z */

/* ISO 8601's basic form, to the second. */
static void add_stamp(struct text *text, int64_t time_ns)
{
    char time[CLOCK_TEXT_SIZE];
    clock_text(time_ns, time);
    for (const char *at = time; *at && *at != '.'; at++)
        if (*at != '-' && *at != ':')
            text_add_bytes(text, at, 1);
    text_add(text, "Z");
}

const char *excerpt_name(int64_t began_ns, const struct finding *finding,
                         char name[EXCERPT_NAME_SIZE])
{
    char client[ADDRESS_TEXT_SIZE] = "site";
    struct text text = text_over(name, EXCERPT_NAME_SIZE);
    if (!address_is_unspecified(&finding->client_ip))
        address_text(&finding->client_ip, client);
    for (char *colon; (colon = strchr(client, ':')) != NULL;)
        *colon = '-';
    add_stamp(&text, began_ns);
    text_format(&text, "-%06" PRIu64 "-%s-%s.pcapng", finding->number, finding->code, client);
    return name;
}

const char *excerpt_path(const struct feed_origin *origin, const struct finding *finding,
                         char path[EXCERPT_PATH_SIZE])
{
    char name[EXCERPT_NAME_SIZE];
    struct text text = text_over(path, EXCERPT_PATH_SIZE);
    if (!origin->evidence_folder)
        return NULL;
    text_format(&text, "%s/%s", origin->evidence_folder,
                excerpt_name(origin->began_ns, finding, name));
    return path;
}

bool excerpt_name_is_ours(const char *name)
{
    static const char shape[] = "dddddddd\tdddddd\n-dddddd";
    size_t length = strlen(name);
    for (size_t i = 0; shape[i]; i++) {
        char wanted = shape[i] == '\t' ? 'T' : shape[i] == '\n' ? 'Z' : shape[i];
        if (wanted == 'd' ? name[i] < '0' || name[i] > '9' : name[i] != wanted)
            return false;
    }
    return length < EXCERPT_NAME_SIZE && text_ends_with_nocase(name, ".pcapng");
}
