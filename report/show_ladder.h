/* The packet ladder in a terminal. */
#ifndef APNSCOPE_REPORT_SHOW_LADDER_H
#define APNSCOPE_REPORT_SHOW_LADDER_H

#include "ladder.h"
#include "terminal.h"

void show_ladder(const struct terminal *terminal, const struct ladder *ladder);

#endif
