/* Files embedded in the program at build time (embed.cmake). */
#ifndef APNSCOPE_REPORT_ASSET_H
#define APNSCOPE_REPORT_ASSET_H

#include <stddef.h>

struct asset {
    const char *text;   /* NUL-terminated */
    size_t size;        /* without the NUL */
    const char *sha256; /* of the text, lower-case hex */
};

extern const struct asset report_css;
extern const struct asset report_js;

#endif
