/* The terminal as an output of a live run: findings as they are found, notices about the run. */
#ifndef APNSCOPE_CLI_LIVE_CONSOLE_H
#define APNSCOPE_CLI_LIVE_CONSOLE_H

#include "feed/sink.h"
#include "settings.h"

/* Findings on standard output, notices on standard error. */
struct feed_sink live_console(const struct settings *settings);

#endif
