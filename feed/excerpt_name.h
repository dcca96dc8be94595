/* The name of a finding's excerpt in the evidence folder.
 *
 * Private to feed/. Known before the excerpt is written, so that the outputs can name it. */
#ifndef APNSCOPE_FEED_EXCERPT_NAME_H
#define APNSCOPE_FEED_EXCERPT_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "feed/sink.h"

enum { EXCERPT_NAME_SIZE = 128, EXCERPT_PATH_SIZE = 4096 };

/* "20260301T120000Z-000017-port-blocked-silent-10.0.0.5.pcapng": when the run began, the finding's
 * number in it, code, client ("site" where it is about none). Returns `name`. */
const char *excerpt_name(int64_t began_ns, const struct finding *finding,
                         char name[EXCERPT_NAME_SIZE]);
/* The same in the evidence folder, for the other outputs; NULL: the run writes no excerpts. */
const char *excerpt_path(const struct feed_origin *origin, const struct finding *finding,
                         char path[EXCERPT_PATH_SIZE]);
/* Such a name, so that the file may be removed when room is needed. */
bool excerpt_name_is_ours(const char *name);

#endif
