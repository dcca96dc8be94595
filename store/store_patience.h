/* How long the store waits for a locked database: a number that tests make small.
 *
 * Private to store/. */
#ifndef APNSCOPE_STORE_STORE_PATIENCE_H
#define APNSCOPE_STORE_STORE_PATIENCE_H

#include "store/store.h"

/* Before the run begins. */
void store_set_patience(struct store *store, int busy_ms);

#endif
