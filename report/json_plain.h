/* Recognizes JSON documents that may be embedded in another as they are. */
#ifndef APNSCOPE_REPORT_JSON_PLAIN_H
#define APNSCOPE_REPORT_JSON_PLAIN_H

#include <stdbool.h>

/* One object or array in printable ASCII, without white space or escapes, whose numbers are whole
 * and fit 64 bits. False of many a good document: those are Jansson's to judge. */
bool json_is_plain(const char *text);

#endif
